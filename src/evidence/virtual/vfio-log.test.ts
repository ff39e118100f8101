import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const items = (text: string) =>
  recognise(text, 'f').blocks.flatMap(({ kind, items }) => (kind === 'vfio-log' ? items : []));

test.each([
  [
    'qemu-system-x86_64: warning: vfio_container_dma_map(0x55d0c0ffee00, 0x382000000000, 0x400000, 0x7f0000000000) = -22 (Invalid argument)',
    { what: 'mapFailed', iova: 0x382000000000, size: 0x400000, errno: 22 },
  ],
  [
    'qemu-system-x86_64: vfio_dma_map(0x55d0c0ffee00, 0x382000000000, 0x400000, 0x7f0000000000) = -14 (Bad address)',
    { what: 'mapFailed', errno: 14 },
  ],
  ['qemu-system-x86_64: VFIO_MAP_DMA failed: Bad address', { what: 'mapFailed', iova: null, errno: 14 }],
  [
    '0000:81:00.0: PCI peer-to-peer transactions on BARs are not supported.',
    { what: 'peersUnsupported', at: '0000:81:00.0' },
  ],
  ['qemu-system-x86_64: IOMMU_IOAS_MAP failed: Bad address, PCI BAR?', { what: 'ioasMapFailed', isBar: true }],
  [
    "qemu-system-x86_64: vfio: IOMMU container 0x55d0c0ffee00 can't map guest IOVA region 0x382000000000..0x3820003fffff",
    { what: 'outsideWindow', start: 0x382000000000, end: 0x382000400000 },
  ],
  [
    'qemu-system-x86_64: -device vfio-pci: aw-bits 48 > host aw-bits 39',
    { what: 'tooWide', guestBits: 48, hostBits: 39 },
  ],
  ['vfio: error: group 17 is not viable', { what: 'groupNotViable', group: 17 }],
  ['qemu: hardware error: vfio: DMA mapping failed, unable to continue', { what: 'gaveUp' }],
])('%s', (line, says) => {
  expect(items(line)).toMatchObject([says]);
  expect(items(`2026-11-22T18:00:00.123456Z ${line}`)).toMatchObject([says]);
});

test('a sentence about VFIO is none', () => {
  expect(items('vfio_dma_map() failed for me, too\nIs MAP_DMA needed?')).toEqual([]);
});
