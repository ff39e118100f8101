import { expect, test } from 'vitest';
import { card, machineOf, type NamedMachine, switchBelow, UNLISTED } from '../../../tests/doctor/machines.ts';
import { ACS_ON, gpu, machineOfParts, oneSwitch } from '../../../tests/doctor/twins.ts';
import { buildMachine } from '../../machine/build.ts';
import type { HostEvidence, ModuleFacts } from '../../machine/host-evidence.ts';
import { NO_HOST_EVIDENCE } from '../../machine/host-evidence.ts';
import type { Machine } from '../../machine/machine.ts';
import { POLICIES } from '../../p2p/policy.ts';
import type { AcsDescription, RootBusDescription } from '../../pcie/describe.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { acsOptionsDoubt } from '../command-line/acs-parameter.ts';
import type { Fix } from '../finding.ts';
import { type AcsRemedy, acsRemedy } from './acs-remedy.ts';
import { redirectListHazard } from './redirect-list.ts';
import { SETPCI_LASTS } from './setpci.ts';

const POLICY = POLICIES['linux-6.12'];

function functionOf({ hierarchy }: Machine, name: string): PciFunction {
  const found = hierarchy.functions.find((fn) => fn.name === name);
  if (found === undefined) throw new Error(`${name} is not there`);
  return found;
}

/** The remedy for the port above the first of two cards of one switch: 02:00.0 above 03:00.0, 02:01.0 above 04:00.0. */
function remedyOf(machine: Machine, ports: readonly string[] = ['0000:02:00.0']): AcsRemedy {
  const pair = { provider: functionOf(machine, '0000:03:00.0'), client: functionOf(machine, '0000:04:00.0') };
  return acsRemedy(
    { machine, policy: POLICY },
    ports.map((name) => functionOf(machine, name)),
    [pair],
  );
}

/** A dump: nothing is known of its IOMMU. */
function dump(kernel: string | null, acs: AcsDescription = ACS_ON): Machine {
  const { machine } = machineOf(oneSwitch(acs));
  const functions = machine.hierarchy.functions.map((fn) => ({ ...fn.facts, sysfs: null }));
  return buildMachine({ source: 'dump', functions, kernel });
}

const costs = ({ fixes }: AcsRemedy): string => fixes.map(({ cost }) => cost).join(' ');
const keys = ({ words }: AcsRemedy): string[] => words.map(({ key }) => key);

test('E20: from 6.11 on disable_acs_redir= loses SV and UF, and says so; 6.1 keeps them', () => {
  expect(costs(remedyOf(dump('6.12.117')))).toContain('SV UF of 0000:02:00.0');
  expect(costs(remedyOf(dump('7.0.1')))).toContain('is lost too');
  expect(costs(remedyOf(dump(null)))).toContain('Linux 6.11 and later start from the firmware’s word');
  expect(costs(remedyOf(dump('6.1.140')))).not.toContain('lost too');
});

test('nothing is lost where nothing but redirect was on, nor where the IOMMU is off', () => {
  expect(costs(remedyOf(dump('6.12.117', ['RR', 'CR'])))).not.toContain('lost too');
  expect(costs(remedyOf(machineOfParts(oneSwitch(ACS_ON))))).not.toContain('lost too');
});

test('a kernel is offered the parameters that it knows: 6.12 both, 6.1 the older, 4.18 none', () => {
  expect(keys(remedyOf(dump('6.12.117')))).toEqual(['disable_acs_redir', 'config_acs']);
  expect(keys(remedyOf(dump(null)))).toEqual(['disable_acs_redir', 'config_acs']);
  expect(keys(remedyOf(dump('6.1.140')))).toEqual(['disable_acs_redir']);
  const old = remedyOf(dump('4.18.0'));
  expect(keys(old)).toEqual([]);
  expect(old.fixes.map(({ kind }) => kind)).toEqual(['setpci']);
});

test('where config_acs= is on the line and known, the older option is not offered: it would be overruled', () => {
  const cmdline = 'pci=config_acs=xx0x00x@0000:02:01.0';
  expect(keys(remedyOf(machineOfParts(oneSwitch(ACS_ON), { cmdline })))).toEqual(['config_acs']);
  // A kernel that does not know it takes no notice.
  const older = remedyOf(machineOfParts(oneSwitch(ACS_ON), { cmdline, kernel: '6.1.90' }));
  expect(older.words.map(({ parameter, replaces }) => [parameter, replaces])).toEqual([
    ['pci=disable_acs_redir=0000:00:01.0/00.0/00.0', null],
  ]);
});

test('every setpci fix says how long it lasts, and has an undo for each line', () => {
  const [now] = remedyOf(machineOfParts(oneSwitch(ACS_ON))).fixes;
  expect(now?.cost).toContain(SETPCI_LASTS);
  for (const word of ['reset', 'DPC', 'hot plug', 'suspend', 'boot']) expect(SETPCI_LASTS).toContain(word);
  expect(now?.commands).toEqual(['sudo setpci -s 0000:02:00.0 ECAP_ACS+6.w=0:2c']);
  expect(now?.undo).toEqual(['sudo setpci -s 0000:02:00.0 ECAP_ACS+6.w=c:2c']);
});

test('a path that is not in the capture is said, and the address stands in for it', () => {
  const whole = machineOfParts(oneSwitch(ACS_ON));
  // Without the root port and the upstream port the way up ends at the switch's bus.
  const functions = whole.hierarchy.functions.filter(({ bdf }) => bdf.bus >= 2).map(({ facts }) => facts);
  const orphan = buildMachine({ source: 'part', functions, kernel: '6.12.117' });
  const { fixes, words } = remedyOf(orphan);
  expect(words[0]?.parameter).toBe('pci=disable_acs_redir=0000:02:00.0');
  expect(fixes[1]?.what).toContain('bus numbers may change');
});

/** Ports of a switch, 0000:02:00.0 and so on. */
const PORTS = machineOf([
  {
    children: [
      switchBelow(
        'rp',
        Array.from({ length: 10 }, (_, index) => ({ name: `port${index}` })),
      ),
    ],
  },
]);

test('E18: ten redirecting functions overrun the kernel’s 128 bytes, nine do not', () => {
  const ports = (count: number): PciFunction[] => Array.from({ length: count }, (_, index) => PORTS.fn(`port${index}`));
  const on = (kernel: string | null): Machine => buildMachine({ source: 'dump', functions: [], kernel });
  expect(13 * 9).toBeLessThanOrEqual(128);
  expect(redirectListHazard(on('6.12.117'), ports(9))).toBeNull();
  expect(redirectListHazard(on('6.12.117'), ports(10))).toContain('130 bytes of a buffer of 128');
  expect(redirectListHazard(on(null), ports(10))).not.toBeNull();
  expect(redirectListHazard(on('6.1.140'), ports(10))).toBeNull();
});

test('releases that are reported to misread ACS options are named, until the one that was mended', () => {
  const doubted = ['6.11', '6.11.9', '6.12', '6.12.22-cloud', '6.13.10', '6.14.0-rc3', '6.14.1'];
  for (const kernel of doubted) expect(acsOptionsDoubt(kernel), kernel).toEqual({ kernel, sure: true });
  const clear = [null, '6.1.0', '6.10.14', '6.12.23', '6.12.117', '6.13.11', '6.14.2', '6.15.0', '7.0.1', '5.15.0'];
  for (const kernel of clear) expect(acsOptionsDoubt(kernel), String(kernel)).toBeNull();
});

const IN_GROUPS = {
  x: { iommuGroup: 3 },
  y: { iommuGroup: 4 },
  a: { iommuGroup: 1 },
  b: { iommuGroup: 2 },
} as const;
const TRANSLATED = new Map([1, 2, 3, 4].map((group) => [group, 'DMA']));

const cautionsOf = ({ fixes }: AcsRemedy): (readonly string[] | undefined)[] => fixes.map(({ cautions }) => cautions);

test('a device of a group that comes together and is bound to vfio-pci: what it loses is said before every fix', () => {
  const sysfs = { ...IN_GROUPS, a: { iommuGroup: 1, driver: 'vfio-pci' } };
  const remedy = remedyOf(machineOfParts(oneSwitch(ACS_ON), { sysfs, groups: TRANSLATED }));
  expect(remedy.fixes).toHaveLength(3);
  for (const cautions of cautionsOf(remedy)) {
    expect(cautions).toHaveLength(1);
    expect(cautions?.[0]).toMatch(/^Isolation: 0000:03:00\.0 is bound to vfio-pci.*no longer apart from 0000:02:00\.0/);
  }
  // The same with the IOMMU off: nothing is lost now, and that is said too.
  const off = remedyOf(machineOfParts(oneSwitch(ACS_ON), { sysfs: { a: { driver: 'vfio-pci' } } }));
  expect(cautionsOf(off)[0]?.[0]).toContain('The IOMMU is off here');
});

test('without such a device, and on a machine that runs no guests, there is nothing to be said first', () => {
  const remedy = remedyOf(machineOfParts(oneSwitch(ACS_ON), { sysfs: IN_GROUPS, groups: TRANSLATED }));
  expect(cautionsOf(remedy)).toEqual([[], [], []]);
});

const module: ModuleFacts = { version: null, parameters: new Map() };
const withModules = (machine: Machine, ...names: string[]): Machine => ({
  ...machine,
  host: {
    ...NO_HOST_EVIDENCE,
    modules: { byName: new Map(names.map((name) => [name, module])), complete: true, file: 'proc/modules' },
  } satisfies HostEvidence,
});

test('a host of virtual machines is told by its modules, its command line, its kernel, or a device that is given away', () => {
  const plain = machineOfParts(oneSwitch(ACS_ON), { sysfs: IN_GROUPS, groups: TRANSLATED });
  const hosts: readonly (readonly [string, Machine])[] = [
    ['the module vfio_pci is loaded', withModules(plain, 'nvidia', 'vfio_pci', 'kvm_intel')],
    ['the module kvm_amd is loaded', withModules(plain, 'kvm_amd', 'kvm')],
    ['the command line has vfio-pci.ids=', { ...plain, cmdline: 'quiet vfio-pci.ids=10de:2330' }],
    ['6.8.12-4-pve is a kernel of Proxmox', { ...plain, kernel: '6.8.12-4-pve' }],
    [
      'vfio-pci holds 0000:04:00.0',
      machineOfParts(oneSwitch(ACS_ON), {
        sysfs: { ...IN_GROUPS, b: { iommuGroup: 2, driver: 'vfio-pci' } },
        groups: TRANSLATED,
      }),
    ],
  ];
  for (const [evidence, machine] of hosts) {
    expect(cautionsOf(remedyOf(machine))[0]?.[0], evidence).toMatch(
      new RegExp(`^Isolation: ${evidence}, so this machine may give devices`),
    );
  }
  expect(cautionsOf(remedyOf(withModules(plain, 'nvidia', 'nvme')))[0]).toEqual([]);
});

/**
 * NVIDIA's Data Direct: below one switch the DMA function of a network card (d) and a GPU (g), and beside them a drive (n). Ports 02:00.0,
 * 02:01.0, 02:02.0.
 */
function dataDirect(acs: { readonly dma: AcsDescription; readonly gpu: AcsDescription }): NamedMachine {
  const dma = { vendorId: 0x15b3, deviceId: 0x2100, classCode: 0x080100, bars: [{ size: 2 ** 21 }] };
  const ports = [
    { name: 'pd', acs: acs.dma, below: [{ kind: 'endpoint' as const, name: 'd', functions: [dma] }] },
    { name: 'pg', acs: acs.gpu, below: [gpu('g')] },
    { name: 'pn', acs: 'clear' as const, below: [card('n')] },
  ];
  const buses: RootBusDescription[] = [{ hostBridge: UNLISTED, children: [switchBelow('rp', ports)] }];
  return machineOf(buses, { kernel: '6.15.1' });
}

function dataDirectRemedy(named: NamedMachine, ports: readonly string[]): AcsRemedy {
  return acsRemedy({ machine: named.machine, policy: POLICY }, ports.map(named.fn), [
    { provider: named.fn('g'), client: named.fn('d') },
  ]);
}

test('Data Direct: the ports of the complex get masks of their own, by setpci and by config_acs=, and are never cleared alike', () => {
  const named = dataDirect({ dma: ACS_ON, gpu: ACS_ON });
  const { fixes, words } = dataDirectRemedy(named, ['pd', 'pg']);
  expect(fixes[0]?.commands).toEqual([
    'sudo setpci -s 0000:02:00.0 ECAP_ACS+6.w=19:1d',
    'sudo setpci -s 0000:02:01.0 ECAP_ACS+6.w=15:1d',
  ]);
  expect(words.map(({ parameter }) => parameter)).toEqual([
    'pci=config_acs=xx110x1@0000:00:01.0/00.0/00.0;xx101x1@0000:00:01.0/00.0/01.0',
  ]);
  expect(fixes[0]?.what).toContain('Data Direct');
});

test('Data Direct: a port beside the complex is cleared, in the same lines', () => {
  const named = dataDirect({ dma: ACS_ON, gpu: ACS_ON });
  const beside = dataDirectRemedy(named, ['pd', 'rp']);
  expect(beside.ports.map(({ at }) => at.name)).not.toContain(named.at('pg'));
  const plain = machineOf(
    [{ hostBridge: UNLISTED, children: [switchBelow('rp', [{ name: 'pg', acs: ACS_ON, below: [gpu('g')] }])] }],
    { kernel: '6.15.1' },
  );
  const alone = acsRemedy({ machine: plain.machine, policy: POLICY }, [plain.fn('pg')], []);
  expect(alone.fixes[0]?.commands).toEqual(['sudo setpci -s 0000:02:00.0 ECAP_ACS+6.w=0:2c']);
});

test('Data Direct: ports that have their masks already are left alone, and the reader is told to', () => {
  const named = dataDirect({ dma: ['SV', 'CR', 'UF'], gpu: ['SV', 'RR', 'UF'] });
  const { fixes, kept, ports } = dataDirectRemedy(named, ['pd', 'pg']);
  expect(ports).toEqual([]);
  expect(kept.map(({ name }) => name)).toEqual([named.at('pd'), named.at('pg')]);
  expect(fixes.map(({ kind, commands }: Fix) => [kind, commands])).toEqual([['use', []]]);
  expect(fixes[0]?.what).toMatch(/^Leave ACS of 0000:02:00\.0 and 0000:02:01\.0 as it is/);
});
