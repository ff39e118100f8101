import { expect, test } from 'vitest';
import { buildTree } from '../pcie/build-tree.ts';
import { ConfigSpace } from '../pcie/config-space.ts';
import type { EndpointFunctionDescription, RootBusDescription } from '../pcie/describe.ts';
import type { FunctionFacts } from '../pcie/function-facts.ts';
import { PciFunction } from '../pcie/pci-function.ts';
import { type Role, rolesOf } from './roles.ts';

const MIB = 2 ** 20;

/** Roles of the functions of one card below a root port. */
function rolesOfCard(...functions: EndpointFunctionDescription[]): (Role | null)[] {
  const rootBuses: RootBusDescription[] = [
    { hostBridge: null, children: [{ kind: 'rootPort', below: [{ kind: 'endpoint', functions }] }] },
  ];
  return rolesOf(buildTree({ rootBuses }).hierarchy.functions).slice(1);
}

/** The role of one function on the root bus itself, where it is an integrated endpoint. */
function roleOnRootBus(fn: EndpointFunctionDescription): Role | null {
  const { hierarchy } = buildTree({
    rootBuses: [{ hostBridge: null, children: [{ kind: 'endpoint', functions: [fn] }] }],
  });
  return rolesOf(hierarchy.functions)[0] ?? null;
}

test('a GPU is one by class and maker, whatever its BARs show', () => {
  for (const vendorId of [0x10de, 0x1002, 0x1ed5, 0x8086]) {
    for (const bars of [[], [{ size: 16 * MIB }], [{ size: 2 ** 30, prefetchable: true }]]) {
      for (const classCode of [0x030000, 0x030200, 0x038000]) {
        expect(rolesOfCard({ vendorId, classCode, bars }), vendorId.toString(16)).toEqual(['gpu']);
      }
    }
  }
});

test('of a maker that is not known a display is a GPU by its memory', () => {
  expect(rolesOfCard({ vendorId: 0x1fe0, classCode: 0x030000, bars: [{ size: 256 * MIB }] })).toEqual(['gpu']);
  expect(rolesOfCard({ vendorId: 0x1fe0, classCode: 0x030000, bars: [{ size: 16 * MIB }] })).toEqual([null]);
});

test('what shows a picture and nothing else is no GPU, however large its BAR', () => {
  for (const vendorId of [0x1a03, 0x102b, 0x1234, 0x1af4, 0x15ad, 0x1013]) {
    const fn = { vendorId, classCode: 0x030000, bars: [{ size: 128 * MIB, prefetchable: true }] };
    expect([rolesOfCard(fn), roleOnRootBus(fn)], vendorId.toString(16)).toEqual([[null], null]);
  }
});

test('graphics inside a processor: Intel’s integrated endpoint, and what shares a device with an encryption controller', () => {
  const bars = [{ size: 256 * MIB, prefetchable: true }];
  expect(roleOnRootBus({ vendorId: 0x8086, deviceId: 0x4680, classCode: 0x030000, bars })).toBeNull();
  const amd = { vendorId: 0x1002, deviceId: 0x164e, classCode: 0x030000, bars };
  expect(rolesOfCard(amd, { vendorId: 0x1022, deviceId: 0x1649, classCode: 0x108000 })).toEqual([null, null]);
  // A card that a hypervisor puts on its root bus looks integrated.
  expect(roleOnRootBus({ vendorId: 0x10de, deviceId: 0x2204, classCode: 0x030000 })).toBe('gpu');
  expect(roleOnRootBus({ vendorId: 0x8086, deviceId: 0x56a0, classCode: 0x030000 })).toBe('gpu');
});

test('a second display function without memory is a part of the first; a Virtual Function with memory is a GPU', () => {
  const first = { vendorId: 0x1002, classCode: 0x030000, bars: [{ size: 256 * MIB }] };
  expect(rolesOfCard(first, { vendorId: 0x1002, classCode: 0x038000, bars: [{ size: 65536 }] })).toEqual(['gpu', null]);
  expect(
    rolesOfCard(first, { vendorId: 0x1002, classCode: 0x038000, bars: [{ size: 2 ** 30, prefetchable: true }] }),
  ).toEqual(['gpu', 'gpu']);
});

test('a function that manages a switch is no memory card: by its device, its driver, or its maker and class', () => {
  const bars = [{ size: 4 * MIB, prefetchable: true }];
  for (const [vendorId, classCode] of [
    [0x11f8, 0x058000],
    [0x1000, 0x088000],
    [0x10b5, 0x118000],
    [0x111d, 0x068000],
  ] as const) {
    expect(rolesOfCard({ vendorId, classCode, bars }), vendorId.toString(16)).toEqual([null]);
  }
  // A card of another maker with the same classes and memory is one.
  expect(rolesOfCard({ vendorId: 0x1172, classCode: 0x058000, bars })).toEqual(['memory']);
  // A drive of the maker of switches is a drive.
  expect(rolesOfCard({ vendorId: 0x11f8, classCode: 0x010802 })).toEqual(['nvme']);
  const { facts } = buildTree({
    rootBuses: [{ hostBridge: null, children: [{ kind: 'rootPort', below: [{ kind: 'switch', ports: [{}] }] }] }],
  });
  const usp = facts.find(({ bdf }) => bdf.bus === 1) as FunctionFacts;
  const beside = (driver: string | undefined, own: FunctionFacts['bdf']): FunctionFacts => ({
    bdf: own,
    config: ConfigSpace.UNKNOWN,
    configSource: null,
    text: {
      classCode: 0x0580,
      vendorId: 0x1abc,
      portType: 'endpoint',
      lines: {},
      file: 'x',
      ...(driver ? { driver } : {}),
      bars: [
        {
          index: 0,
          space: 'memory',
          is64Bit: true,
          prefetchable: false,
          busAddress: null,
          cpuAddress: null,
          size: 4 * MIB,
        },
      ],
    },
    sysfs: null,
  });
  const rolesWith = (extra: FunctionFacts): Role | null | undefined =>
    rolesOf([...facts, extra].map((one) => new PciFunction(one))).at(-1);
  expect(rolesWith(beside(undefined, { ...usp.bdf, function: 1 }))).toBeNull();
  expect(rolesWith(beside(undefined, { ...usp.bdf, device: 3 }))).toBe('memory');
  expect(rolesWith(beside('switchtec', { ...usp.bdf, device: 3 }))).toBeNull();
});

test('an accelerator is one by its class; a co-processor by its memory; a network card by its link', () => {
  expect(rolesOfCard({ vendorId: 0x1da3, classCode: 0x120000, bars: [] })).toEqual(['accelerator']);
  expect(roleOnRootBus({ vendorId: 0x8086, classCode: 0x120000, bars: [{ size: 128 * MIB }] })).toBeNull();
  expect(rolesOfCard({ vendorId: 0x8086, classCode: 0x0b4000, bars: [{ size: 4 * MIB }] })).toEqual([null]);
  expect(rolesOfCard({ vendorId: 0x8086, classCode: 0x0b4000, bars: [{ size: 256 * MIB }] })).toEqual(['accelerator']);
  expect(rolesOfCard({ vendorId: 0x15b3, classCode: 0x020000 })).toEqual(['nic']);
  expect(rolesOfCard({ vendorId: 0x8086, classCode: 0x028000 })).toEqual([null]);
});
