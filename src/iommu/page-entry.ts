/**
 * One entry of a page table in the format of VT-d second-level translation (VT-d specification 9.8), as a pair of 32-bit
 * words, the low one first.
 *
 * ```
 *  63 ..... 53  52    51 ................ 12  11 .. 8  7  6 .. 2  1  0
 *   ignored   mmio    address of page/table    (0)    PS   (0)    W  R
 * ```
 *
 * PS marks a 2 MiB leaf on level 1 or a 1 GiB leaf on level 2. Bit 52 is one that hardware ignores; we keep the MMIO
 * attribute there, so that a range needs no record of its own.
 */

export const ENTRY_READ: number = 1 << 0;
export const ENTRY_WRITE: number = 1 << 1;
/** Neither set: the entry is not present. */
export const ENTRY_PRESENT: number = ENTRY_READ | ENTRY_WRITE;
/** PS: on level 1 and 2, the entry maps a page and points to no table. */
export const ENTRY_LEAF: number = 1 << 7;
/** Bit 52 of the entry, in its high word. */
export const ENTRY_HIGH_MMIO: number = 1 << 20;
/** Address bits of the high word. */
export const ENTRY_HIGH_ADDRESS: number = 0xfffff;

/** First physical address that an entry cannot hold. */
export const PHYS_LIMIT: number = 2 ** 52;

/** Entries of one table. */
export const ENTRIES: number = 512;
/** Bytes that one entry maps, by level; level 0 holds the 4 KiB leaves. */
export const SPAN: readonly number[] = [2 ** 12, 2 ** 21, 2 ** 30, 2 ** 39, 2 ** 48];

/** The address that an entry holds: of the next table, or of the page. */
export function targetOf(low: number, high: number): number {
  return (high & ENTRY_HIGH_ADDRESS) * 2 ** 32 + ((low & ~4095) >>> 0);
}

const TWO_M32 = 1 / 4294967296;

/** The high word of an entry for an address: bits 51:32. */
export function highOf(address: number): number {
  return (address * TWO_M32) | 0;
}
