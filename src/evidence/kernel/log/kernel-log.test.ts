import { describe, expect, test } from 'vitest';
import { recognise } from '../../recognise.ts';
import type { KernelLogItem, KernelSays } from './items.ts';

const itemsOf = (text: string): readonly KernelLogItem[] =>
  recognise(text, 'f').blocks.flatMap(({ kind, items }) => (kind === 'kernel-log' ? (items as KernelLogItem[]) : []));

const STAMPS = ['', '[   12.345678] ', '[  +0.000844] ', 'Nov 22 18:00:00 host kernel: ', '> [   12.345678] ', '    '];
const MIB = 2 ** 20;

const LINES: readonly (readonly [line: string, says: Partial<KernelSays> & { readonly what: string }])[] = [
  // p2pdma
  [
    'nvme 0000:3b:00.0: ACS redirect is set between the client and provider (0000:5e:00.0)',
    { what: 'acsRedirect', client: '0000:3b:00.0', provider: '0000:5e:00.0' },
  ],
  [
    'nvme 0000:3b:00.0: to disable ACS redirect for this path, add the kernel parameter: pci=disable_acs_redir=0000:3a:00.0;0000:39:04.0',
    { what: 'redirectOption', client: '0000:3b:00.0', ports: ['0000:3a:00.0', '0000:39:04.0'] },
  ],
  [
    'xe 0000:3b:00.0: cannot be used for peer-to-peer DMA as the client and provider (0000:5e:00.0) do not share an upstream bridge or whitelisted host bridge',
    { what: 'refused', client: '0000:3b:00.0', provider: '0000:5e:00.0' },
  ],
  ['pci 0000:00:00.0: Host bridge not in P2PDMA whitelist: 8086:3e30', { what: 'notListed', hostBridge: '8086:3e30' }],
  [
    'nvme 0000:3b:00.0: added peer-to-peer DMA memory 0xfe000000-0xfe7fffff',
    { what: 'provided', at: '0000:3b:00.0', range: { start: 0xfe000000, end: 0xfe800000 } },
  ],
  ['my-driver: P2PDMA address: 0x1234500000', { what: 'peerAddress', by: 'my-driver', address: 0x1234500000 }],
  // BARs and windows, named and numbered
  [
    "pci 0000:84:00.0: BAR 1 [mem size 0x400000000 64bit pref]: can't assign; no space",
    {
      what: 'resource',
      resource: 'bar',
      number: 1,
      size: 0x400000000,
      range: null,
      outcome: 'noSpace',
      isPrefetchable: true,
    },
  ],
  [
    'pci 0000:84:00.0: BAR 1 [mem 0x2000000000-0x23ffffffff 64bit pref]: assigned',
    { what: 'resource', outcome: 'assigned', range: { start: 0x2000000000, end: 0x2400000000 }, size: 0x400000000 },
  ],
  [
    'pci 0000:84:00.0: BAR 1: no space for [mem size 0x400000000 64bit pref]',
    { what: 'resource', resource: 'bar', number: 1, outcome: 'noSpace' },
  ],
  [
    'pcieport 0000:80:01.0: BAR 15: failed to assign [mem size 0x900000000 64bit pref]',
    { what: 'resource', resource: 'window', number: null, size: 0x900000000, outcome: 'failed' },
  ],
  [
    "pci 0000:80:01.0: bridge window [mem size 0x900000000 64bit pref]: can't assign; no space",
    { what: 'resource', resource: 'window', outcome: 'noSpace' },
  ],
  [
    'pci 0000:84:00.0: VF BAR 0 [mem 0xe0000000-0xe00fffff 64bit]',
    { what: 'resource', resource: 'vfBar', number: 0, outcome: 'found', isPrefetchable: false },
  ],
  [
    'pci 0000:84:00.0: reg 0x18: [mem 0xe0000000-0xefffffff 64bit pref]',
    { what: 'resource', resource: 'bar', number: 2 },
  ],
  ['pci 0000:84:00.0: reg 0x30: [mem 0xfff00000-0xffffffff pref]', { what: 'resource', resource: 'rom' }],
  [
    "pci 0000:84:00.0: BAR 2 [mem 0x1000-0x1fff]: can't claim; address conflict with System RAM [mem 0x0-0x9fff]",
    { what: 'resource', outcome: 'conflict', conflict: 'System RAM' },
  ],
  [
    'pci 0000:84:00.0: [10de:2684] type 00 class 0x030000 PCIe Legacy Endpoint',
    { what: 'function', at: '0000:84:00.0', vendorId: 0x10de, deviceId: 0x2684, classCode: 0x030000, headerType: 0 },
  ],
  ['pci 0000:80:01.0: PCI bridge to [bus 81-84]', { what: 'bridgeTo', secondary: 0x81, subordinate: 0x84 }],
  [
    'pci_bus 0000:80: root bus resource [mem 0x2000000000-0x3fffffffff window]',
    { what: 'rootWindow', bus: '0000:80', space: 'memory', range: { start: 0x2000000000, end: 0x4000000000 } },
  ],
  // the IOMMU
  ['iommu: Default domain type: Translated', { what: 'domainDefault', type: 'translated', by: null }],
  [
    'iommu: Default domain type: Passthrough (set via kernel command line)',
    { what: 'domainDefault', type: 'passthrough', by: 'kernel command line' },
  ],
  ['DMAR: IOMMU enabled', { what: 'iommuOn', iommu: 'DMAR' }],
  ['AMD-Vi: Interrupt remapping enabled', { what: 'iommuOn', iommu: 'AMD-Vi' }],
  ['DMAR: Host address width 46', { what: 'iommuWidth', bits: 46 }],
  ['nvme 0000:3b:00.0: Adding to iommu group 17', { what: 'iommuGroup', at: '0000:3b:00.0', group: 17 }],
  ['DMAR: Setting identity map for device 0000:00:14.0 [0x9e000000 - 0x9e01ffff]', { what: 'identityMap' }],
  // the machine
  ['Linux version 6.12.9-200.fc41.x86_64 (mockbuild@x) #1 SMP', { what: 'kernel', release: '6.12.9-200.fc41.x86_64' }],
  [
    'Linux gpu1 5.15.0-91-generic #101-Ubuntu SMP Tue Nov 14 x86_64 GNU/Linux',
    { what: 'kernel', release: '5.15.0-91-generic' },
  ],
  ['Command line: root=/dev/sda1 ro iommu=pt', { what: 'commandLine', parameters: 'root=/dev/sda1 ro iommu=pt' }],
  ['Hypervisor detected: KVM', { what: 'hypervisor', name: 'KVM' }],
  [
    'smpboot: CPU0: AMD EPYC 7543 32-Core Processor (family: 0x19, model: 0x1, stepping: 0x1)',
    { what: 'cpu', name: 'AMD EPYC 7543 32-Core Processor', family: 0x19, model: 1 },
  ],
  [
    'DMI: Some Maker Board/X12, BIOS 1.4 01/02/2024',
    { what: 'board', name: 'Some Maker Board/X12, BIOS 1.4 01/02/2024' },
  ],
  // drivers
  [
    'kfd kfd: amdgpu: skipped device 1002:73df, PCI rejects atomics 730<0',
    { what: 'atomicsRefused', device: '1002:73df' },
  ],
  ['amdgpu 0000:0b:00.0: amdgpu: PCIE atomic ops is not supported', { what: 'atomicsRefused', at: '0000:0b:00.0' }],
  ['[drm] Detected VRAM RAM=16368M, BAR=256M', { what: 'vram', vram: 16368 * MIB, bar: 256 * MIB }],
  [
    'NVRM: Xid (PCI:0000:81:00): 79, pid=1, GPU has fallen off the bus.',
    { what: 'nvidia', says: { kind: 'xid', at: '0000:81:00.0', code: 79 } },
  ],
  [
    'NVRM: someFunction: The peer DMA address 0x2000400000 is not aligned at 0x40000000',
    { what: 'nvidia', says: { kind: 'peerUnaligned', address: 0x2000400000, alignment: 0x40000000 } },
  ],
  [
    'NVRM: otherFunction: IOMMU mapping failed from GPU2 to GPU0',
    { what: 'nvidia', says: { kind: 'peerMapFailed', from: 'GPU2', to: 'GPU0' } },
  ],
  [
    'NVRM: BAR1 is 0M @ 0x0 (PCI:0000:81:00.0)',
    { what: 'nvidia', says: { kind: 'barInvalid', at: '0000:81:00.0', bar: 1, size: '0M' } },
  ],
  [
    'NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  570.86.16  Release Build',
    { what: 'nvidia', says: { kind: 'driver', version: '570.86.16', isOpen: true } },
  ],
  [
    'x86/PAT: fio:77 conflicting memory types 2000000000-2010000000 write-combining<->uncached-minus',
    {
      what: 'patConflict',
      process: 'fio',
      range: { start: 0x2000000000, end: 0x2010000000 },
      types: ['write-combining', 'uncached-minus'],
    },
  ],
  ['Hotplugged memory exceeds maximum addressable address, range=[0x10-0x1f], maximum=0x5', { what: 'outsideHotplug' }],
  [
    'nvme 0000:3b:00.0: overflow 0x0000002000000000+4096 of DMA mask ffffffffff bus limit 0',
    { what: 'maskOverflow', at: '0000:3b:00.0', address: 0x2000000000, mask: 0xffffffffff },
  ],
  ['nvme nvme2: pci function 0000:3b:00.0', { what: 'nvmeName', name: 'nvme2', at: '0000:3b:00.0' }],
  [
    'I/O error, dev nvme1n1, sector 2048 op 0x0:(READ) flags 0x0 phys_seg 1',
    { what: 'ioError', device: 'nvme1n1', sector: 2048, isWrite: false },
  ],
  ['nvidia-fs: module loaded', { what: 'nvidiaFs', message: 'module loaded' }],
];

test.each(LINES)('%s', (line, says) => {
  for (const stamp of STAMPS) expect(itemsOf(stamp + line), stamp).toMatchObject([{ ...says, line: 1 }]);
});

test.each([
  'I read that PCI rejects atomics is a common problem',
  'set iommu=pt, then DMAR: was gone',
  'BAR 1 is too small, they say',
  'the NVRM lines are below',
])('%j is no line of the log', (text) => {
  expect(recognise(text, 'f').blocks.map(({ kind }) => kind)).toEqual(['unknown']);
});

describe('an event of several lines is one item', () => {
  const NEW = [
    'pcieport 0000:80:01.0: AER: Uncorrectable (Non-Fatal) error message received from 0000:81:00.0',
    'pcieport 0000:80:01.0: PCIe Bus Error: severity=Uncorrectable (Non-Fatal), type=Transaction Layer, (Requester ID)',
    'pcieport 0000:80:01.0:   device [8086:352a] error status/mask=00204000/00004000',
    'pcieport 0000:80:01.0:    [21] ACSViol                (First)',
    'pcieport 0000:80:01.0:   TLP Header: 0x60000001 0x8100000f 0x00000020 0x00001000',
    'pcieport 0000:80:01.0: AER: device recovery failed',
  ];
  const OLD = [
    'pcieport 0000:80:01.0: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Transaction Layer, id=8008(Requester ID)',
    'pcieport 0000:80:01.0:   device [8086:352a] error status/mask=00204000/00004000',
    'pcieport 0000:80:01.0:    [21] ACS Violation          (First)',
    'pcieport 0000:80:01.0:   TLP Header: 60000001 8100000f 00000020 00001000',
  ];

  test.each([
    ['new words', NEW],
    ['old words', OLD],
    ['without its first lines', OLD.slice(1)],
  ])('AER: %s', (_how, lines) => {
    const [event] = itemsOf(lines.map((line) => `[ 9.000000] ${line}`).join('\n'));
    expect(event).toMatchObject({
      what: 'aer',
      at: '0000:80:01.0',
      errors: [{ bit: 21, name: 'ACSViol' }],
      first: { name: 'ACSViol' },
      header: { kind: 'memoryWrite', from: '81:00.0', address: 0x2000001000 },
      severity: lines === NEW || lines === OLD ? 'nonFatal' : null,
    });
  });

  test('AER: events of two ports that are printed among each other stay two, and so do two of one port', () => {
    const ofPort = (port: string, bit: string) => [
      `pcieport ${port}: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)`,
      `pcieport ${port}:   device [8086:352a] error status/mask=${bit}/0000e000`,
    ];
    const [a, b] = [ofPort('0000:80:01.0', '00000001'), ofPort('0000:80:02.0', '00001000')];
    const lines = [a[0], b[0], a[1], b[1], ...a];
    expect(itemsOf(lines.join('\n'))).toMatchObject([
      { at: '0000:80:01.0', severity: 'corrected', errors: [{ name: 'RxErr' }], line: 1 },
      { at: '0000:80:02.0', errors: [{ name: 'Timeout' }], line: 2 },
      { at: '0000:80:01.0', errors: [{ name: 'RxErr' }], line: 5 },
    ]);
  });

  test('AER: a bit that is masked is no error', () => {
    const [event] = itemsOf('pcieport 0000:80:01.0:   device [8086:352a] error status/mask=00100000/00100000');
    expect(event).toMatchObject({ what: 'aer', errors: [] });
  });

  test('VT-d before 4.2: the cause stands on a line of its own, with a decimal number', () => {
    const text =
      '[1.0] dmar: DMAR:[DMA Write] Request device [81:00.0] fault addr 2000000000 \n[1.0] DMAR:[fault reason 12] non-zero reserved fields in PTE\n';
    expect(itemsOf(text)).toMatchObject([
      {
        what: 'fault',
        fault: { by: '0000:81:00.0', access: 'write', code: 12, reason: 'non-zero reserved fields in PTE' },
      },
    ]);
  });

  test('a fault that a mail program broke in two is whole', () => {
    const text =
      'nvidia 0000:81:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0012\naddress=0x2000000000 flags=0x0020]\n';
    expect(itemsOf(text)).toMatchObject([
      { what: 'fault', fault: { by: '0000:81:00.0', address: 0x2000000000, access: 'write' } },
    ]);
  });

  test("a fault of the GPU's own tables takes address and access from the lines below", () => {
    const head = 'amdgpu 0000:83:00.0: amdgpu: ';
    const text = `${head}[mmhub0] page fault (src_id:0 ring:24 vmid:3 pasid:32769)\n${head}  in page starting at address 0x00007f0000001000 from client 18\n${head}\t RW: 0x0\n`;
    expect(itemsOf(text)).toMatchObject([
      { what: 'gpuFault', at: '0000:83:00.0', hub: 'mmhub0', address: 0x7f0000001000, access: 'read' },
    ]);
  });
});

test('a stamp alone makes a line the log’s, and another program’s line is not read', () => {
  const [block] = recognise('[    1.000000] usb 1-1: new device\n[    2.000000] e1000e: up\n', 'f').blocks;
  expect(block).toMatchObject({ kind: 'kernel-log', fromLine: 1, toLine: 2, items: [] });
  const syslog = 'Nov 22 18:00:00 host sudo[7]: root : COMMAND=/bin/grep DMAR: IOMMU enabled\n';
  expect(itemsOf(`${syslog}Nov 22 18:00:01 host kernel: DMAR: IOMMU enabled\n`)).toMatchObject([{ line: 2 }]);
});

test.each([
  ['[    1.234567] (II) NVIDIA(0): Initialized', 'unknown'],
  ['[Sun Nov 22 18:40:38 2026] usb', 'kernel-log'],
  ['<6>[    1.234567] usb', 'kernel-log'],
  ['2026-11-22T18:00:00.123456+00:00 host kernel: usb', 'kernel-log'],
  ['[1] first of a list', 'unknown'],
  ['[0000:00] bus', 'unknown'],
])('%j is %s', (line, kind) => {
  expect(recognise(line, 'f').blocks.map((block) => block.kind)).toEqual([kind]);
});
