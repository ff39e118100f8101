/** Each diagnosis on a machine that has it, and on its closest twin that has not; how severe a finding is. */

import { expect, test } from 'vitest';
import { checkMachine, isAtLeast } from '../../src/doctor/check-machine.ts';
import { TOLD_DIAGNOSES } from '../../src/doctor/diagnoses/told.ts';
import type { DiagnosisId, Finding } from '../../src/doctor/finding.ts';
import { DIAGNOSES } from '../../src/doctor/table.ts';
import { buildMachine } from '../../src/machine/build.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { POLICIES } from '../../src/p2p/policy.ts';
import type { DeviceDescription } from '../../src/pcie/describe.ts';
import type { FunctionFacts } from '../../src/pcie/function-facts.ts';
import { LISTED, UNLISTED } from './machines.ts';
import { drive, gpu, machineOfParts as machine, ACS_ON as ON, oneSwitch, TWINS, twoPorts } from './twins.ts';

const INTEL = { vendor: 'GenuineIntel', family: 6 };
const MIB = 2 ** 20;

function findings(built: Machine, id: DiagnosisId): Finding[] {
  return checkMachine(built, POLICIES['linux-6.12']).findings.filter((finding) => finding.id === id);
}

/** Findings that claim something: no questions. */
const claims = (built: Machine, id: DiagnosisId): Finding[] =>
  findings(built, id).filter((finding) => finding.sure !== 'open');

test.each(TWINS.map((twins) => [twins.id, twins.apart, twins] as const))(
  '%s is found where it is, and not on the machine that differs by: %s',
  (id, _, { has, hasNot }) => {
    expect(claims(has(), id).length).toBeGreaterThan(0);
    expect(claims(hasNot(), id)).toEqual([]);
  },
);

/** Everything that a capture could tell of a machine, one line a fact. */
function factsOf({ hierarchy, cmdline, kernel, cpu, iommuGroupTypes, ram }: Machine): Map<string, string> {
  const facts = new Map<string, string>([
    ['kernel', `${kernel}`],
    ['cpu', JSON.stringify(cpu)],
    ['ram', JSON.stringify(ram)],
  ]);
  for (const [index, word] of (cmdline ?? '').split(' ').entries()) facts.set(`word ${index}`, word);
  for (const [group, type] of iommuGroupTypes) facts.set(`group ${group}`, type);
  for (const { name, facts: own } of hierarchy.functions) {
    for (let at = 0; at < own.config.length; at += 4) facts.set(`${name}/${at}`, `${own.config.u32(at)}`);
    for (const [key, value] of Object.entries(own.sysfs ?? {})) {
      // The kernel says again what the register at 0 says.
      if (key !== 'vendorId' && key !== 'deviceId') facts.set(`${name} ${key}`, JSON.stringify(value) ?? '');
    }
  }
  return facts;
}

test.each(
  TWINS.filter(({ notCloser }) => notCloser === undefined).map((twins) => [twins.id, twins.apart, twins] as const),
)('the twins of %s are one register, one attribute or one word apart: %s', (_id, _apart, { has, hasNot }) => {
  const [one, other] = [factsOf(has()), factsOf(hasNot())];
  const keys = new Set([...one.keys(), ...other.keys()]);
  expect([...keys].filter((key) => one.get(key) !== other.get(key))).toHaveLength(1);
});

test('every diagnosis that a machine shows has twins, but those whose evidence is of the host', () => {
  const told = new Set(TOLD_DIAGNOSES.map(({ id }) => id));
  const without = DIAGNOSES.map(({ id }) => id).filter(
    (id) => !told.has(id) && !TWINS.some((twins) => twins.id === id),
  );
  expect(without).toEqual(['ADDR-MASK', 'WRONG-MEMORY']);
});

test('ACS-REDIR-SWITCH is an error where nothing else leads there, a warning where the host bridge will do', () => {
  expect(claims(machine(oneSwitch(ON, UNLISTED)), 'ACS-REDIR-SWITCH')).toMatchObject([{ severity: 'error' }]);
  expect(claims(machine(oneSwitch(ON, LISTED)), 'ACS-REDIR-SWITCH')).toMatchObject([{ severity: 'warning' }]);
});

const severities = (built: Machine, id: DiagnosisId): string[] => claims(built, id).map(({ severity }) => severity);
const publishing = (name: string): Parameters<typeof machine>[1] => ({
  sysfs: { [name]: { p2pmem: { size: MIB, available: MIB, published: true } } },
});
/** A graphics card, not made to compute. */
const display = (name: string): DeviceDescription => gpu(name, { classCode: 0x030000 });

test('below one switch an error is what computes or publishes; a desktop’s cards behind ACS are a warning', () => {
  const cards = oneSwitch(ON, UNLISTED, drive('b'));
  expect(severities(machine(cards), 'ACS-REDIR-SWITCH')).toEqual(['warning']);
  expect(severities(machine(cards, publishing('b')), 'ACS-REDIR-SWITCH')).toEqual(['error']);
  expect(severities(machine(oneSwitch(ON, UNLISTED, display('b'))), 'ACS-REDIR-SWITCH')).toEqual(['warning']);
  // A line that clears redirects asks for peers; one that sets them does not.
  for (const [flags, severity] of [
    ['xx00x00', 'error'],
    ['1100', 'warning'],
  ]) {
    const cmdline = `pci=config_acs=${flags}@0000:02:01.0`;
    expect(severities(machine(cards, { cmdline }), 'ACS-REDIR-SWITCH')).toEqual([severity]);
  }
});

test('ten redirecting functions between two cards are more than Linux 6.12 has room for: it is told, and of nine, or on 6.1, not', () => {
  /** A chain of switches above one card: one redirecting port each. */
  const chain = (depth: number, card: DeviceDescription): DeviceDescription =>
    depth === 0 ? card : { kind: 'switch', ports: [{ acs: ON, below: [chain(depth - 1, card)] }] };
  const built = (left: number, right: number, kernel: string): Machine => {
    const ports = [
      { acs: ON, below: [chain(left - 1, gpu('a'))] },
      { acs: ON, below: [chain(right - 1, gpu('b'))] },
    ];
    const tree = [{ kind: 'rootPort' as const, below: [{ kind: 'switch' as const, ports }] }];
    return machine([{ hostBridge: UNLISTED, children: tree }], { kernel });
  };
  const told = (left: number, right: number, kernel: string): boolean =>
    claims(built(left, right, kernel), 'ACS-REDIR-SWITCH')[0]?.why.includes('was seen to crash') === true;
  expect(told(5, 5, '6.12.1')).toBe(true);
  expect(told(5, 4, '6.12.1')).toBe(false);
  expect(told(5, 5, '6.1.90')).toBe(false);
});

test('at a host bridge an error is published memory that nobody reaches: no board is built for peers there', () => {
  expect(severities(machine(twoPorts(UNLISTED)), 'HB-NOT-LISTED')).toEqual(['warning']);
  expect(severities(machine(twoPorts(UNLISTED, 'clear', display('b'))), 'HB-NOT-LISTED')).toEqual(['warning']);
  const alone = twoPorts(UNLISTED, 'clear', drive('b'));
  expect(severities(machine(alone), 'HB-NOT-LISTED')).toEqual(['note']);
  expect(severities(machine(alone, publishing('b')), 'HB-NOT-LISTED')).toEqual(['error']);
  // With a peer below the same switch the memory is of use.
  const [root] = oneSwitch('clear', UNLISTED, drive('b'));
  const apart = { kind: 'rootPort' as const, below: [drive('far')] };
  const three = [{ ...root, children: [...(root?.children ?? []), apart] }];
  expect(severities(machine(three, publishing('b')), 'HB-NOT-LISTED')).toEqual(['warning']);
});

test('Virtual Functions of one card are one card: they alone mean no machine for peers', () => {
  const many = (count: number): DeviceDescription => ({
    kind: 'endpoint',
    functions: Array.from({ length: count }, () => ({
      vendorId: 0x10de,
      classCode: 0x030200,
      bars: [{ size: 256 * MIB, prefetchable: true }],
    })),
  });
  const built = machine([
    {
      hostBridge: UNLISTED,
      children: [
        { kind: 'rootPort', below: [many(4)] },
        { kind: 'rootPort', below: [drive('d')] },
      ],
    },
  ]);
  expect(severities(built, 'HB-NOT-LISTED')).toEqual(['note']);
});

test('what is inside a processor, a board’s controller and a card that shows nothing are nobody’s peers', () => {
  const apu: DeviceDescription = {
    kind: 'endpoint',
    functions: [
      { classCode: 0x030000, bars: [{ size: 256 * MIB, prefetchable: true }] },
      { classCode: 0x108000, bars: [{ size: MIB }] },
      { classCode: 0x118000, bars: [{ size: MIB, prefetchable: true }] },
    ],
  };
  const management: DeviceDescription = {
    kind: 'endpoint',
    functions: [{ classCode: 0x088000, bars: [{ size: 64 * MIB }] }],
  };
  const pairsOf = (device: DeviceDescription): number =>
    Object.values(
      checkMachine(
        machine([
          {
            hostBridge: UNLISTED,
            children: [device, drive('d')].map((one) => ({ kind: 'rootPort' as const, below: [one] })),
          },
        ]),
        POLICIES['linux-6.12'],
      ).pairs,
    ).reduce((sum, count) => sum + count, 0);
  expect(pairsOf(apu)).toBe(0);
  expect(pairsOf(management)).toBe(0);
  expect(pairsOf(display('a'))).toBe(1);
});

test('a guest shows by its devices, or by a chipset of 1996 that has PCI Express devices', () => {
  const old = { vendorId: 0x8086, deviceId: 0x1237 };
  const flat = [{ hostBridge: old, children: [gpu('a'), gpu('b')] }];
  expect(claims(machine(flat), 'VM-TOPOLOGY')).toMatchObject([{ severity: 'warning', at: ['0000:00:00.0'] }]);
  expect(claims(machine([{ hostBridge: UNLISTED, children: [gpu('a'), gpu('b')] }]), 'VM-TOPOLOGY')).toEqual([]);
  // One device passed through has nobody to talk to.
  const alone = [{ hostBridge: old, children: [display('a')] }];
  expect(severities(machine(alone), 'VM-TOPOLOGY')).toEqual(['note']);
});

test('an engine for encryption in the processor’s package is no accelerator to pair', () => {
  const engine = (size: number): DeviceDescription => ({
    kind: 'endpoint',
    functions: [{ vendorId: 0x8086, classCode: 0x0b4000, bars: [{ size, prefetchable: true }] }],
  });
  const pairsWith = (size: number): number => {
    const children = [engine(size), drive('d')].map((one) => ({ kind: 'rootPort' as const, below: [one] }));
    const { pairs } = checkMachine(machine([{ hostBridge: LISTED, children }]), POLICIES['linux-6.12']);
    return pairs.thruHostBridge;
  };
  expect(pairsWith(4 * MIB)).toBe(0);
  expect(pairsWith(256 * MIB)).toBe(1);
});

test('a port without ACS that parts two groups is one that the kernel knows; a patch that splits them is a lie', () => {
  const apart = { sysfs: { p: { iommuGroup: 1 }, a: { iommuGroup: 2 } } } as const;
  const known = twoPorts(LISTED, 'absent');
  expect(severities(machine(known, apart), 'GROUP-LIE')).toEqual([]);
  expect(severities(machine(known, { ...apart, cmdline: 'pcie_acs_override=downstream' }), 'GROUP-LIE')).toEqual([
    'warning',
  ]);
});

test('a word about ACS that changes nothing is an error where a register redirects, a warning where none does', () => {
  const noacs = { cmdline: 'pci=noacs' };
  expect(severities(machine(oneSwitch(ON), noacs), 'BAD-CMDLINE')).toEqual(['error']);
  expect(severities(machine(oneSwitch(['SV']), noacs), 'BAD-CMDLINE')).toEqual(['warning']);
});

test('fewer lanes to a switch on the board, or in a guest, are a question', () => {
  const narrow = { edits: { a: (view: DataView, express: number) => view.setUint16(express + 0x12, 0x84, true) } };
  expect(severities(machine(twoPorts(LISTED), narrow), 'LINK-DEGRADED')).toEqual(['warning']);
  const guest = twoPorts(LISTED, 'clear', gpu('b', { vendorId: 0x1b36 }));
  expect(findings(machine(guest, narrow), 'LINK-DEGRADED')).toMatchObject([{ severity: 'note', sure: 'open' }]);
});

/** A BAR of 256 MiB that could have 32 GiB. PCIe 7.8.6. */
const resizable: NonNullable<NonNullable<Parameters<typeof machine>[1]>['edits']> = {
  a: (view) => {
    let at = 0x100;
    while (view.getUint32(at, true) >>> 20 !== 0) at = view.getUint32(at, true) >>> 20;
    view.setUint32(at, (view.getUint32(at, true) & 0xfffff) | (0xe00 << 20), true);
    view.setUint32(0xe00, 0x00010015, true);
    view.setUint32(0xe04, 0xffff << 4, true);
    view.setUint32(0xe08, (8 << 8) | (1 << 5), true);
  },
};

test('BAR-SMALL: the least change is the kernel’s own, of this card alone; what is above 4 GiB already need not be allowed', () => {
  const sysfs = { a: { driver: 'vfio-pci' } };
  const fixesIn = (told: Parameters<typeof machine>[1]) =>
    claims(machine(twoPorts(LISTED), { edits: resizable, sysfs, ...told }), 'BAR-SMALL')[0]?.fixes ?? [];
  const [first, second] = fixesIn({});
  expect(first?.commands).toEqual([
    'echo 0000:01:00.0 | sudo tee /sys/bus/pci/drivers/vfio-pci/unbind',
    'echo 15 | sudo tee /sys/bus/pci/devices/0000:01:00.0/resource0_resize',
    'echo 0000:01:00.0 | sudo tee /sys/bus/pci/drivers/vfio-pci/bind',
  ]);
  expect(first?.undo[1]).toBe('echo 8 | sudo tee /sys/bus/pci/devices/0000:01:00.0/resource0_resize');
  expect(second?.what).toMatch(/"Above 4G decoding" is on|switch on "Above 4G decoding"/);
  const isAbove = machine(twoPorts(LISTED)).hierarchy.functions.some((fn) =>
    fn.bars.some((bar) => (bar.busAddress ?? 0) >= 2 ** 32),
  );
  expect(second?.what.includes('is on: BARs stand there already')).toBe(isAbove);
  // Linux 6.0 has no such attribute.
  expect(fixesIn({ kernel: '6.0.1' })[0]?.commands).toEqual([]);
});

test('HB-NOT-LISTED: where no CPU is named the root complex names it, and the evidence says so', () => {
  const root = (deviceId: number): Machine => ({ ...machine(twoPorts({ vendorId: 0x1022, deviceId })), cpu: null });
  expect(findings(root(0x1480), 'HB-NOT-LISTED')).toEqual([]);
  const [older] = findings(root(0x1576), 'HB-NOT-LISTED');
  expect(older?.sure).toBe('certain');
  expect(older?.evidence.at(-1)?.value).toBe('AMD, older than Zen, from root complex 1022:1576 (0000:00:00.0)');
  expect(findings({ ...root(0x1480), cpu: INTEL }, 'HB-NOT-LISTED')).toMatchObject([{ sure: 'certain' }]);
});

/** A port that has so many lanes of 16 GT/s, and the card below it trained to that. */
const lanes = (port: string, card: string, width: number): Parameters<typeof machine>[1] => ({
  edits: {
    [port]: (view, express) => {
      view.setUint32(express + 0x0c, (view.getUint32(express + 0x0c, true) & ~0x3ff) | (width << 4) | 4, true);
      view.setUint16(express + 0x12, 0x2000 | (width << 4) | 4, true);
    },
    [card]: (view, express) => view.setUint16(express + 0x12, (width << 4) | 4, true),
  },
});

test('LINK-DEGRADED: a port with a quarter of what both devices have, or less, is a note with the figure; in a guest it is drawn', () => {
  for (const width of [1, 2, 4]) {
    const found = claims(machine(twoPorts(LISTED), lanes('p', 'a', width)), 'LINK-DEGRADED');
    expect(found).toMatchObject([{ severity: 'note', sure: 'certain' }]);
    expect(found[0]?.title).toContain(
      `x${width} at 16 GT/s, ${((16 * width * 128) / 130 / 8).toFixed(1)} GB/s each way`,
    );
    expect(found[0]?.at).toEqual(['0000:01:00.0']);
  }
  expect(claims(machine(twoPorts(LISTED), lanes('p', 'a', 8)), 'LINK-DEGRADED')).toEqual([]);
  const guest = twoPorts(LISTED, 'clear', gpu('b', { vendorId: 0x1b36 }));
  expect(claims(machine(guest, lanes('p', 'a', 1)), 'LINK-DEGRADED')).toEqual([]);
});

test('a desktop with one GPU and one drive, whose host bridge no kernel trusts, has no error', () => {
  const desktop = machine(twoPorts(UNLISTED, 'clear', drive('b')));
  expect(
    checkMachine(desktop, POLICIES['linux-6.12']).findings.filter((finding) => isAtLeast(finding, 'warning')),
  ).toEqual([]);
});

test('the same desktop has one where the user names the two', () => {
  const desktop = machine(twoPorts(UNLISTED, 'clear', drive('b')));
  const asked = desktop.hierarchy.functions.flatMap((fn, index) =>
    fn.isBridge || fn.classCode === 0x0600 ? [] : [index],
  );
  const { findings: found } = checkMachine(desktop, POLICIES['linux-6.12'], { asked });
  expect(found[0]).toMatchObject({ id: 'HB-NOT-LISTED', severity: 'error' });
});

test('functions of one device are paired where the user names them, and only then', () => {
  const functions = [0, 1, 2].map(() => ({ classCode: 0x030200, bars: [{ size: 256 * MIB, prefetchable: true }] }));
  const built = machine([
    { hostBridge: UNLISTED, children: [{ kind: 'rootPort', below: [{ kind: 'endpoint', functions }] }] },
  ]);
  const asked = built.hierarchy.functions.flatMap((fn, index) => (fn.classCode === 0x0302 ? [index] : []));
  const policy = POLICIES['linux-6.12'];
  const none = { busAddr: 0, thruHostBridge: 0, notSupported: 0, unknown: 0 };
  expect(checkMachine(built, policy).pairs).toEqual(none);
  // Two of them and all three: each with each other, both ways, by the port that they share.
  expect(checkMachine(built, policy, { asked: asked.slice(1) }).pairs).toEqual({ ...none, busAddr: 2 });
  expect(checkMachine(built, policy, { asked }).pairs).toEqual({ ...none, busAddr: 6 });
});

test('sound, USB and slow network functions are never paired', () => {
  const plain = (classCode: number): DeviceDescription => ({
    kind: 'endpoint',
    functions: [{ classCode, bars: [{ size: MIB }] }],
  });
  const built = machine([
    {
      hostBridge: UNLISTED,
      children: [0x040300, 0x0c0330, 0x028000, 0x010601].map((code) => ({
        kind: 'rootPort' as const,
        below: [plain(code)],
      })),
    },
  ]);
  const { pairs } = checkMachine(built, POLICIES['linux-6.12']);
  expect(pairs).toEqual({ busAddr: 0, thruHostBridge: 0, notSupported: 0, unknown: 0 });
});

test('missing evidence makes a question with the command that answers it, never a claim', () => {
  const whole = machine(oneSwitch(ON));
  const functions = whole.hierarchy.functions.map(({ facts }): FunctionFacts => {
    const bytes = facts.config.bytes.slice(0, 64);
    return {
      ...facts,
      config: new (facts.config.constructor as new (bytes: Uint8Array) => typeof facts.config)(bytes),
    };
  });
  const short = buildMachine({ source: 'described', functions, cpu: INTEL, kernel: '6.12.1' });
  const found = checkMachine(short, POLICIES['linux-6.12']).findings.filter((finding) => finding.sure === 'open');
  for (const finding of found) expect(finding.missing?.command ?? '').not.toBe('');
});

test('every diagnosis of the table has a name of its own, a meaning, a symptom and its needs', () => {
  expect(new Set(DIAGNOSES.map(({ id }) => id)).size).toBe(DIAGNOSES.length);
  for (const { meaning, symptom, needs } of DIAGNOSES)
    for (const text of [meaning, symptom, needs]) expect(text.length).toBeGreaterThan(10);
});
