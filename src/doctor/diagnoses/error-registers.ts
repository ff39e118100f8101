/**
 * Errors that a device or a port keeps in its Advanced Error Reporting registers, and that peer traffic leads to: a packet that was too
 * long, a request that ACS blocked. The registers tell of no time: it may have been years ago. PCIe 7.8.4.2.
 */

import { hex } from '../../core/hex.ts';
import { type ErrorStatus, errorStatusOf } from '../../pcie/error-status.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { DoctorContext } from '../context.ts';
import { factEvidence } from '../facts/evidence.ts';
import type { Statement } from '../facts/log-evidence.ts';
import { BY_HAND, type Evidence, type Finding, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';
import { wantedIndices } from './shut-roads.ts';

/** What is told of each error that peers lead to. Unsupported Request is none of them: probing for devices sets it everywhere. */
const TOLD = [
  {
    error: 'MalfTLP',
    id: 'MPS',
    meaning: 'it received a malformed packet: too long is one way',
    title: 'has received a malformed packet since its registers were last cleared: too long is one way',
    why: 'A packet longer than a receiver allows is malformed. The registers do not tell when it was, nor who sent it.',
  },
  {
    error: 'ACSViol',
    id: 'ACS-REDIR-SWITCH',
    meaning: 'it blocked a request',
    title: 'has blocked a request by ACS since its registers were last cleared',
    why: 'Source Validation, Translation Blocking or Egress Control refused a request; the port’s ACS Control tells which of them are on. The registers do not tell when it was.',
  },
] as const;

/** Statements of the registers of all functions that users pair and of the ports above them. */
export function ofErrorRegisters(context: DoctorContext): Statement[] {
  return onRoads(context).flatMap((fn): Statement[] => {
    const status = errorStatusOf(fn);
    if (status === null) return [];
    return TOLD.filter(({ error }) => status.errors.includes(error)).map((told) => ({
      id: told.id,
      isAbout: (finding) => finding.at.includes(fn.name),
      evidence: statusEvidence(fn, status, told.meaning),
      confirms: false,
      alone: () => findingOf(fn, told, statusEvidence(fn, status, told.meaning)),
    }));
  });
}

function onRoads(context: DoctorContext): PciFunction[] {
  const { machine, functions } = context;
  const indices = new Set(wantedIndices(context).flatMap((index) => machine.hierarchy.chainOf(index)));
  return [...indices].sort((a, b) => a - b).map((index) => functions[index] as PciFunction);
}

function statusEvidence(fn: PciFunction, { register, status }: ErrorStatus, meaning: string): Evidence {
  return factEvidence(fn, 'identity', {
    register: 'Uncorrectable Error Status',
    offset: register,
    value: hex(status, 8),
    meaning,
  });
}

function findingOf(
  { name }: PciFunction,
  { id, title, why }: { readonly id: (typeof TOLD)[number]['id']; readonly title: string; readonly why: string },
  evidence: Evidence,
): Finding {
  return {
    ...NOTHING,
    id,
    severity: severityOf(id, 'recorded'),
    sure: 'likely',
    title: `${name} ${title}`,
    at: [name],
    functions: [name],
    evidence: [evidence],
    why,
    fixes: [
      {
        ...BY_HAND,
        kind: 'look',
        what: 'Write its own bits back to the register, which clears them, run the transfer that fails, and look again: what is set then, that transfer did',
        commands: [`sudo lspci -vv -s ${name} | grep UESta:`],
        cost: 'What the register tells of the past is gone.',
      },
    ],
  };
}
