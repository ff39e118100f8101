/**
 * Bytes that tell where they belong: no two vectors and no two pages alike. None is 0x00 or 0xff, so that neither fresh memory nor
 * a read that nobody answers looks right; the complement of the pattern differs from it in every byte.
 */

/** Fills `bytes` with the pattern of a transfer from byte `from` on. */
export function fillPattern(bytes: Uint8Array, transfer: number, from: number): void {
  for (let at = 0; at < bytes.length; at++) bytes[at] = patternAt(transfer, from + at);
}

/** Fills `bytes` with what the pattern is not, byte by byte: what does not arrive there counts nothing. */
export function fillComplement(bytes: Uint8Array, transfer: number, from: number): void {
  for (let at = 0; at < bytes.length; at++) bytes[at] = ~patternAt(transfer, from + at);
}

/** Number of bytes that are the pattern of a transfer from byte `from` on. */
export function countPattern(bytes: Uint8Array, transfer: number, from: number): number {
  let equal = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === patternAt(transfer, from + at)) equal++;
  return equal;
}

function patternAt(transfer: number, at: number): number {
  const mixed = Math.imul(at + 1, 0x9e3779b1) ^ Math.imul(transfer + 1, 0x85ebca6b);
  return 1 + ((mixed >>> 13) % 254);
}
