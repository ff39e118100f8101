/**
 * Powers of two of page numbers. Page numbers reach 2^41 (53 address bits in 4 KiB pages), so `<<` and `>>` are out;
 * `&` with a mask of at most 31 bits is exact, since it looks at the low 32 bits only.
 */

/** `POWERS[k]` is 2^k, k in [0, 53]. */
export const POWERS: Float64Array = Float64Array.from({ length: 54 }, (_, exponent) => 2 ** exponent);

/** Largest k with 2^k <= value, for a whole number in [1, 2^53). */
export function floorLog2(value: number): number {
  return value < 4294967296 ? 31 - Math.clz32(value) : 63 - Math.clz32(Math.floor(value / 4294967296));
}

/** Smallest k with 2^k >= value, for a whole number in [1, 2^53). */
export function ceilLog2(value: number): number {
  return value === 1 ? 0 : floorLog2(value - 1) + 1;
}

/** `value` rounded down to a multiple of 2^order. */
export function floorToPower(value: number, order: number): number {
  if (order < 32) return value - ((value & ((POWERS[order] as number) - 1)) >>> 0);
  const power = POWERS[order] as number;
  return Math.floor(value / power) * power;
}
