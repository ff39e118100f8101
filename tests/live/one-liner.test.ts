/** The README's capture without Node: run as it is printed, on this machine and on a machine made of files, and read back. */

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CUFILE_PROPERTIES, MODULE_PARAMETERS } from '../../src/machine/host-evidence.ts';
import { KERNEL_SYMBOLS } from '../../src/machine/kernel-config.ts';
import { hostEvidenceOf } from '../../src/machine/machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const PASTE = /```sh\n(sudo sh -c 'd=[\s\S]*?)```/.exec(README)?.[1] ?? '';

let base = '';
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'p2pdma-paste-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Runs the paste in `base` without sudo; `root` stands for `/`, and the programs of `bin` come first. */
function paste(
  root: string | null,
  bin: string | null,
  shell = 'sh',
): { readonly archive: string; readonly output: string } {
  const text = PASTE.replace(/^sudo /, '').replace('cd /\n', root === null ? 'cd /\n' : `cd ${root}\n`);
  const path = bin === null ? process.env['PATH'] : `${bin}:${process.env['PATH']}`;
  const run = spawnSync(shell, ['-c', text], { cwd: base, env: { ...process.env, PATH: path }, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
  return { archive: join(base, 'host.tar.gz'), output: run.stdout };
}

const SYSFS = 'sys/devices/pci0000:00/0000:00:01.0';

/** A machine with one of everything; `secret` stands wherever somebody could be named. */
function fakeRoot(): { readonly root: string; readonly bin: string } {
  const root = join(base, 'root');
  const bin = join(base, 'bin');
  const config = new Uint8Array(256);
  config.set([0xde, 0x10, 0x30, 0x23, 6, 0, 0, 0, 0, 0, 2, 3]);
  const symbols = KERNEL_SYMBOLS.map((symbol) => `CONFIG_${symbol}=y\n`).join('');
  const files: Record<string, string | Uint8Array> = {
    [`${SYSFS}/config`]: config,
    [`${SYSFS}/resource`]: '0x00000000fc000000 0x00000000fcffffff 0x0000000000042208\n',
    [`${SYSFS}/class`]: '0x030200\n',
    [`${SYSFS}/vendor`]: '0x10de\n',
    [`${SYSFS}/device`]: '0x2330\n',
    [`${SYSFS}/numa_node`]: '1\n',
    [`${SYSFS}/dma_mask_bits`]: '47\n',
    [`${SYSFS}/consistent_dma_mask_bits`]: '47\n',
    [`${SYSFS}/current_link_speed`]: '16.0 GT/s PCIe\n',
    [`${SYSFS}/current_link_width`]: '16\n',
    [`${SYSFS}/max_link_speed`]: '32.0 GT/s PCIe\n',
    [`${SYSFS}/max_link_width`]: '16\n',
    [`${SYSFS}/p2pmem/size`]: '4096\n',
    [`${SYSFS}/p2pmem/available`]: '2048\n',
    [`${SYSFS}/p2pmem/published`]: '1\n',
    [`${SYSFS}/p2pmem/allocate`]: 'secret',
    [`${SYSFS}/uevent`]: 'secret',
    'sys/bus/pci/drivers/nvidia/module': '',
    'sys/kernel/iommu_groups/7/type': 'DMA-FQ\n',
    'sys/class/iommu/dmar0/intel-iommu/cap': 'c9de008cee690462\n',
    'sys/module/nvme_core/parameters/multipath': 'Y\n',
    'sys/module/amdgpu/parameters/pcie_p2p': 'N\n',
    'proc/cpuinfo': 'processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nSerial\t: secret1\n\nprocessor\t: 1\n',
    'proc/cmdline':
      'root=UUID=3e6be9de-8139-11d1-9106-a43f08d823a6 iommu=pt rd.lvm.lv=secret/root ip=10.9.8.7 x=gpu7 y=52:54:00:ab:cd:ef init=/home/secret/i rootflags=subvol=secret ds=nocloud-net;s=http://maas.secret/x/ log=tftp://secret/y GPU7 2001:db8:0:1::5 fe80::9:a pci=disable_acs_redir=0000:00:01.0;0000:01:00.0\n',
    'proc/version': 'Linux version 6.12.1-amd64 (secret@secret) (gcc 15) #1 SMP\n',
    'proc/iomem': '00001000-7fffffff : System RAM\n',
    'proc/config.gz': gzipSync(`# Linux/x86 6.12.1 Kernel Configuration\nCONFIG_DEFAULT_HOSTNAME="secret"\n${symbols}`),
    'proc/modules':
      'nvidia 100 3 nvidia_fs, Live 0xffffffffc0000000 (OE)\nnvidia_fs 10 0 - Live 0xffffffffc0100000\nsecret 1 0 - Live 0xffffffffc0200000\n',
    'proc/mdstat':
      'Personalities : [raid0]\nmd0 : active raid0 nvme1n1[1] nvme0n1[0]\n      10 blocks super 1.2\nmd1 : active raid1 sda1[0]\n',
    'proc/driver/nvidia/params': 'ModifyDeviceFiles: 1\nRegistryDwords: "RMForceStaticBar1=1"\n',
    'proc/driver/nvidia/version':
      'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (secret@secret)\n',
    'etc/cufile.json':
      '{\n  // secret\n  "properties": {\n    "use_pci_p2pdma": true, // secret\n    "x": "secret"\n  }\n}\n'.replace(
        ', // secret',
        ',',
      ),
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  mkdirSync(join(root, 'sys/bus/pci/devices'), { recursive: true });
  mkdirSync(join(root, 'sys/kernel/iommu_groups/7/devices'), { recursive: true });
  symlinkSync(`../../../devices/pci0000:00/0000:00:01.0`, join(root, 'sys/bus/pci/devices/0000:00:01.0'));
  symlinkSync(
    `../../../../devices/pci0000:00/0000:00:01.0`,
    join(root, 'sys/kernel/iommu_groups/7/devices/0000:00:01.0'),
  );
  symlinkSync('../../../bus/pci/drivers/nvidia', join(root, SYSFS, 'driver'));
  const log = [
    '[    0.000000] Command line: secret pci=disable_acs_redir=0000:00:01.0',
    '[    1.000000] usb 1-1: SerialNumber: secret',
    '[    2.000000] nvidia 0000:00:01.0: ACS redirect is set between the client and provider (0000:00:01.0)',
    '[    3.000000] DMAR: gpu7 52:54:00:ab:cd:ef 10.9.8.7 serial number S4EVNX47 alice@lab.example /home/secret/x',
  ];
  mkdirSync(bin);
  writeFileSync(join(bin, 'dmesg'), `#!/bin/sh\ncat <<'END'\n${log.join('\n')}\nEND\n`);
  writeFileSync(join(bin, 'uname'), '#!/bin/sh\ncase $1 in -n) echo gpu7;; *) echo 6.12.1-amd64;; esac\n');
  for (const name of ['dmesg', 'uname']) chmodSync(join(bin, name), 0o755);
  return { root, bin };
}

test.each(['sh', 'bash'])(
  'the paste of the README captures a machine made of files, in %s, and it is read back',
  async (shell) => {
    const { root, bin } = fakeRoot();
    const { archive, output } = paste(root, bin, shell);
    expect(output).toBe(`${archive}\n`);
    const machine = await readMachine(readFileSync(archive), 'host.tar.gz');
    expect(machine.notes).toEqual([]);
    const [fn] = machine.hierarchy.functions;
    expect(fn).toMatchObject({ name: '0000:00:01.0', driver: 'nvidia', iommuGroup: 7, numaNode: 1 });
    expect(fn?.facts.sysfs).toMatchObject({
      p2pmem: { size: 4096, available: 2048, published: true },
      link: { maxSpeedGts: 32, maxWidth: 16, speedGts: 16, width: 16 },
    });
    expect(machine).toMatchObject({
      kernel: '6.12.1-amd64',
      cpu: { vendor: 'GenuineIntel', family: 6 },
      ram: [{ start: 0x1000, end: 0x80000000 }],
    });
    expect(machine.iommuGroupTypes.get(7)).toBe('DMA-FQ');
    expect(machine.cmdline).toBe(
      'root=REMOVED iommu=pt rd.lvm.lv=REMOVED ip=REMOVED x=HOST y=MAC init=/home/USER/i rootflags=REMOVED ds=REMOVED log=URL HOST IP IP pci=disable_acs_redir=0000:00:01.0;0000:01:00.0',
    );
    const host = hostEvidenceOf(machine);
    expect([...(host.kernelConfig?.options.keys() ?? [])].sort()).toEqual([...KERNEL_SYMBOLS].sort());
    expect(host.kernelLog?.map(({ text }) => text)).toEqual([
      'nvidia 0000:00:01.0: ACS redirect is set between the client and provider (0000:00:01.0)',
      'DMAR: HOST MAC IP serial number REMOVED SOMEBODY /home/USER/x',
    ]);
    expect([...(host.modules?.byName.keys() ?? [])].sort()).toEqual(['amdgpu', 'nvidia', 'nvidia_fs', 'nvme_core']);
    expect(host.modules?.complete).toBe(true);
    expect(host.modules?.byName.get('nvidia')?.parameters.get('RegistryDwords')?.value).toBe('RMForceStaticBar1=1');
    expect(host.modules?.byName.get('nvidia')?.version?.value).toContain('580.65.06');
    expect(host.modules?.byName.get('nvme_core')?.parameters.get('multipath')?.value).toBe('Y');
    expect([...host.dmaMaskBits.values()].map(({ value }) => value)).toEqual(['47']);
    expect(host.iommuUnits).toMatchObject([{ name: 'dmar0', addressBits: 42 }]);
    expect(host.cufile?.get('use_pci_p2pdma')?.value).toBe('true');
    expect(host.nvmeRaids?.get('md0')?.value).toBe('raid0 nvme1n1 nvme0n1');
  },
);

test('what the paste captures names nobody: no host, user, disk, network or serial number is left in the archive', () => {
  const { root, bin } = fakeRoot();
  const archive = gunzipSync(readFileSync(paste(root, bin).archive)).toString('latin1');
  for (const word of [
    'secret',
    'gpu7',
    '3e6be9de',
    '52:54',
    '10.9.8.7',
    'S4EVNX47',
    'alice',
    'GPU7',
    '2001:db8',
    'fe80',
  ])
    expect(archive).not.toContain(word);
});

test('what is not there to capture is said', () => {
  const { root, bin } = fakeRoot();
  for (const path of ['proc/config.gz', 'proc/iomem', 'proc/modules']) rmSync(join(root, path));
  writeFileSync(join(bin, 'dmesg'), '#!/bin/sh\nexit 1\n');
  const lines = paste(root, bin).output.split('\n');
  expect(lines.slice(0, -2)).toEqual(
    ['/proc/iomem', '/proc/config', '/proc/modules', '/var/log/dmesg'].map((path) => `not captured: ${path}`),
  );
});

test('the paste asks for every module, parameter and property that is read', () => {
  for (const [module, parameters] of Object.entries(MODULE_PARAMETERS)) {
    expect(PASTE, module).toMatch(new RegExp(`\\(.*\\b${module}\\b.*\\) " proc/modules`));
    for (const name of parameters) {
      expect(PASTE).toContain(`sys/module/${module}/parameters/${name}`);
    }
  }
  for (const property of CUFILE_PROPERTIES) expect(PASTE).toContain(property);
});

test('the paste captures this machine', async ({ skip }) => {
  if (!existsSync('/sys/bus/pci/devices') || process.getuid?.() !== 0) skip('not a Linux with PCI, or not root');
  const { archive } = paste(null, null);
  const machine = await readMachine(readFileSync(archive), 'host.tar.gz');
  expect(machine.hierarchy.functions.length).toBeGreaterThan(0);
  expect(hostEvidenceOf(machine).dmaMaskBits.size).toBe(machine.hierarchy.functions.length);
});
