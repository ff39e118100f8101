/**
 * 64-bit values that are not addresses: masks, raw registers, offsets in two's complement. Kept as two unsigned 32-bit words,
 * since a double is exact only below 2^53.
 */

export interface Word64 {
  /** Bits 63:32, unsigned. */
  readonly high: number;
  /** Bits 31:0, unsigned. */
  readonly low: number;
}

/** Reads `0x` hex text of up to 16 digits, or null if it is none. */
export function parseWord64(text: string): Word64 | null {
  const match = /^0[xX]([0-9a-fA-F]{1,16})$/.exec(text);
  if (!match) return null;
  const digits = (match[1] as string).padStart(16, '0');
  return { high: Number.parseInt(digits.slice(0, 8), 16), low: Number.parseInt(digits.slice(8), 16) };
}

/** `0x` hex text without padding. */
export function formatWord64(word: Word64): string {
  if (word.high === 0) return `0x${word.low.toString(16)}`;
  return `0x${word.high.toString(16)}${word.low.toString(16).padStart(8, '0')}`;
}

/** The value as a number, or `Infinity` from 2^53 - 1 on: a mask of that size limits nothing that is an address. */
export function maskLimit(word: Word64): number {
  const value = word.high * 2 ** 32 + word.low;
  return word.high >= 0x1fffff && value >= 2 ** 53 - 1 ? Number.POSITIVE_INFINITY : value;
}

/** The word as a signed 64-bit number, or null where its size is 2^53 or more. */
export function signedFromWord64(word: Word64): number | null {
  if (word.high < 0x200000) return word.high * 2 ** 32 + word.low;
  if (word.high < 0xffe00000) return null;
  const value = (word.high - 2 ** 32) * 2 ** 32 + word.low;
  return value > -(2 ** 53) ? value : null;
}
