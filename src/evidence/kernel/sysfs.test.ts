import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';
import type { SysfsItem } from './sysfs.ts';

const items = (text: string) =>
  recognise(text, 'f').blocks.flatMap(({ kind, items }) => (kind === 'sysfs' ? (items as SysfsItem[]) : []));

test.each([
  ['grep', '/sys/bus/pci/devices/0000:81:00.0/numa_node:1'],
  ['grep with the name of a host', 'gpu7:/sys/bus/pci/devices/0000:81:00.0/numa_node:1'],
  ['a script', '/sys/bus/pci/devices/0000:81:00.0/numa_node = 1'],
  ['head', '==> /sys/bus/pci/devices/0000:81:00.0/numa_node <==\n1'],
  ['cat at a prompt', '$ cat /sys/bus/pci/devices/0000:81:00.0/numa_node\n1'],
])('an attribute as %s prints it', (_how, text) => {
  expect(items(text)).toMatchObject([
    {
      path: '/sys/bus/pci/devices/0000:81:00.0/numa_node',
      value: '1',
      what: 'attribute',
      function: '0000:81:00.0',
      name: 'numa_node',
    },
  ]);
});

test('a link says which function a name is', () => {
  const line =
    'lrwxrwxrwx 1 root root 0 Nov 22 18:00 /sys/block/nvme0n1 -> ../devices/pci0000:80/0000:80:01.0/0000:81:00.0/nvme/nvme0/nvme0n1';
  expect(items(line)).toMatchObject([{ what: 'link', name: 'nvme0n1', function: '0000:81:00.0' }]);
});

test('parameters of modules and of the NVIDIA driver are attributes of no function', () => {
  expect(
    items('/sys/module/nvme_core/parameters/multipath:Y\n/proc/driver/nvidia/params:EnableResizableBar: 1\n'),
  ).toMatchObject([
    { name: 'multipath', value: 'Y', function: null },
    { name: 'params', value: 'EnableResizableBar: 1' },
  ]);
});

test.each(['see /sys/bus/pci/devices: there it is', 'cat /proc/iomem', 'echo 1 > /sys/bus/pci/rescan'])(
  '%j has no value',
  (text) => {
    expect(items(text)).toEqual([]);
  },
);
