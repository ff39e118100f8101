/** What a captured root, or the text around a listing, tells of the kernel beside PCI: as written by capture, and by unknown hands. */

import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bytesOf } from '../../src/core/text.ts';
import { LOG_LINES_MAX } from '../../src/evidence/kernel/log/telling.ts';
import { buildMachine } from '../../src/machine/build.ts';
import { hostEvidenceOf, type Machine } from '../../src/machine/machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { readCapturedRoot } from '../../src/machine/read/root/captured-root.ts';
import { MemoryTree } from '../../src/machine/read/root/file-tree.ts';
import { tarOf } from './tar.ts';

const FUNCTION = 'sys/bus/pci/devices/0000:00:03.0';
const CONFIG = '# Linux/x86 6.12.1 Kernel Configuration\nCONFIG_PCI=y\nCONFIG_PCI_P2PDMA=y\n';
const ROOT: Readonly<Record<string, string | Uint8Array>> = {
  [`${FUNCTION}/class`]: '0x030000\n',
  'proc/version': 'Linux version 6.12.1-amd64 x\n',
};

function itemsOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  prefix = '',
): { path: string; bytes: Uint8Array }[] {
  return Object.entries({ ...ROOT, ...files }).map(([path, content]) => ({
    path: prefix + path,
    bytes: typeof content === 'string' ? bytesOf(content) : content,
  }));
}

async function read(files: Readonly<Record<string, string | Uint8Array>>, prefix = ''): Promise<Machine> {
  return readMachine(tarOf(itemsOf(files, prefix)), 'host.tar');
}

const codes = ({ notes }: Machine): string[] => notes.map(({ code }) => code);

test('nothing of the kernel captured: every part is null, and no note', async () => {
  const machine = await read({});
  expect(hostEvidenceOf(machine)).toEqual({
    kernelConfig: null,
    kernelLog: null,
    modules: null,
    dmaMaskBits: new Map(),
    iommuUnits: null,
    cufile: null,
    nvmeRaids: null,
    hypervisor: null,
  });
  expect(machine.notes).toEqual([]);
});

test.each<[string, string, string | Uint8Array]>([
  ['as capture writes it', 'proc/config', CONFIG],
  ['packed, as the kernel shows it', 'proc/config.gz', gzipSync(CONFIG)],
  ['as distributions keep it', 'boot/config-6.12.1-amd64', CONFIG],
  ['as Fedora keeps it', 'lib/modules/6.12.1-amd64/config', CONFIG],
])('the configuration, %s, at the top and one folder down', async (_, path, content) => {
  for (const prefix of ['', 'host/']) {
    const machine = await read({ [path]: content }, prefix);
    const { kernelConfig } = hostEvidenceOf(machine);
    expect(kernelConfig?.options.get('PCI_P2PDMA')).toEqual({ value: 'y', file: path, line: 3 });
    expect(machine.notes).toEqual([]);
  }
});

test.each<[string, Record<string, string | Uint8Array>, string, string]>([
  ['of another release', { 'proc/config': CONFIG.replace('6.12.1', '5.4.2') }, 'KERNEL_CONFIG_OTHER', 'proc/config'],
  ['of another kernel in /boot', { 'boot/config-5.4.0': CONFIG }, 'KERNEL_CONFIG_OTHER', 'boot/config-5.4.0'],
  ['that is none', { 'proc/config': 'hello\n' }, 'KERNEL_CONFIG', 'proc/config'],
  ['that is empty', { 'proc/config': '' }, 'KERNEL_CONFIG', 'proc/config'],
  [
    'whose packing is damaged',
    { 'proc/config.gz': gzipSync(CONFIG).subarray(0, 30) },
    'KERNEL_CONFIG',
    'proc/config.gz',
  ],
])('a configuration %s is passed over with a note that names it', async (_, files, code, file) => {
  const machine = await read(files);
  expect(hostEvidenceOf(machine).kernelConfig).toBeNull();
  expect(machine.notes).toMatchObject([{ code, file }]);
});

test('a packed configuration that nobody can unpack is noted, and a small one that unpacks to a huge one is refused', async () => {
  const tree = new MemoryTree();
  for (const { path, bytes } of itemsOf({ 'proc/config.gz': gzipSync(CONFIG) })) tree.addFile(path, bytes);
  expect(codes(buildMachine(readCapturedRoot(tree, 'x')))).toEqual(['KERNEL_CONFIG_PACKED']);
  const bomb = gzipSync(new Uint8Array(40 * 1024 * 1024));
  expect(codes(await read({ 'proc/config.gz': bomb }))).toEqual(['KERNEL_CONFIG']);
});

test.each(['var/log/dmesg', 'dmesg', 'dmesg.txt', 'var/log/kern.log'])(
  'the log at %s: lines that tell, with their numbers',
  async (path) => {
    const machine = await read({ [path]: '[    1.0] usb\n[    2.0] DMAR: x\n' });
    expect(hostEvidenceOf(machine).kernelLog).toEqual([{ text: 'DMAR: x', file: path, line: 2 }]);
  },
);

test('a log of more lines than are kept is noted', async () => {
  const machine = await read({ dmesg: '[    1.0] DMAR: x\n'.repeat(LOG_LINES_MAX + 1) });
  expect(hostEvidenceOf(machine).kernelLog?.length).toBe(LOG_LINES_MAX);
  expect(machine.notes).toMatchObject([{ code: 'KERNEL_LOG_LONG', file: 'dmesg' }]);
});

test('a log without such a line was captured and is empty', async () => {
  expect(hostEvidenceOf(await read({ dmesg: '[    1.0] usb\n' })).kernelLog).toEqual([]);
});

test('modules: with /proc/modules the list is complete, with parameters alone it is not', async () => {
  const parameter = { 'sys/module/nvme_core/parameters/multipath': 'N\n' };
  const part = hostEvidenceOf(await read(parameter)).modules;
  expect(part?.complete).toBe(false);
  expect(part?.byName.get('nvme_core')?.parameters.get('multipath')).toEqual({
    value: 'N',
    file: 'sys/module/nvme_core/parameters/multipath',
    line: null,
  });
  const whole = hostEvidenceOf(
    await read({ ...parameter, 'proc/modules': 'nvidia_fs 1 0 - Live 0x0\next4 1 0 - Live 0x0\n' }),
  ).modules;
  expect(whole?.complete).toBe(true);
  expect([...(whole?.byName.keys() ?? [])]).toEqual(['nvidia_fs', 'nvme_core']);
  expect(hostEvidenceOf(await read({ 'proc/modules': '' })).modules).toMatchObject({
    complete: true,
    byName: new Map(),
  });
});

test('a name out of Object’s own is no module', async () => {
  const { modules } = hostEvidenceOf(
    await read({ 'proc/modules': 'constructor 1 0 - Live 0x0\n__proto__ 1 0 - Live 0x0\n' }),
  );
  expect([...(modules?.byName.keys() ?? [])]).toEqual([]);
});

test('DMA masks by function; what is no number is noted with its file', async () => {
  const machine = await read({ [`${FUNCTION}/dma_mask_bits`]: '44\n' });
  const [fn] = machine.hierarchy.functions;
  expect(hostEvidenceOf(machine).dmaMaskBits.get(fn?.key ?? -1)).toEqual({
    value: '44',
    file: `${FUNCTION}/dma_mask_bits`,
    line: null,
  });
  const bad = await read({ [`${FUNCTION}/dma_mask_bits`]: 'wide\n' });
  expect(hostEvidenceOf(bad).dmaMaskBits.size).toBe(0);
  expect(bad.notes).toMatchObject([{ code: 'DMA_MASK', file: `${FUNCTION}/dma_mask_bits`, line: 1 }]);
});

test.each<[string, number | null]>([
  // Bits 21:16 and one more, within the depth of bits 12:8.
  ['d2008c40660462', 39],
  ['c9de008cee690462', 42],
  ['8d2078c106f0466', 48],
  ['260200', 39],
  ['zz', null],
])('an Intel IOMMU of capability %s takes %j bits', async (capability, bits) => {
  const { iommuUnits } = hostEvidenceOf(await read({ 'sys/class/iommu/dmar0/intel-iommu/cap': `${capability}\n` }));
  expect(iommuUnits).toMatchObject([{ name: 'dmar0', addressBits: bits }]);
});

test('properties of cufile.json, comments left out; RAID arrays of NVMe drives and no others', async () => {
  const cufile =
    '{\n // "use_pci_p2pdma": false,\n  "properties": {\n   "use_pci_p2pdma" : true,\n   "other": true } }\n';
  const mdstat =
    'md0 : active raid0 nvme1n1[1] nvme0n1p2[0](S)\nmd1 : active raid1 sda1[0]\nmd2 : inactive nvme3n1[0]\n';
  const host = hostEvidenceOf(await read({ 'etc/cufile.json': cufile, 'proc/mdstat': mdstat }));
  expect([...(host.cufile ?? [])]).toEqual([['use_pci_p2pdma', { value: 'true', file: 'etc/cufile.json', line: 4 }]]);
  expect([...(host.nvmeRaids ?? [])]).toEqual([
    ['md0', { value: 'raid0 nvme1n1 nvme0n1p2', file: 'proc/mdstat', line: 1 }],
  ]);
});

const LISTING = '00:03.0 VGA compatible controller [0300]: Device [10de:2330]\n\tControl: I/O- Mem+ BusMaster+\n';

test('around a listing: lines of the log, of the configuration, and masks as grep prints them, with the lines that they stand on', async () => {
  const text = [
    LISTING,
    '[    2.000000] nvme 0000:00:03.0: added peer-to-peer DMA memory 0x1-0x2',
    '[    2.000001] usb 1-1: SerialNumber: x',
    'CONFIG_PCI=y',
    '# CONFIG_PCI_P2PDMA is not set',
    '/boot/config-6.12:CONFIG_ZONE_DEVICE=y',
    '/sys/bus/pci/devices/0000:00:03.0/dma_mask_bits:44',
    '',
  ].join('\n');
  const machine = await readMachine(bytesOf(text), 'host.txt');
  const host = hostEvidenceOf(machine);
  expect(machine.hierarchy.functions.length).toBe(1);
  expect(host.kernelLog).toEqual([
    { text: 'nvme 0000:00:03.0: added peer-to-peer DMA memory 0x1-0x2', file: 'host.txt', line: 4 },
  ]);
  expect([...(host.kernelConfig?.options ?? [])]).toEqual([
    ['PCI', { value: 'y', file: 'host.txt', line: 6 }],
    ['PCI_P2PDMA', { value: 'n', file: 'host.txt', line: 7 }],
    ['ZONE_DEVICE', { value: 'y', file: 'host.txt', line: 8 }],
  ]);
  expect(host.dmaMaskBits.get(machine.hierarchy.functions[0]?.key ?? -1)).toEqual({
    value: '44',
    file: 'host.txt',
    line: 9,
  });
  expect(machine.notes.map(({ line }) => line)).toEqual([5]);
});

test('a listing alone says nothing of the kernel', async () => {
  expect((await readMachine(bytesOf(LISTING), 'host.txt')).host).toBeUndefined();
});

test('tags of ten bits in decoded text: what can be answered, what is asked; half a story stays half', async () => {
  const tags = async (...lines: string[]): Promise<unknown> => {
    const text = `${LISTING}\tCapabilities: [60] Express (v2) Endpoint, MSI 00\n${lines.map((line) => `\t\t${line}\n`).join('')}`;
    return (await readMachine(bytesOf(text), 'host.txt')).hierarchy.functions[0]?.tags;
  };
  const capability =
    'DevCap2: Completion Timeout: Range ABC, TimeoutDis+\n\t\t\t 10BitTagComp- 10BitTagReq+ OBFF Not Supported';
  const control = 'DevCtl2: Completion Timeout: 50us to 50ms, TimeoutDis- LTR- 10BitTagReq+ OBFF Disabled,';
  expect(await tags(capability, control)).toEqual({ completes10Bit: false, requests10Bit: true, enabled10Bit: true });
  expect(await tags(control)).toEqual({ completes10Bit: null, requests10Bit: null, enabled10Bit: true });
  expect(await tags()).toBeNull();
});
