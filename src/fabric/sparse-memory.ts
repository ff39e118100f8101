/**
 * Memory that really holds bytes, taken from the host only where something was written: RAM of a machine, the memory behind a
 * BAR. What was never written reads as zeros.
 */

import { assert } from '../core/assert.ts';
import { joinRanges, type Range } from '../core/range.ts';

/** Unit of allocation. Large, so that a bulk copy is a few calls; small enough for a few bytes in many places. */
const CHUNK = 65536;

export class SparseMemory {
  /** Bytes from address 0 on; an access must end here or before. */
  readonly size: number;
  readonly #chunks = new Map<number, Uint8Array>();
  /** The chunk used last: transfers stay in one chunk for hundreds of TLPs. */
  #lastIndex = -1;
  #lastChunk: Uint8Array = NOTHING;

  /** @param size - whole number in [0, 2^53) */
  constructor(size: number) {
    assert(Number.isSafeInteger(size) && size >= 0, `a memory of ${size} bytes`);
    this.size = size;
  }

  /** Bytes of the host in use. */
  get allocatedBytes(): number {
    return this.#chunks.size * CHUNK;
  }

  /** Fills `into` with the bytes from `offset` on. Asserts that they lie inside. */
  read(offset: number, into: Uint8Array): true {
    this.#check(offset, into.length);
    const inChunk = offset & (CHUNK - 1);
    if (inChunk + into.length <= CHUNK) {
      const chunk = this.#find((offset - inChunk) / CHUNK);
      if (chunk === NOTHING) into.fill(0);
      else if (into.length <= SHORT) copyShort(chunk, inChunk, into, 0, into.length);
      else into.set(chunk.subarray(inChunk, inChunk + into.length));
      return true;
    }
    for (let done = 0; done < into.length; ) {
      const at = (offset + done) & (CHUNK - 1);
      const count = Math.min(CHUNK - at, into.length - done);
      const chunk = this.#find((offset + done - at) / CHUNK);
      if (chunk === NOTHING) into.fill(0, done, done + count);
      else into.set(chunk.subarray(at, at + count), done);
      done += count;
    }
    return true;
  }

  /** Stores bytes `start` to `end` (exclusive; all by default) of `from` at `offset`. Asserts that they lie inside. */
  write(offset: number, from: Uint8Array, start = 0, end: number = from.length): true {
    this.#check(offset, end - start);
    for (let done = start; done < end; ) {
      const address = offset + done - start;
      const at = address & (CHUNK - 1);
      const count = Math.min(CHUNK - at, end - done);
      const chunk = this.#make((address - at) / CHUNK);
      if (count <= SHORT) copyShort(from, done, chunk, at, count);
      else if (count === from.length) chunk.set(from, at);
      else chunk.set(from.subarray(done, done + count), at);
      done += count;
    }
    return true;
  }

  /** The whole memory takes bulk accesses: to its end. See `BarTarget.bulkLength`. */
  bulkLength(offset: number): number {
    return this.size - offset;
  }

  /** Sets `length` bytes to `value`. */
  fill(offset: number, length: number, value: number): void {
    this.#check(offset, length);
    for (let done = 0; done < length; ) {
      const at = (offset + done) & (CHUNK - 1);
      const count = Math.min(CHUNK - at, length - done);
      const index = (offset + done - at) / CHUNK;
      if (value !== 0 || this.#chunks.has(index)) this.#make(index).fill(value, at, at + count);
      done += count;
    }
  }

  /** Forgets everything: all zeros again. */
  clear(): void {
    this.#chunks.clear();
    this.#lastIndex = -1;
    this.#lastChunk = NOTHING;
  }

  /** A copy that later writes do not reach: to compare with afterwards. */
  snapshot(): SparseMemory {
    const copy = new SparseMemory(this.size);
    for (const [index, chunk] of this.#chunks) copy.#chunks.set(index, chunk.slice());
    return copy;
  }

  /** Where two memories differ, by rising offset; touching ranges joined. */
  differences(other: SparseMemory): Range[] {
    const indices = new Set([...this.#chunks.keys(), ...other.#chunks.keys()]);
    const ranges: Range[] = [];
    for (const index of indices) {
      const mine = this.#chunks.get(index) ?? ZEROS;
      const theirs = other.#chunks.get(index) ?? ZEROS;
      if (!sameWords(mine, theirs)) addDifferences(mine, theirs, index * CHUNK, ranges);
    }
    return joinRanges(ranges);
  }

  /** Offset of the first byte in which two memories differ, or null where they are equal. */
  firstDifference(other: SparseMemory): number | null {
    return this.differences(other)[0]?.start ?? null;
  }

  #find(index: number): Uint8Array {
    if (index === this.#lastIndex) return this.#lastChunk;
    const chunk = this.#chunks.get(index);
    if (chunk === undefined) return NOTHING;
    this.#lastIndex = index;
    this.#lastChunk = chunk;
    return chunk;
  }

  #make(index: number): Uint8Array {
    const found = this.#find(index);
    if (found !== NOTHING) return found;
    const chunk = new Uint8Array(CHUNK);
    this.#chunks.set(index, chunk);
    this.#lastIndex = index;
    this.#lastChunk = chunk;
    return chunk;
  }

  #check(offset: number, length: number): void {
    if (offset >= 0 && length >= 0 && offset + length <= this.size) return;
    assert(false, `bytes [${offset}, ${offset + length}) of a memory of ${this.size}`);
  }
}

const NOTHING = new Uint8Array(0);
const ZEROS = new Uint8Array(CHUNK);

/** Whether two chunks are equal, compared by words. */
function sameWords(a: Uint8Array, b: Uint8Array): boolean {
  const left = new Uint32Array(a.buffer, a.byteOffset, CHUNK / 4);
  const right = new Uint32Array(b.buffer, b.byteOffset, CHUNK / 4);
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false;
  return true;
}

function addDifferences(a: Uint8Array, b: Uint8Array, base: number, ranges: Range[]): void {
  for (let at = 0; at < CHUNK; at++) {
    if (a[at] === b[at]) continue;
    const start = at;
    while (at < CHUNK && a[at] !== b[at]) at++;
    ranges.push({ start: base + start, end: base + at });
  }
}

/** Up to here a loop over bytes is faster than a view and a `set`. */
const SHORT = 32;

function copyShort(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number, count: number): void {
  for (let at = 0; at < count; at++) to[toAt + at] = from[fromAt + at] as number;
}
