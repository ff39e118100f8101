import { describe, expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const blocks = (text: string) => recognise(text, 'f').blocks;
const items = (text: string) => blocks(text).flatMap(({ items }) => items);
const rates = (text: string) =>
  items(text).flatMap((item) => ('what' in item && item.what === 'collective' ? item : []));

const HEAD =
  '# nThread 1 nGpus 2 minBytes 8 maxBytes 134217728 step: 2(factor) warmup iters: 5 iters: 20 agg iters: 1 validation: 1 graph: 0\n#\n# Using devices\n';
const RANKS =
  '#  Rank  0 Group  0 Pid  29565 on     server device  0 [0000:01:00] NVIDIA A40\n#  Rank  1 Group  0 Pid  29565 on     server device  1 [0000:c1:00] NVIDIA A40\n#\n';
const heading = (names: string): string =>
  `#                          out-of-place                       in-place\n#       ${names}\n#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)\n`;
const TAIL = '# Out of bounds values : 0 OK\n# Avg bus bandwidth    : 7.48202\n';

describe('columns differ by release', () => {
  test.each([
    [
      'size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong',
      '536870912 134217728 float sum -1 42915 12.51 18.76 0 42866 12.52 18.79 0',
    ],
    [
      'size         count    type   redop     time   algbw   busbw  error     time   algbw   busbw  error',
      '536870912 134217728 float sum 42915 12.51 18.76 4e-07 42866 12.52 18.79 N/A',
    ],
    [
      'size         count      type   redop    root     time   algbw   busbw  #wrong  cputime     time   algbw   busbw #wrong  cputime',
      '536870912 134217728 half sum -1 42915 12.51 18.76 0 1.00 42866 12.52 18.79 0 1.00',
    ],
    ['timestamp size         count', ''],
  ])('%s', (names, row) => {
    if (row === '') return;
    const text = `${HEAD}${RANKS}${heading(names)}  ${row.split(' ').join('   ')}\n${TAIL}`;
    expect(rates(text)).toMatchObject([
      { size: 536870912, inPlace: false, time: 42915, algorithmRate: 12.51, busRate: 18.76, ranks: 2 },
      { size: 536870912, inPlace: true, time: 42866, algorithmRate: 12.52, busRate: 18.79 },
    ]);
  });
});

const NAMES =
  'size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong';
const row = (size: number): string =>
  `  ${size}   ${size / 4}     float     sum      -1   1.1e+05   12.51   18.76      0    42866   12.52   18.79      0\n`;
const WHOLE = HEAD + RANKS + heading(NAMES) + row(1024) + row(2048) + TAIL;

test('ranks have addresses, and the operation is that of the program', () => {
  expect(items(WHOLE)).toMatchObject([
    {
      what: 'device',
      device: { index: 0, numbering: 'rank', address: '0000:01:00.0' },
      indices: { rank: 0, cuda: 0 },
      product: 'NVIDIA A40',
    },
    { device: { index: 1, address: '0000:c1:00.0' } },
    { operation: null, time: 110000 },
    {},
    { size: 2048 },
    {},
    { what: 'setting', name: 'Out of bounds values', value: '0 OK' },
    { what: 'setting', name: 'Avg bus bandwidth', value: '7.48202' },
  ]);
  expect(rates(`$ ./build/all_gather_perf -b 8 -e 128M\n${WHOLE}`)[0]).toMatchObject({ operation: 'all_gather' });
  expect(rates(`# Collective test starting: sendrecv_perf\n${WHOLE}`)[0]).toMatchObject({ operation: 'sendrecv' });
});

test('old forms of a bus, and one bus for all names nothing', () => {
  const old = RANKS.replaceAll(' Group  0', '').replace('[0000:01:00]', '[0x01]').replace('[0000:c1:00]', '[0xc1]');
  expect(items(HEAD + old)).toMatchObject([
    { device: { address: '0000:01:00.0', assumed: ['domain', 'device', 'function'] } },
    { device: { address: '0000:c1:00.0' } },
  ]);
  expect(items(HEAD + old.replace('0xc1', '0x01'))).toMatchObject([
    { device: { address: null } },
    { device: { address: null } },
  ]);
  expect(items(HEAD + RANKS.replace(/server(?=.*c1)/, 'other'))).toMatchObject([
    { device: { address: '0000:01:00.0' } },
    { device: { address: null } },
  ]);
});

test('lines of NCCL among the rows, and within one, change nothing', () => {
  const info = 'host:1:2 [0] NCCL INFO Launch mode Parallel\n';
  expect(rates(WHOLE.replace(row(2048), info + row(2048))).length).toBe(4);
  const broken = row(2048).replace('-1   1.1e+05', `-1\n${info}   1.1e+05`);
  expect(rates(WHOLE.replace(row(2048), broken))).toEqual(
    rates(WHOLE).map((item) => ({ ...item, line: expect.any(Number) })),
  );
  expect(blocks(WHOLE.replace(row(2048), info + row(2048))).map(({ kind }) => kind)).toEqual([
    'nccl-tests',
    'nccl-log',
  ]);
});

test('wrong data are said, and a table without its end is not complete', () => {
  expect(items(WHOLE.replace('0 OK', '12 FAILED'))).toEqual(
    expect.arrayContaining([expect.objectContaining({ says: 'data-wrong' })]),
  );
  expect(blocks(WHOLE)[0]?.isComplete).toBe(true);
  expect(blocks(WHOLE.replace(TAIL, ''))[0]?.isComplete).toBe(false);
});

test('JSON', () => {
  const value = {
    config: { test: 'all_reduce_perf' },
    devices: [{ rank: 0, device: 0, device_hex: '0x01' }],
    results: [
      {
        size: 8,
        count: 2,
        out_of_place: { time: 10, alg_bw: 1, bus_bw: 2 },
        in_place: { time: 11, alg_bw: 3, bus_bw: 4 },
      },
    ],
  };
  expect(items(JSON.stringify(value, null, 2))).toMatchObject([
    { device: { index: 0, address: '0000:01:00.0' } },
    { operation: 'all_reduce', size: 8, inPlace: false, busRate: 2, ranks: 1 },
    { inPlace: true, algorithmRate: 3 },
  ]);
});
