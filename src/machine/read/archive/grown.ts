/** Arrays that grow as bytes come in whose number is not known before. */

/** Up to here an array grows by steps. */
const STEPS_MAX = 64 * 1024 * 1024;
/** The last step. Pages that are never written to cost address space alone, so that one large step is cheaper than copies. */
const LAST = 512 * 1024 * 1024;

/** An array with room for `needed` bytes that begins with the first `length` of `bytes`; `bytes` itself where they fit. */
export function grown(bytes: Uint8Array, length: number, needed: number): Uint8Array {
  if (needed <= bytes.length) return bytes;
  const size = needed <= STEPS_MAX ? Math.min(STEPS_MAX, Math.max(needed, bytes.length * 4)) : Math.max(needed, LAST);
  const larger = new Uint8Array(size);
  larger.set(bytes.subarray(0, length));
  return larger;
}
