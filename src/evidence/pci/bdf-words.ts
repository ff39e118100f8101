/** How a function's address stands at the beginning of a line of lspci, and the words by which such lines are found. */

import { formatBdf, parseBdf } from '../../pcie/bdf.ts';

/** `:00.0 ` to `:1f.7 `: device and function as lspci prints them, with the blank behind. */
export const BDF_WORDS: readonly string[] = Array.from({ length: 256 }, (_, devfn) => {
  const device = (devfn >> 3).toString(16).padStart(2, '0');
  return `:${device}.${devfn & 7} `;
});

const LEADING = /^\s*((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7])(?=[\s:,)]|$)/i;

/** The full name of the function that a line begins with; null where it begins otherwise. A line without domain means domain 0. */
export function leadingBdf(text: string): string | null {
  const written = LEADING.exec(text)?.[1];
  return written === undefined ? null : fullName(written);
}

/** `0000:03:00.0` for `03:00.0`, `0000:03:00.0` and the eight digits of nvidia-smi; null for anything else. */
export function fullName(written: string): string | null {
  const bdf = parseBdf(written);
  return bdf === null ? null : formatBdf(bdf);
}
