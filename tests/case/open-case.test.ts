import { expect, test } from 'vitest';
import type { Case } from '../../src/case/case.ts';
import { openCase } from '../../src/case/open-case.ts';
import { NO_HOST_EVIDENCE } from '../../src/machine/host-evidence.ts';
import { hypervisorOf } from '../../src/machine/infer/hypervisor.ts';
import { judgePair } from '../../src/p2p/distance.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { parseBdf } from '../../src/pcie/bdf.ts';

const text = (...contents: string[]) => openCase(contents.map((content, at) => ({ name: `t${at}.txt`, content })));

/** Two cards below one switch on a root bus that is not 00. */
const DRAWING = String.raw`
-+-[0000:20]-+-00.0  Advanced Micro Devices, Inc. [AMD] Starship/Matisse Root Complex [1022:1480]
 |           \-01.1-[21-24]----00.0-[22-24]--+-00.0-[23]----00.0  NVIDIA Corporation Some GPU [10de:2684]
 |                                           \-01.0-[24]----00.0  Maker Drive [144d:a824]
 \-[0000:00]-+-00.0  Advanced Micro Devices, Inc. [AMD] Starship/Matisse Root Complex [1022:1480]
             \-03.1-[01]----00.0  NVIDIA Corporation Some GPU [10de:2684]
`;
const OFF = 'SrcValid- TransBlk- ReqRedir- CmpltRedir- UpstreamFwd- EgressCtrl- DirectTrans-';
const ON = 'SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-';

function verdict({ machine }: Case, provider: string, client: string): string {
  if (machine === null) throw new Error('no machine');
  const judge = new JudgeContext(machine);
  const index = (name: string) =>
    machine.hierarchy.indexOf(parseBdf(name) ?? { domain: 0, bus: 0, device: 0, function: 0 });
  return judgePair(judge, index(provider), index(client)).type;
}

test('a drawing alone is a machine: tree and root buses are known, ACS is not', async () => {
  const opened = await text(DRAWING);
  expect(opened.origin).toBe('drawing');
  expect(opened.machine?.hierarchy.rootBuses.map(({ bus, evidence }) => [bus, evidence])).toEqual([
    [0, 'path'],
    [0x20, 'path'],
  ]);
  expect(opened.machine?.hierarchy.problems).toEqual([]);
  expect(verdict(opened, '0000:23:00.0', '0000:24:00.0')).toBe('unknown');
});

const lines = (of: Readonly<Record<string, string>>): string =>
  Object.entries(of)
    .map(([bdf, bits]) => `${bdf} PCI bridge: x\n\t\tACSCtl:\t${bits}\n`)
    .join('');
const ALL_OFF = { '21:00.0': OFF, '22:00.0': OFF, '22:01.0': OFF, '23:00.0': OFF, '24:00.0': OFF };

test('ACSCtl lines with addresses fill the drawing, in one paste or in two', async () => {
  for (const opened of [await text(`${DRAWING}\n${lines(ALL_OFF)}`), await text(DRAWING, lines(ALL_OFF))]) {
    expect(verdict(opened, '0000:23:00.0', '0000:24:00.0')).toBe('busAddr');
  }
  const redirected = await text(DRAWING, lines({ ...ALL_OFF, '22:01.0': ON }));
  expect(verdict(redirected, '0000:23:00.0', '0000:24:00.0')).toBe('thruHostBridge');
});

test('a line of ACSCtl that was cut shows nothing for certain', async () => {
  const opened = await text(DRAWING, lines({ ...ALL_OFF, '22:01.0': 'SrcValid- TransBlk- ReqRe' }));
  expect(verdict(opened, '0000:23:00.0', '0000:24:00.0')).toBe('unknown');
});

test('a listing of a few devices gets its bridges from the drawing beside it', async () => {
  const card = (bdf: string) =>
    `${bdf} VGA compatible controller [0300]: NVIDIA Corporation GPU [10de:2684] (rev a1)\n`;
  const alone = await text(card('23:00.0'));
  expect(alone.machine?.hierarchy.isRooted(0)).toBe(false);
  const both = await text(`${card('23:00.0')}\n${DRAWING}`);
  expect(both.origin).toBe('listing');
  const at = both.machine?.hierarchy.indexOf({ domain: 0, bus: 0x23, device: 0, function: 0 }) ?? -1;
  expect(both.machine?.hierarchy.chainOf(at)).toHaveLength(4);
  expect(both.machine?.hierarchy.functions[at]?.classCode).toBe(0x0300);
});

test('evidence without a machine is a case without a machine', async () => {
  const opened = await text(`\t\tACSCtl:\t${ON}\n`);
  expect(opened).toMatchObject({ machine: null, origin: null, blocks: [{ kind: 'lspci-acsctl' }] });
});

test.each([
  ['nothing', []],
  ['blanks', ['\n  \n']],
])('%s is refused in words', async (_what, contents) => {
  await expect(text(...contents)).rejects.toMatchObject({ code: 'CASE_EMPTY', hint: expect.stringContaining('lspci') });
});

test('a text of which nothing is known is refused with its beginning', async () => {
  await expect(text('Dear all,\n\nplease help.\n')).rejects.toMatchObject({
    code: 'CASE_UNKNOWN',
    message: expect.stringContaining('"Dear all,"'),
  });
});

test('two captures of machines are not one case', async () => {
  const { machine } = await text(DRAWING);
  if (machine === null) throw new Error('no machine');
  const inputs = ['a', 'b'].map((name) => ({ name, content: machine }));
  await expect(openCase(inputs)).rejects.toMatchObject({
    code: 'CASE_TWO_MACHINES',
    hint: 'to compare two captures: p2pdma diff a b',
  });
});

test('what the kernel printed fills a drawing: release, command line, CPU, groups and their types', async () => {
  const { machine } = await text(
    `${DRAWING}\n$ cat /proc/cpuinfo\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\n`,
    '[    0.000000] Linux version 6.8.0-52-generic (buildd@host) #53-Ubuntu SMP\n[    0.000000] Command line: BOOT_IMAGE=/vmlinuz ro iommu=pt\n',
    '/sys/kernel/iommu_groups/17/devices/0000:23:00.0\n/sys/kernel/iommu_groups/17/type:identity\n',
  );
  expect(machine).toMatchObject({
    kernel: '6.8.0-52-generic',
    cmdline: 'BOOT_IMAGE=/vmlinuz ro iommu=pt',
    cpu: { vendor: 'AuthenticAMD', family: 25 },
  });
  const gpu = machine?.hierarchy.at({ domain: 0, bus: 0x23, device: 0, function: 0 });
  expect([gpu?.iommuGroup, machine?.iommuGroupTypes.get(17)]).toEqual([17, 'identity']);
});

test('a log beside a capture is the log of that machine, and changes no register', async () => {
  const { machine } = await text(DRAWING);
  if (machine === null) throw new Error('no machine');
  const opened = await openCase([
    { name: 'host', content: machine },
    { name: 'dmesg', content: '[    1.0] DMAR: IOMMU enabled\n[    1.0] Linux version 6.8.0 (x) #1\n' },
  ]);
  expect(opened.origin).toBe('capture');
  expect(opened.machine?.hierarchy).toBe(machine.hierarchy);
  expect(opened.machine?.kernel).toBe('6.8.0');
  expect(opened.machine?.host?.kernelLog?.map(({ file }) => file)).toContain('dmesg');
});

test('a topology file of NCCL is a machine with classes and links, and nothing of ACS', async () => {
  const opened = await text(`<system version="1">
  <cpu numaid="0" affinity="ffff" arch="x86_64" vendor="AuthenticAMD" familyid="175" modelid="17">
    <pci busid="0000:21:00.0" class="0x060400" vendor="0x1000" device="0xc010" subsystem_vendor="0x1000" subsystem_device="0xa064" link_speed="16.0 GT/s PCIe" link_width="16">
      <pci busid="0000:23:00.0" class="0x030200" vendor="0x10de" device="0x20b2" subsystem_vendor="0x10de" subsystem_device="0x1463" link_speed="16.0 GT/s PCIe" link_width="16">
        <gpu dev="0" sm="80" rank="0" gdr="1"/>
      </pci>
      <pci busid="0000:24:00.0" class="0x030200" vendor="0x10de" device="0x20b2" subsystem_vendor="0x10de" subsystem_device="0x1463" link_speed="16.0 GT/s PCIe" link_width="16">
        <gpu dev="1" sm="80" rank="1" gdr="1"/>
      </pci>
    </pci>
  </cpu>
</system>
`);
  expect(opened.origin).toBe('drawing');
  const gpu = opened.machine?.hierarchy.at({ domain: 0, bus: 0x23, device: 0, function: 0 });
  expect([gpu?.classCode, gpu?.vendorId]).toEqual([0x0302, 0x10de]);
  expect(verdict(opened, '0000:23:00.0', '0000:24:00.0')).toBe('unknown');
});

test('the log that a capture holds is evidence too, with the file and line of the capture', async () => {
  const { machine } = await text(DRAWING);
  if (machine === null) throw new Error('no machine');
  const kernelLog = [
    { text: 'pci 0000:23:00.0: enabling Extended Tags', file: 'var/log/dmesg', line: 3 },
    { text: 'kfd kfd: skipped device 1002:67ef, PCI rejects atomics', file: 'var/log/dmesg', line: 7 },
  ];
  const content = { ...machine, host: { ...NO_HOST_EVIDENCE, kernelLog } };
  const { blocks } = await openCase([{ name: 'host.tar', content }]);
  expect(blocks.flatMap(({ items }) => items)).toMatchObject([
    { what: 'atomicsRefused', file: 'var/log/dmesg', line: 7 },
  ]);
});

test('ids of a listing without numbers, the architecture of lscpu, and the hypervisor that a processor tells of', async () => {
  const listing = [
    '00:00.0 Host bridge: Intel Corporation Ice Lake Memory Map/VT-d (rev 04)',
    '\tControl: I/O- Mem- BusMaster- SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx-',
    '',
  ].join('\n');
  const named = await openCase([{ name: 'host.txt', content: listing }]);
  expect(named.machine?.hierarchy.functions[0]).toMatchObject({ vendorId: 0x8086, deviceId: 0x09a2 });
  const lscpu = [
    'Architecture:                       aarch64',
    'Vendor ID:                          ARM',
    'Hypervisor vendor:                  KVM',
    '',
  ].join('\n');
  const { machine } = await openCase([
    {
      name: 'host.txt',
      content: listing.replaceAll('Intel Corporation Ice Lake Memory Map/VT-d', 'Red Hat, Inc. QEMU PCIe Host bridge'),
    },
    { name: 'lscpu.txt', content: lscpu },
  ]);
  expect(machine?.architecture).toBe('aarch64');
  expect(machine === null ? null : hypervisorOf(machine)).not.toBeNull();
  expect(machine?.host?.hypervisor).toMatchObject({ value: 'KVM', file: 'lscpu.txt' });
});
