import { describe, expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const blocks = (text: string) => recognise(text, 'f').blocks;
const items = (text: string) => blocks(text).flatMap(({ items }) => items);
const head = (text: string, level = 'INFO', device = 0): string =>
  text.replace(/^/gm, `box:40${device}:461 [${device}] NCCL ${level} `);

const GRAPH = `=== System : maxBw 24.0 totalBw 24.0 ===
CPU/0-1 (1/2/6)
+ PCI[5000.0] - NIC/0-0
+ PCI[24.0] - PCI/0-16000 (1000c0301000100b)
              + PCI[24.0] - GPU/0-18000 (0)
                            + NVL[200.0] - NVS/0-0
              + PCI[24.0] - NIC/0-19010
                            + NET[25.0] - NET/0-3 (aa24/1/25.000000)
+ PCI[12.0] - GPU/0-2a000 (1)
+ SYS[16.0] - CPU/0-0
==========================================
GPU/0-18000 :GPU/0-18000 (0/5000.0/LOC) GPU/0-2a000 (3/12.0/PHB) CPU/0-1 (2/24.0/PHB) NET/0-3 (3/24.0/PXB)
GPU/0-2a000 :GPU/0-18000 (3/12.0/PHB) GPU/0-2a000 (0/5000.0/LOC) CPU/0-1 (1/12.0/PHB) NET/0-3 (4/12.0/PHB)
Pattern 4, crossNic 0, nChannels 2, bw 12.000000/12.000000, type PHB/PIX, sameChannels 1`;

describe('how ranks reach each other', () => {
  test.each([
    ['Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM/read', 'P2P', null],
    ['Channel 00 : 0[18000] -> 1[cb010] via P2P/IPC', 'P2P', '0000:18:00.0'],
    ['Channel 01 : 0[0] -> 1[1] via SHM/direct/direct', 'SHM', null],
    ['Channel 01 : 0[0] -> 1[1] via direct shared memory', 'SHM', null],
    ['Ring 02 : 0[1000] -> 1[2000] via P2P/direct pointer', 'P2P', '0000:01:00.0'],
    ['Channel 03/1 : 0[0] -> 1[1] [send] via NET/IB/0/GDRDMA', 'NET', null],
    ['Channel 03/1 : 0[0] -> 1[1] [receive] via NET/Socket/0', 'NET', null],
    ['Channel 00/0 : 0[3000] -> 1[d000] via P2P/IPC comm 0x2bc1f840 nRanks 02', 'P2P', '0000:03:00.0'],
  ])('%s', (line, value, address) => {
    for (const text of [head(line), `NCCL INFO ${line}`, line]) {
      expect(items(text)).toMatchObject([
        {
          relation: 'transport',
          value,
          raw: line.replace(/^.* via /, '').replace(/ comm .*$/, ''),
          from: { index: 0, numbering: 'rank', address },
          to: { index: 1 },
        },
      ]);
    }
  });

  test('what all channels and ranks say again is kept once', () => {
    const line = (channel: number): string => `Channel 0${channel}/0 : 0[0] -> 1[1] via SHM/direct/direct`;
    expect(items(head([0, 1, 2, 3].map(line).join('\n'))).length).toBe(1);
    expect(items(head('Channel 00 : 0 -> 1 [0] via x\nRing 0 : 0 -> 1 -> 0 comm 0x1 nRanks 02 busId d000'))).toEqual(
      [],
    );
  });
});

test('a rank has an address, and the numbers of CUDA and NVML', () => {
  const line = 'ncclCommInitRank comm 0x1 rank 1 nranks 2 cudaDev 0 nvmlDev 3 busId c1000 commId 0x2 - Init';
  expect(items(`${head(`${line} START`)}\n${head(`${line} COMPLETE`)}`)).toMatchObject([
    {
      what: 'device',
      device: { index: 1, numbering: 'rank', address: '0000:c1:00.0' },
      indices: { rank: 1, cuda: 0, nvml: 3 },
    },
  ]);
  expect(items(head('comm 0x1 rank 0 nranks 8 cudaDev 2 busId 1000 - Init COMPLETE'))).toMatchObject([
    { device: { address: '0000:01:00.0' }, indices: { rank: 0, cuda: 2 } },
  ]);
});

test('addresses of another machine in the same log are left out', () => {
  const line = 'comm 0x1 rank 0 nranks 2 cudaDev 0 busId 1000 - Init COMPLETE';
  const other = head(line.replace('rank 0', 'rank 1').replace('1000', '5000')).replace('box', 'crate');
  expect(items(`${head(line)}\n${other}`)).toMatchObject([{ device: { address: '0000:01:00.0' } }]);
});

describe('sentences', () => {
  test.each([
    [
      'Missing "iommu=pt" from kernel command line which can lead to system instablity or hang!',
      'WARN',
      'iommu-pt-missing',
    ],
    ['NUMA auto balancing enabled which can lead to variability in the RCCL performance!', 'WARN', 'numa-balancing'],
    [
      'P2P is disabled between connected GPUs 1 and 0. You can repress this message with NCCL_IGNORE_DISABLED_P2P=1.',
      'INFO',
      'pair-refused',
    ],
    ['P2P is disabled between NVLINK connected GPUs 1 and 0. This should not be the case', 'WARN', 'pair-refused'],
    ['Could not enable P2P between dev 0(=1000) and dev 1(=2000)', 'INFO', 'pair-failed'],
    ["Cuda failure 'peer access is not supported between these two devices'", 'WARN', 'pair-failed'],
    ['Check P2P Type intraNodeP2pSupport 0 directMode 0', 'INFO', 'not-all-peers'],
    ['Check P2P Type isAllDirectP2p 0 directMode 0', 'INFO', 'not-all-peers'],
    ["NET/IB : GPU Direct RDMA Disabled for HCA 0 'mlx5_0'", 'INFO', 'gdr-off'],
    ['NET/IB : GPU Direct RDMA Disabled for GPU 18000 / HCA 1 (distance 5 > 3)', 'INFO', 'gdr-off'],
    ["NET/IB : GPU Direct RDMA (DMABUF) enabled for HCA 0 'mlx5_0'", 'INFO', 'gdr-on'],
    ['DMA-BUF is available on GPU device 0', 'INFO', 'dmabuf-on'],
    ['Dmabuf feature disabled without NCCL_DMABUF_ENABLE=1', 'INFO', 'dmabuf-off'],
    ['Call to ibv_reg_mr failed', 'WARN', 'warning'],
  ])('%s', (line, level, says) => {
    expect(items(head(line, level))).toMatchObject([{ what: 'statement', says, text: line }]);
    if (says !== 'warning' && says !== 'dmabuf-off') expect(items(`NCCL ${level} ${line}`)).toMatchObject([{ says }]);
  });

  test('name the devices that they are about', () => {
    expect(items(head('P2P is disabled between connected GPUs 1 and 0.'))).toMatchObject([
      { about: [{ index: 1, numbering: 'nvml' }, { index: 0 }] },
    ]);
    expect(items(head('Could not enable P2P between dev 0(=1000) and dev 1(=2a010)'))).toMatchObject([
      { about: [{ index: 0, numbering: 'cuda', address: '0000:01:00.0' }, { address: '0000:2a:01.0' }] },
    ]);
    expect(items(head("NET/IB : GPU Direct RDMA Disabled for HCA 0 'mlx5_0'"))).toMatchObject([
      { about: [{ name: 'mlx5_0' }] },
    ]);
    expect(items(head('NET/IB : GPU Direct RDMA Enabled for GPU 18000 / HCA 1 (distance 3 <= 4)'))).toMatchObject([
      { about: [{ address: '0000:18:00.0' }, { label: 'HCA 1' }] },
    ]);
  });

  test('settings: versions, environment, network', () => {
    const text = head(
      'NCCL_P2P_LEVEL set by environment to SYS\nNCCL_P2P_DISABLE set by environment to 1.\nUsing network IB\nNCCL version 2.18.3+cuda12.2',
    );
    expect(items(text)).toMatchObject([
      { name: 'NCCL_P2P_LEVEL', value: 'SYS' },
      { name: 'NCCL_P2P_DISABLE', value: '1' },
      { says: 'peers-off' },
      { name: 'network', value: 'IB' },
      { name: 'NCCL version', value: '2.18.3+cuda12.2' },
    ]);
    expect(items('RCCL version : 2.22.3-HEAD:271856d\nHIP version  : 6.4.4\nROCm version : 6.4.0.0-47')).toMatchObject([
      { name: 'RCCL version', value: '2.22.3-HEAD:271856d' },
      { name: 'HIP version', value: '6.4.4' },
      { name: 'ROCm version', value: '6.4.0.0-47' },
    ]);
  });

  test('the address of a NIC is in its path', () => {
    const line =
      'ncclTopoPopulateNics : Filled mlx5_2 in topo with pciPath=/sys/devices/pci0000:00/0000:00:02.1/0000:0e:00.0 keep=1';
    expect(items(head(line))).toMatchObject([{ what: 'device', device: { name: 'mlx5_2', address: '0000:0e:00.0' } }]);
  });
});

describe('the graph', () => {
  const functions = (text: string) =>
    items(text).flatMap((item) => ('names' in item ? `${item.function} below ${item.parent}` : []));
  const TREE = [
    '0000:16:00.0 below null',
    '0000:18:00.0 below 0000:16:00.0',
    '0000:19:01.0 below 0000:16:00.0',
    '0000:2a:00.0 below null',
  ];

  test('is a tree with processors and devices', () => {
    expect(functions(head(GRAPH))).toEqual(TREE);
    expect(items(head(GRAPH))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ what: 'processor', numaNode: 1, vendor: 'AuthenticAMD' }),
        expect.objectContaining({
          function: '0000:16:00.0',
          ids: { vendor: 0x1000, device: 0xc030 },
          class: 0x0604,
          numaNode: 1,
        }),
        expect.objectContaining({
          what: 'device',
          device: expect.objectContaining({ address: '0000:18:00.0', index: 0, numbering: 'rank' }),
        }),
        expect.objectContaining({
          what: 'device',
          device: expect.objectContaining({ address: '0000:19:01.0', sort: 'nic' }),
        }),
        expect.objectContaining({
          what: 'graph',
          pattern: 4,
          channels: 2,
          rateWithin: 12,
          classWithin: 'PHB',
          classToNetwork: 'PIX',
        }),
      ]),
    );
  });

  test('gives the class of each pair', () => {
    const pairs = items(head(GRAPH)).flatMap((item) =>
      'what' in item && item.what === 'pair'
        ? `${item.from.address} ${item.to.address ?? item.to.label} ${item.value}`
        : [],
    );
    expect(pairs).toEqual([
      '0000:18:00.0 0000:18:00.0 X',
      '0000:18:00.0 0000:2a:00.0 PHB',
      '0000:18:00.0 NET/3 PXB',
      '0000:2a:00.0 0000:18:00.0 PHB',
      '0000:2a:00.0 0000:2a:00.0 X',
      '0000:2a:00.0 NET/3 PHB',
    ]);
  });

  test('without heads, without the numbers of systems, and by ranks whose lines are mixed', () => {
    expect(functions(GRAPH)).toEqual(TREE);
    expect(functions(GRAPH.replaceAll(/\/0-(?=[0-9a-f])/g, '/'))).toEqual(TREE);
    const mixed = GRAPH.split('\n')
      .flatMap((line) => [head(line), head(line, 'INFO', 1)])
      .join('\n');
    expect(functions(mixed)).toEqual(TREE);
    expect(items(mixed).length).toBe(items(head(GRAPH)).length);
  });

  test('whose indentation is lost has functions that hang nowhere', () => {
    expect(functions(GRAPH.replace(/^ +/gm, ''))).toEqual(
      TREE.map((line) => line.replace(/below.*/, 'below undefined')),
    );
  });

  test('devices and partitions of later releases are one function', () => {
    const text = `=== System : maxBw 1.0 totalBw 1.0 ===\nCPU/0-0 (1/1/3)\n+ PCI[1.5] - DEV/0-b000\n              + LOC[5000.0] - GPU/0-b000 (0)\n${'='.repeat(42)}`;
    expect(functions(text)).toEqual(['0000:0b:00.0 below null']);
  });
});

test('lines of NCCL that say nothing of this are its own, and other text is not', () => {
  const text = `${head('Connected all rings')}\nsome words\n${head('Connected all trees')}`;
  expect(blocks(text).map(({ kind, fromLine, toLine }) => `${kind} ${fromLine}-${toLine}`)).toEqual([
    'nccl-log 1-3',
    'unknown 2-2',
  ]);
  expect(blocks('the GPU/CPU/NIC via P2P is fine').map(({ kind }) => kind)).toEqual(['unknown']);
});
