import { describe, expect, test } from 'vitest';
import { recognise } from '../recognise.ts';
import { testOf } from './nvbandwidth-tests.ts';

const blocks = (text: string) => recognise(text, 'f').blocks;
const items = (text: string) => blocks(text).flatMap(({ items }) => items);
const cells = (text: string) =>
  items(text).flatMap((item) => ('what' in item && item.what === 'measurement' ? item : []));

const HEAD = `nvbandwidth Version: v0.8
Built from Git version: v0.8

CUDA Runtime Version: 12040
CUDA Driver Version: 12040
Driver Version: 550.54.15

Device 0: NVIDIA H100 (00000000:34:00)
Device 1: NVIDIA H100 (00000001:C1:00)
`;
const run = (name: string, title: string, rows: readonly (readonly string[])[]): string =>
  `\nRunning ${name}.\n${matrix(name, title, rows)}`;
const matrix = (name: string, title: string, rows: readonly (readonly string[])[]): string =>
  `${title}\n ${rows[0]?.map((_, at) => String(at).padStart(10)).join('')}\n${rows
    .map((row, at) => `${String(at).padStart(2)}${row.map((cell) => cell.padStart(10)).join('')}`)
    .join('\n')}\n\nSUM ${name} 1.00\n`;
const PAIR = [
  ['N/A', '26.34'],
  ['11.50', 'N/A'],
];

test('versions, and devices with addresses without a function', () => {
  expect(items(HEAD)).toMatchObject([
    { name: 'nvbandwidth Version', value: 'v0.8' },
    { name: 'CUDA Runtime Version' },
    { name: 'CUDA Driver Version' },
    { name: 'Driver Version', value: '550.54.15' },
    { device: { index: 0, numbering: 'cuda', address: '0000:34:00.0', assumed: ['function'] }, product: 'NVIDIA H100' },
    { device: { index: 1, address: '0001:c1:00.0' } },
  ]);
});

describe('direction goes by the name, not by the arrow', () => {
  test.each([
    ['device_to_device_memcpy_read_ce', 'memcpy CE GPU(row) -> GPU(column) bandwidth (GB/s)', 'read', 1, 0, 'uni'],
    ['device_to_device_memcpy_write_ce', 'memcpy CE GPU(row) <- GPU(column) bandwidth (GB/s)', 'write', 0, 1, 'uni'],
    ['device_to_device_memcpy_read_sm', 'memcpy SM GPU(row) -> GPU(column) bandwidth (GB/s)', 'read', 1, 0, 'uni'],
    [
      'device_to_device_bidirectional_memcpy_write_ce',
      'memcpy CE GPU(row) <-> GPU(column) bandwidth (GB/s)',
      'write',
      0,
      1,
      'bi',
    ],
  ])('%s', (name, title, operation, from, to, direction) => {
    expect(cells(HEAD + run(name, title, PAIR))).toMatchObject([
      { value: null, raw: 'N/A' },
      {
        value: 26.34,
        operation,
        from: { index: from },
        to: { index: to },
        direction,
        counts: 'one',
        engine: name.endsWith('sm') ? 'kernel' : 'copy-engine',
        load: 'alone',
      },
      { value: 11.5 },
      { value: null },
    ]);
  });

  test('a matrix whose name was not pasted has no direction', () => {
    expect(cells(matrix('x_y_z', 'memcpy CE GPU(row) -> GPU(column) bandwidth (GB/s)', PAIR))[1]).toMatchObject({
      operation: 'copy',
    });
    expect(cells(matrix('x_y_z', 'memcpy CE CPU(row) <- GPU(column) bandwidth (GB/s)', [['9.00']]))[0]).toMatchObject({
      operation: 'write',
      to: { sort: 'cpu' },
    });
  });

  test('both directions at once since v0.6: two copies, and their sum', () => {
    const name = 'device_to_device_bidirectional_memcpy_write_ce';
    const title = (part: string): string => `memcpy CE GPU(row) <-> GPU(column) ${part} bandwidth (GB/s)`;
    const text = `\nRunning ${name}.\n${matrix(`${name}_write1`, title('Write1'), PAIR)}\n${matrix(`${name}_write2`, title('Write2'), PAIR)}\n${matrix(`${name}_total`, title('Total'), PAIR)}`;
    const read = cells(text);
    expect(read.length).toBe(12);
    expect(read[1]).toMatchObject({ from: { index: 1 }, to: { index: 0 }, operation: 'write', counts: 'one' });
    expect(read[5]).toMatchObject({ from: { index: 0 }, to: { index: 1 }, operation: 'write', counts: 'one' });
    expect(read[9]).toMatchObject({ counts: 'both', direction: 'bi' });
  });

  test.each([
    ['host_to_device_memcpy_ce', 'memcpy CE CPU(row) -> GPU(column) bandwidth (GB/s)', 'read', 'cpu', 'gpu', 'alone'],
    ['device_to_host_memcpy_ce', 'memcpy CE CPU(row) <- GPU(column) bandwidth (GB/s)', 'write', 'gpu', 'cpu', 'alone'],
    [
      'host_to_device_bidirectional_memcpy_ce',
      'memcpy CE CPU(row) <-> GPU(column) bandwidth (GB/s)',
      'read',
      'cpu',
      'gpu',
      'alone',
    ],
    ['all_to_host_memcpy_ce', 'memcpy CE CPU(row) <- GPU(column) bandwidth (GB/s)', 'write', 'gpu', 'cpu', 'together'],
    [
      'host_to_all_bidirectional_memcpy_sm',
      'memcpy SM CPU(row) <-> GPU(column) bandwidth (GB/s)',
      'read',
      'cpu',
      'gpu',
      'together',
    ],
  ])('%s', (name, title, operation, from, to, load) => {
    expect(cells(HEAD + run(name, title, [['55.10', '55.20']]))).toMatchObject([
      { value: 55.1, operation, from: { sort: from }, to: { sort: to }, load, counts: 'one', peerEnabled: null },
      { value: 55.2 },
    ]);
  });

  test('of all and one, the column is the one', () => {
    expect(
      cells(run('all_to_one_read_ce', 'memcpy CE GPU(row) -> GPU(column) bandwidth (GB/s)', [['1.00', '2.00']]))[1],
    ).toMatchObject({
      from: { label: 'all others' },
      to: { index: 1 },
      operation: 'read',
      load: 'together',
    });
    expect(
      cells(run('one_to_all_write_ce', 'memcpy CE GPU(row) -> GPU(column) bandwidth (GB/s)', [['1.00', '2.00']]))[1],
    ).toMatchObject({
      from: { index: 1 },
      to: { label: 'all others' },
      operation: 'write',
    });
  });

  test('latencies are nanoseconds, and within one device nothing crosses', () => {
    expect(
      cells(run('host_device_latency_sm', 'memory latency SM CPU(row) <-> GPU(column) (ns)', [['772.58']])),
    ).toMatchObject([{ quantity: 'latency', unit: 'us', raw: '772.58 ns', from: { sort: 'cpu' } }]);
    expect(
      cells(run('host_device_latency_sm', 'memory latency SM CPU(row) <-> GPU(column) (ns)', [['772.58']]))[0]?.value,
    ).toBeCloseTo(0.77258, 10);
    expect(cells(run('device_local_copy', 'memcpy local GPU(column) bandwidth (GB/s)', [['900.00']]))).toMatchObject([
      { from: { index: 0 }, to: { index: 0 }, peerEnabled: null },
    ]);
  });
});

test('every test of v0.8 is known', () => {
  const engines = ['ce', 'sm'];
  const names = engines.flatMap((engine) => [
    ...['host_to_device', 'device_to_host', 'all_to_host', 'host_to_all'].flatMap((ends) => [
      `${ends}_memcpy_${engine}`,
      `${ends}_bidirectional_memcpy_${engine}`,
    ]),
    ...['read', 'write'].flatMap((way) => [
      `device_to_device_memcpy_${way}_${engine}`,
      `device_to_device_bidirectional_memcpy_${way}_${engine}`,
      `all_to_one_${way}_${engine}`,
      `one_to_all_${way}_${engine}`,
    ]),
  ]);
  for (const name of [...names, 'host_device_latency_sm', 'device_to_device_latency_sm', 'device_local_copy']) {
    expect(testOf(name), name).not.toBeNull();
  }
  expect(testOf('shutdown')).toBeNull();
});

test('waived tests, remarks and the tail of -v are its own; a cut matrix is said', () => {
  const text = `${HEAD}\nWaived:\nWaived:\n${run('host_to_device_memcpy_ce', 'memcpy CE CPU(row) -> GPU(column) bandwidth (GB/s)', [['1.00', '2.00']])}MIN host_to_device_memcpy_ce 1.00\nCOEFFICIENT_OF_VARIATION host_to_device_memcpy_ce 0.00\nNOTE: The reported results may not reflect the full capabilities of the platform.\n`;
  expect(blocks(text).map(({ kind }) => kind)).toEqual(['nvbandwidth']);
  expect(blocks(text)[0]?.isComplete).toBe(true);
  expect(blocks(text.slice(0, text.indexOf('      2.00')))[0]?.isComplete).toBe(false);
});

test('sums alone are read as such', () => {
  expect(items('SUM host_to_device_memcpy_ce 845.90\nSUM device_to_host_memcpy_ce 773.99')).toMatchObject([
    { what: 'setting', name: 'SUM host_to_device_memcpy_ce', value: '845.90' },
    { name: 'SUM device_to_host_memcpy_ce' },
  ]);
});

describe('JSON', () => {
  const value = {
    nvbandwidth: {
      version: 'v0.8',
      'Driver Version': '550.1',
      'GPU Device list': ['0: NVIDIA H100 (00000000:34:00): (box)', '1: NVIDIA H100 (00000000:C1:00): (box)'],
      testcases: [
        {
          name: 'device_to_device_memcpy_read_ce',
          status: 'Passed',
          bandwidth_description: 'memcpy CE GPU(row) -> GPU(column) bandwidth (GB/s)',
          bandwidth_matrix: PAIR,
          sum: 1,
        },
        { name: 'device_to_device_bidirectional_memcpy_read_ce_total', status: 'Passed', bandwidth_matrix: PAIR },
        { name: 'all_to_one_read_ce', status: 'Waived' },
      ],
    },
  };

  test.each([
    ['on many lines', JSON.stringify(value, null, 2)],
    ['on one line', JSON.stringify(value)],
    ['within other text', `$ nvbandwidth -j\n${JSON.stringify(value, null, 4)}\nThanks`],
  ])('%s', (_how, text) => {
    expect(blocks(text)[0]).toMatchObject({ kind: 'nvbandwidth', isComplete: true });
    const read = cells(text);
    expect(read.length).toBe(8);
    expect(read[1]).toMatchObject({
      value: 26.34,
      operation: 'read',
      from: { address: '0000:c1:00.0' },
      to: { address: '0000:34:00.0' },
    });
    expect(read[5]).toMatchObject({ counts: 'both' });
    expect(items(text)).toEqual(
      expect.arrayContaining([expect.objectContaining({ says: 'not-run', text: 'all_to_one_read_ce: Waived' })]),
    );
  });

  test('cut, it has what is whole', () => {
    const text = JSON.stringify(value, null, 2);
    const cut = text.slice(0, text.indexOf('11.50') + 3);
    expect(blocks(cut)).toMatchObject([{ kind: 'nvbandwidth', isComplete: false }]);
    expect(cells(cut).length).toBe(2);
  });

  test('other JSON is none', () => {
    expect(blocks('{\n"a": 1\n}\n[\n{ "b": [1, 2] }\n]').map(({ kind }) => kind)).toEqual(['unknown']);
  });
});
