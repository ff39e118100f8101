import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';
import type { IommuGroupItem } from './iommu-groups.ts';

const told = (text: string) =>
  recognise(text, 'f').blocks.flatMap(({ kind, items }) =>
    kind === 'iommu-groups'
      ? (items as IommuGroupItem[]).map((item) => `${item.group} ${item.what === 'type' ? item.type : item.function}`)
      : [],
  );

test.each([
  [
    'headings with members below',
    'IOMMU Group 7:\n\t80:01.0 PCI bridge [0604]: x [8086:352a]\n\t81:00.0 3D controller [0302]: y\n',
  ],
  ['a line for each', 'IOMMU Group 7 80:01.0 PCI bridge [0604]: x\nIOMMU Group 7 81:00.0 3D controller [0302]: y\n'],
  [
    'groups with ids before the address',
    'Group 7:\t[8086:352a] [R] 80:01.0  PCI bridge  x\n\t\t[10de:20b0]     81:00.0  3D controller  y\n',
  ],
  [
    'what find prints',
    '/sys/kernel/iommu_groups/7/devices/0000:80:01.0\n/sys/kernel/iommu_groups/7/devices/0000:81:00.0\n',
  ],
  [
    'what ls prints',
    '/sys/kernel/iommu_groups/7/devices:\nlrwxrwxrwx 1 root root 0 Nov 22 18:00 0000:80:01.0 -> ../../../../devices/pci0000:80/0000:80:01.0\nlrwxrwxrwx 1 root root 0 Nov 22 18:00 0000:81:00.0 -> ../../../../devices/x\n',
  ],
  [
    'links of the functions',
    '/sys/bus/pci/devices/0000:80:01.0/iommu_group -> ../../../kernel/iommu_groups/7\n/sys/bus/pci/devices/0000:81:00.0/iommu_group -> ../../../kernel/iommu_groups/7\n',
  ],
])('%s', (_how, text) => {
  expect(told(text)).toEqual(['7 0000:80:01.0', '7 0000:81:00.0']);
});

test('types as grep and scripts print them', () => {
  expect(told('/sys/kernel/iommu_groups/7/type:DMA-FQ\n/sys/kernel/iommu_groups/8/type:identity\n')).toEqual([
    '7 DMA-FQ',
    '8 identity',
  ]);
  expect(told('Group 7: identity\nGroup 8: DMA\n')).toEqual(['7 identity', '8 DMA']);
});

test.each(['Group 7 of us met at noon', 'for g in /sys/kernel/iommu_groups/*; do ls $g; done', 'IOMMU group: 17'])(
  '%j is no listing',
  (text) => {
    expect(told(text)).toEqual([]);
  },
);
