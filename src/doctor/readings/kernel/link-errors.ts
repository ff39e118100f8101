/** PCI Express errors of the log, with the TLP that caused them; and AtomicOps that a port does not route. */

import { listed, plural } from '../../../core/words.ts';
import { isAtomicOp } from '../../../pcie/tlp-header.ts';
import { BY_HAND, type Finding, LOOK, NOTHING } from '../../finding.ts';
import { severityOf } from '../../severity.ts';
import type { CaseContext, NextCommand, Reading, Said } from '../reading.ts';
import { logged, logLine, logSays, type Saying } from './log-items.ts';

export const LINK_ERRORS: Reading = { kind: 'kernel-log', read };

type Aer = Saying<'aer'>;

const CAPABILITIES: NextCommand = {
  command: "sudo lspci -vvv | grep -E '^[0-9a-f]|AtomicOps'",
  why: 'shows which port on the way to the GPU does not route AtomicOps',
  answers: ['ATOMICS'],
  worth: 85,
};

/** How a severity is called, worst first. */
const SEVERITIES = [
  ['fatal', 'fatal', 'fatal'],
  ['nonFatal', 'uncorrected', 'uncorrected'],
  ['corrected', 'corrected', 'corrected'],
] as const;

function read(context: CaseContext): Said {
  const errors = logged(context, 'aer');
  const findings: Finding[] = SEVERITIES.flatMap(([severity, situation, word]) => {
    const some = errors.filter((item) => (item.severity ?? 'corrected') === severity);
    return some.length === 0 ? [] : [errorFinding(some, situation, word)];
  });
  const atomics = atomicsFinding(context, errors);
  if (atomics !== null) findings.push(atomics);
  const statements = logged(context, 'aerRecovery')
    .filter(({ succeeded }) => !succeeded)
    .slice(0, 1)
    .map((item) => logSays(item, 'certain', `The kernel could not recover ${item.at}: it is lost until a reset`));
  return { findings, statements, next: atomics === null ? [] : [CAPABILITIES] };
}

const LINES_MAX = 4;

function errorFinding(errors: readonly Aer[], situation: 'fatal' | 'uncorrected' | 'corrected', word: string): Finding {
  const ports = [...new Set(errors.map(({ at }) => at))].sort();
  const kinds = [...new Set(errors.flatMap((item) => item.errors.map(({ name }) => name)))];
  const header = errors.find((item) => item.header !== null)?.header ?? null;
  const packet =
    header === null
      ? ''
      : `; the packet is ${KIND_WORDS[header.kind] ?? header.kind} from ${header.from}${header.address === null ? '' : ` to 0x${header.address.toString(16)}`}`;
  return {
    ...NOTHING,
    id: 'PCIE-ERRORS',
    severity: severityOf('PCIE-ERRORS', situation),
    sure: 'certain',
    title: `${listed(ports)} reported ${plural(errors.length, `${word} error`)}${kinds.length === 0 ? '' : ` (${listed(kinds)})`}${packet}`,
    at: ports,
    functions: ports,
    evidence: errors.slice(0, LINES_MAX).map((item) => logLine(item, item.at, item.first?.name ?? word)),
    why:
      situation === 'corrected'
        ? 'Corrected errors are repeated by the link itself. Many of them cost bandwidth and point to a cable, riser or slot.'
        : 'An uncorrected error loses the packet. After a fatal one the link is reset and the device is gone until then.',
    fixes: [
      {
        ...LOOK,
        what: 'See whether the errors go on, and at which port they begin',
        commands: [
          "sudo dmesg | grep -E 'AER|PCIe Bus Error' | tail",
          'sudo lspci -vvv | grep -E "^[0-9a-f]|UESta|CESta"',
        ],
      },
    ],
  };
}

const KIND_WORDS: Readonly<Record<string, string>> = {
  memoryRead: 'a memory read',
  memoryWrite: 'a memory write',
  fetchAdd: 'an AtomicOp (FetchAdd)',
  swap: 'an AtomicOp (Swap)',
  compareAndSwap: 'an AtomicOp (CAS)',
  completion: 'a completion',
  message: 'a message',
};

function atomicsFinding(context: CaseContext, errors: readonly Aer[]): Finding | null {
  const refused = logged(context, 'atomicsRefused');
  const blocked = errors.filter(
    (item) =>
      item.errors.some(({ name }) => name === 'AtomicOpBlocked') || (item.header !== null && isAtomicOp(item.header)),
  );
  if (refused.length + blocked.length === 0) return null;
  const ports = [...new Set(blocked.map(({ at }) => at))].sort();
  const devices = [...new Set(refused.flatMap(({ device, at }) => device ?? at ?? []))];
  return {
    ...NOTHING,
    id: 'ATOMICS',
    severity: severityOf('ATOMICS', 'rejected'),
    sure: 'certain',
    title:
      refused.length > 0
        ? `ROCm leaves out ${devices.length === 0 ? 'a GPU' : `the GPU ${listed(devices)}`}: a port on the way does not route AtomicOps`
        : `${listed(ports)} refused an AtomicOp of ${listed([...new Set(blocked.flatMap(({ header }) => header?.from ?? []))])}: it does not route them`,
    at: ports,
    functions: ports,
    evidence: [
      ...refused.slice(0, LINES_MAX).map((item) => logLine(item, item.at, 'the driver’s own words')),
      ...blocked.slice(0, LINES_MAX).map((item) => logLine(item, item.at, 'the packet is an AtomicOp')),
    ],
    why: 'Many AMD GPUs need PCIe AtomicOps to signal the host and each other. A port without AtomicOp routing, or with egress blocking on, treats them as malformed.',
    fixes: [
      {
        ...BY_HAND,
        kind: 'move',
        what: 'Put the GPU into a slot of the processor (not of the chipset or below an old switch), or use one that does not need AtomicOps',
        cost: 'A card moved.',
        takeBack: 'move the card back',
      },
    ],
  };
}
