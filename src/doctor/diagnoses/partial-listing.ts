/** The capture is a part of a machine: what is missing, what follows from the part all the same, and the one command that shows the rest. */

import { listed } from '../../core/words.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { DoctorContext } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { identityEvidence } from '../facts/evidence.ts';
import { type MissingPart, missingParts } from '../facts/missing-parts.ts';
import type { Evidence, Finding } from '../finding.ts';
import { NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';

export const PARTIAL_LISTING: Diagnosis = {
  id: 'PARTIAL-LISTING',
  aliases: ['PARTIAL'],
  meaning: 'the capture shows a part of a machine, and says nothing of the rest',
  symptom: 'a listing of one card, of one vendor, of a grep; a listing that was taken without root, or that ends early',
  needs: 'any listing',
  diagnose,
};

/** Functions that are named as evidence. */
const EVIDENCE_MAX = 4;

function diagnose(context: DoctorContext): Finding[] {
  const parts = missingParts(context.machine);
  const [first] = parts;
  if (first === undefined) return [];
  const at = [...new Set(parts.filter(({ kind }) => kind !== 'registers').flatMap((part) => part.at))];
  return [
    {
      ...NOTHING,
      id: 'PARTIAL-LISTING',
      severity: severityOf('PARTIAL-LISTING', 'partial'),
      sure: parts.some(({ sure }) => sure === 'certain') ? 'certain' : 'likely',
      title: `This is a part of a machine: it does not show ${parts.map(({ words }) => words).join('; nor ')}`,
      at: at.map(({ name }) => name),
      functions: at.map(({ name }) => name),
      evidence: parts.flatMap((part) => part.at.slice(0, EVIDENCE_MAX).map((fn) => edgeEvidence(fn, part))),
      why: `What is not shown may be what is wrong: of the rest nothing is said.${insideSwitchWords(context)}`,
      missing: { what: 'the whole machine', command: commandOf(context) },
    },
  ];
}

function edgeEvidence(fn: PciFunction, { kind }: MissingPart): Evidence {
  const meaning = {
    above: 'no bridge in the capture leads to its bus',
    below: 'something is below it, and nothing is listed there',
    registers: 'its capabilities are not shown',
    end: 'the last that is shown',
    rest: 'no host bridge and no bridge above it are listed',
  }[kind];
  return identityEvidence(fn, meaning);
}

/** What the part decides all the same. */
function insideSwitchWords({ judge, functions, machine: { hierarchy } }: DoctorContext): string {
  const inside = hierarchy.rootBuses.flatMap(({ id, evidence }) => {
    if (evidence !== null) return [];
    const ports = functions.filter(
      (fn, index) => judge.parent[index] === -1 && judge.rootBusOf[index] === id && fn.portType === 'downstreamPort',
    );
    return ports.length >= 2 ? [ports] : [];
  });
  const [ports] = inside;
  if (ports === undefined) return '';
  return ` What it does show: ${listed(ports.map(({ name }) => name))} are downstream ports of one switch, so what stands below them meets inside it.`;
}

function commandOf({ machine }: DoctorContext): string {
  if (machine.source === 'live') return 'sudo p2pdma check';
  const isCapture = machine.hierarchy.functions.some(({ facts }) => facts.sysfs !== null);
  return isCapture ? 'sudo p2pdma capture -o host.tar.gz' : 'sudo lspci -Dnnvvvxxxx > host.txt';
}
