import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const blocks = (text: string) => recognise(text, 'f').blocks;
const items = (text: string) => blocks(text).flatMap(({ items }) => items);

const run = (unit: string): string => `[CUDA Bandwidth Test] - Starting...
Running on...

 Device 2: NVIDIA A40
 Quick Mode

 Host to Device Bandwidth, 1 Device(s)
 PINNED Memory Transfers
   Transfer Size (Bytes)\tBandwidth(${unit})
   33554432\t\t\t26.8

 Device to Host Bandwidth, 1 Device(s)
 PAGEABLE Memory Transfers
   Transfer Size (Bytes)\tBandwidth(${unit})
   33554432\t\t\t26.3

 Device to Device Bandwidth, 1 Device(s)
 PINNED Memory Transfers
   Transfer Size (Bytes)\tBandwidth(${unit})
   33554432\t\t\t4366.8

Result = PASS
`;

test('each block has its direction; the device moves what the host holds', () => {
  expect(items(run('GB/s'))).toMatchObject([
    { what: 'device', product: 'NVIDIA A40', device: { index: 2, numbering: 'cuda' } },
    { operation: 'read', from: { sort: 'cpu' }, to: { index: 2 }, value: 26.8, size: 33554432, test: 'H2D pinned' },
    { operation: 'write', from: { index: 2 }, to: { sort: 'cpu' }, value: 26.3, test: 'D2H pageable' },
    { operation: 'copy', from: { index: 2 }, to: { index: 2 }, value: 4366.8 },
  ]);
});

test('MB/s of older releases are 1,024,000 bytes', () => {
  const [, first] = items(run('MB/s'));
  expect(first).toMatchObject({ raw: '26.8 MB/s' });
  expect(first && 'value' in first ? first.value : null).toBeCloseTo(0.0274432, 12);
});

test('lines of shmoo mode, and the sum of several devices', () => {
  expect(
    items(
      'bandwidthTest-H2D-Pinned, Bandwidth = 0.4 GB/s, Time = 0.00000 s, Size = 1000 bytes, NumDevsUsed = 1\nbandwidthTest-D2D, Bandwidth = 500.0 GB/s, Time = 0.00000 s, Size = 1000 bytes, NumDevsUsed = 1',
    ),
  ).toMatchObject([
    { value: 0.4, size: 1000, operation: 'read' },
    { value: 500, operation: 'copy' },
  ]);
  expect(
    items(
      ' Host to Device Bandwidth, 4 Device(s)\n PINNED Memory Transfers\n   Transfer Size (Bytes)\tBandwidth(GB/s)\n   32000000\t\t\t100.1\n',
    ),
  ).toMatchObject([{ load: 'together', to: { label: '4 devices', index: null } }]);
});

test('the same output twice is one, two runs are two', () => {
  expect(blocks(run('GB/s') + run('GB/s')).map(({ isSuperseded }) => isSuperseded)).toEqual([true, false]);
  expect(blocks(run('GB/s') + run('GB/s').replace('26.8', '26.9')).map(({ isSuperseded }) => isSuperseded)).toEqual([
    false,
    false,
  ]);
});
