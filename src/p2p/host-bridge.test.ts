import { expect, test } from 'vitest';
import type { Cpu, Machine } from '../machine/machine.ts';
import { buildTree } from '../pcie/build-tree.ts';
import { ConfigSpace } from '../pcie/config-space.ts';
import type { RootBusDescription } from '../pcie/describe.ts';
import type { FunctionFacts } from '../pcie/function-facts.ts';
import { Hierarchy } from '../pcie/hierarchy.ts';
import { PciFunction } from '../pcie/pci-function.ts';
import { p2pdmaDistance } from './distance.ts';
import { p2pdmaDistanceMany } from './find.ts';
import { JudgeContext } from './judge.ts';
import { olderThanPolicies, POLICIES, POLICY_NAMES, type PolicyName, policyForKernel } from './policy.ts';
import type { PairVerdict } from './verdict.ts';

const INTEL: Cpu = { vendor: 'GenuineIntel', family: 6 };
const device = (name: string) => ({ kind: 'endpoint', functions: [{ name, bars: [{ size: 2 ** 24 }] }] }) as const;
const port = (name: string, vendorId = 0x8086) => ({ kind: 'rootPort', vendorId, below: [device(name)] }) as const;

/** Root buses with one endpoint below a root port each, named a, b, ...; `ids` are the functions at 00.0, null for none. */
function machineOf(ids: readonly (readonly [number, number] | null)[], cpu: Cpu | null, ports = 2) {
  const names = ['a', 'b', 'c', 'd'];
  let next = 0;
  const rootBuses: RootBusDescription[] = ids.map((id) => ({
    hostBridge: id === null ? null : { vendorId: id[0], deviceId: id[1] },
    children: Array.from({ length: ids.length === 1 ? ports : 1 }, () => port(names[next++] as string)),
  }));
  const tree = buildTree({ rootBuses });
  const machine: Machine = {
    source: 'described',
    hierarchy: tree.hierarchy,
    ram: [],
    iomem: [],
    cpu,
    kernel: null,
    cmdline: null,
    iommuGroupTypes: new Map(),
    notes: [],
  };
  const at = (name: string): PciFunction => {
    const bdf = tree.names.get(name);
    const fn = bdf === undefined ? undefined : tree.hierarchy.at(bdf);
    if (fn === undefined) throw new Error(`no ${name}`);
    return fn;
  };
  return { machine, at };
}

function verdictOf(
  ids: Parameters<typeof machineOf>[0],
  cpu: Cpu | null,
  policy: PolicyName = 'linux-6.12',
): PairVerdict {
  const { machine, at } = machineOf(ids, cpu);
  return p2pdmaDistance(at('a'), at('b'), new JudgeContext(machine, POLICIES[policy]));
}

const codes = (verdict: PairVerdict): string[] => verdict.reasons.map((reason) => reason.code);

/** The allow-list as it is published, with who has it: [vendor, device, same host bridge required, since 7.0 only]. */
const LISTED: readonly (readonly [number, number, boolean, boolean])[] = [
  [0x8086, 0x3c00, true, false],
  [0x8086, 0x3c01, true, false],
  [0x8086, 0x2f00, true, false],
  [0x8086, 0x2f01, true, false],
  [0x8086, 0x2030, false, false],
  [0x8086, 0x2031, false, false],
  [0x8086, 0x2032, false, false],
  [0x8086, 0x2033, false, false],
  [0x8086, 0x2020, false, false],
  [0x8086, 0x09a2, false, false],
  [0x1ae0, 0x0001, false, true],
];

test('E11: every entry of the list admits pairs below its host bridge, and across two only without the SAME flag', () => {
  for (const policy of POLICY_NAMES) {
    const newest = policy === 'linux-7.0' || policy === 'directional';
    for (const [vendor, id, same, since7] of LISTED) {
      const known = !since7 || newest;
      const label = `${policy} ${vendor.toString(16)}:${id.toString(16)}`;
      expect(verdictOf([[vendor, id]], INTEL, policy).type, label).toBe(known ? 'thruHostBridge' : 'notSupported');
      const across = verdictOf(
        [
          [vendor, id],
          [vendor, id],
        ],
        INTEL,
        policy,
      );
      expect(across.type, `${label} across`).toBe(known && !same ? 'thruHostBridge' : 'notSupported');
      if (known && same) expect(codes(across)).toContain('HOST_BRIDGE_SPLIT');
    }
  }
});

test('E11: one host bridge listed for all and one for itself only do not go together', () => {
  const verdict = verdictOf(
    [
      [0x8086, 0x2020],
      [0x8086, 0x2f01],
    ],
    INTEL,
  );
  expect([verdict.type, codes(verdict).includes('HOST_BRIDGE_SPLIT')]).toEqual(['notSupported', true]);
});

test('E12: a root bus whose first device is neither at 00.0 nor a root port is not looked up', () => {
  const children = [
    // Device numbers begin at 00: a conventional bridge stands there where there is no host bridge.
    { kind: 'endpoint', functions: [{ vendorId: 0x8086, deviceId: 0x2020, bars: [] }] },
    port('a'),
    port('b'),
  ] as const;
  const listed = buildTree({ rootBuses: [{ hostBridge: null, children }] });
  const build = (tree: typeof listed) => ({ hierarchy: tree.hierarchy, ...emptyMachine(INTEL) });
  const first = build(listed);
  const at = (name: string) => first.hierarchy.at(listed.names.get(name) as never) as PciFunction;
  // An endpoint at 00.0 with a listed ID counts.
  expect(p2pdmaDistance(at('a'), at('b'), new JudgeContext(first, POLICIES['linux-6.12'])).type).toBe('thruHostBridge');

  // The same function moved to 01.0 does not.
  const moved = listed.facts.map((facts) =>
    facts.bdf.device === 0 && facts.bdf.bus === 0 ? { ...facts, bdf: { ...facts.bdf, device: 0, function: 1 } } : facts,
  );
  const verdict = judgeFacts(moved, at('a'), at('b'));
  expect([verdict.type, codes(verdict)]).toEqual(['notSupported', ['NO_COMMON_UPSTREAM', 'HOST_BRIDGE_UNUSABLE']]);
});

function emptyMachine(cpu: Cpu | null): Omit<Machine, 'hierarchy'> {
  return {
    source: 'described',
    ram: [],
    iomem: [],
    cpu,
    kernel: null,
    cmdline: null,
    iommuGroupTypes: new Map(),
    notes: [],
  };
}

function judgeFacts(facts: readonly FunctionFacts[], a: PciFunction, b: PciFunction): PairVerdict {
  const machine: Machine = {
    ...emptyMachine(INTEL),
    hierarchy: new Hierarchy(facts.map((one) => new PciFunction(one))),
  };
  const there = (fn: PciFunction) => machine.hierarchy.at(fn.bdf) as PciFunction;
  return p2pdmaDistance(there(a), there(b), new JudgeContext(machine, POLICIES['linux-6.12']));
}

test('E12: a root port at any device number is usable', () => {
  const { machine, at } = machineOf([null], INTEL);
  const verdict = p2pdmaDistance(at('a'), at('b'), new JudgeContext(machine, POLICIES['linux-6.12']));
  // Usable, looked up, and not on the list: that is another reason than not being usable.
  expect(codes(verdict)).toEqual(['NO_COMMON_UPSTREAM', 'HOST_BRIDGE_NOT_LISTED']);
});

test.each([
  ['AuthenticAMD', 0x17, 'thruHostBridge'],
  ['AuthenticAMD', 0x19, 'thruHostBridge'],
  ['AuthenticAMD', 0x16, 'notSupported'],
  ['HygonGenuine', 0x18, 'notSupported'],
  ['GenuineIntel', 6, 'notSupported'],
])('E13: %s family %i and an unlisted host bridge: %s', (vendor, family, type) => {
  expect(verdictOf([[0x1022, 0x1450]], { vendor, family }).type).toBe(type);
});

test('E13: with a Zen CPU two host bridges may differ, listed or not', () => {
  const verdict = verdictOf(
    [
      [0x1022, 0x1450],
      [0x8086, 0x2f00],
    ],
    { vendor: 'AuthenticAMD', family: 0x17 },
  );
  expect([verdict.type, codes(verdict)]).toEqual(['thruHostBridge', ['NO_COMMON_UPSTREAM', 'CPU_ALLOWS']]);
});

test('CPU unknown: a listed bridge passes, an unlisted one of Intel does not, any other leaves it open', () => {
  expect(verdictOf([[0x8086, 0x2020]], null).type).toBe('thruHostBridge');
  expect(verdictOf([[0x8086, 0x6f00]], null).type).toBe('notSupported');
  for (const drawn of [0x29c0, 0x1237, 0x7190]) {
    const open = verdictOf([[0x8086, drawn]], null);
    expect([open.type, codes(open).includes('CPU_UNKNOWN')]).toEqual(['unknown', true]);
  }
});

test('CPU not named: the root complex of a Zen allows, of an older AMD, of Hygon and of Arm the list decides', () => {
  for (const device of [0x1450, 0x1480, 0x14a4, 0x14d8, 0x1507, 0x153a]) {
    const zen = verdictOf([[0x1022, device]], null);
    expect([zen.type, codes(zen).at(-1)], device.toString(16)).toEqual(['thruHostBridge', 'CPU_ALLOWS']);
    expect(zen.reasons.at(-1)?.message).toContain(`root complex 1022:${device.toString(16)}`);
  }
  for (const [vendor, device] of [
    [0x1022, 0x1576],
    [0x1d94, 0x1450],
    [0x1def, 0xe100],
  ] as const) {
    expect(verdictOf([[vendor, device]], null).type, vendor.toString(16)).toBe('notSupported');
  }
});

test('E15: distance_many: no client, one bad among three, the same client twice', () => {
  const { machine, at } = machineOf(
    [
      [0x8086, 0x2f00],
      [0x8086, 0x2f00],
    ],
    INTEL,
  );
  const context = new JudgeContext(machine, POLICIES['linux-6.12']);
  const [a, b] = [at('a'), at('b')];
  expect(p2pdmaDistanceMany(a, [], context)).toBe(-1);
  expect(p2pdmaDistanceMany(a, [a, b, a], context)).toBe(-1);
  expect(p2pdmaDistanceMany(a, [a, a], context)).toBe(0);
});

test('a kernel is judged by the newest policy not newer than it; unknown and older ones by the newest of all', () => {
  const wanted: [string | null, string][] = [
    ['6.12.117', 'linux-6.12'],
    ['6.13.0-rc1', 'linux-6.12'],
    ['6.6.30', 'linux-6.1'],
    ['6.1.0-18-amd64', 'linux-6.1'],
    ['7.0.1', 'linux-7.0'],
    ['7.3', 'linux-7.0'],
    ['5.15.0', 'linux-7.0'],
    ['6.0.19', 'linux-7.0'],
    ['4.14.1', 'linux-7.0'],
    [null, 'linux-7.0'],
    ['next', 'linux-7.0'],
  ];
  for (const [release, name] of wanted) expect(policyForKernel(release).name, String(release)).toBe(name);
});

test('of a kernel older than all rules it is told what it may not know', () => {
  expect(olderThanPolicies('6.1.0')).toBeNull();
  expect(olderThanPolicies('7.3')).toBeNull();
  expect(olderThanPolicies(null)).toBeNull();
  expect(olderThanPolicies('6.0.19')).toContain('may list fewer host bridges');
  expect(olderThanPolicies('5.4.0')).toContain('judged by those of linux-7.0');
  expect(olderThanPolicies('5.3.18')).toContain('may know no way through a host bridge');
  expect(olderThanPolicies('4.19.0')).toContain('has no peer-to-peer DMA');
});

test('a listing without 00:00.0 does not show the host bridge: a root port that comes first there decides nothing', () => {
  const tree = buildTree({
    rootBuses: [{ hostBridge: { vendorId: 0x8086, deviceId: 0x2020 }, children: [port('a'), port('b')] }],
  });
  const asListed = (inPart: boolean): Machine => {
    const listed = tree.facts
      .filter(({ bdf }) => !inPart || bdf.bus !== 0 || bdf.device !== 0)
      .map((facts): FunctionFacts => ({ ...facts, sysfs: null }));
    return { hierarchy: new Hierarchy(listed.map((facts) => new PciFunction(facts))), ...emptyMachine(null) };
  };
  const typeIn = (machine: Machine): PairVerdict => {
    const at = (name: string) => machine.hierarchy.at(tree.names.get(name) as never) as PciFunction;
    return p2pdmaDistance(at('a'), at('b'), new JudgeContext(machine, POLICIES['linux-6.12']));
  };
  expect(typeIn(asListed(false)).type).toBe('thruHostBridge');
  const part = typeIn(asListed(true));
  expect([part.type, codes(part)]).toEqual(['unknown', ['NO_COMMON_UPSTREAM', 'HOST_BRIDGE_UNKNOWN']]);
});

test('names without numbers: the list decides by the ids that a name has, if they agree; a new name is probably not on it', () => {
  const tree = buildTree({
    rootBuses: [{ hostBridge: { vendorId: 0x8086, deviceId: 0x2020 }, children: [port('a'), port('b')] }],
  });
  const named = (...namedIds: (readonly [number, number | null])[]): PairVerdict => {
    const functions = tree.facts.map((facts): FunctionFacts => {
      if (facts.bdf.bus !== 0 || facts.bdf.device !== 0) return facts;
      const text = {
        classCode: 0x0600,
        deviceName: 'Intel Corporation Some Bridge',
        namedIds: namedIds.map(([vendorId, deviceId]) => ({ vendorId, deviceId })),
        lines: {},
        file: 'host.txt',
      };
      return { ...facts, config: ConfigSpace.UNKNOWN, sysfs: null, text };
    });
    const machine = {
      hierarchy: new Hierarchy(functions.map((facts) => new PciFunction(facts))),
      ...emptyMachine(null),
    };
    const at = (name: string) => machine.hierarchy.at(tree.names.get(name) as never) as PciFunction;
    return p2pdmaDistance(at('a'), at('b'), new JudgeContext(machine, POLICIES['linux-6.12']));
  };
  expect(named([0x8086, 0x2020]).type).toBe('thruHostBridge');
  expect(named([0x8086, 0x2020]).reasons.at(-1)?.message).toContain('8086:2020 by its name');
  expect(named([0x8086, 0x2020], [0x8086, 0x2033]).type).toBe('thruHostBridge');
  expect(named([0x8086, 0xd130], [0x8086, 0xd131]).type).toBe('notSupported');
  expect(named([0x8086, 0x2020], [0x8086, 0xd131]).type).toBe('unknown');
  // The maker has bridges on the list, and none of this name.
  const fresh = named([0x8086, null]);
  expect([fresh.type, fresh.likely?.type]).toEqual(['unknown', 'notSupported']);
  // No bridge of this maker is on the list.
  expect(named([0x1def, null]).type).toBe('notSupported');
});
