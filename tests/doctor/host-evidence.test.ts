/**
 * Diagnoses that rest on what the kernel says beside PCI: each on a machine that has it and on its closest twin that has not, and what
 * the kernel's log adds.
 */

import { expect, test } from 'vitest';
import { reversed, withChange } from '../../src/doctor/change/machine-change.ts';
import { checkMachine } from '../../src/doctor/check-machine.ts';
import type { DiagnosisId, Finding } from '../../src/doctor/finding.ts';
import { parseKernelLog } from '../../src/evidence/kernel/log/telling.ts';
import { buildMachine } from '../../src/machine/build.ts';
import { type HostEvidence, NO_HOST_EVIDENCE, type Setting } from '../../src/machine/host-evidence.ts';
import { parseKernelConfig } from '../../src/machine/kernel-config.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { parseIomem } from '../../src/machine/proc.ts';
import { POLICIES } from '../../src/p2p/policy.ts';
import { bdfKey, formatBdf } from '../../src/pcie/bdf.ts';
import { buildTree } from '../../src/pcie/build-tree.ts';
import { ConfigSpace } from '../../src/pcie/config-space.ts';
import type { AcsDescription, DeviceDescription, RootBusDescription } from '../../src/pcie/describe.ts';
import type { FunctionFacts, SysfsFacts } from '../../src/pcie/function-facts.ts';
import { LISTED, UNLISTED } from './machines.ts';

const GIB = 2 ** 30;

/** What the kernel of a machine says, in the words of its files. */
interface Told {
  readonly kernel?: string;
  readonly cmdline?: string;
  readonly config?: string;
  /** Lines of dmesg; names of parts stand for their addresses: `{a}`, and without the domain: `{a:}`. */
  readonly log?: string;
  readonly iomem?: string;
  readonly groups?: ReadonlyMap<number, string>;
  readonly modules?: HostEvidence['modules'];
  readonly cufile?: Readonly<Record<string, string>>;
  readonly raids?: Readonly<Record<string, string>>;
  readonly units?: HostEvidence['iommuUnits'];
  /** By the name of the part. */
  readonly masks?: Readonly<Record<string, number>>;
  readonly sysfs?: Readonly<Record<string, Partial<SysfsFacts>>>;
  readonly edit?: ((name: string, view: DataView, express: number) => void) | undefined;
}

interface Named {
  readonly machine: Machine;
  readonly at: (name: string) => string;
}

function machineOf(rootBuses: readonly RootBusDescription[], told: Told = {}): Named {
  const tree = buildTree({ rootBuses });
  const nameOf = new Map([...tree.names].map(([name, bdf]) => [formatBdf(bdf), name]));
  const at = (name: string): string =>
    formatBdf(tree.names.get(name) as NonNullable<ReturnType<typeof tree.names.get>>);
  const functions = tree.facts.map((facts): FunctionFacts => {
    const name = nameOf.get(formatBdf(facts.bdf)) ?? '';
    const own = told.sysfs?.[name];
    const edited = told.edit === undefined ? facts : { ...facts, config: editedConfig(facts, name, told.edit) };
    return own === undefined ? edited : { ...edited, sysfs: { ...EMPTY, ...facts.sysfs, ...own } };
  });
  const words = (text: string): string =>
    text.replace(/\{(\w+)(:?)\}/g, (_, name: string, short: string) => (short === '' ? at(name) : at(name).slice(5)));
  const settings = (entries: Readonly<Record<string, string>>, file: string): Map<string, Setting> =>
    new Map(Object.entries(entries).map(([key, value], index) => [key, { value, file, line: index + 1 }]));
  const host: HostEvidence = {
    ...NO_HOST_EVIDENCE,
    kernelConfig: told.config === undefined ? null : parseKernelConfig(told.config, 'proc/config'),
    kernelLog: told.log === undefined ? null : parseKernelLog(words(told.log), 'var/log/dmesg'),
    modules: told.modules ?? null,
    cufile: told.cufile === undefined ? null : settings(told.cufile, 'etc/cufile.json'),
    nvmeRaids: told.raids === undefined ? null : settings(told.raids, 'proc/mdstat'),
    iommuUnits: told.units ?? null,
    dmaMaskBits: new Map(
      Object.entries(told.masks ?? {}).map(([name, bits]) => [
        bdfKey(tree.names.get(name) as FunctionFacts['bdf']),
        { value: `${bits}`, file: `sys/${name}/dma_mask_bits`, line: null },
      ]),
    ),
  };
  const machine = buildMachine({
    source: 'described',
    functions,
    cpu: { vendor: 'GenuineIntel', family: 6 },
    kernel: told.kernel ?? '6.12.1',
    cmdline: told.cmdline,
    iommuGroupTypes: told.groups,
    iomem: parseIomem(told.iomem ?? ''),
    host,
  });
  return { machine, at };
}

function editedConfig(facts: FunctionFacts, name: string, edit: NonNullable<Told['edit']>): ConfigSpace {
  const bytes = new Uint8Array(4096);
  bytes.set(facts.config.bytes);
  let express = bytes[0x34] as number;
  while (express !== 0 && bytes[express] !== 0x10) express = bytes[express + 1] as number;
  edit(name, new DataView(bytes.buffer), express);
  return new ConfigSpace(bytes);
}

const EMPTY: SysfsFacts = {
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

function gpu(name: string, vendorId = 0x10de): DeviceDescription {
  const bars = [{ size: GIB / 4, prefetchable: true }];
  return { kind: 'endpoint', name, functions: [{ vendorId, deviceId: 0x2330, classCode: 0x030200, bars }] };
}

function drive(name: string): DeviceDescription {
  return { kind: 'endpoint', name, functions: [{ classCode: 0x010802, bars: [{ size: 2 ** 14 }] }] };
}

/** Two devices below one switch. */
function oneSwitch(
  first = gpu('a'),
  second = gpu('b'),
  acs: AcsDescription = 'clear',
  memory64?: number,
): RootBusDescription[] {
  const ports = [
    { name: 'x', acs, below: [first] },
    { name: 'y', acs, below: [second] },
  ];
  const below = [{ kind: 'switch' as const, name: 'sw', ports }];
  return [
    {
      hostBridge: UNLISTED,
      ...(memory64 === undefined ? {} : { memory64 }),
      children: [{ kind: 'rootPort', name: 'rp', acs: 'clear', below }],
    },
  ];
}

/** Two devices below a root port each. */
function twoPorts(
  first = gpu('a'),
  second = gpu('b'),
  hostBridge: { readonly vendorId: number; readonly deviceId: number } = LISTED,
  memory64?: number,
): RootBusDescription[] {
  return [
    {
      hostBridge,
      ...(memory64 === undefined ? {} : { memory64 }),
      children: [
        { kind: 'rootPort', name: 'p', acs: 'clear', below: [first] },
        { kind: 'rootPort', name: 'q', acs: 'clear', below: [second] },
      ],
    },
  ];
}

function findings({ machine }: Named | { machine: Machine }, id: DiagnosisId): Finding[] {
  return checkMachine(machine, POLICIES['linux-6.12']).findings.filter((finding) => finding.id === id);
}

const claims = (named: Named, id: DiagnosisId): Finding[] => findings(named, id).filter(({ sure }) => sure !== 'open');

const ON = 'CONFIG_PCI=y\nCONFIG_ZONE_DEVICE=y\nCONFIG_PCI_P2PDMA=y\n';
const OFF = 'CONFIG_PCI=y\nCONFIG_ZONE_DEVICE=y\n# CONFIG_PCI_P2PDMA is not set\n';

// KCONFIG-MISSING

test('KCONFIG-MISSING: a configuration without it is an error with its line, and with it nothing is said', () => {
  const [finding, ...others] = findings(machineOf(oneSwitch(), { config: OFF }), 'KCONFIG-MISSING');
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ severity: 'error', sure: 'certain' });
  expect(finding?.evidence[0]).toMatchObject({
    register: 'CONFIG_PCI_P2PDMA',
    value: 'is not set',
    source: 'proc/config',
    line: 3,
  });
  expect(finding?.fixes[0]?.settings?.map(({ line }) => line)).toContain('CONFIG_PCI_P2PDMA=y');
  expect(finding?.fixes[0]?.takeBack).toBe('boot the old one');
  expect(findings(machineOf(oneSwitch(), { config: ON }), 'KCONFIG-MISSING')).toEqual([]);
});

test('KCONFIG-MISSING: a symbol that a whole configuration does not name is off, and one that a part leaves out is not known', () => {
  const whole = findings(
    machineOf(oneSwitch(), { config: 'CONFIG_PCI=y\n# CONFIG_ZONE_DEVICE is not set\n' }),
    'KCONFIG-MISSING',
  );
  expect(whole).toMatchObject([{ sure: 'certain' }]);
  expect(whole[0]?.title).toContain('as is CONFIG_ZONE_DEVICE, which it needs');
  expect(whole[0]?.evidence[0]).toMatchObject({ value: 'not named', line: null });
  const part = findings(machineOf(oneSwitch(), { config: 'CONFIG_ZONE_DEVICE=y\n' }), 'KCONFIG-MISSING');
  expect(part).toMatchObject([{ severity: 'note', sure: 'open' }]);
  expect(part[0]?.missing?.command).toContain('/proc/config.gz');
});

test('KCONFIG-MISSING: a kernel that was seen to have it has it, whatever its configuration is said to be', () => {
  const p2pmem = { size: GIB, available: GIB, published: true };
  expect(findings(machineOf(oneSwitch(), { sysfs: { a: { p2pmem } } }), 'KCONFIG-MISSING')).toEqual([]);
  const log = '[    1.0] nvme {b}: added peer-to-peer DMA memory 0x1000-0x1fff';
  expect(findings(machineOf(oneSwitch(), { log }), 'KCONFIG-MISSING')).toEqual([]);
  expect(
    findings(machineOf(oneSwitch(), { log: '[    1.0] pci {b}: BAR 0: assigned' }), 'KCONFIG-MISSING'),
  ).toMatchObject([{ sure: 'open' }]);
});

test('KCONFIG-MISSING: where no pair could anyway it is a note, and without pairs nothing', () => {
  const refused = machineOf(twoPorts(gpu('a'), gpu('b'), UNLISTED), { config: OFF });
  expect(findings(refused, 'KCONFIG-MISSING')).toMatchObject([{ severity: 'note', sure: 'certain' }]);
  const alone: RootBusDescription[] = [{ children: [{ kind: 'rootPort', below: [gpu('a')] }] }];
  expect(findings(machineOf(alone, { config: OFF }), 'KCONFIG-MISSING')).toEqual([]);
});

const AMD = oneSwitch(gpu('a', 0x1002), gpu('b', 0x1002));
const AMD_OFF = `${ON}CONFIG_HSA_AMD=y\n# CONFIG_DMABUF_MOVE_NOTIFY is not set\n`;
const AMD_ON = `${ON}CONFIG_HSA_AMD=y\nCONFIG_DMABUF_MOVE_NOTIFY=y\nCONFIG_HSA_AMD_P2P=y\n`;
const amdgpu = (pcieP2p: string, version: string | null = null): HostEvidence['modules'] => ({
  complete: true,
  file: 'proc/modules',
  byName: new Map([
    [
      'amdgpu',
      {
        version: version === null ? null : { value: version, file: 'sys/module/amdgpu/version', line: null },
        parameters: new Map([
          ['pcie_p2p', { value: pcieP2p, file: 'sys/module/amdgpu/parameters/pcie_p2p', line: null }],
        ]),
      },
    ],
  ]),
});

test('KCONFIG-MISSING: AMD GPUs need HSA_AMD_P2P and DMABUF_MOVE_NOTIFY; NVIDIA ones do not', () => {
  const [finding] = findings(machineOf(AMD, { config: AMD_OFF }), 'KCONFIG-MISSING');
  expect(finding).toMatchObject({ severity: 'warning', sure: 'likely' });
  expect(finding?.title).toContain('CONFIG_HSA_AMD_P2P and CONFIG_DMABUF_MOVE_NOTIFY');
  expect(findings(machineOf(AMD, { config: AMD_ON }), 'KCONFIG-MISSING')).toEqual([]);
  expect(findings(machineOf(oneSwitch(), { config: AMD_OFF }), 'KCONFIG-MISSING')).toEqual([]);
});

test('KCONFIG-MISSING: AMD’s own driver package has a configuration of its own', () => {
  expect(findings(machineOf(AMD, { config: AMD_OFF, modules: amdgpu('Y', '6.12.12') }), 'KCONFIG-MISSING')).toEqual([]);
  expect(findings(machineOf(AMD, { config: AMD_OFF, modules: amdgpu('Y') }), 'KCONFIG-MISSING').length).toBe(1);
});

test('KCONFIG-MISSING: amdgpu.pcie_p2p off is certain, on is nothing', () => {
  const [finding] = findings(machineOf(AMD, { config: AMD_ON, modules: amdgpu('N') }), 'KCONFIG-MISSING');
  expect(finding).toMatchObject({ severity: 'warning', sure: 'certain' });
  expect(finding?.evidence).toMatchObject([{ value: 'N', source: 'sys/module/amdgpu/parameters/pcie_p2p' }]);
  expect(findings(machineOf(AMD, { config: AMD_ON, modules: amdgpu('Y') }), 'KCONFIG-MISSING')).toEqual([]);
});

test('KCONFIG-MISSING: published memory before 6.2 is not for programs; memory outside of what arm64 can add is told by the log', () => {
  const sysfs = { a: { p2pmem: { size: GIB, available: GIB, published: true } } };
  expect(findings(machineOf(oneSwitch(), { sysfs, kernel: '6.1.9' }), 'KCONFIG-MISSING')).toMatchObject([
    { severity: 'note', sure: 'certain' },
  ]);
  expect(findings(machineOf(oneSwitch(), { sysfs, kernel: '6.2.0' }), 'KCONFIG-MISSING')).toEqual([]);
  const log = '[    1.0] Hotplugged memory exceeds maximum addressable address, range=[0x1-0x2], maximum=0x1';
  expect(findings(machineOf(oneSwitch(), { config: ON, log }), 'KCONFIG-MISSING')).toMatchObject([
    { severity: 'warning', evidence: [{ register: 'kernel log', line: 1 }] },
  ]);
});

// ADDR-MASK

/** Bars above 44 bits. */
const HIGH = 2 ** 45;
const driven = { a: { driver: 'nvidia' }, b: { driver: 'mlx5_core' } };

test('ADDR-MASK: below a switch a BAR above the client’s mask is certain, whatever the IOMMU; below the mask it is nothing', () => {
  const has = machineOf(oneSwitch(gpu('a'), gpu('b'), 'clear', HIGH), { masks: { b: 44 }, sysfs: driven });
  const [finding] = claims(has, 'ADDR-MASK');
  expect(finding).toMatchObject({ severity: 'warning', sure: 'certain', at: [has.at('b')] });
  expect(finding?.evidence[0]).toMatchObject({ register: 'dma_mask_bits', value: '44', source: 'sys/b/dma_mask_bits' });
  expect(finding?.evidence[1]).toMatchObject({ at: has.at('a'), register: 'BAR0' });
  const twin = { masks: { b: 47 }, sysfs: driven };
  expect(findings(machineOf(oneSwitch(gpu('a'), gpu('b'), 'clear', HIGH), twin), 'ADDR-MASK')).toEqual([]);
});

test('ADDR-MASK: the last byte decides: a BAR that ends at the mask fits, one byte of mask less does not', () => {
  const place = machineOf(oneSwitch(gpu('a'), gpu('b'), 'clear', HIGH)).machine.hierarchy.functions;
  const ends = place.flatMap((fn) => fn.bars.map((bar) => (bar.busAddress ?? 0) + (bar.size ?? 0)));
  const bits = Math.ceil(Math.log2(Math.max(...ends)));
  const at = (mask: number): Finding[] =>
    claims(machineOf(oneSwitch(gpu('a'), gpu('b'), 'clear', HIGH), { masks: { b: mask }, sysfs: driven }), 'ADDR-MASK');
  expect(at(bits)).toEqual([]);
  expect(at(bits - 1).length).toBe(1);
});

test('ADDR-MASK: without a driver, or with one that hands the device on, the mask is a default and says nothing', () => {
  for (const driver of [undefined, 'vfio-pci']) {
    const machine = machineOf(oneSwitch(gpu('a'), gpu('b'), 'clear', HIGH), {
      masks: { b: 32 },
      sysfs: { b: { driver } },
    });
    expect(findings(machine, 'ADDR-MASK')).toEqual([]);
  }
});

test('ADDR-MASK: through the host bridge the IOMMU decides: translated it fits, passing it does not; the fix is proved and undone', () => {
  const of = (type: string): Named =>
    machineOf(twoPorts(gpu('a'), gpu('b'), LISTED, HIGH), {
      masks: { b: 44 },
      sysfs: { a: { driver: 'nvidia', iommuGroup: 1 }, b: { driver: 'nvidia', iommuGroup: 2 } },
      groups: new Map([
        [1, type],
        [2, type],
      ]),
    });
  const has = of('identity');
  const [finding] = claims(has, 'ADDR-MASK');
  expect(finding).toMatchObject({ sure: 'certain' });
  expect(claims(of('DMA-FQ'), 'ADDR-MASK')).toEqual([]);
  const fix = finding?.fixes.find(({ change }) => change !== null);
  expect(fix?.proof).toMatchObject({ kind: 'judged', shows: { kind: 'aboveMask', pairs: 0 } });
  const change = fix?.change as NonNullable<NonNullable<typeof fix>['change']>;
  const healed = withChange(has.machine, change);
  expect(findings({ machine: healed }, 'ADDR-MASK').filter(({ sure }) => sure !== 'open')).toEqual([]);
  expect([...withChange(healed, reversed(change)).iommuGroupTypes]).toEqual([...has.machine.iommuGroupTypes]);
});

test('ADDR-MASK: without masks the question stays, with the command that answers it', () => {
  const machine = machineOf(oneSwitch(gpu('a', 0x1002), gpu('b', 0x1002), 'clear', HIGH));
  expect(findings(machine, 'ADDR-MASK')).toMatchObject([{ severity: 'note', sure: 'open' }]);
  expect(findings(machine, 'ADDR-MASK')[0]?.missing?.command).toContain('dma_mask_bits');
  const told = { masks: { a: 64, b: 64 }, sysfs: { a: { driver: 'amdgpu' }, b: { driver: 'amdgpu' } } };
  expect(findings(machineOf(oneSwitch(gpu('a', 0x1002), gpu('b', 0x1002), 'clear', HIGH), told), 'ADDR-MASK')).toEqual(
    [],
  );
});

test('ADDR-MASK: a guest whose IOMMU takes 39 bits cannot reach higher BARs; one of 48 bits can; without registers it is a question', () => {
  const unit = (addressBits: number | null): Told => ({ units: [{ name: 'dmar0', addressBits, file: 'sys/cap' }] });
  const guest = (told: Told): Finding[] =>
    findings(machineOf(oneSwitch(gpu('a'), gpu('b', 0x1af4), 'clear', 2 ** 40), told), 'ADDR-MASK');
  expect(guest(unit(39))).toMatchObject([{ severity: 'warning', sure: 'likely' }]);
  expect(guest(unit(48))).toEqual([]);
  const virtio = oneSwitch(
    gpu('a'),
    {
      ...gpu('b'),
      functions: [{ vendorId: 0x1b36, classCode: 0x030200, bars: [{ size: GIB, prefetchable: true }] }],
    } as DeviceDescription,
    'clear',
    2 ** 40,
  );
  expect(findings(machineOf(virtio), 'ADDR-MASK')).toMatchObject([{ sure: 'open' }]);
});

// GDS-COMPAT

const setting = (value: string, file: string): Setting => ({ value, file, line: null });

/** Modules of a machine that is set up for GPUDirect Storage; `changes` replaces values, null leaves one out. */
function gdsModules(
  changes: {
    readonly dwords?: string;
    readonly multipath?: string;
    readonly version?: string;
    readonly fs?: boolean;
  } = {},
): HostEvidence['modules'] {
  const nvidia = {
    version: setting(
      changes.version ?? 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06',
      'proc/driver/nvidia/version',
    ),
    parameters: new Map([
      [
        'RegistryDwords',
        setting(changes.dwords ?? 'RMForceStaticBar1=1;RmForceDisableIomapWC=1;', 'proc/driver/nvidia/params'),
      ],
    ]),
  };
  const core = {
    version: null,
    parameters: new Map([
      ['multipath', setting(changes.multipath ?? 'N', 'sys/module/nvme_core/parameters/multipath')],
    ]),
  };
  const byName = new Map<string, { version: Setting | null; parameters: Map<string, Setting> }>([
    ['nvidia', nvidia],
    ['nvme_core', core],
  ]);
  if (changes.fs) byName.set('nvidia_fs', { version: null, parameters: new Map() });
  return { byName, complete: true, file: 'proc/modules' };
}

const GDS_SYSFS = {
  a: { driver: 'nvidia' },
  b: { driver: 'nvme', p2pmem: { size: GIB, available: GIB, published: true } },
};
const GDS: Told = {
  sysfs: GDS_SYSFS,
  modules: gdsModules(),
  cufile: { use_pci_p2pdma: 'true' },
  raids: {},
  config: ON,
};
const gdsMachine = (changes: Told = {}): Named => machineOf(oneSwitch(gpu('a'), drive('b')), { ...GDS, ...changes });

test('GDS-COMPAT: a machine that meets every precondition has none', () => {
  expect(findings(gdsMachine(), 'GDS-COMPAT')).toEqual([]);
});

test.each<[string, Told, string, string]>([
  ['an old kernel', { kernel: '6.1.0' }, 'older than 6.2', 'kernel release'],
  ['multipath on', { modules: gdsModules({ multipath: 'Y' }) }, 'multipath', 'nvme_core.multipath'],
  [
    'no static BAR1',
    { modules: gdsModules({ dwords: 'RmForceDisableIomapWC=1' }) },
    'RMForceStaticBar1=1',
    'NVreg_RegistryDwords',
  ],
  ['empty registry words', { modules: gdsModules({ dwords: '' }) }, 'RMForceStaticBar1=1', 'NVreg_RegistryDwords'],
  [
    'the closed driver',
    { modules: gdsModules({ version: 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06' }) },
    'open one',
    'version of nvidia',
  ],
  [
    'an old driver',
    { modules: gdsModules({ version: 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54' }) },
    'open one',
    'version of nvidia',
  ],
  ['cufile off', { cufile: { use_pci_p2pdma: 'false' } }, 'use_pci_p2pdma', 'use_pci_p2pdma'],
  ['cufile silent', { cufile: {} }, 'use_pci_p2pdma', 'use_pci_p2pdma'],
  ['a RAID', { raids: { md0: 'raid0 nvme0n1 nvme1n1' } }, 'RAID', 'md0'],
])('GDS-COMPAT: %s is certain, with its value and its file', (_, changes, title, register) => {
  const [finding, ...others] = findings(gdsMachine(changes), 'GDS-COMPAT');
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ severity: 'warning', sure: 'certain' });
  expect(finding?.title).toContain(title);
  expect(finding?.evidence[0]?.register).toBe(register);
  expect(finding?.evidence[0]?.source).not.toBeNull();
  expect(finding?.fixes.length).toBe(1);
  expect(finding?.fixes[0]?.takeBack).toMatch(/\w/);
});

test('GDS-COMPAT: no road between GPU and drive', () => {
  const p2pmem = { size: GIB, available: GIB, published: true };
  const apart = machineOf(twoPorts(gpu('a'), drive('b'), UNLISTED), {
    ...GDS,
    sysfs: { ...GDS_SYSFS, b: { driver: 'nvme', p2pmem } },
  });
  expect(claims(apart, 'GDS-COMPAT')[0]?.title).toContain('no drive has a road');
});

test('GDS-COMPAT: with nvidia-fs loaded it is a question, and where modules are not known it is likely at most', () => {
  const fs = gdsMachine({ modules: gdsModules({ multipath: 'Y', fs: true }) });
  expect(findings(fs, 'GDS-COMPAT')).toMatchObject([{ sure: 'open', missing: { command: 'gdscheck -p' } }]);
  const blind = gdsMachine({ modules: null, cufile: { use_pci_p2pdma: 'false' } });
  expect(findings(blind, 'GDS-COMPAT')).toMatchObject([{ sure: 'likely' }]);
});

test('GDS-COMPAT: registry words are asked for on x86 only', () => {
  const { machine } = gdsMachine({ modules: gdsModules({ dwords: '' }) });
  expect(findings({ machine: { ...machine, cpu: { vendor: '0x41', family: null } } }, 'GDS-COMPAT')).toEqual([]);
});

// NO-PROVIDER

test('NO-PROVIDER: memory that is all taken, and the NVMe driver’s own queues in it where it says so', () => {
  const sysfs = { b: { driver: 'nvme', p2pmem: { size: GIB, available: 0, published: true } } };
  const queues = (value: string): HostEvidence['modules'] => ({
    complete: true,
    file: 'proc/modules',
    byName: new Map([
      ['nvme', { version: null, parameters: new Map([['use_cmb_sqs', setting(value, 'sys/module/nvme')]]) }],
    ]),
  });
  const of = (modules: HostEvidence['modules']): Finding[] =>
    findings(machineOf(oneSwitch(gpu('a'), drive('b')), { sysfs, modules }), 'NO-PROVIDER');
  expect(of(queues('Y'))[0]?.fixes.at(-1)?.settings?.[0]?.line).toBe('nvme.use_cmb_sqs=0');
  expect(of(queues('Y'))[0]?.evidence.at(-1)).toMatchObject({ value: 'Y', source: 'sys/module/nvme' });
  for (const modules of [queues('N'), null]) expect(of(modules)).toMatchObject([{ fixes: [{ commands: [] }] }]);
});

// WRONG-MEMORY

const bar = ({ machine, at }: Named, name: string): { start: number; end: number } => {
  const found = machine.hierarchy.functions.find((fn) => fn.name === at(name))?.bars[0];
  const start = found?.cpuAddress as number;
  return { start, end: start + (found?.size as number) };
};
const ramLine = (start: number, end: number): string =>
  `${start.toString(16)}-${(end - 1).toString(16)} : System RAM\n`;

test('WRONG-MEMORY: a BAR that lies in RAM is certain; RAM that ends where it begins is nothing', () => {
  const place = bar(machineOf(oneSwitch()), 'a');
  const has = machineOf(oneSwitch(), { iomem: ramLine(0x1000, place.start + 1) });
  const [finding] = findings(has, 'WRONG-MEMORY');
  expect(finding).toMatchObject({ severity: 'error', sure: 'certain', at: [has.at('a')] });
  expect(finding?.evidence.map(({ register }) => register)).toEqual(['BAR0', 'memory map']);
  expect(findings(machineOf(oneSwitch(), { iomem: ramLine(0x1000, place.start) }), 'WRONG-MEMORY')).toEqual([]);
});

test('WRONG-MEMORY: a BAR whose decoding is off answers nowhere', () => {
  const place = bar(machineOf(oneSwitch()), 'a');
  const edit: Told['edit'] = (name, view) => {
    if (name === 'a') view.setUint16(4, view.getUint16(4, true) & ~2, true);
  };
  expect(findings(machineOf(oneSwitch(), { iomem: ramLine(place.start, place.end), edit }), 'WRONG-MEMORY')).toEqual(
    [],
  );
});

const DMAR = (by: string, address: number): string =>
  `[   10.000000] DMAR: [DMA Write NO_PASID] Request device [${by}] fault addr 0x${address.toString(16)} [fault reason 0x05] PTE Write access is not set`;

test('WRONG-MEMORY: a fault at an address in RAM is likely, with its line; at one in no RAM it is another matter', () => {
  const iomem = ramLine(0x100000, 0x80000000);
  const log = `[    1.0] nothing\n${DMAR('{a:}', 0x7000000)}\n${DMAR('{a:}', 0x7001000)}`;
  const has = machineOf(twoPorts(), { iomem, log });
  const [finding] = findings(has, 'WRONG-MEMORY');
  expect(finding).toMatchObject({ severity: 'warning', sure: 'likely', at: [has.at('a')] });
  expect(finding?.title).toContain('2 requests');
  expect(finding?.evidence[0]).toMatchObject({ register: 'kernel log', source: 'var/log/dmesg', line: 2 });
  expect(findings(machineOf(twoPorts(), { iomem, log: DMAR('{a:}', 0xfffff000) }), 'WRONG-MEMORY')).toEqual([]);
});

test('WRONG-MEMORY: a fault without a memory map is a question', () => {
  const [finding] = findings(machineOf(twoPorts(), { log: DMAR('{a:}', 0x7000000) }), 'WRONG-MEMORY');
  expect(finding).toMatchObject({ severity: 'note', sure: 'open', missing: { command: 'sudo cat /proc/iomem' } });
});

test('WRONG-MEMORY: what the kernel could not claim since RAM is there is told by its line', () => {
  const line = (with_: string): string =>
    `[    0.3] pci {a}: BAR 0 [mem 0x1000-0x1fff 64bit pref]: can't claim; address conflict with ${with_} [mem 0x1000-0x8fff]`;
  expect(findings(machineOf(oneSwitch(), { log: line('System RAM') }), 'WRONG-MEMORY')).toMatchObject([
    { sure: 'likely' },
  ]);
  expect(findings(machineOf(oneSwitch(), { log: line('PCI Bus 0000:00') }), 'WRONG-MEMORY')).toEqual([]);
});

// IOMMU-TRANSLATED without groups

test('IOMMU-TRANSLATED: without groups the log or the configuration settles it, and the command line stands above them', () => {
  // As a dump of registers has them: without sysfs no group is no evidence.
  const of = (told: Told): string[] => {
    const { machine } = machineOf(twoPorts(), { cmdline: 'quiet', ...told });
    const dump = buildMachine({
      source: 'dump',
      functions: machine.hierarchy.functions.map(({ facts }) => ({ ...facts, sysfs: null })),
      cpu: machine.cpu,
      kernel: machine.kernel,
      cmdline: machine.cmdline,
      host: machine.host,
    });
    return findings({ machine: dump }, 'IOMMU-TRANSLATED').map(({ sure }) => sure);
  };
  const passing = 'CONFIG_IOMMU_DEFAULT_PASSTHROUGH=y\n';
  const none = 'CONFIG_X86_64=y\n# CONFIG_INTEL_IOMMU is not set\n# CONFIG_AMD_IOMMU is not set\n';
  expect(of({})).toEqual(['open']);
  expect(of({ config: passing })).toEqual([]);
  expect(of({ config: passing, cmdline: 'iommu=nopt' })).toEqual(['open']);
  expect(of({ config: passing, cmdline: 'iommu.passthrough=0' })).toEqual(['open']);
  expect(of({ config: none })).toEqual([]);
  expect(of({ config: none.replace('# CONFIG_AMD_IOMMU is not set', 'CONFIG_AMD_IOMMU=y') })).toEqual(['open']);
  expect(of({ log: '[    0.3] iommu: Default domain type: Passthrough (set via kernel command line)' })).toEqual([]);
  expect(of({ log: '[    0.3] iommu: Default domain type: Translated' })).toEqual(['likely']);
});

// What the log adds

test('a fault at a peer’s BAR makes IOMMU-TRANSLATED certain, and makes one where the groups are not known', () => {
  const place = bar(machineOf(twoPorts()), 'b');
  const log = DMAR('{a:}', place.start + 0x1000);
  const sysfs = { a: { iommuGroup: 1 }, b: { iommuGroup: 2 } };
  const groups = new Map([
    [1, 'DMA'],
    [2, 'DMA'],
  ]);
  const without = machineOf(twoPorts(), { sysfs, groups });
  expect(findings(without, 'IOMMU-TRANSLATED')).toMatchObject([{ sure: 'likely' }]);
  const has = machineOf(twoPorts(), { sysfs, groups, log });
  const [finding] = findings(has, 'IOMMU-TRANSLATED');
  expect(finding?.sure).toBe('certain');
  expect(finding?.evidence.at(-1)).toMatchObject({
    register: 'kernel log',
    line: 1,
    meaning: `0x${(place.start + 0x1000).toString(16)} is in BAR0 of ${has.at('b')}`,
  });
  const refused = machineOf(twoPorts(gpu('a'), gpu('b'), UNLISTED), { log });
  expect(findings(refused, 'IOMMU-TRANSLATED')).toMatchObject([{ sure: 'certain', at: [refused.at('a')] }]);
  const own = machineOf(twoPorts(gpu('a'), gpu('b'), UNLISTED), { log: DMAR('{b:}', place.start) });
  expect(findings(own, 'IOMMU-TRANSLATED')).toEqual([]);
});

test('p2pdma’s own words stand beside the finding that they confirm, and beside no other', () => {
  const redirect = (client: string): string =>
    `[    9.0] nvme {${client}}: ACS redirect is set between the client and provider ({a})`;
  const lines = (named: Named): number =>
    findings(named, 'ACS-REDIR-SWITCH').flatMap(({ evidence }) =>
      evidence.filter(({ register }) => register === 'kernel log'),
    ).length;
  const on: AcsDescription = ['SV', 'RR', 'CR', 'UF'];
  expect(lines(machineOf(oneSwitch(gpu('a'), gpu('b'), on), { log: redirect('b') }))).toBe(1);
  expect(lines(machineOf(oneSwitch(gpu('a'), gpu('b'), on), { log: redirect('rp') }))).toBe(0);
  const refused =
    '[    9.0] nvme {b}: cannot be used for peer-to-peer DMA as the client and provider ({a}) do not share an upstream bridge or whitelisted host bridge';
  const [finding] = findings(machineOf(twoPorts(gpu('a'), gpu('b'), UNLISTED), { log: refused }), 'HB-NOT-LISTED');
  expect(finding).toMatchObject({ sure: 'certain' });
  expect(finding?.evidence.at(-1)).toMatchObject({ register: 'kernel log', line: 1 });
});

/** The machine without extended configuration space, as read without privileges. */
const short = ({ machine, at }: Named): Named => ({
  at,
  machine: buildMachine({
    source: 'short',
    functions: machine.hierarchy.functions.map(({ facts }) => ({
      ...facts,
      config: new ConfigSpace(facts.config.bytes.slice(0, 256)),
    })),
    cpu: machine.cpu,
    kernel: machine.kernel,
    host: machine.host,
  }),
});

test('a question that the log answers is likely', () => {
  const redirect = '[    9.0] nvme {b}: ACS redirect is set between the client and provider ({a})';
  const on: AcsDescription = ['SV', 'RR', 'CR', 'UF'];
  const asked = findings(short(machineOf(oneSwitch(gpu('a'), gpu('b'), on))), 'ACS-REDIR-SWITCH');
  expect(asked).toMatchObject([{ sure: 'open' }]);
  const told = findings(short(machineOf(oneSwitch(gpu('a'), gpu('b'), on), { log: redirect })), 'ACS-REDIR-SWITCH');
  expect(told).toMatchObject([{ sure: 'likely' }]);
  expect(told[0]?.title).toContain('the kernel’s log says so');
});

test('an ACS violation that a port reported is told where two below it would be paired, and of no other port', () => {
  const log = (port: string): string => `[   50.9] pcieport {${port}}:    [21] ACSViol                (First)`;
  const [finding] = findings(machineOf(oneSwitch(), { log: log('rp') }), 'ACS-REDIR-SWITCH');
  expect(finding).toMatchObject({ severity: 'warning', sure: 'likely' });
  expect(finding?.title).toContain('1 ACS violation:');
  expect(findings(machineOf(oneSwitch(), { log: log('x') }), 'ACS-REDIR-SWITCH')).toEqual([]);
});

test('an ACS violation says nothing of a redirect: a finding that is not sure stays so, and shows the line', () => {
  const on: AcsDescription = ['SV', 'RR', 'CR', 'UF'];
  const log = '[   50.9] pcieport {rp}:    [21] ACSViol                (First)';
  const asked = findings(short(machineOf(oneSwitch(gpu('a'), gpu('b'), on), { log })), 'ACS-REDIR-SWITCH');
  expect(asked).toMatchObject([{ sure: 'open' }]);
  expect(asked[0]?.title).not.toContain('log');
  expect(asked[0]?.evidence.map(({ meaning }) => meaning)).toContain('it blocked a request');
});

test('a malformed packet that a device reported makes MPS certain', () => {
  const sizes: Told['edit'] = (name, view, express) => {
    if (name === 'a' || name === 'b') view.setUint16(express + 8, name === 'a' ? 1 << 5 : 0, true);
  };
  const log = '[   50.9] pcieport {b}:    [18] MalfTLP                (First)';
  expect(findings(machineOf(oneSwitch(), { edit: sizes }), 'MPS')).toMatchObject([{ sure: 'likely' }]);
  expect(findings(machineOf(oneSwitch(), { edit: sizes, log }), 'MPS')).toMatchObject([{ sure: 'certain' }]);
});

test('a BAR without room is told where it has no address now, and not where the kernel found room after all', () => {
  const log = "[    0.3] pci {a}: BAR 0 [mem size 0x10000000 64bit pref]: can't assign; no space";
  // IORESOURCE_UNSET, prefetchable memory of 64 bits.
  const resources = [{ start: 0, end: GIB / 4 - 1, flags: 0x20102200 }];
  const [finding] = claims(machineOf(oneSwitch(), { log, sysfs: { a: { resources } } }), 'BAR-SMALL');
  expect(finding).toMatchObject({ sure: 'certain' });
  expect(finding?.evidence.some(({ register }) => register === 'kernel log')).toBe(true);
  expect(claims(machineOf(oneSwitch(), { log }), 'BAR-SMALL')).toEqual([]);
});

// MPS: tags of ten bits

/** Device Capabilities 2 and Control 2 of `a`, which asks, and `b`, which answers or not. */
const tags =
  (asks: boolean, answers: boolean): Told['edit'] =>
  (name, view, express) => {
    if (name !== 'a' && name !== 'b') return;
    view.setUint32(express + 0x24, (name === 'a' || answers ? 1 << 16 : 0) | (1 << 17), true);
    view.setUint16(express + 0x28, name === 'a' && asks ? 1 << 12 : 0, true);
  };

test('MPS: a requester with tags of ten bits and a completer without; the fix is proved and undone', () => {
  const has = machineOf(oneSwitch(), { edit: tags(true, false) });
  const [finding] = findings(has, 'MPS');
  expect(finding).toMatchObject({ severity: 'warning', sure: 'likely', at: [has.at('a')] });
  expect(finding?.evidence.map(({ value }) => value)).toEqual(['0x1000', '0x00020000']);
  expect(findings(machineOf(oneSwitch(), { edit: tags(true, true) }), 'MPS')).toEqual([]);
  expect(findings(machineOf(oneSwitch(), { edit: tags(false, false) }), 'MPS')).toEqual([]);
  const [fix] = finding?.fixes ?? [];
  expect(fix?.commands).toEqual([`sudo setpci -s ${has.at('a')} CAP_EXP+28.w=0:1000`]);
  expect(fix?.proof).toMatchObject({ kind: 'judged', shows: { kind: 'tenBitTags', functions: 0 } });
  const change = fix?.change as NonNullable<NonNullable<typeof fix>['change']>;
  const healed = withChange(has.machine, change);
  expect(findings({ machine: healed }, 'MPS')).toEqual([]);
  const bytes = (machine: Machine): number[][] => machine.hierarchy.functions.map((fn) => [...fn.config.bytes]);
  expect(bytes(withChange(healed, reversed(change)))).toEqual(bytes(has.machine));
});
