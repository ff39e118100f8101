/**
 * Tags of ten bits: a requester that has them enabled sends them to every completer, and one that does not know them answers with a
 * cut tag, or not at all. Firmware enables them for the way to memory, where the root complex knows them. PCIe 2.2.6.2, 7.5.3.15,
 * 7.5.3.16.
 */

import { hex } from '../../core/hex.ts';
import { listed } from '../../core/words.ts';
import { deviceKey, isProvider } from '../../machine/roles.ts';
import { DEVICE_CONTROL_2, TAG_REQUESTER_ENABLE } from '../../pcie/express.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { withChange } from '../change/machine-change.ts';
import { type DoctorContext, namesOf, pairsOf } from '../context.ts';
import { factEvidence } from '../facts/evidence.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import type { Evidence, Finding, Fix, MachineChange } from '../finding.ts';
import { NOTHING } from '../finding.ts';
import { judged, notProved, type Proof } from '../proof.ts';
import { SETPCI_LASTS, setpciFix } from '../remedy/setpci.ts';
import { severityOf } from '../severity.ts';

/** What is wrong in one case of pairs. */
interface Mismatch {
  readonly requesters: ReadonlySet<number>;
  readonly completers: ReadonlySet<number>;
  readonly first: PairCase;
}

/** A finding where a client asks with ten bits and a provider knows eight; none where the registers do not tell. */
export function tagFindings(context: DoctorContext): Finding[] {
  const found = mismatchOf(context);
  return found === null ? [] : [findingOf(context, found)];
}

function mismatchOf(context: DoctorContext): Mismatch | null {
  const { functions, roles, asked } = context;
  const requesters = new Set<number>();
  const completers = new Set<number>();
  let first: PairCase | undefined;
  for (const item of context.cases) {
    if (item.type !== 'busAddr' && item.type !== 'thruHostBridge') continue;
    const members = [...item.functions];
    const asking = members.filter((index) => (functions[index] as PciFunction).tags?.enabled10Bit === true);
    if (asking.length === 0) continue;
    const short = members.filter((index) => {
      const fn = functions[index] as PciFunction;
      const role = roles[index] ?? null;
      return fn.tags?.completes10Bit === false && (asked !== null || (role !== null && isProvider(fn, role)));
    });
    const devices = new Set(asking.map((index) => deviceKey(functions[index] as PciFunction)));
    // A function that asks and does not answer itself is no pair of its own.
    const reached = short.filter(
      (index) => devices.size > 1 || !devices.has(deviceKey(functions[index] as PciFunction)),
    );
    if (reached.length === 0) continue;
    first ??= item;
    for (const index of asking) requesters.add(index);
    for (const index of reached) completers.add(index);
  }
  return first === undefined ? null : { requesters, completers, first };
}

function findingOf(context: DoctorContext, { requesters, completers, first }: Mismatch): Finding {
  const asking = namesOf(context, requesters);
  const short = namesOf(context, completers);
  return {
    ...NOTHING,
    id: 'MPS',
    severity: severityOf('MPS', 'longTags'),
    // A requester may keep to shorter tags for some of its requests.
    sure: 'likely',
    title: `${listed(asking)} ${asking.length === 1 ? 'asks' : 'ask'} with tags of ten bits, which ${listed(short)} ${short.length === 1 ? 'does' : 'do'} not know: reads from ${short.length === 1 ? 'it' : 'them'} time out or return wrong data`,
    at: asking,
    functions: [...new Set([...asking, ...short])].sort(),
    pairs: pairsOf(context, first),
    evidence: [
      ...[...requesters].slice(0, 8).map((index) => controlEvidence(context.functions[index] as PciFunction)),
      ...[...completers].slice(0, 8).map((index) => capabilityEvidence(context.functions[index] as PciFunction)),
    ],
    why: 'Writes bear no tag that somebody answers. A read is answered with its tag, and a completer that has room for eight bits sends eight back.',
    fixes: fixesOf(context, requesters),
  };
}

function controlEvidence(fn: PciFunction): Evidence {
  const offset = fn.expressOffset ? fn.expressOffset + DEVICE_CONTROL_2 : null;
  const control = offset === null ? undefined : fn.config.u16(offset);
  return factEvidence(fn, 'tags', {
    register: 'Device Control 2, 10-Bit Tag Requester Enable',
    offset,
    value: control === undefined ? 'set' : hex(control, 4),
    meaning: 'asks with ten bits',
  });
}

function capabilityEvidence(fn: PciFunction): Evidence {
  const offset = fn.expressOffset ? fn.expressOffset + DEVICE_CONTROL_2 - 4 : null;
  const capability = offset === null ? undefined : fn.config.u32(offset);
  return factEvidence(fn, 'tags', {
    register: 'Device Capabilities 2, 10-Bit Tag Completer Supported',
    offset,
    value: capability === undefined ? 'clear' : hex(capability, 8),
    meaning: 'answers eight bits only',
  });
}

function fixesOf(context: DoctorContext, requesters: ReadonlySet<number>): Fix[] {
  const names = namesOf(context, requesters);
  const functions = [...requesters].sort((a, b) => a - b).map((index) => context.functions[index] as PciFunction);
  const change = changeOf(context, requesters);
  return [
    {
      ...setpciFix(
        `CAP_EXP+${DEVICE_CONTROL_2.toString(16)}.w`,
        functions.map((at) => ({ at, before: TAG_REQUESTER_ENABLE, after: 0, mask: TAG_REQUESTER_ENABLE })),
      ),
      what: `Let ${listed(names)} ask with eight bits, now`,
      cost: `At most 256 reads under way at a time for each, in place of 768: less bandwidth over long ways. Stop its traffic meanwhile. ${SETPCI_LASTS}`,
      change,
      proof: change === null ? notProved('textOnly') : proofOf(context, change),
    },
  ];
}

function changeOf({ functions }: DoctorContext, requesters: ReadonlySet<number>): MachineChange | null {
  const words = [...requesters].flatMap((index) => {
    const fn = functions[index] as PciFunction;
    const offset = fn.expressOffset ? fn.expressOffset + DEVICE_CONTROL_2 : null;
    const before = offset === null ? undefined : fn.config.u16(offset);
    if (offset === null || before === undefined) return [];
    return [{ at: fn, offset, before, after: before & ~TAG_REQUESTER_ENABLE }];
  });
  return words.length < requesters.size ? null : { kind: 'registers', words };
}

function proofOf(context: DoctorContext, change: MachineChange): Proof {
  const changed = withChange(context.machine, change);
  const left = mismatchOf({ ...context, machine: changed, functions: changed.hierarchy.functions });
  return judged({ kind: 'settings' }, { kind: 'tenBitTags', functions: left?.requesters.size ?? 0 });
}
