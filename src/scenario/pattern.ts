/** Bytes that tell where they belong: no two vectors and no two pages alike. */

/** Fills `bytes` with the pattern of a transfer from byte `from` on. */
export function fillPattern(bytes: Uint8Array, transfer: number, from: number): void {
  for (let at = 0; at < bytes.length; at++) bytes[at] = patternAt(transfer, from + at);
}

/** Number of bytes that are the pattern of a transfer from byte `from` on. */
export function countPattern(bytes: Uint8Array, transfer: number, from: number): number {
  let equal = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === patternAt(transfer, from + at)) equal++;
  return equal;
}

function patternAt(transfer: number, at: number): number {
  const mixed = Math.imul(at + 1, 0x9e3779b1) ^ Math.imul(transfer + 1, 0x85ebca6b);
  return (mixed >>> 13) & 0xff;
}
