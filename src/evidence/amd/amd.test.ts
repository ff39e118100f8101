import { describe, expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const blocks = (text: string) => recognise(text, 'f').blocks;
const items = (text: string) => blocks(text).flatMap(({ items }) => items);
const values = (text: string) =>
  items(text).flatMap((item) =>
    'what' in item && (item.what === 'pair' || item.what === 'measurement')
      ? `${item.from.label}-${item.to.label} ${item.value}`
      : [],
  );

describe('rocm_bandwidth_test', () => {
  const HEAD = `          RocmBandwidthTest Version: 2.6.0

          Launch Command is: rocm-bandwidth-test -a

          Device: 0,  AMD EPYC 7542 32-Core Processor
          Device: 1,  Radeon RX 7900 XTX,  GPU-XX,  83:0.0
          Device: 2,  Vega 10 [Radeon PRO WX 8100],  0d:0.0
`;
  const matrix = (title: string, cells: readonly string[][]): string =>
    `\n          ${title}\n\n          D/D       ${cells.map((_, at) => `${at}         `).join('')}\n\n${cells
      .map((row, at) => `          ${at}         ${row.map((cell) => cell.padEnd(10)).join('')}\n\n`)
      .join('')}`;
  const RATES = [
    ['N/A', '28.411', '11.5'],
    ['29.013', '649.528', 'N/A'],
    ['29.016', 'N/A', '636.462'],
  ];

  test('agents: a processor has no address, a GPU one without a domain', () => {
    expect(items(HEAD)).toMatchObject([
      { what: 'setting', value: '2.6.0' },
      { what: 'setting', name: 'Launch Command' },
      { device: { sort: 'cpu', index: 0, numbering: 'hsa', address: null } },
      {
        device: { sort: 'gpu', index: 1, address: '0000:83:00.0', assumed: ['domain'] },
        product: 'Radeon RX 7900 XTX',
      },
      { device: { index: 2, address: '0000:0d:00.0' } },
    ]);
  });

  test.each([
    ['Inter-Device Access', 'access'],
    ['Device Access', 'access'],
    ['Inter-Device Numa Distance', 'numa-distance'],
    ['Device Numa Distance', 'numa-distance'],
    ['Inter-Device Link Hops', 'hops'],
  ])('%s', (title, relation) => {
    const text =
      HEAD +
      matrix(title, [
        ['1', '1', '1'],
        ['1', '1', '0'],
        ['1', '0', '1'],
      ]);
    const pairs = items(text).filter((item) => 'what' in item && item.what === 'pair');
    expect(pairs.length).toBe(9);
    expect(pairs[5]).toMatchObject({
      relation,
      from: { index: 1 },
      to: { index: 2 },
      value: relation === 'access' ? 'no' : '0',
    });
  });

  test('rates: rows are sources; the GPU moves what a processor holds', () => {
    const text = HEAD + matrix('Unidirectional copy peak bandwidth GB/s', RATES);
    const read = items(text).filter((item) => 'what' in item && item.what === 'measurement');
    expect(read.length).toBe(9);
    expect(read[1]).toMatchObject({
      operation: 'read',
      value: 28.411,
      statistic: 'peak',
      direction: 'uni',
      from: { sort: 'cpu' },
    });
    expect(read[3]).toMatchObject({ operation: 'write', value: 29.013, to: { sort: 'cpu' } });
    expect(read[5]).toMatchObject({ operation: 'copy', value: null, raw: 'N/A' });
  });

  test.each(['Bidirectional', 'Bdirectional'])('%s values count both directions', (word) => {
    const text = HEAD + matrix(`${word} copy average bandwidth GB/s`, RATES);
    expect(items(text).at(-8)).toMatchObject({ direction: 'bi', counts: 'both', statistic: 'average' });
  });

  test('link types, and a matrix that was cut', () => {
    const text =
      HEAD +
      matrix('Inter-Device Link Type: P = PCIe, X = xGMI, N/A = Not Applicable', [
        ['N/A', 'P', 'P'],
        ['P', 'N/A', 'X'],
        ['P', 'X', 'N/A'],
      ]);
    expect(values(text)).toContain('1-2 X');
    const cut = text.slice(0, text.lastIndexOf('          2'));
    expect(values(cut).length).toBe(6);
    expect(blocks(cut)[0]?.isComplete).toBe(false);
    expect(blocks(text)[0]?.isComplete).toBe(true);
  });

  test('one pair over many sizes', () => {
    const text = `================    Unidirectional Benchmark Result    ================
================ Src Device Id: 0 Src Device Type: Cpu ================
================ Dst Device Id: 4 Dst Device Type: Gpu ================

Data Size      Avg Time(us)   Avg BW(GB/s)   Min Time(us)   Peak BW(GB/s)
1 KB           5.400          0.190          5.280          0.194
512 MB         18722.762      28.675         18722.482      28.676
`;
    expect(items(text)).toMatchObject([
      {
        size: 1024,
        value: 0.19,
        statistic: 'average',
        from: { sort: 'cpu', index: 0 },
        to: { sort: 'gpu', index: 4 },
        operation: 'read',
      },
      { size: 1024, value: 0.194, statistic: 'peak' },
      { size: 512 * 1024 ** 2, value: 28.675 },
      { value: 28.676 },
    ]);
  });
});

describe('rocm-smi', () => {
  const TOPO = `========================= ROCm System Management Interface =========================
============================= Weight between two GPUs ==============================
       GPU0         GPU1
GPU0   0            40
GPU1   40           0

============================ Link Type between two GPUs ============================
       GPU0         GPU1
GPU0   0            PCIE
GPU1   PCIE         0

==================================== Numa Nodes ====================================
GPU[0]          : (Topology) Numa Node: 0
GPU[0]          : (Topology) Numa Affinity: 0
GPU[1]          : (Topology) Numa Node: 1
=============================== End of ROCm SMI Log ================================
`;

  test('weights, link types and nodes', () => {
    expect(values(TOPO)).toEqual([
      'GPU0-GPU0 0',
      'GPU0-GPU1 40',
      'GPU1-GPU0 40',
      'GPU1-GPU1 0',
      'GPU0-GPU0 0',
      'GPU0-GPU1 PCIE',
      'GPU1-GPU0 PCIE',
      'GPU1-GPU1 0',
    ]);
    expect(items(TOPO).slice(8)).toMatchObject([
      { what: 'device', device: { index: 0, numbering: 'drm', address: null }, numaNode: 0 },
      { device: { index: 1 }, numaNode: 1 },
    ]);
    expect(blocks(TOPO)).toMatchObject([{ kind: 'rocm-topo', isComplete: true, fromLine: 1, toLine: 16 }]);
  });

  test('addresses of --showbus are those of the other tables, in whatever order', () => {
    const bus =
      '=================================== PCI Bus ID ====================================\nGPU[0]\t\t: PCI Bus: 0000:03:00.0\nGPU[1]\t\t: PCI Bus: 0000:C1:00.0\n';
    expect(items(bus)).toMatchObject([
      { device: { index: 0, address: '0000:03:00.0' } },
      { device: { address: '0000:c1:00.0' } },
    ]);
    const both = TOPO.replace('=============================== End', `${bus}=============================== End`);
    expect(items(both)[1]).toMatchObject({ from: { address: '0000:03:00.0' }, to: { address: '0000:c1:00.0' } });
  });

  test('access, and bandwidths between nodes', () => {
    const access =
      '== Link accessibility between two GPUs ==\n       GPU0         GPU1\nGPU0   True         False\nGPU1   False        True\n';
    expect(values(access)).toEqual(['GPU0-GPU0 yes', 'GPU0-GPU1 no', 'GPU1-GPU0 no', 'GPU1-GPU1 yes']);
    const rates =
      '=== Bandwidth between two nodes ===\n       GPU0         GPU1\nGPU0   0-0          50000-100000\nGPU1   50000-100000 0-0\n';
    expect(items(rates)[1]).toMatchObject({ relation: 'numa-bandwidth', value: '50000-100000' });
  });

  test('the same as JSON', () => {
    const json =
      '{"card0": {"(Topology) Numa Node": "0"}, "system": {"(Topology) Weight between DRM devices 0 and 1": "40", "(Topology) Link type between DRM devices 0 and 1": "PCIE"}}';
    expect(values(json)).toEqual(['GPU0-GPU1 40', 'GPU0-GPU1 PCIE']);
  });

  test('other output of this tool is none', () => {
    expect(
      blocks('====== ROCm System Management Interface ======\n====== Concise Info ======\nGPU  Temp\n0    35c\n').every(
        ({ kind }) => kind === 'unknown',
      ),
    ).toBe(true);
  });
});

describe('amd-smi topology', () => {
  const table = (title: string, cell: string): string =>
    `${title} TABLE:\n             0000:03:00.0 0000:0c:00.0\n0000:03:00.0 SELF         ${cell}\n0000:0c:00.0 ${cell.padEnd(12)} SELF\n`;

  test.each([
    ['ACCESS', 'DISABLED', 'access', 'no'],
    ['WEIGHT', '40', 'weight', '40'],
    ['HOPS', '2', 'hops', '2'],
    ['LINK TYPE', 'PCIE', 'link-type', 'PCIE'],
    ['NUMA BW', '0-0', 'numa-bandwidth', '0-0'],
    ['CACHE COHERANCY', 'NC', 'coherency', 'NC'],
    ['ATOMICS', '64,32', 'atomics', '64,32'],
    ['DMA', 'T', 'dma', 'T'],
    ['BI-DIRECTIONAL', 'F', 'bidirectional', 'F'],
  ])('%s', (title, cell, relation, value) => {
    const read = items(table(title, cell));
    expect(read.length).toBe(4);
    expect(read[1]).toMatchObject({
      relation,
      value,
      from: { address: '0000:03:00.0' },
      to: { address: '0000:0c:00.0' },
    });
  });

  test('several tables and a legend are one block; a cut one is not complete', () => {
    const text = `${table('ACCESS', 'ENABLED')}${table('WEIGHT', '40')}\nLegend:\n  SELF = Current GPU\n  N/A = Not supported\n  <BW from>-<BW to>\nmore`;
    expect(blocks(text).map(({ kind, items }) => `${kind} ${items.length}`)).toEqual(['amd-smi-topo 8', 'unknown 0']);
    expect(blocks(text)[0]?.isComplete).toBe(true);
    expect(blocks(text.slice(0, 110))[0]?.isComplete).toBe(false);
  });

  test('JSON', () => {
    const json = JSON.stringify(
      [0, 1].map((gpu) => ({
        gpu,
        bdf: `0000:0${gpu + 3}:00.0`,
        links: [
          {
            gpu: 1 - gpu,
            bdf: `0000:0${4 - gpu}:00.0`,
            weight: 40,
            link_status: 'DISABLED',
            link_type: 'PCIE',
            num_hops: 2,
            bandwidth: 'N/A',
          },
        ],
      })),
      null,
      4,
    );
    expect(items(json).slice(0, 6)).toMatchObject([
      { what: 'device', device: { index: 0, numbering: 'drm', address: '0000:03:00.0' } },
      { relation: 'access', value: 'no', to: { address: '0000:04:00.0' } },
      { relation: 'weight', value: '40' },
      { relation: 'hops', value: '2' },
      { relation: 'link-type', value: 'PCIE' },
      { relation: 'numa-bandwidth', value: 'N/A' },
    ]);
    expect(items(json).length).toBe(12);
  });

  test('comma-separated', () => {
    const csv = 'gpu,bdf,gpu_to,bdf_to,weight,link_type\n0,0000:03:00.0,1,0000:04:00.0,40,PCIE\n';
    expect(items(csv)).toMatchObject([
      {
        relation: 'weight',
        value: '40',
        from: { index: 0, address: '0000:03:00.0' },
        to: { index: 1, address: '0000:04:00.0' },
      },
      { relation: 'link-type', value: 'PCIE' },
    ]);
  });
});
