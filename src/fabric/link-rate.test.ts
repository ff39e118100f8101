import { expect, test } from 'vitest';
import { linkBytesPerNs } from './link-rate.ts';

const link = (speedGts: number | null, width: number | null) => ({
  maxSpeedGts: 8,
  maxWidth: 4,
  speedGts,
  width,
  active: null,
});

test('line rates are those of the tables: x16 of the third, fourth and fifth generation', () => {
  for (const [speed, rate] of [
    [8, 15.754],
    [16, 31.508],
    [32, 63.015],
  ] as const) {
    expect(linkBytesPerNs(link(speed, 16))).toBeCloseTo(rate, 3);
  }
  expect(linkBytesPerNs(link(2.5, 1))).toBeCloseTo(0.25, 6);
  expect(linkBytesPerNs(link(64, 16))).toBeCloseTo((64 * 16 * 242) / 256 / 8, 6);
});

test('a link that is not trained counts with what it could do, an unknown one with a guess', () => {
  expect(linkBytesPerNs(link(2.5, 0))).toBeCloseTo((2.5 * 4 * 0.8) / 8, 6);
  expect(linkBytesPerNs(link(null, null))).toBeCloseTo((8 * 4 * 128) / 130 / 8, 6);
  expect(linkBytesPerNs(null)).toBeCloseTo((8 * 4 * 128) / 130 / 8, 6);
});
