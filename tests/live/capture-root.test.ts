import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bytesOf, latin1 } from '../../src/core/text.ts';
import { LOG_LINES_MAX } from '../../src/evidence/kernel/log/telling.ts';
import { hostEvidenceOf, type Machine } from '../../src/machine/machine.ts';
import { decompress, treeOfTar } from '../../src/machine/read/archive/archive.ts';
import type { LiveParts } from '../../src/machine/read/live/capture-host.ts';
import { type Capture, captureRoot } from '../../src/machine/read/live/capture-root.ts';
import {
  redactCmdline,
  redactConfig,
  redactCpuinfo,
  redactLogLine,
  redactVersion,
} from '../../src/machine/read/live/redact.ts';
import { tarOf } from '../../src/machine/read/live/write-archive.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { MemoryTree } from '../../src/machine/read/root/file-tree.ts';
import { judgePair } from '../../src/p2p/distance.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { capabilityName, conventionalCapabilities, extendedCapabilities } from '../../src/pcie/capability.ts';
import { ConfigSpace } from '../../src/pcie/config-space.ts';

const PARTS: LiveParts = { hostName: 'gpu7', kernelLog: null, gunzip: (bytes) => bytes };

const EXAMPLES = new URL('../../examples/machines/', import.meta.url);

/** A function with VPD at 40h and a Device Serial Number at 100h, ACS at 110h. */
function configWithSerials(): Uint8Array {
  const config = new Uint8Array(4096);
  config.set([0x86, 0x80, 0x34, 0x12, 0, 0, 0x10, 0, 0, 0, 0, 2]);
  config[0x34] = 0x40;
  config.set([0x03, 0x00, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff], 0x40);
  config.set([0x03, 0x00, 0x01, 0x11, 1, 2, 3, 4, 5, 6, 7, 8], 0x100);
  config.set([0x0d, 0x00, 0x01, 0x00, 0x7f, 0, 0x1d, 0], 0x110);
  return config;
}

test('serial number and VPD registers become zero; every capability stays', () => {
  const original = configWithSerials();
  const { bytes, serialNumber, vpd } = redactConfig(original);
  expect({ serialNumber, vpd }).toEqual({ serialNumber: true, vpd: true });
  expect([...bytes.subarray(0x40, 0x48)]).toEqual([3, 0, 0, 0, 0, 0, 0, 0]);
  expect([...bytes.subarray(0x104, 0x10c)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  const names = (config: Uint8Array): string[] => {
    const space = new ConfigSpace(config);
    return [...conventionalCapabilities(space).entries, ...extendedCapabilities(space).entries].map(capabilityName);
  };
  expect(names(bytes)).toEqual(names(original));
  expect(original[0x104]).toBe(1);
});

test('a header of 64 bytes and one of all ones are left as they are', () => {
  expect(redactConfig(configWithSerials().subarray(0, 64)).bytes).toEqual(configWithSerials().subarray(0, 64));
  const ones = new Uint8Array(256).fill(0xff);
  expect(redactConfig(ones).bytes).toEqual(ones);
});

test.each<[string, string]>([
  ['quiet', 'quiet'],
  ['root=UUID=3E6BE9DE-8139-11D1-9106-A43F08D823A6 ro', 'root=REMOVED ro'],
  [
    'root=LABEL=alices-disk rd.lvm.lv=gpu7-vg/root rd.luks.uuid=luks-1',
    'root=REMOVED rd.lvm.lv=REMOVED rd.luks.uuid=REMOVED',
  ],
  ['root=/dev/nvme0n1p2 resume=/dev/mapper/gpu7--vg-swap', 'root=/dev/nvme0n1p2 resume=REMOVED'],
  ['BOOTIF=01-52-54-00-ab-cd-ef', 'BOOTIF=REMOVED'],
  ['ip=10.0.0.1::::gpu7:eth0 ip=dhcp', 'ip=REMOVED ip=dhcp'],
  ['systemd.hostname=gpu7 nfsroot=gpu70:/x', 'systemd.hostname=REMOVED nfsroot=REMOVED'],
  ['netconsole=@10.0.0.1/,6666@10.0.0.2/52:54:00:ab:cd:ef', 'netconsole=@0.0.0.0/,6666@0.0.0.0/00:00:00:00:00:00'],
  [
    'x=3e6be9de-8139-11d1-9106-a43f08d823a6 y=gpu7.lab.example z=gpu7-a z=gpu70',
    'x=00000000-0000-0000-0000-000000000000 y=HOST z=HOST-a z=gpu70',
  ],
  [
    'init=/home/alice/init mail=alice@example.org log=fe80::5054:ff:feab:cdef',
    'init=/home/USER/init mail=SOMEBODY log=::',
  ],
  ['nvme=nqn.2014-08.org.nvmexpress:uuid:1', 'nvme=nqn.REMOVED'],
  [
    'pci=config_acs=10xx@0000:03:00.0;0@pci:8086:2030 pci=resource_alignment=20@0000:01:00.0',
    'pci=config_acs=10xx@0000:03:00.0;0@pci:8086:2030 pci=resource_alignment=20@0000:01:00.0',
  ],
  ['pci=disable_acs_redir=0000:00:1c.0/00.0;0000:00:1d.0', 'pci=disable_acs_redir=0000:00:1c.0/00.0;0000:00:1d.0'],
])('the command line %j becomes %j', (text, wanted) => {
  expect(redactCmdline(text, 'gpu7.lab.example')).toEqual({ text: wanted, removed: text !== wanted });
});

test('a host name of odd characters is a name, not a pattern', () => {
  expect(redactCmdline('x=a.b+c aXb+c', 'a.b+c').text).toBe('x=HOST aXb+c');
});

test('of cpuinfo the first processor stays, of version the release; serial numbers and builders go', () => {
  const cpuinfo =
    'processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nflags\t: fpu\nSerial\t: 1234\n\nprocessor\t: 1\n';
  expect(redactCpuinfo(cpuinfo)).toBe('processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\n');
  expect(redactVersion('Linux version 6.12.1-amd64 (me@home) (gcc 15) #1 SMP\n')).toBe('Linux version 6.12.1-amd64\n');
  expect(redactVersion('something else')).toBe('');
});

test.each<[string, string]>([
  ['nvme 0000:03:00.0: ACS redirect is set between the client and provider (0000:06:00.0)', ''],
  [
    'DMAR: [DMA Write NO_PASID] Request device [03:00.0] fault addr 0xfc030000 [fault reason 0x05] PTE Write access is not set',
    '',
  ],
  ["pci 0000:03:00.0: BAR 0 [mem 0x4000000000-0x400007ffff 64bit pref]: can't assign; no space", ''],
  [
    'pci 0000:03:00.0: to disable ACS redirect for this path, add the kernel parameter: pci=disable_acs_redir=0000:00:1c.0/00.0',
    '',
  ],
  ['AMD-Vi: gpu7 says so', 'AMD-Vi: HOST says so'],
  ['AER: eth 52:54:00:ab:cd:ef at 10.1.2.3', 'AER: eth 00:00:00:00:00:00 at 0.0.0.0'],
  [
    'PCIe Bus Error: drive, serial number S4EVNX0M, Serial: 12AB',
    'PCIe Bus Error: drive, serial number REMOVED, Serial: REMOVED',
  ],
])('of the log line %j only what names somebody goes', (line, wanted) => {
  expect(redactLogLine(line, 'gpu7')).toBe(wanted === '' ? line : wanted);
});

test('a host that is called like a word of the kernel’s own does not blank the log', () => {
  expect(redactLogLine('nvme 0000:03:00.0: pci', 'nvme')).toBe('nvme 0000:03:00.0: pci');
  // As long as none is: in time that grows with the line, not with its square.
  const start = performance.now();
  expect(redactLogLine('a.'.repeat(50_000), 'gpu7')).toBe('a.'.repeat(50_000));
  expect(performance.now() - start).toBeLessThan(1000);
});

/** A tree that a capture writes out, read back. */
function treeOf(capture: Capture): MemoryTree {
  const tree = new MemoryTree();
  for (const entry of capture.entries) {
    if (entry.kind === 'file') tree.addFile(entry.path, entry.bytes);
    else tree.addLink(entry.path, entry.target);
  }
  return tree;
}

function verdictsOf(machine: Machine): string[] {
  const judge = new JudgeContext(machine);
  const all = judge.functions.map((_, index) => index);
  return all.flatMap((p) => all.map((c) => JSON.stringify(judgePair(judge, p, c))));
}

test('a machine that is captured, packed and read again is the same machine', async () => {
  const files = readdirSync(EXAMPLES).filter((file) => file.endsWith('.tar.gz'));
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    const bytes = await decompress(readFileSync(new URL(file, EXAMPLES)), file);
    const machine = await readMachine(bytes, file);
    const tree = await treeOfTar(bytes, file);
    const capture = captureRoot(tree.list('sys') === null ? nested(tree) : tree, PARTS);
    const again = await readMachine(await tarOf(capture.entries), file);
    expect(capture.functions, file).toBe(machine.hierarchy.functions.length);
    expect(verdictsOf(again), file).toEqual(verdictsOf(machine));
    expect(factsOf(again), file).toEqual(factsOf(machine));
  }
});

function factsOf({ cpu, kernel, ram, iommuGroupTypes, hierarchy }: Machine): object {
  const functions = hierarchy.functions.map((fn) => [fn.iommuGroup, fn.driver, fn.bars, fn.facts.sysfs?.p2pmem]);
  return { cpu, kernel, ram, iommuGroupTypes, functions };
}

/** The tree one folder down. */
function nested(tree: MemoryTree): MemoryTree {
  const [name = ''] = tree.list('') ?? [];
  const inner = new MemoryTree();
  const walk = (path: string): void => {
    for (const entry of tree.list(path) ?? []) {
      const from = `${path}/${entry}`;
      const target = tree.linkTarget(from);
      const bytes = target === null ? tree.read(from) : null;
      if (target !== null) inner.addLink(from.slice(name.length + 1), target);
      else if (bytes !== null) inner.addFile(from.slice(name.length + 1), bytes);
      else walk(from);
    }
  };
  walk(name);
  return inner;
}

test('what is captured is counted, and nothing of the serial number is left in the archive', async () => {
  const tree = new MemoryTree();
  tree.addFile('sys/bus/pci/devices/0000:00:01.0/config', configWithSerials());
  tree.addFile('sys/bus/pci/devices/0000:00:02.0/config', configWithSerials().subarray(0, 64));
  tree.addFile('proc/cmdline', bytesOf('hostname=gpu7\n'));
  const capture = captureRoot(tree, PARTS);
  expect(capture).toMatchObject({ functions: 2, headersOnly: 1, serialNumbers: 1, vpd: 1, cmdlineRedacted: true });
  const archive = latin1(await tarOf(capture.entries));
  expect(archive).not.toContain('\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008');
  expect(archive).not.toContain('gpu7');
  expect(treeOf(capture).read('proc/cmdline')).toEqual(bytesOf('hostname=REMOVED\n'));
});

/** A machine with one of everything that a capture takes along; `secret` stands wherever somebody could be named. */
function wholeMachine(without: readonly string[] = []): MemoryTree {
  const fn = 'sys/bus/pci/devices/0000:00:03.0';
  const files: Readonly<Record<string, string>> = {
    [`${fn}/dma_mask_bits`]: '44\n',
    [`${fn}/consistent_dma_mask_bits`]: '44\n',
    [`${fn}/current_link_width`]: '16\n',
    [`${fn}/uevent`]: 'secret',
    'proc/version': 'Linux version 6.12.1 (secret@secret)\n',
    'proc/cmdline': 'quiet\n',
    'proc/cpuinfo': 'vendor_id\t: GenuineIntel\n',
    'proc/iomem': '00001000-7fffffff : System RAM\n',
    'boot/config-6.12.1': 'CONFIG_DEFAULT_HOSTNAME="secret"\nCONFIG_PCI=y\nCONFIG_PCI_P2PDMA=y\n',
    'proc/modules': 'nvidia 100 3 nvidia_fs, Live 0xffffffffc0000000 (OE)\nsecret 1 0 - Live 0x1\n',
    'sys/module/nvme_core/parameters/multipath': 'Y\n',
    'sys/module/nvme_core/parameters/secret': 'secret\n',
    'sys/module/secret/parameters/multipath': 'secret\n',
    'sys/class/iommu/dmar0/intel-iommu/cap': 'c9de008cee690462\n',
    'sys/kernel/iommu_groups/1/type': 'DMA\n',
    'proc/driver/nvidia/params': 'secret: 1\nRegistryDwords: "RMForceStaticBar1=1"\n',
    'proc/driver/nvidia/version':
      'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (secret@secret)\n',
    'proc/mdstat':
      'md0 : active raid0 nvme1n1[1] nvme0n1[0]\nmd_secret : active raid1 nvme2n1[0]\nmd2 : active raid1 sda1[0]\n',
    'etc/cufile.json': '{\n // secret\n "use_pci_p2pdma": true,\n "x": "secret"\n}\n',
  };
  const tree = new MemoryTree();
  for (const [path, text] of Object.entries(files)) if (!without.includes(path)) tree.addFile(path, bytesOf(text));
  return tree;
}

const LOG = '[ 1.0] DMAR: gpu7 secret@lab.example\n[ 2.0] usb: secret\n[ 3.0] Command line: secret DMAR\n';
const LIVE: LiveParts = { ...PARTS, kernelLog: { text: LOG } };

test('what the kernel says beside PCI is captured, and read back as it was', async () => {
  const capture = captureRoot(wholeMachine(), LIVE);
  expect(capture.missing).toEqual([{ what: 'registers', why: expect.anything(), command: expect.anything() }]);
  const tar = await tarOf(capture.entries);
  expect(latin1(tar)).not.toMatch(/secret|gpu7/);
  const host = hostEvidenceOf(await readMachine(tar, 'host.tar'));
  expect(host.kernelConfig?.options.get('PCI_P2PDMA')).toMatchObject({ value: 'y', file: 'proc/config' });
  expect(host.kernelLog).toEqual([{ text: 'DMAR: HOST SOMEBODY', file: 'var/log/dmesg', line: 1 }]);
  expect([...(host.modules?.byName.keys() ?? [])]).toEqual(['nvidia', 'nvme_core']);
  expect(host.modules?.complete).toBe(true);
  expect(host.modules?.byName.get('nvidia')?.version?.value).toBe(
    'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06',
  );
  expect([...host.dmaMaskBits.values()]).toMatchObject([{ value: '44' }]);
  expect(host.iommuUnits).toMatchObject([{ name: 'dmar0', addressBits: 42 }]);
  expect(host.cufile?.get('use_pci_p2pdma')?.value).toBe('true');
  expect([...(host.nvmeRaids?.values() ?? [])].map(({ value }) => value)).toEqual([
    'raid0 nvme1n1 nvme0n1',
    'raid1 nvme2n1',
  ]);
});

test.each<[string, string]>([
  ['boot/config-6.12.1', 'the kernel’s configuration'],
  ['proc/modules', 'the list of modules'],
  ['proc/iomem', 'the memory map'],
  ['proc/cmdline', '/proc/cmdline'],
  ['proc/cpuinfo', '/proc/cpuinfo'],
  ['sys/kernel/iommu_groups/1/type', 'the IOMMU groups'],
])('without %s the capture says that it lacks %s, why, and what would tell', (path, what) => {
  const { missing } = captureRoot(wholeMachine([path]), LIVE);
  const [part, ...others] = missing.filter((item) => item.what !== 'registers');
  expect(part?.what).toBe(what);
  expect(part?.why.length).toBeGreaterThan(5);
  expect(part?.command.length).toBeGreaterThan(3);
  expect(others).toEqual([]);
});

test('a log that may not be read, and one that is too long, are said', () => {
  expect(captureRoot(wholeMachine(), PARTS).missing.map(({ what }) => what)).toContain('the kernel’s log');
  const text = '[ 1.0] DMAR: x\n'.repeat(LOG_LINES_MAX + 7);
  const long = captureRoot(wholeMachine(), { ...PARTS, kernelLog: { text } });
  expect(long.missing.map(({ what, why }) => [what, why.includes(' 7 ')])).toContainEqual([
    'the end of the kernel’s log',
    true,
  ]);
});

test('a memory map of zeros, as it is shown without root, is said', () => {
  const tree = wholeMachine(['proc/iomem']);
  tree.addFile('proc/iomem', bytesOf('00000000-00000000 : System RAM\n'));
  expect(captureRoot(tree, LIVE).missing).toContainEqual(expect.objectContaining({ what: 'the memory map' }));
});
