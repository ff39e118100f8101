/** Hexadecimal text, in and out. */

/** `0x` and lower-case digits, padded with zeros to `digits`. */
export function hex(value: number, digits = 0): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}

/** Lower-case digits without prefix, padded with zeros to `digits`. */
export function hexDigits(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** Value of a hex digit by its character code, 255 for every other code. Index with a byte. */
export const NIBBLE: Uint8Array = makeNibbles();

function makeNibbles(): Uint8Array {
  const table = new Uint8Array(256).fill(255);
  for (let digit = 0; digit < 16; digit++) {
    const text = digit.toString(16);
    table[text.charCodeAt(0)] = digit;
    table[text.toUpperCase().charCodeAt(0)] = digit;
  }
  return table;
}

/**
 * Reads `0x1f`, `1f` or `1F` as an unsigned number. Returns null for anything else, and for values of 2^53 or more:
 * use `parseWord64` where all 64 bits may be set.
 */
export function parseHex(text: string): number | null {
  const match = /^(?:0[xX])?([0-9a-fA-F]{1,16})$/.exec(text);
  if (!match) return null;
  const value = Number.parseInt(match[1] as string, 16);
  return value < 2 ** 53 ? value : null;
}
