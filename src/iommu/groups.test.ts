import { expect, test } from 'vitest';
import type { Bdf } from '../pcie/bdf.ts';
import { buildTree } from '../pcie/build-tree.ts';
import { ConfigSpace } from '../pcie/config-space.ts';
import type { AcsDescription, EndpointDescription } from '../pcie/describe.ts';
import { Hierarchy } from '../pcie/hierarchy.ts';
import { PciFunction } from '../pcie/pci-function.ts';
import { iommuGroups } from './groups.ts';
import { isolates } from './isolation.ts';

const ISOLATING = ['SV', 'RR', 'CR', 'UF'] as const;

function endpoint(...acs: AcsDescription[]): EndpointDescription {
  return { kind: 'endpoint', functions: acs.map((value) => ({ acs: value })) };
}

/** Root port, switch with two ports, one endpoint each: 00:00.0 host bridge, 00:01.0, 01:00.0, 02:00.0, 02:01.0, 03, 04. */
function twoPorts(acs: {
  root?: AcsDescription;
  upstream?: AcsDescription;
  ports: [AcsDescription, AcsDescription];
}): Hierarchy {
  return buildTree({
    rootBuses: [
      {
        children: [
          {
            kind: 'rootPort',
            acs: acs.root ?? ISOLATING,
            below: [
              {
                kind: 'switch',
                upstream: { acs: acs.upstream ?? 'absent' },
                ports: acs.ports.map((port) => ({ acs: port, below: [endpoint('absent')] })),
              },
            ],
          },
        ],
      },
    ],
  }).hierarchy;
}

/** Groups as names without domain, `01:00.0 02:00.0`, in order of creation. */
function groupNames(hierarchy: Hierarchy): string[] {
  return iommuGroups(hierarchy).groups.map((group) =>
    group.functions.map((index) => hierarchy.functions[index]?.name.slice(5)).join(' '),
  );
}

test('ports that redirect keep everything apart', () => {
  expect(groupNames(twoPorts({ ports: [ISOLATING, ISOLATING] }))).toEqual([
    '00:00.0',
    '00:01.0',
    '01:00.0',
    '02:00.0',
    '02:01.0',
    '03:00.0',
    '04:00.0',
  ]);
});

test("a function below a port that does not isolate shares the port's group, its sibling does not", () => {
  for (const clear of [
    ['SV', 'CR', 'UF'],
    ['SV', 'RR', 'UF'],
    ['RR', 'CR', 'UF'],
    ['SV', 'RR', 'CR'],
    'clear',
    'absent',
  ] as AcsDescription[]) {
    // Device 0 and 1 of the switch's bus are devices of their own: their ports stay apart.
    expect(groupNames(twoPorts({ ports: [clear, ISOLATING] }))).toEqual([
      '00:00.0',
      '00:01.0',
      '01:00.0',
      '02:00.0 03:00.0',
      '02:01.0',
      '04:00.0',
    ]);
  }
});

test('a root port that does not isolate takes in everything below it', () => {
  const hierarchy = twoPorts({ root: 'clear', ports: [ISOLATING, ISOLATING] });
  expect(groupNames(hierarchy)).toEqual(['00:00.0', '00:01.0 01:00.0 02:00.0 02:01.0 03:00.0 04:00.0']);
  const joins = iommuGroups(hierarchy).groups[1]?.joins ?? [];
  expect(joins.map(({ function: index, because, at }) => [index, because, at])).toEqual([
    [2, 'PORT_NOT_ISOLATING', 1],
    [3, 'PORT_NOT_ISOLATING', 2],
    [4, 'PORT_NOT_ISOLATING', 2],
    [5, 'PORT_NOT_ISOLATING', 3],
    [6, 'PORT_NOT_ISOLATING', 4],
  ]);
});

test('an upstream port is single and isolates without ACS; with its capability cleared too', () => {
  for (const upstream of ['absent', 'clear'] as const) {
    expect(groupNames(twoPorts({ upstream, ports: [ISOLATING, ISOLATING] }))).toHaveLength(7);
  }
});

test('a service that the capability lacks counts as given', () => {
  const partial = { control: 0x04, capability: 0x04 };
  expect(groupNames(twoPorts({ ports: [partial, partial] }))).toHaveLength(7);
  expect(groupNames(twoPorts({ ports: [{ control: 0, capability: 0x04 }, partial] }))).toHaveLength(6);
  expect(groupNames(twoPorts({ ports: [{ control: 0, capability: 0 }, partial] }))).toHaveLength(7);
});

function below(device: EndpointDescription): Hierarchy {
  return buildTree({ rootBuses: [{ children: [{ kind: 'rootPort', acs: ISOLATING, below: [device] }] }] }).hierarchy;
}

test('functions of one device share a group unless their ACS isolates', () => {
  expect(groupNames(below(endpoint('absent', 'absent', 'absent')))).toEqual([
    '00:00.0',
    '00:01.0',
    '01:00.0 01:00.1 01:00.2',
  ]);
  expect(groupNames(below(endpoint(ISOLATING, ISOLATING)))).toEqual(['00:00.0', '00:01.0', '01:00.0', '01:00.1']);
  expect(groupNames(below(endpoint('absent', ISOLATING, 'clear')))).toEqual([
    '00:00.0',
    '00:01.0',
    '01:00.0 01:00.2',
    '01:00.1',
  ]);
  expect(groupNames(below(endpoint(ISOLATING, 'absent', 'clear')))).toEqual([
    '00:00.0',
    '00:01.0',
    '01:00.0',
    '01:00.1 01:00.2',
  ]);
  const { groups } = iommuGroups(below(endpoint('absent', 'absent')));
  expect(groups[2]?.joins).toEqual([{ function: 3, because: 'SLOT_NOT_ISOLATING', at: 2 }]);
});

test('virtual functions are devices of their own', () => {
  const hierarchy = below({
    kind: 'endpoint',
    functions: [{ acs: 'absent', sriov: { vfs: 3, bars: [{ size: 2 ** 16 }] } }],
  });
  expect(groupNames(hierarchy)).toHaveLength(2 + 1 + 3);
});

test("what stands behind a bridge to conventional PCI shares the bridge's group", () => {
  const { hierarchy } = buildTree({
    rootBuses: [
      {
        children: [
          {
            kind: 'rootPort',
            acs: ISOLATING,
            below: [{ kind: 'pciBridge', below: [endpoint('absent'), endpoint('absent')] }],
          },
          { kind: 'pciBridge', below: [endpoint('absent')] },
        ],
      },
    ],
  });
  expect(groupNames(hierarchy)).toEqual(['00:00.0', '00:01.0', '00:02.0 03:00.0', '01:00.0 02:00.0 02:01.0']);
  expect(iommuGroups(hierarchy).groups[3]?.joins[0]).toMatchObject({ because: 'BRIDGE_ALIAS' });
});

/** The hierarchy with only the first bytes of one function's configuration space known. */
function truncated(hierarchy: Hierarchy, name: string, bytes: number): Hierarchy {
  return new Hierarchy(
    hierarchy.functions.map((fn) =>
      fn.name === name ? fn.withFacts({ ...fn.facts, config: new ConfigSpace(fn.config.bytes.slice(0, bytes)) }) : fn,
    ),
  );
}

test('what is not known counts as not isolating, and is named', () => {
  const whole = twoPorts({ ports: [ISOLATING, ISOLATING] });
  for (const bytes of [64, 256]) {
    const partial = truncated(whole, '0000:02:00.0', bytes);
    expect(groupNames(partial)[3]).toBe('02:00.0 03:00.0');
    expect(iommuGroups(partial).groups.map((group) => group.missing)).toEqual([[], [], [], [3], [], []]);
  }
  // A port that surely does not isolate needs no other evidence.
  const settled = truncated(twoPorts({ root: 'clear', ports: [ISOLATING, ISOLATING] }), '0000:02:00.0', 256);
  expect(iommuGroups(settled).groups.flatMap((group) => group.missing)).toEqual([]);
  const slot = truncated(below(endpoint('clear', ISOLATING)), '0000:01:00.1', 256);
  expect(groupNames(slot)[2]).toBe('01:00.0 01:00.1');
  expect(iommuGroups(slot).groups[2]?.missing).toEqual([3]);
});

test('a part of a machine without what stands above it is not known to be alone', () => {
  const whole = twoPorts({ ports: [ISOLATING, ISOLATING] });
  const part = new Hierarchy(whole.functions.filter(({ name }) => name === '0000:03:00.0'));
  expect(part.isRooted(0)).toBe(false);
  expect(iommuGroups(part).groups).toEqual([{ id: 0, functions: [0], joins: [], missing: [0] }]);
});

/** A function made of bytes: vendor, device, Express type, ACS at 100h as dwords. */
function functionOf(ids: { vendor: number; device: number; type: number; acs?: readonly number[] }): PciFunction {
  const view = new DataView(new ArrayBuffer(4096));
  view.setUint16(0x00, ids.vendor, true);
  view.setUint16(0x02, ids.device, true);
  view.setUint8(0x06, 0x10);
  view.setUint8(0x0e, ids.type === 4 ? 1 : 0x80);
  view.setUint8(0x34, 0x40);
  view.setUint16(0x40, 0x0010, true);
  view.setUint16(0x42, (ids.type << 4) | 2, true);
  ids.acs?.forEach((dword, index) => {
    view.setUint32(0x100 + 4 * index, dword, true);
  });
  const bdf: Bdf = { domain: 0, bus: 0, device: 0x1c, function: 0 };
  const config = new ConfigSpace(new Uint8Array(view.buffer));
  return new PciFunction({ bdf, config, configSource: null, text: null, sysfs: null });
}

test('root ports with wide ACS registers are read at the wide offsets', () => {
  const header = 0x0001000d;
  for (const [device, first, last] of [
    [0x9d10, true, true],
    [0xa110, true, true],
    [0xa2ee, true, true],
    [0xa29f, true, true],
    [0xa120, false, true],
    [0x9d0f, false, true],
  ] as const) {
    const wide = functionOf({ vendor: 0x8086, device, type: 4, acs: [header, 0x0f, 0x0d] });
    expect([device, isolates(wide, true)]).toEqual([device, first]);
    // The same registers as the specification has them.
    const narrow = functionOf({ vendor: 0x8086, device, type: 4, acs: [header, 0x000d000f, 0] });
    expect([device, isolates(narrow, true)]).toEqual([device, first ? false : last]);
  }
  expect(isolates(functionOf({ vendor: 0x8086, device: 0xa110, type: 4 }), true)).toBe(false);
  expect(isolates(functionOf({ vendor: 0x1022, device: 0xa110, type: 4, acs: [header, 0x0f, 0x0d] }), true)).toBe(
    false,
  );
});

test('every kind of port answers for itself: 16 types, alone and in a device of several functions', () => {
  const answers = (acs?: readonly number[]) =>
    Array.from({ length: 16 }, (_, type) => {
      const fn = functionOf({ vendor: 0x1af4, device: 1, type, ...(acs ? { acs } : {}) });
      return [isolates(fn, false), isolates(fn, true)];
    });
  const without = answers();
  const given = answers([0x0001000d, 0x001d001d]);
  const alone = [0, 1, 5, 9];
  const never = [7, 8, 10];
  const ports = [4, 6];
  for (let type = 0; type < 16; type++) {
    if (alone.includes(type)) expect([type, without[type], given[type]]).toEqual([type, [true, false], [true, true]]);
    else if (ports.includes(type))
      expect([type, without[type], given[type]]).toEqual([type, [false, false], [true, true]]);
    else if (never.includes(type))
      expect([type, without[type], given[type]]).toEqual([type, [false, false], [false, false]]);
    else expect([type, without[type], given[type]]).toEqual([type, [null, null], [null, null]]);
  }
  expect(isolates(functionOf({ vendor: 0x8086, device: 1, type: 9 }), true)).toBe(true);
});
