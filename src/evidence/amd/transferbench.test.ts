import { describe, expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const blocks = (text: string) => recognise(text, 'f').blocks;
const items = (text: string) => blocks(text).flatMap(({ items }) => items);
const cells = (text: string) =>
  items(text).flatMap((item) => ('what' in item && item.what === 'measurement' ? item : []));

const HEAD =
  'TransferBench v1.50\n===============================================================\n[Common]\nALWAYS_VALIDATE      =            0 : Validating after all iterations\nUSE_REMOTE_READ      =            0 : Using SRC as executor\nBytes Per Direction 67108864\n';
const uni = (
  corner = 'SRC+EXE\\DST',
  way = 'Local read / Remote write',
): string => `Unidirectional copy peak bandwidth GB/s [${way}] (GPU-Executor: GFX)
 ${corner}    CPU 00       GPU 00    GPU 01
 CPU 00  ->      24.37        17.32     16.97

 GPU 00  ->      23.83       108.95     64.58
 GPU 01  ->      24.05        66.52    109.18
                           CPU->CPU  CPU->GPU  GPU->CPU  GPU->GPU
Averages (During UniDir):       N/A     17.14     23.94     65.55
`;
const BI = `Bidirectional copy peak bandwidth GB/s [Local read / Remote write] (GPU-Executor: DMA)
     SRC\\DST    CPU 00       GPU 00    GPU 01
  CPU 00  ->       N/A        17.10     16.90
  CPU 00 <-        N/A        17.20     16.80
  CPU 00 <->       N/A        34.30     33.70

  GPU 00  ->     17.20          N/A     40.00
  GPU 00 <-      17.10          N/A     41.00
  GPU 00 <->     34.30          N/A     81.00
`;

test('one direction: the source issues a write, unless the destination reads', () => {
  const read = cells(HEAD + uni());
  expect(read.length).toBe(9);
  expect(read[5]).toMatchObject({
    from: { index: 0, numbering: 'hip', sort: 'gpu' },
    to: { index: 1 },
    operation: 'write',
    value: 64.58,
    size: 67108864,
    engine: 'kernel',
    direction: 'uni',
  });
  expect(read[1]).toMatchObject({ from: { sort: 'cpu' }, engine: 'cpu' });
  expect(cells(uni('SRC\\EXE+DST', 'Remote read / Local write'))[5]).toMatchObject({
    operation: 'read',
    from: { index: 0 },
    to: { index: 1 },
  });
});

test('both directions: two rates and their sum', () => {
  const read = cells(HEAD + BI);
  expect(read.length).toBe(18);
  expect(read[11]).toMatchObject({
    from: { label: 'GPU 00' },
    to: { label: 'GPU 01' },
    value: 40,
    counts: 'one',
    direction: 'bi',
    engine: 'copy-engine',
  });
  expect(read[14]).toMatchObject({ from: { label: 'GPU 01' }, to: { label: 'GPU 00' }, value: 41, counts: 'one' });
  expect(read[17]).toMatchObject({ value: 81, counts: 'both', operation: 'copy' });
  expect(read[10]).toMatchObject({ value: null, raw: 'N/A' });
});

describe('other forms', () => {
  test('with frames, and with commas', () => {
    const framed = uni().replace(/^( (?:SRC|CPU|GPU).*)$/gm, (line) => line.replace(/ {3,}/g, ' │ '));
    expect(cells(framed).length).toBe(9);
    const commas = uni().replace(/^( (?:SRC|CPU|GPU).*)$/gm, (line) => line.trim().replace(/ {2,}/g, ','));
    expect(cells(commas).map(({ raw }) => raw)).toEqual(cells(uni()).map(({ raw }) => raw));
  });

  test('all to all run together', () => {
    const text =
      'GPU-GFX All-To-All benchmark:\n==========================\n SRC\\DST      GPU 00    GPU 01     STotal\n GPU 00          N/A    51.445    51.445\n GPU 01       52.899       N/A    52.899\n RTotal       52.899    51.445   104.344\n';
    expect(cells(text)).toMatchObject([
      { value: null },
      { value: 51.445, load: 'together' },
      { value: 52.899 },
      { value: null },
    ]);
  });

  test('the topology has addresses, nodes and links', () => {
    const text =
      '        | GPU 00 | GPU 01 | PCIe Bus ID  | #CUs | Closest NUMA | DMA engines\n--------+--------+--------+--------------+------+-------------+------------\n GPU 00 | -      | XGMI-1 | 0000:c1:00.0 | 304  | 0            |0,1\n GPU 01 | XGMI-1 | -      | 0000:c6:00.0 | 304  | 1            |0,1\n';
    expect(items(text)).toMatchObject([
      { what: 'device', device: { index: 0, numbering: 'hip', address: '0000:c1:00.0' }, numaNode: 0 },
      { what: 'pair', relation: 'link-type', value: 'XGMI', raw: 'XGMI-1', to: { address: '0000:c6:00.0' } },
      { device: { index: 1 }, numaNode: 1 },
      { to: { address: '0000:c1:00.0' } },
    ]);
  });
});

test('a matrix that was cut says so', () => {
  expect(blocks(HEAD + uni())[0]).toMatchObject({ kind: 'transferbench', isComplete: true });
  expect(blocks((HEAD + uni()).slice(0, (HEAD + uni()).indexOf(' GPU 01  ->')))[0]).toMatchObject({
    isComplete: false,
  });
});

test('hipBusBandwidth: the median over sizes', () => {
  const text = `Device:Device 738c Mem=32.0GB #CUs=120 Freq=1502Mhz  MallocMode=pinned
               test        atts        units        median  mean    stddev  min     max
   H2D_Bandwidth_pinned      +064By       GB/sec        0.0100  0.0000  0.0000  0.0000  0.0000
   D2H_Bandwidth_pinned    524288kB       GB/sec        28.0193 27.9348 0.1912  27.4707 28.0314
        D2H_Time_pinned    524288kB           ms        19.1607 19.2196 0.1333  19.1525 19.5434
`;
  expect(items(text)).toMatchObject([
    { what: 'device', product: '738c' },
    { kind: 'rocm-bandwidth', size: 64, value: 0.01, operation: 'read', to: { sort: 'gpu' }, statistic: 'median' },
    { size: 512 * 1024 ** 2, value: 28.0193, operation: 'write' },
  ]);
});
