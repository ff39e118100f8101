import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const items = (text: string) => recognise(text, 'f').blocks.flatMap(({ items }) => items);

const slice = (devices: unknown, driver = 'gpu.nvidia.com'): unknown => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceSlice',
  metadata: { name: 'x' },
  spec: { driver, nodeName: 'gpu01', pool: { name: 'gpu01', generation: 1 }, devices },
});
const GPU = {
  name: 'gpu-0',
  attributes: {
    'resource.kubernetes.io/pciBusID': { string: '0000:17:00.0' },
    'resource.kubernetes.io/pcieRoot': { string: 'pci0000:16' },
    'resource.kubernetes.io/numaNode': { int: 1 },
    type: { string: 'gpu' },
  },
};

test.each([
  ['a list', { apiVersion: 'v1', kind: 'List', items: [slice([GPU])] }],
  ['a slice alone', slice([GPU])],
  ['a beta', slice([{ name: 'gpu-0', basic: { attributes: GPU.attributes } }])],
])('%s gives devices with addresses and roots', (_what, value) => {
  expect(items(JSON.stringify(value, null, 4))).toMatchObject([
    {
      kind: 'resource-slices',
      device: { label: 'gpu-0', sort: 'gpu', address: '0000:17:00.0' },
      numaNode: 1,
      facts: { driver: 'gpu.nvidia.com', node: 'gpu01', pcieRoot: 'pci0000:16', type: 'gpu' },
    },
  ]);
});

test('a network driver names its addresses otherwise, and a device without one has none', () => {
  const nics = slice(
    [{ name: 'pci-0000-18-00-0', attributes: { 'dra.net/pciAddress': { string: '0000:18:00.0' } } }, { name: 'vf-1' }],
    'dra.net',
  );
  expect(items(JSON.stringify(nics))).toMatchObject([
    { device: { sort: 'nic', address: '0000:18:00.0' } },
    { device: { label: 'vf-1', address: null } },
  ]);
});

test('other objects of Kubernetes are none', () => {
  expect(items(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', spec: {} }, null, 2))).toEqual([]);
});
