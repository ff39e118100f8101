import { describe, expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const blocks = (text: string) => recognise(text, 'f').blocks;
const items = (text: string) => blocks(text).flatMap(({ items }) => items);
const measurements = (text: string) =>
  items(text).flatMap((item) => ('what' in item && item.what === 'measurement' ? item : []));

const RULE = '-'.repeat(87);
const CUDA = `initializing CUDA
Listing all CUDA devices in system:
CUDA device 0: PCIe address is 17:00
CUDA device 1: PCIe address is CA:00

Picking device No. 1
[pid = 3669, dev = 1] device name = [NVIDIA A30]
`;
const run = (title: string, unit: string, extra = ''): string => `${RULE}
                    ${title}
 Dual-port       : OFF\t\tDevice         : mlx5_3
 Number of qps   : 1\t\tTransport type : IB
 PCIe relax order: ON
${extra} CQ Moderation   : 100
 Mtu             : 4096[B]
 Link type       : IB
${RULE}
 local address: LID 0x29b QPN 0x013c PSN 0x5cd491
 remote address: LID 0x29b QPN 0x013b PSN 0xb8cbdb
${RULE}
 #bytes     #iterations    BW peak[${unit}]    BW average[${unit}]   MsgRate[Mpps]
Conflicting CPU frequency values detected: 1846.550000 != 2596.396000. CPU Frequency is not max.
 65536      5000             1000.00            500.00                    0.239179
${RULE}
`;
const SENDS = ' TX depth        : 128\n';
const WAITS = '* Waiting for client to connect... *\n';

describe('perftest', () => {
  test.each([
    ['MB/sec', 1.048576],
    ['MiB/sec', 1.048576],
    ['Gb/sec', 125],
  ])('%s: 1000 of it are %s GB/s', (unit, rate) => {
    expect(measurements(run('RDMA_Write BW Test', unit))).toMatchObject([
      { value: rate, statistic: 'peak', size: 65536, raw: `1000.00 ${unit}`, engine: 'nic' },
      { statistic: 'average', raw: `500.00 ${unit}` },
    ]);
  });

  test.each([
    ['RDMA_Write BW Test', SENDS, 'read', 'gpu', 'nic'],
    ['RDMA_Write BW Test', WAITS, 'write', 'nic', 'gpu'],
    ['RDMA_Read BW Test', SENDS, 'write', 'nic', 'gpu'],
    ['RDMA_Read BW Test', WAITS, 'read', 'gpu', 'nic'],
    ['Send BW Test', SENDS, 'read', 'gpu', 'nic'],
    ['Send BW Test', '', 'copy', 'gpu', 'nic'],
  ])('%s with %j: the adapter issues a %s from %s to %s', (title, extra, operation, from, to) => {
    const text = (extra === WAITS ? WAITS : '') + CUDA + run(title, 'MiB/sec', extra === SENDS ? SENDS : '');
    expect(measurements(text)[0]).toMatchObject({
      operation,
      from: { sort: from },
      to: { sort: to },
      direction: 'uni',
      test: title,
    });
  });

  test('the GPU that was picked, and the adapter', () => {
    const text = CUDA + run('RDMA_Write BW Test', 'MiB/sec');
    expect(measurements(text)[0]).toMatchObject({
      from: { index: 1, numbering: 'cuda', address: '0000:ca:00.0' },
      to: { name: 'mlx5_3' },
    });
    expect(items(text)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ what: 'setting', name: 'PCIe relax order', value: 'ON' }),
        expect.objectContaining({ what: 'setting', name: 'Link type', value: 'IB' }),
        expect.objectContaining({ what: 'device', product: 'NVIDIA A30' }),
      ]),
    );
    const rocm = `Using ROCm Device with ID: 0, Name: AMD Instinct MI355X, PCI Bus ID: 0x5, GCN Arch: gfx950\n${run('RDMA_Write BW Test', 'MiB/sec')}`;
    expect(measurements(rocm)[0]).toMatchObject({ from: { numbering: 'hip', address: '0000:05:00.0' } });
    expect(measurements(run('RDMA_Write BW Test', 'MiB/sec'))[0]).toMatchObject({ from: { sort: 'cpu' } });
  });

  test('both ends on one terminal: every line stands twice and is read once, and the end is not known', () => {
    const doubled = (WAITS + run('RDMA_Write BW Test', 'MB/sec', SENDS))
      .split('\n')
      .flatMap((line) => [line, line])
      .join('\n');
    expect(measurements(doubled).length).toBe(2);
    expect(measurements(doubled)[0]).toMatchObject({ operation: 'copy' });
  });

  test('both directions count both', () => {
    expect(measurements(run('RDMA_Write Bidirectional BW Test', 'MiB/sec', SENDS))[0]).toMatchObject({
      direction: 'bi',
      counts: 'both',
      operation: 'copy',
    });
  });

  test('latencies by the names of their columns', () => {
    const text = `                    RDMA_Write Latency Test
 #bytes #iterations    t_min[usec]    t_max[usec]  t_typical[usec]    t_avg[usec]    t_stdev[usec]   99% percentile[usec]   99.9% percentile[usec]
 2       1000          1.68           4.20         1.72                1.74             0.05            1.90                    4.20
`;
    expect(measurements(text).map(({ statistic, value, unit }) => `${statistic} ${value} ${unit}`)).toEqual([
      'minimum 1.68 us',
      'maximum 4.2 us',
      'typical 1.72 us',
      'average 1.74 us',
    ]);
  });

  test('a run without a result is not complete', () => {
    expect(blocks(CUDA + run('RDMA_Write BW Test', 'MiB/sec').split(' #bytes')[0])[0]).toMatchObject({
      kind: 'perftest',
      isComplete: false,
    });
  });
});

test('names of RDMA devices: ibdev2netdev with and without -v, ibv_devinfo', () => {
  expect(items('mlx5_0 port 1 ==> ib0 (Up)\nmlx5_1 port 1 ==> ens4f0np0 (Down)')).toMatchObject([
    { what: 'device', device: { name: 'mlx5_0', address: null }, facts: { port: '1', network: 'ib0', state: 'Up' } },
    { device: { name: 'mlx5_1' } },
  ]);
  expect(
    items(
      '0000:18:00.0 mlx5_0 (MT4129 - MCX75310AAS-NEAT) NVIDIA ConnectX-7 adapter fw 28.39.1002 port 1 (ACTIVE) ==> ib0 (Up)',
    ),
  ).toMatchObject([{ device: { name: 'mlx5_0', address: '0000:18:00.0' } }]);
  const info =
    'hca_id: mlx5_0\n\ttransport:\t\t\tInfiniBand (0)\n\tnode_guid:\t\t\tb83f:d203\n\tfw_ver:\t\t\t\t28.41.1000\n\t\tport:\t1\n\t\t\tstate:\t\t\tPORT_ACTIVE (4)\n\t\t\tlink_layer:\t\tEthernet\n';
  expect(items(info)).toMatchObject([
    { device: { name: 'mlx5_0' }, facts: { fw_ver: '28.41.1000', state: 'PORT_ACTIVE (4)', link_layer: 'Ethernet' } },
  ]);
  expect(JSON.stringify(items(info))).not.toContain('b83f');
});

describe('rdma_topo', () => {
  test('a dump: functions with their parents, names, groups and compressed registers', () => {
    const dump = [
      {
        realpath: '/sys/devices/pci0009:00/0009:00:00.0/0009:01:00.0',
        config: 'eJxjYGBg',
        modalias: 'pci:v000015B3d00001021sv000015B3sd00000023bc02sc00i00',
        iommu_group: 3,
        numa_node: 1,
        subsystems: { infiniband: ['mlx5_0'], net: ['ens1'] },
      },
      {
        realpath: '/sys/devices/pci0009:00/0009:00:00.0',
        config: 'eJxj',
        modalias: 'pci:v000010DEd000022B1sv00000000sd00000000bc06sc04i00',
        numa_node: -1,
        iommu_group: null,
      },
    ];
    for (const text of [JSON.stringify(dump, null, 4), JSON.stringify(dump)]) {
      expect(items(text)).toMatchObject([
        {
          function: '0009:01:00.0',
          parent: '0009:00:00.0',
          ids: { vendor: 0x15b3, device: 0x1021 },
          subsystem: { vendor: 0x15b3, device: 0x23 },
          class: 0x0200,
          names: ['mlx5_0', 'ens1'],
          numaNode: 1,
          iommuGroup: 3,
          config: 'eJxjYGBg',
        },
        { function: '0009:00:00.0', parent: null, class: 0x0604, subsystem: null, numaNode: null },
      ]);
    }
  });

  test('groups: the DMA function of a NIC is another function', () => {
    const groups = [
      {
        rdma_nic_pf_bdf: '0000:03:00.0',
        rdma_dma_bdf: '0009:03:00.0',
        gpu_bdf: '0009:06:00.0',
        subsystems: { '0000:03:00.0': { infiniband: ['mlx5_0'] } },
      },
    ];
    expect(blocks(JSON.stringify(groups, null, 2)).map(({ kind }) => kind)).toContain('rdma-topo');
    expect(items(JSON.stringify(groups, null, 2))).toMatchObject([
      {
        relation: 'complex',
        value: 'NIC',
        from: { sort: 'gpu', address: '0009:06:00.0' },
        to: { address: '0000:03:00.0', name: 'mlx5_0' },
      },
      { relation: 'complex', value: 'DMA function', to: { address: '0009:03:00.0' } },
    ]);
  });
});
