/**
 * Max_Payload_Size differs on one road: a packet longer than a receiver allows is a Malformed TLP, an error of the link. PCIe
 * 2.2.2 and 7.5.3.4; Linux pci=pcie_bus_peer2peer.
 */

import { hex } from '../../core/hex.ts';
import { listed } from '../../core/words.ts';
import { hypervisorOf } from '../../machine/infer/hypervisor.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { DEVICE_CONTROL, withChange } from '../change/machine-change.ts';
import { type DoctorContext, namesOf, pairsOf } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { factEvidence } from '../facts/evidence.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import type { Finding, MachineChange } from '../finding.ts';
import { NOTHING } from '../finding.ts';
import { judged, notProved } from '../proof.ts';
import { wordFix } from '../remedy/boot-fix.ts';
import { type RegisterWrite, SETPCI_LASTS, setpciFix } from '../remedy/setpci.ts';
import { severityOf } from '../severity.ts';
import { wantedIndices } from './shut-roads.ts';
import { tagFindings } from './tag-mismatch.ts';

export const MPS: Diagnosis = {
  id: 'MPS',
  aliases: ['TAG MISMATCH'],
  meaning: 'a device sends packets longer, or with longer tags, than its peer or a hop on the way accepts',
  symptom: 'malformed TLP, data errors, links that go down',
  needs: 'Device Control of every function on the way; Device Capabilities 2 and Control 2 for tags of ten bits',
  diagnose,
};

/** Header, sequence number, CRC and framing of one packet with data. */
const OVERHEAD = 24;

function diagnose(context: DoctorContext): Finding[] {
  const cases = context.cases.filter((item) => item.type === 'busAddr');
  const senders = new Map<number, PairCase>();
  const hops = new Set<number>();
  let least = Number.POSITIVE_INFINITY;
  for (const item of cases) {
    const way = new Set([...item.functions].flatMap((index) => chainTo(context, index, item.common)));
    const sizes = [...way].map((index) => sizeOf(context, index)).filter((size) => size !== null);
    const smallest = Math.min(...sizes);
    for (const index of item.functions) {
      const size = sizeOf(context, index);
      if (size !== null && size > smallest) senders.set(index, item);
    }
    if ([...item.functions].some((index) => senders.has(index))) {
      least = Math.min(least, smallest);
      for (const index of way) if (sizeOf(context, index) === smallest) hops.add(index);
    }
  }
  const [first] = senders.values();
  const sizes = first === undefined ? [] : [findingOf(context, { senders, hops, least, first })];
  return [...sizes, ...towardsMemory(context, new Set(senders.keys()), least), ...tagFindings(context)];
}

/**
 * Devices with packets longer than a port above them takes, whoever their peers are: all that they write goes up there, and a root complex
 * may split a packet only behind its own port. `told` are those that are to send at most `least` bytes already. A guest's ports are drawn.
 */
function towardsMemory(context: DoctorContext, told: ReadonlySet<number>, least: number): Finding[] {
  if (hypervisorOf(context.machine) !== null) return [];
  const senders = new Set<number>();
  const hops = new Set<number>();
  let smallest = Number.POSITIVE_INFINITY;
  for (const index of wantedIndices(context)) {
    const size = told.has(index) ? least : sizeOf(context, index);
    if (size === null) continue;
    const short = context.machine.hierarchy
      .chainOf(index)
      .slice(1)
      .filter((at) => (sizeOf(context, at) ?? size) < size);
    if (short.length === 0) continue;
    senders.add(index);
    for (const at of short) {
      hops.add(at);
      smallest = Math.min(smallest, sizeOf(context, at) as number);
    }
  }
  return senders.size === 0 ? [] : [findingOf(context, { senders, hops, least: smallest, first: null })];
}

function sizeOf({ functions }: DoctorContext, index: number): number | null {
  return (functions[index] as PciFunction).payload?.maxPayload ?? null;
}

function chainTo({ machine }: DoctorContext, index: number, common: number): number[] {
  const chain = machine.hierarchy.chainOf(index);
  const end = chain.indexOf(common);
  return end < 0 ? chain : chain.slice(0, end);
}

function findingOf(
  context: DoctorContext,
  found: {
    readonly senders: ReadonlyMap<number, PairCase> | ReadonlySet<number>;
    readonly hops: ReadonlySet<number>;
    readonly least: number;
    /** A pair whose packets break; null where they break on the way to memory. */
    readonly first: PairCase | null;
  },
): Finding {
  const { senders, least, first } = found;
  const long = namesOf(context, senders.keys());
  const short = namesOf(context, found.hops);
  const functions = [...senders.keys()].map((index) => {
    const fn = context.functions[index] as PciFunction;
    return { at: fn, before: fn.payload?.maxPayload as number, after: least };
  });
  const change = { kind: 'maxPayload', functions } as const;
  const still = new Set(
    withChange(context.machine, change).hierarchy.functions.filter(
      (fn) => long.includes(fn.name) && (fn.payload?.maxPayload ?? 0) > least,
    ),
  );
  const everywhere = wordFix(context.machine, 'pci=pcie_bus_peer2peer');
  const lost = 100 * (1 - least / (least + OVERHEAD) / (256 / (256 + OVERHEAD)));
  return {
    ...NOTHING,
    id: 'MPS',
    severity: severityOf('MPS', 'longPackets'),
    sure: 'likely',
    title: `${listed(long)} ${long.length === 1 ? 'sends' : 'send'} packets longer than the ${least} bytes that ${listed(short)} ${short.length === 1 ? 'accepts' : 'accept'}: ${first === null ? 'what they write to memory, or to anybody beyond, breaks there' : 'peer writes break'} as Malformed TLPs`,
    at: short,
    functions: [...new Set([...long, ...short])].sort(),
    pairs: first === null ? null : pairsOf(context, first),
    evidence: [...senders.keys(), ...found.hops].slice(0, 16).map((index) => {
      const fn = context.functions[index] as PciFunction;
      const offset = fn.expressOffset ? fn.expressOffset + DEVICE_CONTROL : null;
      const control = offset === null ? undefined : fn.config.u16(offset);
      return factEvidence(fn, 'payload', {
        register: 'Device Control, Max_Payload_Size',
        offset,
        value: control === undefined ? `${fn.payload?.maxPayload} bytes` : hex(control, 4),
        meaning: `${fn.payload?.maxPayload} bytes`,
      });
    }),
    why:
      first === null
        ? 'Each port takes packets of its own size at most. Somebody set these ports to less than the devices below them, so it is not peers alone that suffer.'
        : 'Firmware sets the size for the way between device and memory. Between peers the smallest receiver decides, and a packet that is too long is an error, not a slow one.',
    fixes: [
      {
        ...setpciFix('CAP_EXP+8.w', functions.map(maxPayloadWrite)),
        what: `Let all of ${listed(long)} send at most ${least} bytes, now`,
        cost:
          least < 256
            ? `About ${lost.toFixed(0)} % of the bandwidth of these devices. ${SETPCI_LASTS}`
            : `None worth naming. ${SETPCI_LASTS}`,
        change,
        proof:
          still.size === 0
            ? judged({ kind: 'settings' }, { kind: 'withinPayload', devices: functions.length, bytes: least })
            : notProved('stillLonger'),
      },
      ...(everywhere === null
        ? []
        : [
            {
              ...everywhere.lines,
              what: 'At every boot: 128 bytes everywhere, which fits every peer',
              cost: `About ${(100 * (1 - 128 / (128 + OVERHEAD) / (256 / (256 + OVERHEAD)))).toFixed(0)} % of the bandwidth of 256-byte packets, on all devices.`,
              change: everywhere.change,
              proof: judged(
                { kind: 'settings' },
                { kind: 'longPackets', functions: longAfter(context, everywhere.change), bytes: 128 },
              ),
            },
          ]),
    ],
  };
}

/** Max_Payload_Size in Device Control. PCIe 7.5.3.4. */
function maxPayloadWrite({
  at,
  before,
  after,
}: {
  readonly at: PciFunction;
  readonly before: number;
  readonly after: number;
}): RegisterWrite {
  const field = (bytes: number): number => Math.log2(bytes / 128) << 5;
  return { at, before: field(before), after: field(after), mask: 0xe0 };
}

function longAfter({ machine }: DoctorContext, change: MachineChange): number {
  return withChange(machine, change).hierarchy.functions.filter((fn) => (fn.payload?.maxPayload ?? 0) > 128).length;
}
