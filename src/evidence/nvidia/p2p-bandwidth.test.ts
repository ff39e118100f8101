import { describe, expect, test } from 'vitest';
import type { EvidenceItem } from '../items.ts';
import { recognise } from '../recognise.ts';

const DEVICES = `[P2P (Peer-to-Peer) GPU Bandwidth Latency Test]
Device: 0, NVIDIA A40, pciBusID: 4f, pciDeviceID: 0, pciDomainID:0
Device: 1, NVIDIA A40, pciBusID: c1, pciDeviceID: 0, pciDomainID:10000
`;
const ACCESS = 'Device=0 CAN Access Peer Device=1\nDevice=1 CANNOT Access Peer Device=0\n';
const NOTE = `
***NOTE: In case a device doesn't have P2P access to other one, it falls back to normal memcopy procedure.
So you can see lesser Bandwidth (GB/s) and unstable Latency (us) in those cases.
`;
const table = (title: string, corner: string, rows: readonly (readonly string[])[]): string =>
  [
    title,
    `   ${corner}${rows.map((_, at) => `     ${at} `).join('')}`,
    ...rows.map((row, at) => `${String(at).padStart(6)} ${row.map((cell) => cell.padStart(6)).join(' ')} `),
    '',
  ].join('\n');
const RATES = [
  ['802.93', '26.33'],
  ['11.02', '1540.93'],
];
const WRITES = table('Unidirectional P2P=Enabled Bandwidth (P2P Writes) Matrix (GB/s)', 'D\\D', RATES);

const blocks = (text: string) => recognise(text, 'f').blocks;
const items = (text: string): EvidenceItem[] => blocks(text).flatMap(({ items }) => [...items]);
const cells = (text: string) =>
  items(text).flatMap((item) => ('what' in item && item.what === 'measurement' ? item : []));

test('devices have the addresses that were printed, in hexadecimal', () => {
  expect(items(DEVICES)).toMatchObject([
    { what: 'device', product: 'NVIDIA A40', device: { index: 0, numbering: 'cuda', address: '0000:4f:00.0' } },
    { device: { index: 1, address: '10000:c1:00.0' } },
  ]);
});

test('access is read from lines and from the matrix', () => {
  const matrix = 'P2P Connectivity Matrix\n     D\\D     0     1\n     0\t     1     1\n     1\t     0     1\n';
  expect(items(ACCESS)).toMatchObject([
    { relation: 'access', value: 'yes' },
    { value: 'no', from: { index: 1 }, to: { index: 0 } },
  ]);
  expect(items(matrix).map((item) => ('value' in item ? item.value : null))).toEqual(['yes', 'yes', 'no', 'yes']);
});

describe('direction', () => {
  test.each([
    ['Unidirectional P2P=Enabled Bandwidth (P2P Writes) Matrix (GB/s)', 'write', 0, 1, 'uni', 'one'],
    ['Unidirectional P2P=Enabled Bandwidth (P2P Reads) Matrix (GB/s)', 'read', 1, 0, 'uni', 'one'],
    ['Unidirectional P2P=Enabled Bandwidth Matrix (GB/s)', 'write', 0, 1, 'uni', 'one'],
    ['Unidirectional P2P=Disabled Bandwidth Matrix (GB/s)', 'copy', 0, 1, 'uni', 'one'],
    ['Bidirectional P2P=Enabled Bandwidth Matrix (GB/s)', 'copy', 0, 1, 'bi', 'both'],
  ])('%s: row 0, column 1 is a %s from %d to %d', (title, operation, from, to, direction, counts) => {
    expect(cells(table(title, 'D\\D', RATES))[1]).toMatchObject({
      quantity: 'bandwidth',
      operation,
      from: { index: from },
      to: { index: to },
      direction,
      counts,
      value: 26.33,
      unit: 'GB/s',
      peerEnabled: title.includes('Enabled'),
    });
  });

  test('the matrix of latencies has two clocks', () => {
    const text = `P2P=Enabled Latency (P2P Writes) Matrix (us)\n${table('', 'GPU', RATES)}\n${table('', 'CPU', RATES)}`;
    expect(cells(text).map(({ quantity, unit, engine, size }) => `${quantity} ${unit} ${engine} ${size}`)).toEqual([
      ...Array(4).fill('latency us copy-engine 16'),
      ...Array(4).fill('latency us cpu 16'),
    ]);
  });
});

test('a pair that cannot reach its peer was not measured as one, in whatever table', () => {
  expect(cells(DEVICES + ACCESS + NOTE + WRITES).map(({ peerEnabled }) => peerEnabled)).toEqual([
    true,
    true,
    false,
    true,
  ]);
  expect(cells(`${WRITES}\n${ACCESS}`).map(({ peerEnabled }) => peerEnabled)).toEqual([true, true, false, true]);
});

describe('pastes', () => {
  const wide = (count: number): string =>
    table(
      'Unidirectional P2P=Disabled Bandwidth Matrix (GB/s)',
      'D\\D',
      Array.from({ length: count }, (_, row) =>
        Array.from({ length: count }, (_, column) => `${row}.${String(column).padStart(2, '0')}`),
      ),
    );

  test.each<[how: string, change: (text: string) => string]>([
    ['as it is', (text) => text],
    ['with tabs', (text) => text.replace(/ {2,}/g, '\t')],
    ['with blank lines between', (text) => text.replaceAll('\n', '\n\n')],
    [
      'with stamps of a log',
      (text) => text.replace(/^(?=.)/gm, '2025-02-24 02:57:24 [4,832ms] [Warning] [gpu.foundation.plugin] '),
    ],
    ['broken after 80 columns', (text) => text.replace(/^(.{72,80}?) (?=\s*\d)/gm, '$1\n')],
    ['quoted', (text) => text.replace(/^/gm, '> ')],
  ])('16 devices, %s, give 256 values in their places', (_how, change) => {
    const read = cells(change(wide(16)));
    expect(read.length).toBe(256);
    for (const { from, to, raw } of read) {
      expect(raw).toBe(`${from.index}.${String(to.index).padStart(2, '0')} GB/s`);
    }
  });

  test('rows that are missing, and rows that were cut at the right, shift nothing', () => {
    const lines = wide(4).split('\n');
    const cut = [...lines.slice(0, 3), lines[4], ...lines.slice(5)].join('\n');
    expect(blocks(cut)[0]?.isComplete).toBe(false);
    const narrow = lines
      .map((line) => line.slice(0, 22))
      .join('\n')
      .replace(/^.*P2P=.*$/m, lines[0] as string)
      .replace(/^ *D.*$/m, lines[1] as string);
    expect(cells(narrow).map(({ raw, from, to }) => `${from.index}${to.index} ${raw}`)).toEqual([
      '00 0.00 GB/s',
      '01 0.01 GB/s',
      '10 1.00 GB/s',
      '11 1.01 GB/s',
      '20 2.00 GB/s',
      '21 2.01 GB/s',
      '30 3.00 GB/s',
      '31 3.01 GB/s',
    ]);
    expect(blocks(wide(4))[0]?.isComplete).toBe(true);
    expect(blocks(lines.slice(0, 4).join('\n'))[0]?.isComplete).toBe(false);
  });

  test('a value that is no number is null', () => {
    expect(cells(WRITES.replace('26.33', '   nan'))[1]).toMatchObject({ value: null, raw: 'nan GB/s' });
  });

  test('lines of the kernel within a table are not part of it', () => {
    const text = WRITES.replace('\n     1', '\nsomething else happened\n     1');
    expect(cells(text).length).toBe(4);
    expect(
      blocks(text)
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['p2p-bandwidth', 'unknown']);
  });

  test('the same output twice is one', () => {
    const all = DEVICES + ACCESS + WRITES;
    expect(blocks(`\`\`\`\n${all}\`\`\`\n\`\`\`\n${all}\`\`\``).map(({ isSuperseded }) => isSuperseded)).toEqual([
      true,
      false,
    ]);
    expect(
      blocks(`\`\`\`\n${all}\`\`\`\n\`\`\`\n${all.replace('26.33', '26.34')}\`\`\``).map(
        ({ isSuperseded }) => isSuperseded,
      ),
    ).toEqual([false, false]);
  });
});

test('simpleP2P: access, a rate of copies in turn, and wrong data', () => {
  const text = `[./simpleP2P] - Starting...
Checking for multiple GPUs...
CUDA-capable device count: 2
> Peer access from NVIDIA A40 (GPU0) -> NVIDIA A40 (GPU1) : Yes
> Peer access from NVIDIA A40 (GPU1) -> NVIDIA A40 (GPU0) : No
cudaMemcpyPeer / cudaMemcpy between GPU0 and GPU1: 25.05GB/s
Verification error @ element 0: val = nan, ref = 0.000000
`;
  expect(items(text)).toMatchObject([
    { relation: 'access', value: 'yes', from: { index: 0 }, to: { index: 1 } },
    { relation: 'access', value: 'no' },
    { what: 'measurement', raw: '25.05 GB/s', operation: 'copy' },
    { what: 'statement', says: 'data-wrong' },
  ]);
  // Its GB are GiB.
  expect(cells(text)[0]?.value).toBeCloseTo(25.05 * 1.073741824, 10);
});

test('Omniverse says that an IOMMU is on, and what it observed', () => {
  const text =
    'Detected IOMMU is enabled. Running CUDA peer-to-peer bandwidth and latency validation.\nCUDA peer-to-peer observed bandwidth: 11.3 GB/s.';
  expect(items(text)).toMatchObject([
    { says: 'iommu-enabled' },
    { what: 'setting', name: 'observed bandwidth', value: '11.3 GB/s' },
  ]);
});

test('a sentence about it is none', () => {
  expect(blocks('I ran p2pBandwidthLatencyTest with P2P=Enabled and saw 0 1 2 3').map(({ kind }) => kind)).toEqual([
    'unknown',
  ]);
});
