/** IOMMU-TRANSLATED from every kind of evidence that a listing and what is pasted beside it can carry. */

import { expect, test } from 'vitest';
import { checkMachine } from '../../src/doctor/check-machine.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { NO_HOST_EVIDENCE } from '../../src/machine/host-evidence.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { POLICIES } from '../../src/p2p/policy.ts';

interface Listing {
  /** Group of the two cards, as lspci prints it. */
  readonly groups?: readonly [number, number];
  /** AMD's IOMMU as a function. */
  readonly unit?: boolean;
  /** Vendor and device of the host bridge; AMD's by default. */
  readonly root?: string;
  readonly card?: string;
  readonly driver?: string;
  /** ACSCtl of the root ports. */
  readonly acs?: string;
  /** Another name for the second root port. */
  readonly port?: string;
  /** The data fabric of a Zen: the listing is whole. */
  readonly whole?: boolean;
}

const GPU = 'VGA compatible controller [0300]: NVIDIA Corporation GA102GL [RTX A6000] [10de:2230] (rev a1)';
const AMD_PORT = 'Advanced Micro Devices, Inc. [AMD] GPP Bridge [1022:1483]';
const INTEL_PORT = 'Intel Corporation PCIe Root Port [8086:4c01]';
const REDIRECTS = 'SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-';

/** Two cards below two root ports of one host bridge, as lspci -vvvnn prints them. */
function listing(told: Listing): string {
  const group = (number: number | undefined): string => (number === undefined ? '' : `\tIOMMU group: ${number}\n`);
  const port = (device: string, bus: string, name: string): string =>
    `00:${device} PCI bridge [0604]: ${name} (prog-if 00 [Normal decode])
\tBus: primary=00, secondary=${bus}, subordinate=${bus}, sec-latency=0
\tCapabilities: [40] Express (v2) Root Port (Slot+), MSI 00
\tCapabilities: [100 v1] Access Control Services
\t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-
\t\tACSCtl:\t${told.acs ?? REDIRECTS}
`;
  const card = (bus: string, base: string, number: number | undefined): string =>
    `${bus}:00.0 ${told.card ?? GPU}
\tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx-
${group(number)}\tRegion 0: Memory at f${bus.slice(1)}000000 (32-bit, non-prefetchable) [size=16M]
\tRegion 1: Memory at ${base} (64-bit, prefetchable) [size=32G]
\tCapabilities: [60] Express (v2) Legacy Endpoint, MSI 00
\tKernel driver in use: ${told.driver ?? 'nvidia'}
`;
  return [
    `00:00.0 Host bridge [0600]: ${told.root ?? 'Advanced Micro Devices, Inc. [AMD] Root Complex [1022:1480]'}\n`,
    ...(told.unit ? ['00:00.2 IOMMU [0806]: Advanced Micro Devices, Inc. [AMD] IOMMU [1022:1481]\n'] : []),
    port('01.1', '01', told.root === undefined ? AMD_PORT : INTEL_PORT),
    port('03.1', '02', told.port ?? (told.root === undefined ? AMD_PORT : INTEL_PORT)),
    ...(told.whole ? ['00:18.0 Host bridge [0600]: Advanced Micro Devices, Inc. [AMD] Data Fabric [1022:1440]\n'] : []),
    card('01', '1000000000', told.groups?.[0]),
    card('02', '2000000000', told.groups?.[1]),
  ].join('\n');
}

type Told = Listing & {
  readonly cpu?: Machine['cpu'];
  readonly cmdline?: string;
  readonly log?: string;
  readonly types?: readonly [string, string];
};

async function finding(told: Told): Promise<Finding | undefined> {
  const read = await readMachine(new TextEncoder().encode(listing(told)), 'host.txt');
  const log = told.log?.split('\n').map((text, index) => ({ text, file: 'dmesg', line: index + 1 }));
  const [a, b] = told.groups ?? [11, 12];
  const machine: Machine = {
    ...read,
    cpu: told.cpu === undefined ? read.cpu : told.cpu,
    cmdline: told.cmdline ?? null,
    iommuGroupTypes:
      told.types === undefined
        ? new Map()
        : new Map([
            [a, told.types[0]],
            [b, told.types[1]],
          ]),
    host: { ...NO_HOST_EVIDENCE, kernelLog: log ?? null },
  };
  return checkMachine(machine, POLICIES['linux-7.0']).findings.find(({ id }) => id === 'IOMMU-TRANSLATED');
}

const ZEN = { vendor: 'AuthenticAMD', family: 25 };
const ARM = { vendor: 'ARM', family: null };
const INTEL_ROOT = 'Intel Corporation Host Bridge [8086:4c43]';
const GROUPS = { groups: [11, 12] as const };

test('each kind of evidence alone makes it likely: a group, the function of AMD’s IOMMU, a line of its driver, the default, a word', async () => {
  const kinds: readonly Told[] = [
    GROUPS,
    { unit: true },
    { log: 'DMAR: IOMMU enabled' },
    { log: 'AMD-Vi: Interrupt remapping enabled' },
    { log: 'iommu: Default domain type: Translated' },
    { log: 'pci 0000:01:00.0: Adding to iommu group 11' },
    { root: INTEL_ROOT, cmdline: 'quiet intel_iommu=on' },
  ];
  for (const told of kinds) {
    const found = await finding(told);
    expect(found, JSON.stringify(told)).toMatchObject({ sure: 'likely', severity: 'warning' });
    expect(found?.title, JSON.stringify(told)).toContain('likely translates');
    expect(found?.evidence.length, JSON.stringify(told)).toBeGreaterThan(0);
    expect(found?.fixes.some(({ settings }) => settings?.some(({ line }) => line === 'iommu=pt'))).toBe(true);
  }
});

test('nothing shows an IOMMU: a question with one command; a whole listing of a Zen without one has none', async () => {
  expect(await finding({})).toMatchObject({ sure: 'open', severity: 'note', fixes: [] });
  expect(await finding({ cpu: ZEN, whole: true })).toBeUndefined();
  expect(await finding({ cpu: ZEN, whole: true, unit: true })).toMatchObject({ sure: 'likely' });
});

test('the bridge’s verdict does not matter: allowed, refused and not known alike', async () => {
  for (const cpu of [ZEN, { vendor: 'GenuineIntel', family: 6 }, null])
    expect(await finding({ ...GROUPS, cpu })).toMatchObject({ sure: 'likely' });
});

test('the type of the group is the proof: identity is silent, DMA stands above a word that asks for passthrough', async () => {
  expect(await finding({ ...GROUPS, types: ['identity', 'identity'] })).toBeUndefined();
  const translated = await finding({ ...GROUPS, types: ['DMA-FQ', 'DMA-FQ'], cmdline: 'iommu=pt' });
  expect(translated?.title).toContain('The IOMMU translates');
  // The word is there already, and no second one is offered.
  expect(translated?.fixes.flatMap(({ settings = [] }) => settings.map(({ line }) => line))).not.toContain('iommu=pt');
});

test('a word or a log that says passthrough is taken at its word, by architecture', async () => {
  expect(await finding({ ...GROUPS, cmdline: 'quiet iommu=pt' })).toBeUndefined();
  expect(
    await finding({ ...GROUPS, log: 'iommu: Default domain type: Passthrough (set via kernel command line)' }),
  ).toBeUndefined();
  expect(await finding({ ...GROUPS, cmdline: 'iommu=pt', cpu: ARM })).toMatchObject({ sure: 'likely' });
  expect(await finding({ ...GROUPS, cmdline: 'iommu.passthrough=1', cpu: ARM })).toBeUndefined();
  expect(await finding({ ...GROUPS, cmdline: 'quiet', cpu: ARM })).toMatchObject({
    fixes: expect.arrayContaining([
      expect.objectContaining({
        settings: expect.arrayContaining([{ where: 'on the kernel command line', line: 'iommu.passthrough=1' }]),
      }),
    ]),
  });
});

test('Thunderbolt and encrypted memory stay translated in spite of the word', async () => {
  const port = 'Intel Corporation JHL7540 Thunderbolt 3 Bridge [8086:15ea]';
  const below = await finding({ ...GROUPS, cmdline: 'iommu=pt', port });
  expect(below?.functions).toEqual(['0000:02:00.0']);
  const lines = (await finding({ ...GROUPS, port }))?.fixes.flatMap(({ settings = [], commands }) => [
    ...settings.map(({ line }) => line),
    ...commands,
  ]);
  expect(lines).not.toContain('iommu=pt');
  expect(lines?.join('\n')).not.toContain('iommu_groups/12/type');
  expect(await finding({ ...GROUPS, cmdline: 'iommu=pt mem_encrypt=on' })).toMatchObject({ sure: 'likely' });
});

test('the fixes are in order of safety, the root ports last and with what they cost', async () => {
  const found = await finding({ ...GROUPS, types: ['DMA', 'DMA'], cmdline: 'quiet', cpu: ZEN });
  expect(found?.fixes.map(({ kind }) => kind)).toEqual([
    'groupType',
    'kernelParameter',
    'move',
    'kernelParameter',
    'setpci',
  ]);
  expect(found?.fixes.at(-1)?.commands).toHaveLength(2);
  expect(found?.fixes.at(-1)?.cost).not.toBe('');
  expect(found?.fixes[3]?.cost).toContain('255 CPUs');
  const clear = REDIRECTS.replaceAll('+', '-');
  const open = await finding({ ...GROUPS, types: ['DMA', 'DMA'], cmdline: 'quiet', cpu: ZEN, acs: clear });
  expect(open?.fixes.map(({ kind }) => kind)).not.toContain('setpci');
});

test('groups without a known type go back to what the kernel chose at boot', async () => {
  const found = await finding(GROUPS);
  expect(found?.fixes[0]?.undo).toContain('echo auto | sudo tee /sys/kernel/iommu_groups/11/type');
  expect(found?.fixes[0]?.proof).toMatchObject({ kind: 'notProved', because: 'groupTypeUnknown' });
});

test('on Intel the word that switches the IOMMU on stands beside', async () => {
  const lines = (found: Finding | undefined): string[] =>
    (found?.fixes ?? []).flatMap(({ settings = [] }) => settings.map(({ line }) => line));
  expect(lines(await finding({ ...GROUPS, root: INTEL_ROOT }))).toContain('intel_iommu=on');
  expect(lines(await finding({ ...GROUPS, root: INTEL_ROOT, cmdline: 'intel_iommu=on' }))).not.toContain(
    'intel_iommu=on',
  );
  expect(lines(await finding(GROUPS))).not.toContain('intel_iommu=on');
});

test('stronger evidence, stronger finding, the same fixes: a fault in a peer’s BAR makes it certain', async () => {
  const log =
    'nvidia 0000:02:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x001c address=0x1000200000 flags=0x0020]';
  for (const told of [GROUPS, {}, { ...GROUPS, cmdline: 'iommu=pt' }]) {
    const found = await finding({ ...told, log });
    expect(found, JSON.stringify(told)).toMatchObject({ sure: 'certain', severity: 'warning', at: ['0000:02:00.0'] });
    expect(found?.evidence.at(-1)?.meaning).toBe('0x1000200000 is in BAR1 of 0000:01:00.0');
    expect(found?.fixes.length, JSON.stringify(told)).toBeGreaterThan(1);
  }
  const before = (await finding(GROUPS))?.fixes.map(({ what }) => what);
  expect((await finding({ ...GROUPS, log }))?.fixes.map(({ what }) => what)).toEqual(before);
});

test('who is hurt and who is not is named, by driver and parameter', async () => {
  const why = async (told: Told): Promise<string> => (await finding({ ...GROUPS, ...told }))?.why ?? '';
  expect(await why({})).toMatch(/Hurt: CUDA with a patched NVIDIA driver.*Not hurt: the stock NVIDIA driver/);
  const amd = 'Display controller [0380]: Advanced Micro Devices, Inc. [AMD/ATI] Aldebaran [1002:740f] (rev 02)';
  expect(await why({ card: amd, driver: 'amdgpu' })).toMatch(/Hurt: RCCL/);
  const fpga = 'Processing accelerators [1200]: Xilinx Corporation Device [10ee:5020]';
  expect(await why({ card: fpga, driver: 'igb_uio' })).toMatch(/Hurt: programs through UIO/);
  expect(await why({ driver: 'vfio-pci' })).toMatch(/Not hurt: guests and SPDK through VFIO type1/);
});

test('a graphics card and a drive are served by the DMA API: no finding', async () => {
  const text = listing(GROUPS).replace(
    /02:00\.0 VGA[^\n]*/,
    '02:00.0 Non-Volatile memory controller [0108]: Samsung [144d:a80a] (prog-if 02 [NVM Express])',
  );
  const machine = await readMachine(new TextEncoder().encode(text), 'host.txt');
  const { findings } = checkMachine(machine, POLICIES['linux-7.0']);
  expect(findings.map(({ id }) => id)).not.toContain('IOMMU-TRANSLATED');
});
