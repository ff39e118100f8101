/**
 * For each diagnosis a machine that has it, and its closest twin that has not: one register, one attribute or one word apart. What the one
 * thing is, is written beside each, and a test holds that nothing else differs. Diagnoses whose evidence is of the host (masks, logs,
 * the memory map) have their pairs beside the tests of that evidence.
 */

import type { DiagnosisId } from '../../src/doctor/finding.ts';
import { buildMachine } from '../../src/machine/build.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { formatBdf } from '../../src/pcie/bdf.ts';
import { buildTree } from '../../src/pcie/build-tree.ts';
import { ConfigSpace } from '../../src/pcie/config-space.ts';
import type {
  AcsDescription,
  DeviceDescription,
  RootBusDescription,
  SwitchDescription,
} from '../../src/pcie/describe.ts';
import type { FunctionFacts, SysfsFacts } from '../../src/pcie/function-facts.ts';
import { LISTED, LISTED_SAME_ONLY, UNLISTED } from './machines.ts';

const INTEL = { vendor: 'GenuineIntel', family: 6 };
const MIB = 2 ** 20;
export const ACS_ON: AcsDescription = ['SV', 'RR', 'CR', 'UF'];

/** Changes registers of one function; `express` is where its Express capability begins. */
export type Edit = (view: DataView, express: number) => void;

type Told = Partial<Pick<Machine, 'kernel' | 'cmdline' | 'cpu'>> & {
  readonly groups?: ReadonlyMap<number, string>;
  /** Attributes of sysfs by the name of the part. */
  readonly sysfs?: Readonly<Record<string, Partial<SysfsFacts>>>;
  readonly edits?: Readonly<Record<string, Edit>>;
};

/** Attributes of a function of which sysfs says nothing. */
export const NO_SYSFS: SysfsFacts = {
  folder: 'sys/function',
  parent: undefined,
  rootBus: undefined,
  vendorId: undefined,
  deviceId: undefined,
  classCode: undefined,
  subsystemVendorId: undefined,
  subsystemId: undefined,
  resources: undefined,
  numaNode: undefined,
  iommuGroup: undefined,
  driver: undefined,
  physicalFunction: undefined,
  link: undefined,
  p2pmem: undefined,
};

/** A machine of a description, with a gibibyte of RAM, and what the kernel says of its parts. */
export function machineOfParts(rootBuses: readonly RootBusDescription[], told: Told = {}): Machine {
  const tree = buildTree({ rootBuses });
  const nameOf = new Map([...tree.names].map(([name, bdf]) => [formatBdf(bdf), name]));
  const functions = tree.facts.map((facts): FunctionFacts => {
    const name = nameOf.get(formatBdf(facts.bdf)) ?? '';
    const own = told.sysfs?.[name];
    const sysfs = own === undefined ? facts.sysfs : { ...NO_SYSFS, ...facts.sysfs, ...own };
    return { ...facts, sysfs, config: edited(facts.config, told.edits?.[name]) };
  });
  const machine = buildMachine({
    source: 'described',
    functions,
    cpu: told.cpu ?? INTEL,
    kernel: told.kernel ?? '6.12.1',
    cmdline: told.cmdline,
    iommuGroupTypes: told.groups,
  });
  return { ...machine, ram: [{ start: MIB, end: 1024 * MIB }] };
}

function edited(config: ConfigSpace, edit: Edit | undefined): ConfigSpace {
  if (edit === undefined) return config;
  const bytes = new Uint8Array(4096);
  bytes.set(config.bytes);
  let express = bytes[0x34] as number;
  while (express !== 0 && bytes[express] !== 0x10) express = bytes[express + 1] as number;
  edit(new DataView(bytes.buffer), express);
  return new ConfigSpace(bytes);
}

/** A compute accelerator with a BAR of 256 MiB. */
export function gpu(name: string, options: object = {}): DeviceDescription {
  return {
    kind: 'endpoint',
    name,
    functions: [
      {
        vendorId: 0x10de,
        deviceId: 0x2330,
        classCode: 0x030200,
        bars: [{ size: 256 * MIB, prefetchable: true }],
        ...options,
      },
    ],
  };
}

export function drive(name: string): DeviceDescription {
  return { kind: 'endpoint', name, functions: [{ classCode: 0x010802, bars: [{ size: 2 ** 14 }] }] };
}

type HostBridge = { readonly vendorId: number; readonly deviceId: number };

/** Two devices below one switch; `acs` of the first port. */
export function oneSwitch(
  acs: AcsDescription,
  hostBridge: HostBridge = UNLISTED,
  second = gpu('b'),
): RootBusDescription[] {
  const ports = [
    { name: 'x', acs, below: [gpu('a')] },
    { name: 'y', acs: 'clear' as const, below: [second] },
  ];
  return [
    {
      hostBridge,
      children: [{ kind: 'rootPort', name: 'rp', acs: 'clear', below: [{ kind: 'switch', name: 'sw', ports }] }],
    },
  ];
}

/** Two devices below two root ports, and a third port with nothing below it. */
function emptyPort(): RootBusDescription[] {
  const [root] = twoPorts(LISTED) as [RootBusDescription];
  return [{ ...root, children: [...root.children, { kind: 'rootPort', name: 'e', below: [] }] }];
}

/** Data Link Layer Link Active is bit 13 of Link Status. PCIe 7.5.3.8. */
const linkActive =
  (isUp: boolean): Edit =>
  (view, express) =>
    view.setUint16(express + 0x12, (view.getUint16(express + 0x12, true) & ~0x2000) | (isUp ? 0x2000 : 0), true);

/** Two devices, each below a root port of its own. */
export function twoPorts(
  hostBridge: HostBridge,
  acs: AcsDescription = 'clear',
  second = gpu('b'),
): RootBusDescription[] {
  const link = { speedGts: 16, width: 16 } as const;
  return [
    {
      hostBridge,
      children: [
        { kind: 'rootPort', name: 'p', acs, link, below: [gpu('a')] },
        { kind: 'rootPort', name: 'q', acs, link, below: [second] },
      ],
    },
  ];
}

/** Two devices below two host bridges. */
export function twoRoots(first: HostBridge, second: HostBridge): RootBusDescription[] {
  return [
    { hostBridge: first, children: [{ kind: 'rootPort', name: 'p', below: [gpu('a')] }] },
    { bus: 0x80, hostBridge: second, children: [{ kind: 'rootPort', name: 'q', below: [gpu('b')] }] },
  ];
}

/** Link Status: width in bits 9:4, speed in bits 3:0. PCIe 7.5.3.8. */
const linkStatus =
  (speed: number, width: number): Edit =>
  (view, express) =>
    view.setUint16(express + 0x12, (width << 4) | speed, true);

/** Command: Memory Space is bit 1, Bus Master bit 2. PCIe 7.5.1.1.3. */
const command =
  (value: number): Edit =>
  (view) =>
    view.setUint16(4, value, true);

/** Base and Limit of the prefetchable window. PCIe 7.5.1.3.9. */
const prefetchable =
  (value: number): Edit =>
  (view) =>
    view.setUint32(0x24, value, true);

/** Where the first card of a machine has its BAR: the upper half of the register alone. */
const FIRST_BAR = 0x2000 * 2 ** 32;
const bar0Upper =
  (value: number): Edit =>
  (view) =>
    view.setUint32(0x14, value, true);

/** What the kernel says of a BAR0 of 64 bits, prefetchable. */
const placed = (start: number): Partial<SysfsFacts> => ({
  resources: [{ start, end: start + 256 * MIB - 1, flags: 0x14220c }],
});

/** An extended capability behind all others, at F00h: `words` are its registers. */
function extended(id: number, words: readonly number[]): Edit {
  return (view) => {
    let at = 0x100;
    for (let steps = 0; steps < 64; steps++) {
      const next = view.getUint32(at, true) >>> 20;
      if (next === 0) break;
      at = next;
    }
    const place = 0xf00;
    const header = view.getUint32(at, true);
    const isEmpty = (header & 0xffff) === 0;
    if (isEmpty) view.setUint32(0x100, ((place << 20) | 0x10000) >>> 0, true);
    else view.setUint32(at, (header | (place << 20)) >>> 0, true);
    view.setUint32(place, 0x10000 | id, true);
    for (const [index, word] of words.entries()) view.setUint32(place + 4 + 4 * index, word, true);
  };
}

/** Resizable BAR for BAR0: sizes as bits from 1 MiB at bit 4 on, the size in use as log2 of MiB. PCIe 7.8.6. */
const resizable = (now: number): Edit => extended(0x15, [(1 << (8 + 4)) | (1 << (15 + 4)), (now << 8) | (1 << 5)]);

/** Device Serial Number. PCIe 7.9.3. */
const serial = (low: number, high = 0x00010203): Edit => extended(0x03, [low, high]);
/** The one that every chip of a kind leaves the factory of PLX with: OUI 00-0e-df, vendor 10b5, kind. */
const factorySerial = (): Edit => serial(0xb5df0e00, 0xca870010);

/** Two switches of one make, each below a root port of its own, with a card below each. */
function twoSwitches(vendorId: number): RootBusDescription[] {
  return [
    {
      hostBridge: LISTED,
      children: ['a', 'b'].map((name) => ({ kind: 'rootPort' as const, below: [switchWith(name, vendorId)] })),
    },
  ];
}

/** The same two switches below two ports of a third: what they carry to each other meets there. */
function nestedSwitches(vendorId: number): RootBusDescription[] {
  const ports = ['a', 'b'].map((name) => ({ below: [switchWith(name, vendorId)] }));
  return [{ hostBridge: LISTED, children: [{ kind: 'rootPort', below: [{ kind: 'switch', ports }] }] }];
}

function switchWith(name: string, vendorId: number): SwitchDescription {
  return {
    kind: 'switch',
    name: `s${name}`,
    upstream: { vendorId, deviceId: 0xc030 },
    ports: [{ below: [gpu(name)] }],
  };
}

const BROADCOM = 0x1000;
const in2Groups = { a: { iommuGroup: 1 }, b: { iommuGroup: 2 } };
const groupTypes = (first: string): Map<number, string> =>
  new Map([
    [1, first],
    [2, 'identity'],
  ]);
const published = (driver: string): Partial<SysfsFacts> => ({
  driver,
  p2pmem: { size: MIB, available: MIB, published: true },
});

export interface Twins {
  readonly id: DiagnosisId;
  readonly has: () => Machine;
  readonly hasNot: () => Machine;
  /** What differs between the two. */
  readonly apart: string;
  /** Not one register, attribute or word; why no closer twin is possible. */
  readonly notCloser?: string;
}

export const TWINS: readonly Twins[] = [
  {
    id: 'ACS-REDIR-SWITCH',
    has: () => machineOfParts(oneSwitch(['SV', 'RR', 'UF'])),
    hasNot: () => machineOfParts(oneSwitch(['SV', 'UF'])),
    apart: 'bit 2 of ACS Control of one port',
  },
  {
    id: 'HB-NOT-LISTED',
    has: () => machineOfParts(twoPorts(UNLISTED)),
    hasNot: () => machineOfParts(twoPorts(LISTED)),
    apart: 'Device ID of the host bridge',
  },
  {
    id: 'HB-SPLIT',
    has: () => machineOfParts(twoRoots(LISTED, LISTED_SAME_ONLY)),
    hasNot: () => machineOfParts(twoRoots(LISTED, LISTED)),
    apart: 'Device ID of one host bridge',
  },
  {
    id: 'IOMMU-TRANSLATED',
    has: () => machineOfParts(twoPorts(LISTED, ACS_ON), { sysfs: in2Groups, groups: groupTypes('DMA-FQ') }),
    hasNot: () => machineOfParts(twoPorts(LISTED, ACS_ON), { sysfs: in2Groups, groups: groupTypes('identity') }),
    apart: 'type of one IOMMU group',
  },
  {
    id: 'BAD-CMDLINE',
    has: () => machineOfParts(oneSwitch(ACS_ON), { cmdline: 'quiet pci=noacs' }),
    hasNot: () => machineOfParts(oneSwitch(ACS_ON), { cmdline: 'quiet pci=noats' }),
    apart: 'one letter of the command line',
  },
  {
    id: 'MPS',
    has: () => machineOfParts(oneSwitch('clear', UNLISTED, gpu('b', { maxPayload: 128 }))),
    hasNot: () => machineOfParts(oneSwitch('clear', UNLISTED, gpu('b', { maxPayload: 256 }))),
    apart: 'Max_Payload_Size of one device',
  },
  {
    id: 'KCONFIG-MISSING',
    has: () => machineOfParts(oneSwitch('clear'), { kernel: '4.19.0' }),
    hasNot: () => machineOfParts(oneSwitch('clear'), { kernel: '4.20.0' }),
    apart: 'one release of the kernel',
  },
  {
    id: 'NO-PROVIDER',
    has: () =>
      machineOfParts([{ children: [{ kind: 'rootPort', below: [drive('d')] }] }], { sysfs: { d: { driver: 'nvme' } } }),
    hasNot: () =>
      machineOfParts([{ children: [{ kind: 'rootPort', below: [drive('d')] }] }], { sysfs: { d: published('nvme') } }),
    apart: 'p2pmem/ of the drive',
  },
  {
    id: 'CROSS-SOCKET',
    has: () => machineOfParts(twoRoots(LISTED, LISTED), { sysfs: { a: { numaNode: 0 }, b: { numaNode: 1 } } }),
    hasNot: () => machineOfParts(twoRoots(LISTED, LISTED), { sysfs: { a: { numaNode: 0 }, b: { numaNode: 0 } } }),
    apart: 'NUMA node of one device',
  },
  {
    id: 'VM-TOPOLOGY',
    has: () => machineOfParts(oneSwitch('clear', UNLISTED, gpu('b', { vendorId: 0x1b36 }))),
    hasNot: () => machineOfParts(oneSwitch('clear', UNLISTED, gpu('b', { vendorId: 0x1b37 }))),
    apart: 'Vendor ID of one device',
  },
  {
    id: 'FALSE-GRANT',
    has: () => machineOfParts(twoPorts(LISTED, 'clear', gpu('b', { vendorId: 0x5853 }))),
    hasNot: () => machineOfParts(twoPorts(UNLISTED, 'clear', gpu('b', { vendorId: 0x5853 }))),
    apart: 'Device ID of the host bridge',
  },
  {
    id: 'GDS-COMPAT',
    has: () => machineOfParts(oneSwitch('clear', UNLISTED, drive('b')), { sysfs: { b: published('vfio-pci') } }),
    hasNot: () => machineOfParts(oneSwitch('clear', UNLISTED, drive('b')), { sysfs: { b: published('nvme') } }),
    apart: 'driver of one drive',
  },
  {
    id: 'VMD-DOMAIN',
    has: () => machineOfParts([{ domain: 0x10000, children: [{ kind: 'rootPort', below: [drive('d')] }] }]),
    hasNot: () => machineOfParts([{ domain: 0xffff, children: [{ kind: 'rootPort', below: [drive('d')] }] }]),
    apart: 'domain number',
    notCloser: 'the number is part of every address',
  },
  {
    id: 'GROUP-LIE',
    has: () => machineOfParts(twoPorts(LISTED), { sysfs: { p: { iommuGroup: 1 }, a: { iommuGroup: 2 } } }),
    hasNot: () => machineOfParts(twoPorts(LISTED), { sysfs: { p: { iommuGroup: 1 }, a: { iommuGroup: 1 } } }),
    apart: 'IOMMU group of one device',
  },
  {
    id: 'GROUP-LIE',
    has: () => machineOfParts(twoPorts(LISTED), { sysfs: { p: { iommuGroup: 1 }, a: { iommuGroup: 2 } } }),
    hasNot: () => machineOfParts(twoPorts(LISTED, ACS_ON), { sysfs: { p: { iommuGroup: 1 }, a: { iommuGroup: 2 } } }),
    apart: 'ACS Control of the ports: on, the groups are true',
    notCloser: 'both root ports have it',
  },
  {
    id: 'PARTIAL-LISTING',
    has: () => machineOfParts(emptyPort(), { edits: { e: linkActive(true) } }),
    hasNot: () => machineOfParts(emptyPort(), { edits: { e: linkActive(false) } }),
    apart: 'Data Link Layer Link Active of one port with nothing below it',
  },
  {
    id: 'LINK-DEGRADED',
    has: () => machineOfParts(twoPorts(LISTED), { edits: { a: linkStatus(4, 8) } }),
    hasNot: () => machineOfParts(twoPorts(LISTED), { edits: { a: linkStatus(4, 16) } }),
    apart: 'Link Status of one device',
  },
  {
    id: 'LINK-DEGRADED',
    has: () => machineOfParts(twoPorts(LISTED), { edits: { a: linkStatus(4, 8) } }),
    // An idle GPU: slower, with all lanes.
    hasNot: () => machineOfParts(twoPorts(LISTED), { edits: { a: linkStatus(1, 16) } }),
    apart: 'Link Status of one device: idle is no fault',
  },
  {
    id: 'BAR-SMALL',
    has: () => machineOfParts(twoPorts(LISTED), { edits: { a: resizable(8) } }),
    hasNot: () => machineOfParts(twoPorts(LISTED), { edits: { a: resizable(15) } }),
    apart: 'Resizable BAR Control of one device',
  },
  {
    id: 'HIDDEN-LINK',
    has: () => machineOfParts(twoSwitches(BROADCOM), { edits: { sa: serial(7), sb: serial(7) } }),
    hasNot: () => machineOfParts(twoSwitches(BROADCOM), { edits: { sa: serial(7), sb: serial(8) } }),
    apart: 'serial number of one switch',
  },
  {
    id: 'HIDDEN-LINK',
    has: () => machineOfParts(twoSwitches(BROADCOM), { edits: { sa: serial(7), sb: serial(7) } }),
    hasNot: () => machineOfParts(twoSwitches(BROADCOM), { edits: { sa: factorySerial(), sb: factorySerial() } }),
    apart: 'the serial number of both is the one that all such chips leave the factory with',
    notCloser: 'both switches have the number',
  },
  {
    id: 'HIDDEN-LINK',
    has: () => machineOfParts(twoSwitches(BROADCOM), { edits: { sa: serial(7), sb: serial(7) } }),
    hasNot: () => machineOfParts(nestedSwitches(BROADCOM), { edits: { sa: serial(7), sb: serial(7) } }),
    apart: 'the two switches stand below a third, where their traffic meets',
    notCloser: 'another tree has other registers',
  },
  {
    id: 'NOT-DECODING',
    has: () => machineOfParts(oneSwitch('clear'), { edits: { x: command(2) } }),
    hasNot: () => machineOfParts(oneSwitch('clear'), { edits: { x: command(6) } }),
    apart: 'Bus Master of the port above one device',
  },
  {
    id: 'NOT-DECODING',
    has: () => machineOfParts(oneSwitch('clear'), { edits: { x: command(4) } }),
    hasNot: () => machineOfParts(oneSwitch('clear'), { edits: { x: command(6) } }),
    apart: 'Memory Space of the port above one device',
  },
  {
    id: 'NOT-DECODING',
    has: () => machineOfParts(oneSwitch('clear'), { sysfs: { a: { driver: 'nvidia' } }, edits: { a: command(2) } }),
    hasNot: () => machineOfParts(oneSwitch('clear'), { sysfs: { a: { driver: undefined } }, edits: { a: command(2) } }),
    apart: 'driver of one device: without one its Bus Master is off by right',
  },
  {
    id: 'NOT-DECODING',
    has: () => machineOfParts(oneSwitch('clear'), { sysfs: { a: { driver: 'nvidia' } }, edits: { a: command(4) } }),
    hasNot: () => machineOfParts(oneSwitch('clear'), { sysfs: { a: { driver: 'nvidia' } }, edits: { a: command(6) } }),
    apart: 'Memory Space of one device that a driver has',
  },
  {
    id: 'NOT-DECODING',
    has: () => machineOfParts(oneSwitch('clear'), { edits: { x: prefetchable(0x0001fff1) } }),
    hasNot: () => machineOfParts(oneSwitch('clear')),
    apart: 'Prefetchable Base and Limit of one port: closed',
  },
  {
    id: 'NOT-DECODING',
    has: () => machineOfParts(oneSwitch('clear'), { sysfs: { b: placed(FIRST_BAR) } }),
    hasNot: () => machineOfParts(oneSwitch('clear'), { sysfs: { b: placed(FIRST_BAR + 256 * MIB) } }),
    apart: 'BAR of the second device: in the place of the first, or behind it',
  },
  {
    id: 'DEVICE-LOST',
    has: () => machineOfParts(oneSwitch('clear'), { edits: { a: bar0Upper(0) } }),
    hasNot: () => machineOfParts(oneSwitch('clear'), { edits: { a: bar0Upper(0x2000) } }),
    apart: 'BAR0 of one device: 0, or where the kernel put it',
  },
  {
    id: 'DEVICE-LOST',
    has: () => machineOfParts(oneSwitch('clear'), { edits: { x: linkStatus(1, 0) } }),
    hasNot: () => machineOfParts(oneSwitch('clear'), { edits: { x: linkStatus(1, 1) } }),
    apart: 'Link Status of the port above one device',
  },
];
