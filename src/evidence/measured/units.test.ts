import { expect, test } from 'vitest';
import { binarySize, gigabytes, numberOf } from './units.ts';

test.each([
  [1, 'GB/s', 1],
  [1, 'GiB/sec', 1.073741824],
  [1000, 'MB/s', 1],
  [1000, 'MiB/sec', 1.048576],
  [200, 'Gb/sec', 25],
  [800, 'Mb/s', 0.1],
  [5, 'furlongs', null],
])('%s %s are %s GB/s', (value, unit, rate) => {
  if (rate === null) expect(gigabytes(value, unit)).toBeNull();
  else expect(gigabytes(value, unit)).toBeCloseTo(rate, 12);
});

test.each([
  ['65536 MiB', 65536 * 1024 * 1024],
  ['4K', 4096],
  ['512 MB', 512 * 1024 * 1024],
  ['1 KB', 1024],
  ['17 Bytes', 17],
  ['8 kB', 8192],
  ['1.5G', 1.5 * 1024 ** 3],
  ['many', null],
])('a tool that counts in powers of 1024 means by %j %s bytes', (text, bytes) => {
  expect(binarySize(text)).toBe(bytes);
});

test.each([
  ['26.33', 26.33],
  ['1.1e+05', 110000],
  ['0', 0],
  ['N/A', null],
  ['-nan', null],
  ['-', null],
  ['', null],
  ['12:30', null],
])('%j is the number %s', (text, value) => {
  expect(numberOf(text)).toBe(value);
});
