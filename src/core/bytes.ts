/**
 * Copies of bytes. Node's Buffer is a Uint8Array to the compiler, yet its `slice()` shares the memory instead of copying it:
 * what comes from outside is copied by these.
 */

/** A copy that shares no memory with `bytes`, whatever kind of Uint8Array that is. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** The same memory as a plain Uint8Array, whose `slice()` copies. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
