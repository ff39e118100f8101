import { expect, test } from 'vitest';
import { PageMap } from './page-map.ts';
import type { RangeRecord } from './range-table.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

function record(start: number, end: number): RangeRecord {
  return { start, end, kind: 'bar', provider: 0, bar: 0, busOffset: 0, generation: 1 };
}

test('a descriptor is found by the number of its page, wherever 53 bits can point', () => {
  for (const start of [0, 4096, 4 * GIB - 4 * MIB, 2 ** 40 + 6 * MIB, 2 ** 46, 2 ** 52 - 2 * MIB]) {
    const end = start + 2 * MIB;
    const map = new PageMap(end);
    const one = record(start, end);
    map.make(one, 7, start);
    for (const at of [start, start + 4095, start + MIB, end - 1]) expect(map.recordAt(at), `${at}`).toBe(7);
    expect(map.recordAt(end)).toBe(-1);
    if (start > 0) expect(map.recordAt(start - 1)).toBe(-1);
    expect(map.recordAt(2 ** 52)).toBe(-1);
  }
});

test('descriptors are made by sections of 128 MiB, once, of 64 bytes each', () => {
  const map = new PageMap(GIB);
  const one = record(100 * MIB, 400 * MIB);
  map.make(one, 0, 100 * MIB);
  expect(map.bytes).toBe(((28 * MIB) / 4096) * 64);
  map.make(one, 0, 127 * MIB);
  expect(map.bytes).toBe(((28 * MIB) / 4096) * 64);
  expect([map.recordAt(128 * MIB - 1), map.recordAt(128 * MIB)]).toEqual([0, -1]);
  map.make(one, 0, 128 * MIB);
  expect(map.bytes).toBe(((156 * MIB) / 4096) * 64);
  expect([map.recordAt(256 * MIB - 1), map.recordAt(256 * MIB)]).toEqual([0, -1]);
});

test('a page that two records share is the first’s, and both sides of it are their own', () => {
  const map = new PageMap(GIB);
  const border = 640 * 1024 - 1024;
  map.make(record(0, border), 0, 0);
  map.make(record(border, MIB), 1, border);
  expect([border - 4096, border - 1, border, border + 4096].map((at) => map.recordAt(at))).toEqual([0, 0, 0, 1]);
});
