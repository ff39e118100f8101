import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const blocks = (text: string) => recognise(text, 'f').blocks;
const texts = (text: string) =>
  blocks(text).flatMap(({ items }) => items.map((item) => ('text' in item ? item.text : '')));

test.each([
  [
    'with its image',
    'BOOT_IMAGE=/vmlinuz-6.12.0 root=/dev/sda2 ro iommu=pt',
    'BOOT_IMAGE=/vmlinuz-6.12.0 root=/dev/sda2 ro iommu=pt',
  ],
  [
    'below its command',
    '$ cat /proc/cmdline\ninitrd=\\initrd.img rw intel_iommu=on',
    'initrd=\\initrd.img rw intel_iommu=on',
  ],
  ['below a heading', '/proc/cmdline:\n\nquiet iommu=pt', 'quiet iommu=pt'],
  ['by its parameters', 'root=UUID=7 ro quiet amd_iommu=off', 'root=UUID=7 ro quiet amd_iommu=off'],
  [
    'wrapped by a mail',
    'BOOT_IMAGE=/boot/vmlinuz-6.8.0-52-generic root=UUID=0-1-2-3 ro quiet\nsplash iommu=pt',
    'BOOT_IMAGE=/boot/vmlinuz-6.8.0-52-generic root=UUID=0-1-2-3 ro quiet splash iommu=pt',
  ],
])('the running command line is found %s', (_how, text, found) => {
  expect(blocks(text).map(({ kind }) => kind)).toEqual(['kernel-cmdline']);
  expect(texts(text)).toEqual([found]);
  expect(blocks(text)[0]?.items).toMatchObject([{ of: 'running' }]);
});

test('what a boot loader is told is not what runs', () => {
  const grub =
    '# If you change this\nGRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet iommu=pt"\nGRUB_CMDLINE_LINUX=""\n\n#GRUB_TERMINAL=console\n';
  expect(blocks(grub).at(-1)).toMatchObject({ kind: 'kernel-cmdline', fromLine: 3, toLine: 6 });
  expect(blocks(grub).flatMap(({ items }) => items)).toMatchObject([
    { of: 'loader', variable: 'GRUB_CMDLINE_LINUX_DEFAULT', text: 'quiet iommu=pt' },
    { of: 'loader', variable: 'GRUB_CMDLINE_LINUX', text: '' },
  ]);
  expect(blocks('options root=/dev/nvme0n1p2 rw iommu=pt')[0]?.items).toMatchObject([{ of: 'loader' }]);
});

test('of the running command line given twice the last counts', () => {
  const [first, second] = blocks('BOOT_IMAGE=/a ro\n\nafter the change\n\nBOOT_IMAGE=/a ro iommu=pt').filter(
    ({ kind }) => kind !== 'unknown',
  );
  expect([first?.isSuperseded, second?.isSuperseded]).toEqual([true, false]);
});

test.each([
  'I set iommu=pt and root=/dev/sda2 in the end, and it works now.',
  '$ cat /proc/cmdline\nPermission denied by policy',
  'see /proc/cmdline for more',
])('%j is no command line', (text) => {
  expect(blocks(text).map(({ kind }) => kind)).not.toContain('kernel-cmdline');
});
