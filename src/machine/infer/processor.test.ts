import { expect, test } from 'vitest';
import { buildTree } from '../../pcie/build-tree.ts';
import type { RootBusDescription } from '../../pcie/describe.ts';
import { buildMachine } from '../build.ts';
import type { Cpu, Machine } from '../machine.ts';
import { isDrawn } from './host-bridges.ts';
import { processorOf } from './processor.ts';

interface Told {
  readonly cpu?: Cpu | null;
  readonly kernel?: string | null;
  readonly architecture?: string | null;
}

function machineOf(rootBuses: readonly RootBusDescription[], told: Told = {}): Machine {
  return buildMachine({ source: 'described', functions: buildTree({ rootBuses }).facts, ...told });
}

/** A host bridge, and a card below a root port of the same maker. */
function withBridge(vendorId: number, deviceId: number, told: Told = {}): Machine {
  const device = { kind: 'endpoint', functions: [{ vendorId: 0x144d, classCode: 0x010802 }] } as const;
  const children = [{ kind: 'rootPort', vendorId, below: [device] }] as const;
  return machineOf([{ hostBridge: { vendorId, deviceId }, children }], told);
}

/** A root port first on its bus. */
function withPort(vendorId: number, deviceId: number, told: Told = {}): Machine {
  return machineOf([{ hostBridge: null, children: [{ kind: 'rootPort', vendorId, deviceId }] }], told);
}

/** Root complexes and the families that have them, as Linux and AMD name them. */
const ZEN: readonly (readonly [number, readonly number[]])[] = [
  [0x1450, [23]],
  [0x15d0, [23]],
  [0x1480, [23, 25]],
  [0x1630, [23, 25]],
  [0x1645, [23]],
  [0x14b5, [23, 25]],
  [0x14a4, [25]],
  [0x14d8, [25, 26]],
  [0x14e8, [25]],
  [0x1507, [26]],
  [0x153a, [26]],
  [0x1122, [26]],
];
const OLDER: readonly (readonly [number, number])[] = [
  [0x1410, 21],
  [0x1422, 21],
  [0x1576, 21],
  [0x1510, 20],
  [0x1536, 22],
  [0x1566, 22],
  [0x1705, 18],
];

test('the root complex tells AMD’s Zen or newer, with every family that has it, and what is older', () => {
  for (const [device, families] of ZEN) {
    const from = `root complex 1022:${device.toString(16)} (0000:00:00.0)`;
    expect(processorOf(withBridge(0x1022, device))).toMatchObject({
      isZen: true,
      families,
      from,
      vendor: 'AuthenticAMD',
    });
  }
  for (const [device, family] of OLDER) {
    expect(processorOf(withBridge(0x1022, device))).toMatchObject({ isZen: false, families: [family] });
  }
});

test('other parts of the processor narrow its families, or stand for a root complex that is not listed', () => {
  const parts = (...ids: number[]): Machine =>
    machineOf(ids.map((deviceId) => ({ hostBridge: { vendorId: 0x1022, deviceId }, children: [] })));
  const milan = processorOf(parts(0x1480, 0x1650));
  expect(milan.families).toEqual([25]);
  expect(milan.from).toBe('root complex 1022:1480 (0000:00:00.0) and data fabric 1022:1650 (0000:01:00.0)');
  expect(processorOf(parts(0x1490))).toMatchObject({ isZen: true, families: [23] });
  expect(processorOf(parts(0x1600))).toMatchObject({ isZen: false, families: [21] });
  // Two that no processor has together.
  expect(processorOf(parts(0x1480, 0x1600)).isZen).toBeNull();
});

test('an AMD host bridge that is not in the table is probably Zen: all older ones are', () => {
  const unknown = processorOf(withBridge(0x1022, 0x17aa));
  expect([unknown.isZen, unknown.likelyZen?.value]).toEqual([null, true]);
  expect(unknown.likelyZen?.because).toContain('1022:17aa');
});

test('Hygon is not AMD to the kernel; Zhaoxin, VIA, nForce and Intel are not either', () => {
  expect(processorOf(withBridge(0x1d94, 0x1450))).toMatchObject({
    isZen: false,
    vendor: 'HygonGenuine',
    families: [24],
  });
  expect(processorOf(withBridge(0x8086, 0x6f00))).toMatchObject({
    isZen: false,
    vendor: 'GenuineIntel',
    architecture: 'x86',
  });
  for (const [vendor, device] of [
    [0x1d17, 0x1003],
    [0x1106, 0x0238],
    [0x10de, 0x03a0],
    [0x1002, 0x5a14],
  ] as const) {
    expect(processorOf(withBridge(vendor, device)).isZen, vendor.toString(16)).toBe(false);
  }
});

test('a host bridge that a hypervisor draws says nothing of the processor', () => {
  for (const [vendor, device] of [
    [0x8086, 0x29c0],
    [0x8086, 0x1237],
    [0x8086, 0x7190],
    [0x8086, 0x7192],
    [0x8086, 0x0d57],
    [0x1b36, 0x0008],
    [0x1d0f, 0x0200],
    [0x1af4, 0x1057],
    [0x15ad, 0x07a0],
    [0x1414, 0x0001],
    [0x1ae0, 0x0001],
  ] as const) {
    const label = `${vendor.toString(16)}:${device.toString(16)}`;
    expect(isDrawn({ vendorId: vendor, deviceId: device }), label).toBe(true);
    expect(processorOf(withBridge(vendor, device)), label).toMatchObject({ evidence: 'unknown', isZen: null });
  }
  // An engine of the host's processor, or a card of Intel's, given to a guest.
  const guest = machineOf([
    {
      hostBridge: { vendorId: 0x8086, deviceId: 0x29c0 },
      children: [
        { kind: 'endpoint', functions: [{ vendorId: 0x1022, deviceId: 0x1486, classCode: 0x108000 }] },
        { kind: 'endpoint', functions: [{ vendorId: 0x1b36, deviceId: 0x000d, classCode: 0x0c0330 }] },
      ],
    },
    { hostBridge: null, children: [{ kind: 'endpoint', functions: [{ vendorId: 0x8086, classCode: 0x020000 }] }] },
  ]);
  expect(processorOf(guest).isZen).toBeNull();
});

test('a root port of a maker of other processors: no rule for x86 applies', () => {
  for (const [vendor, device, architecture] of [
    [0x1def, 0xe110, 'arm'],
    [0x10de, 0x22b2, 'arm'],
    [0x10de, 0x2f95, 'arm'],
    [0x1014, 0x0652, 'power'],
    [0x1d87, 0x3588, 'arm'],
    [0x14e4, 0x2712, 'other'],
    [0x0014, 0x7a29, 'other'],
    [0xf15e, 0x0001, 'riscv'],
  ] as const) {
    const label = `${vendor.toString(16)}:${device.toString(16)}`;
    expect(processorOf(withPort(vendor, device)), label).toMatchObject({ isZen: false, architecture });
  }
  // Freescale's first device is a network function that is part of the processor.
  const part = { kind: 'endpoint', functions: [{ vendorId: 0x1957, deviceId: 0xe100, classCode: 0x020001 }] } as const;
  expect(processorOf(machineOf([{ hostBridge: null, children: [part] }]))).toMatchObject({ isZen: false });
  // A card of the same maker on the root bus says nothing.
  const card = { kind: 'endpoint', functions: [{ vendorId: 0x10de, deviceId: 0x2204, classCode: 0x030000 }] } as const;
  expect(processorOf(machineOf([{ hostBridge: null, children: [card] }])).evidence).toBe('unknown');
});

test('the kernel’s release, or uname’s machine, names the architecture', () => {
  const drawn = (told: Told): Machine => withBridge(0x1b36, 0x0008, told);
  for (const [kernel, architecture] of [
    ['6.1.0-13-arm64', 'arm'],
    ['6.5.6-300.fc39.aarch64', 'arm'],
    ['5.15.148-tegra', 'arm'],
    ['6.8.0-1021-nvidia-64k', 'arm'],
    ['5.14.0-427.el9.ppc64le', 'power'],
    ['6.6.0-riscv64', 'riscv'],
    ['4.19.0-19-loongarch64', 'loongarch'],
  ] as const) {
    expect(processorOf(drawn({ kernel })), kernel).toMatchObject({ isZen: false, architecture });
  }
  for (const kernel of ['6.1.0-13-amd64', '6.5.6-300.fc39.x86_64', '6.8.0-45-generic', null]) {
    expect(processorOf(drawn({ kernel })).isZen, `${kernel}`).toBeNull();
  }
  expect(processorOf(drawn({ architecture: 'aarch64' }))).toMatchObject({ isZen: false, architecture: 'arm' });
  // A kernel for x86: the maker of cards is not the maker of the processor.
  expect(processorOf(withPort(0x15b3, 0x1976, { kernel: '6.1.0-13-amd64' })).isZen).toBeNull();
});

test('what the capture or the user says is not inferred, and of an AMD CPU without a family the root complex tells it', () => {
  const cpu = { vendor: 'GenuineIntel', family: 6 };
  expect(processorOf(withBridge(0x1022, 0x1480, { cpu }))).toMatchObject({ evidence: 'told', isZen: false });
  const amd = (family: number | null): Cpu => ({ vendor: 'AuthenticAMD', family });
  expect(processorOf(withBridge(0x8086, 0x29c0, { cpu: amd(25) })).isZen).toBe(true);
  expect(processorOf(withBridge(0x8086, 0x29c0, { cpu: amd(22) })).isZen).toBe(false);
  expect(processorOf(withBridge(0x8086, 0x29c0, { cpu: amd(null) })).isZen).toBeNull();
  expect(processorOf(withBridge(0x1022, 0x14a4, { cpu: amd(null) }))).toMatchObject({ isZen: true, families: [25] });
  for (const [vendor, architecture] of [
    ['0x41', 'arm'],
    ['POWER9 (raw), altivec supported', 'power'],
    ['RISC-V', 'riscv'],
    ['HygonGenuine', 'x86'],
  ] as const) {
    const told = withBridge(0x1b36, 0x0008, { cpu: { vendor, family: null } });
    expect(processorOf(told), vendor).toMatchObject({ isZen: false, architecture });
  }
});
