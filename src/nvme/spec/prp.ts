/**
 * Physical Region Pages. NVM Express Base Specification 1.4, 4.3.
 *
 * An entry is a 64-bit page address with an offset in its low bits; bits 1:0 are 0. Only PRP1 (and the pointer in PRP2 to a
 * list, in steps of 8) may have an offset. The last slot of a full list page points to the next list page when more are needed:
 *
 *     PRP1 -> page     PRP2 -> list: [e0 e1 ... e510 | next] -> list: [e511 ...]
 */

export const PRP_BYTES = 8;

/** How many pages of `pageBytes` a buffer touches that begins at `offset` in its first page: the number of data entries. */
export function prpPageCount(offset: number, lengthBytes: number, pageBytes: number): number {
  return Math.ceil((offset + lengthBytes) / pageBytes);
}

/**
 * How many list pages hold `entries` data entries, one slot of each but the last taken by the pointer to the next. 0 for none.
 */
export function prpListPages(entries: number, pageBytes: number): number {
  const slots = pageBytes / PRP_BYTES;
  return entries <= slots ? Math.min(entries, 1) : 1 + Math.ceil((entries - slots) / (slots - 1));
}
