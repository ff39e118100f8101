/** Files and standard input that are read whole, up to a limit: a pipe need not end. */

import { closeSync, openSync, readSync } from 'node:fs';
import { grown } from '../machine/read/archive/grown.ts';

const PIECE = 64 * 1024;

/** The bytes of `file`, `-` for standard input; null where there are more than `limit`. Throws what `node:fs` throws. */
export function readUpTo(file: string, limit: number): Uint8Array | null {
  const descriptor = file === '-' ? 0 : openSync(file, 'r');
  try {
    let bytes: Uint8Array = new Uint8Array(PIECE);
    for (let length = 0; ; ) {
      bytes = grown(bytes, length, length + PIECE);
      const count = readSync(descriptor, bytes, length, PIECE, null);
      if (count === 0) return bytes.subarray(0, length);
      length += count;
      if (length > limit) return null;
    }
  } finally {
    if (descriptor !== 0) closeSync(descriptor);
  }
}

/** Standard input as it comes; null where there is more than `limit`. */
export async function standardInputUpTo(limit: number): Promise<Buffer | null> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of process.stdin) {
    pieces.push(piece as Buffer);
    length += (piece as Buffer).length;
    if (length > limit) return null;
  }
  return Buffer.concat(pieces, length);
}
