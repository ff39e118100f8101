import { expect, test } from 'vitest';
import { Prng } from '../core/prng.ts';
import { gapClass, sizeClass } from './gap-class.ts';
import { ceilLog2 } from './powers.ts';

function fits(start: number, end: number, size: number): boolean {
  const alignment = 2 ** ceilLog2(size);
  return Math.ceil(start / alignment) * alignment + size <= end;
}

test("below 128 pages a gap's class says exactly which sizes fit: every gap in the first 160 pages", () => {
  for (let start = 0; start < 160; start++) {
    for (let end = start; end <= 160; end++) {
      for (let size = 1; size < 128; size += size < 20 ? 1 : 9) {
        if (sizeClass(size) <= gapClass(start, end) !== fits(start, end, size)) {
          expect([start, end, size]).toBe(fits(start, end, size) ? 'fits' : 'does not fit');
        }
      }
    }
  }
  expect(gapClass(5, 5)).toBe(0);
});

test('10,000 large gaps at random: what fits is never ruled out, and little is let through in vain', () => {
  const prng = new Prng(9);
  let vain = 0;
  for (let round = 0; round < 10_000; round++) {
    const start = prng.below(2 ** 30) * 2 ** prng.below(12);
    const length = prng.between(1, 2 ** prng.between(1, 32));
    const size = prng.between(1, 2 ** prng.between(1, 32));
    const admitted = sizeClass(size) <= gapClass(start, start + length);
    if (fits(start, start + length, size)) expect([round, admitted]).toEqual([round, true]);
    else if (admitted) vain++;
  }
  expect(vain).toBeLessThan(100);
});

test('the class rises with the size, one step from each exact size to the next', () => {
  for (let size = 1; size < 127; size++) expect(sizeClass(size + 1)).toBeGreaterThan(sizeClass(size));
  for (let order = 7; order < 52; order++) {
    expect(sizeClass(2 ** order) - sizeClass(2 ** order - 1)).toBe(1);
    expect(sizeClass(2 ** order + 2 ** (order - 6)) - sizeClass(2 ** order)).toBe(1);
  }
});
