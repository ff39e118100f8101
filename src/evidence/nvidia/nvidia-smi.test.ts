import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const blocks = (text: string) => recognise(text, 'f').blocks;
const items = (text: string) => blocks(text).flatMap(({ items }) => items);

const BOX = `+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 575.51.03              Driver Version: 575.51.03      CUDA Version: 12.9     |
|-----------------------------------------+------------------------+----------------------+
| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |
|=========================================+========================+======================|
|   0  NVIDIA RTX 6000 Ada Gene...    On  |   00000000:01:00.0 Off |                  Off |
| 30%   31C    P8              5W /  300W |       2MiB /  49140MiB |      0%      Default |
+-----------------------------------------+------------------------+----------------------+
|   1  NVIDIA A40                     Off |   00000000:C1:00.0 Off |                    0 |
| N/A   31C    P0             75W /  300W |       2MiB /  46068MiB |      0%      Default |
+-----------------------------------------+------------------------+----------------------+
`;

test('the box has the release, and for each GPU name, address and state', () => {
  expect(items(BOX)).toMatchObject([
    { what: 'setting', name: 'Driver Version', value: '575.51.03' },
    { what: 'setting', name: 'CUDA Version', value: '12.9' },
    {
      device: { index: 0, numbering: 'nvml', address: '0000:01:00.0' },
      product: 'NVIDIA RTX 6000 Ada Gene...',
      performanceState: 'P8',
      memorySize: 49140 * 1024 ** 2,
    },
    {
      device: { index: 1, address: '0000:c1:00.0' },
      product: 'NVIDIA A40',
      performanceState: 'P0',
      facts: { 'Persistence Mode': 'Disabled' },
    },
  ]);
});

test('a row of the box alone', () => {
  expect(items(BOX.split('\n').slice(5, 7).join('\n'))).toMatchObject([
    { device: { index: 0, address: '0000:01:00.0' } },
  ]);
});

test('-L has names without addresses', () => {
  expect(items('GPU 0: NVIDIA A40 (UUID: GPU-1)\nGPU 1: Tesla T4 (UUID: GPU-2)')).toMatchObject([
    { device: { index: 0, address: null }, product: 'NVIDIA A40' },
    { device: { index: 1 }, product: 'Tesla T4' },
  ]);
});

const ROWS = '0, NVIDIA A40, 00000000:01:00.0, 1, 4, 16, 16\n1, Tesla T4, 00000000:C1:00.0, [N/A], 3, 8, 16\n';
const ASKED =
  'index,name,pci.bus_id,pcie.link.gen.current,pcie.link.gen.max,pcie.link.width.current,pcie.link.width.max';
const BOTH = [
  {
    device: { index: 0, address: '0000:01:00.0' },
    product: 'NVIDIA A40',
    link: { generation: { current: 1, max: 4 }, width: { current: 16, max: 16 } },
  },
  {
    device: { index: 1, address: '0000:c1:00.0' },
    link: { generation: { current: null, max: 3 }, width: { current: 8, max: 16 } },
  },
];

test('fields with commas, with their heading and without', () => {
  expect(items(`${ASKED.replaceAll(',', ', ')}\n${ROWS}`)).toMatchObject(BOTH);
  expect(items(`$ nvidia-smi --query-gpu=${ASKED} --format=csv,noheader\n${ROWS}`)).toMatchObject(BOTH);
});

test('a heading with units, and old names', () => {
  expect(
    items('gpu_name, gpu_bus_id, memory.total [MiB], driver_version\nTesla T4, 00000000:C1:00.0, 15360 MiB, 550.1\n'),
  ).toMatchObject([
    { what: 'setting', name: 'Driver Version', value: '550.1' },
    { device: { index: null, address: '0000:c1:00.0' }, product: 'Tesla T4', memorySize: 15360 * 1024 ** 2 },
  ]);
});

test('text with commas is none', () => {
  expect(blocks('the name, index, and the rest').map(({ kind }) => kind)).toEqual(['unknown']);
});
