/** Bytes that are zero until written, held in chunks: a controller memory buffer of gigabytes costs what was touched of it. */

import { assert } from '../../core/index.ts';

const CHUNK_BYTES = 64 * 1024;

export class SparseBytes {
  readonly sizeBytes: number;
  readonly #chunks: Map<number, Uint8Array> = new Map();

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
  }

  /** Fills `into` from `offset` on. Asserts that the range lies inside. */
  read(offset: number, into: Uint8Array): void {
    this.#check(offset, into.length);
    for (let done = 0; done < into.length; ) {
      const at = offset + done;
      const index = Math.floor(at / CHUNK_BYTES);
      const inChunk = at - index * CHUNK_BYTES;
      const count = Math.min(CHUNK_BYTES - inChunk, into.length - done);
      const chunk = this.#chunks.get(index);
      if (chunk === undefined) into.fill(0, done, done + count);
      else into.set(chunk.subarray(inChunk, inChunk + count), done);
      done += count;
    }
  }

  /** Stores `from` at `offset`. Asserts that the range lies inside. */
  write(offset: number, from: Uint8Array): void {
    this.#check(offset, from.length);
    for (let done = 0; done < from.length; ) {
      const at = offset + done;
      const index = Math.floor(at / CHUNK_BYTES);
      const inChunk = at - index * CHUNK_BYTES;
      const count = Math.min(CHUNK_BYTES - inChunk, from.length - done);
      let chunk = this.#chunks.get(index);
      if (chunk === undefined) {
        chunk = new Uint8Array(CHUNK_BYTES);
        this.#chunks.set(index, chunk);
      }
      chunk.set(count === from.length ? from : from.subarray(done, done + count), inChunk);
      done += count;
    }
  }
  #check(offset: number, length: number): void {
    assert(offset >= 0 && offset + length <= this.sizeBytes, 'an access to sparse bytes stays inside them');
  }
}
