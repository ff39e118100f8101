/** Which granules of a range are taken: one bit each, first fit from bit 0. */

import { assert } from '../core/assert.ts';

const FULL = 0xffffffff;

export class GranuleMap {
  /** Granules in all. */
  readonly count: number;
  readonly #words: Uint32Array;
  #free: number;
  /** All words below this one are full. */
  #lowestWord = 0;

  /** `count` granules, all free. */
  constructor(count: number) {
    this.count = count;
    this.#free = count;
    this.#words = new Uint32Array(Math.ceil(count / 32));
    // The bits behind the last granule are never free.
    if (count % 32 !== 0) this.#words[this.#words.length - 1] = (FULL << (count % 32)) >>> 0;
  }

  /** Granules that are free. */
  get free(): number {
    return this.#free;
  }

  isTaken(index: number): boolean {
    return (((this.#words[index >>> 5] as number) >>> (index & 31)) & 1) === 1;
  }

  /** Index of the first run of `count` >= 1 free granules, or -1. */
  firstFit(count: number): number {
    const words = this.#words;
    let run = 0;
    for (let word = this.#lowestWord; word < words.length; word++) {
      const bits = words[word] as number;
      if (bits === FULL) {
        run = 0;
      } else if (bits === 0) {
        if (run + 32 >= count) return word * 32 - run;
        run += 32;
      } else {
        for (let bit = 0; bit < 32; bit++) {
          if ((bits >>> bit) & 1) run = 0;
          else if (++run === count) return word * 32 + bit + 1 - count;
        }
      }
    }
    return -1;
  }

  /** Takes `count` granules from `start` on; all must be free. */
  take(start: number, count: number): void {
    this.#flip(start, count, 0);
    this.#free -= count;
    const words = this.#words;
    while (this.#lowestWord < words.length && words[this.#lowestWord] === FULL) this.#lowestWord++;
  }

  /** Gives `count` granules from `start` on back; all must be taken. */
  give(start: number, count: number): void {
    this.#flip(start, count, FULL);
    this.#free += count;
    this.#lowestWord = Math.min(this.#lowestWord, start >>> 5);
  }

  /** Inverts `count` bits, all of which must be as in the word `expected`. */
  #flip(start: number, count: number, expected: number): void {
    const end = start + count;
    assert(count > 0 && start >= 0 && end <= this.count, `granules ${start} to ${end} of ${this.count}`);
    const words = this.#words;
    for (let at = start; at < end; ) {
      const bit = at & 31;
      const bits = Math.min(32 - bit, end - at);
      const mask = bits === 32 ? FULL : (((1 << bits) - 1) << bit) >>> 0;
      const word = at >>> 5;
      const value = words[word] as number;
      assert(((value ^ expected) & mask) === 0, `a granule of word ${word} is not as expected`);
      words[word] = value ^ mask;
      at += bits;
    }
  }
}
