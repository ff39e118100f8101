/**
 * The size that a gap can hold, in a form that a tree can keep at little cost: seven leading bits. Taking a piece off a
 * large gap rarely changes it, so that most insertions need not tell the nodes above; below 128 pages it is exact, so that
 * the many gaps that small sizes leave are never tried in vain.
 */

import { floorLog2, floorToPower, POWERS } from './powers.ts';

/** A size, above 0, as its exponent and six bits behind the leading one, plus one: rises with the size. */
export function sizeClass(size: number): number {
  const order = floorLog2(size);
  let bits: number;
  if (order <= 6) bits = size << (6 - order);
  else if (order <= 31) bits = size >>> (order - 6);
  else bits = size / (POWERS[order - 6] as number);
  return order * 64 + (bits & 63) + 1;
}

/**
 * `sizeClass` of the largest size that a gap of pages [start, end) holds at its alignment, the next power of two; 0 for an
 * empty gap. Every smaller size fits too. With 2^k the largest aligned block inside, the size is 2^k, or what lies behind
 * the next multiple of 2^(k+1): for a size of two such blocks or more an aligned block of 2^(k+1) would have to be free.
 */
export function gapClass(start: number, end: number): number {
  const length = end - start;
  if (length <= 0) return 0;
  let order = floorLog2(length);
  // A gap of 2^k pages or more always holds an aligned block of half that size.
  if (floorToPower(end - (POWERS[order] as number), order) < start) order--;
  const block = POWERS[order] as number;
  const behind = end - floorToPower(start + 2 * block - 1, order + 1);
  return sizeClass(Math.max(behind, block));
}
