/**
 * Little-endian words in byte arrays. NVM Express Base Specification 1.4, 1.8 (byte, word and dword relationships).
 *
 * Queue entries, lists and identify pages are never turned into objects: every layout of this folder is a set of offsets for
 * these functions, with the array and the place where the structure begins.
 */

/** The unsigned 16-bit word at `at`. */
export function getU16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

/** The unsigned 32-bit word at `at`. */
export function getU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

/**
 * The 64-bit word at `at` as a number. Exact below 2^53; at or above it the result is not exact but still at least 2^53, so
 * that `value >= ADDRESS_LIMIT` tells what is no address of any machine here.
 */
export function getU64(bytes: Uint8Array, at: number): number {
  return getU32(bytes, at + 4) * 0x1_0000_0000 + getU32(bytes, at);
}

/** Stores the low 16 bits of `value`. */
export function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

/** Stores the low 32 bits of `value`. */
export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Stores a whole number in [0, 2^53) as a 64-bit word. */
export function putU64(bytes: Uint8Array, at: number, value: number): void {
  putU32(bytes, at, value >>> 0);
  putU32(bytes, at + 4, Math.floor(value / 0x1_0000_0000));
}

/** Stores ASCII text in a field of `length` bytes, cut or padded with spaces. Base Specification 1.4, 5.15.2.2 (SN, MN, FR). */
export function putAscii(bytes: Uint8Array, at: number, length: number, text: string): void {
  for (let index = 0; index < length; index++) {
    bytes[at + index] = index < text.length ? text.charCodeAt(index) & 0x7f : 0x20;
  }
}

/** The ASCII text of a padded field, without the padding. */
export function getAscii(bytes: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let index = 0; index < length; index++) {
    const code = bytes[at + index] as number;
    text += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ' ';
  }
  return text.trimEnd();
}
