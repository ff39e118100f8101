import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const blocks = (text: string) => recognise(text, 'f').blocks;

const REPORT = ` GDS release version: 1.14.0.30
 nvidia_fs version:  2.25 libcufile version: 2.12
 =====================
 DRIVER CONFIGURATION:
 =====================
 NVMe P2PDMA        : Supported
 --Mellanox PeerDirect : Disabled
 =====================
 CUFILE CONFIGURATION:
 =====================
 properties.use_pci_p2pdma : true
 =========
 GPU INFO:
 =========
 GPU index 0 Some GPU 80GB bar:1 bar size (MiB):131072 supports GDS, IOMMU State: Pass-through or Enabled
 ==============
 PLATFORM INFO:
 ==============
 IOMMU: Pass-through or enabled
 Platform verification succeeded
`;

test('gdscheck: settings with their sections, GPUs, the verdict', () => {
  const [block] = blocks(`$ gdscheck -p\n${REPORT}`);
  expect(block).toMatchObject({ kind: 'gdscheck', fromLine: 2, toLine: 21, command: 'gdscheck -p' });
  expect(block?.items).toMatchObject([
    { name: 'GDS release version', value: '1.14.0.30', section: null },
    { name: 'nvidia_fs version', value: '2.25' },
    { name: 'libcufile version', value: '2.12' },
    { name: 'NVMe P2PDMA', value: 'Supported', section: 'DRIVER CONFIGURATION' },
    { name: 'Mellanox PeerDirect', value: 'Disabled' },
    { name: 'properties.use_pci_p2pdma', value: 'true', section: 'CUFILE CONFIGURATION' },
    {
      what: 'gpu',
      index: 0,
      name: 'Some GPU 80GB',
      bar: 1,
      barMib: 131072,
      isSupported: true,
      iommu: 'Pass-through or Enabled',
    },
    { name: 'IOMMU', value: 'Pass-through or enabled', section: 'PLATFORM INFO' },
    { name: 'Platform verification', value: 'succeeded' },
  ]);
});

test('gdscheck: a few lines of it are enough, and a setting of something else is not', () => {
  expect(blocks(' NVMe P2PDMA        : Unsupported\n NVMe               : Unsupported\n')[0]).toMatchObject({
    kind: 'gdscheck',
    items: [{}, {}],
  });
  expect(blocks('Platform: x86_64\nIOMMU: disabled\n').map(({ kind }) => kind)).toEqual(['unknown']);
});

test('cufile.log: levels, the path of a drive, and what the counters say', () => {
  const head = ' 19-02-2026 18:53:37:123 [pid=53432 tid=53435] ';
  const text = `${head}ERROR  0:140 unable to load, liburcu-bp.so.6\n${head}DEBUG  0:722 device pci path string : 0000:81:00.0->0000:80:01.0\n${head}INFO   0:11 nvfs=0 posix=512\n`;
  expect(blocks(text)).toMatchObject([
    {
      kind: 'cufile-log',
      items: [
        { what: 'message', level: 'error', message: 'unable to load, liburcu-bp.so.6' },
        { what: 'path', functions: ['0000:81:00.0', '0000:80:01.0'] },
        { what: 'counters', nvfs: 0, posix: 512 },
      ],
    },
  ]);
});

test('SPDK: its log, and the question for a buffer', () => {
  const text =
    '[2026-01-05 10:00:00.000000] nvme_pcie.c: 554:nvme_pcie_ctrlr_map_cmb: *ERROR*: spdk_mem_register() failed\nAre you sure 0000:81:00.0 has a valid CMB?\n';
  expect(blocks(text)).toMatchObject([
    {
      kind: 'spdk-log',
      items: [
        { what: 'message', level: 'error', function: 'nvme_pcie_ctrlr_map_cmb', message: 'spdk_mem_register() failed' },
        { what: 'noCmb', at: '0000:81:00.0' },
      ],
    },
  ]);
});
