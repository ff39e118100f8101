/**
 * The memory that the tables of one domain lie in: 4 KiB each, the root first, handed out and given back one by one. A
 * table that is not in use holds only zeros.
 */

import { type PhysAddr, storedAddress } from '../core/address.ts';
import { ENTRIES, ENTRY_PRESENT, highOf, targetOf } from './page-entry.ts';

/** 32-bit words of one table. */
export const TABLE_WORDS: number = 2 * ENTRIES;
const TABLE_BYTES = 4096;
/** Tables that one array can hold. */
export const MOST_TABLES: number = 2 ** 20;

/** One table as it lies in memory. */
export interface TablePage {
  readonly address: PhysAddr;
  /** 1024 words: entry i is words 2i (low) and 2i+1 (high). A view, good until the next map or unmap. */
  readonly words: Uint32Array;
}

export class TableMemory {
  /** Physical address of the root. */
  readonly base: PhysAddr;
  readonly limit: number;
  /** All tables, one behind the other; table 0 is the root. Replaced when it grows. */
  words: Uint32Array = new Uint32Array(16 * TABLE_WORDS);
  /** Entries in use, by table. */
  used: Uint16Array = new Uint16Array(16);

  /** Table that points here, and the entry of it, by table. */
  #parent = new Int32Array(16);
  #slot = new Uint16Array(16);
  /** Tables given back, the next to use last. */
  #free = new Int32Array(16);
  #freeCount = 0;
  #tables = 1;

  /** `base` a multiple of 4096, `limit` in [1, MOST_TABLES]. */
  constructor(base: PhysAddr, limit: number) {
    this.base = base;
    this.limit = limit;
  }

  /** Tables in use, the root included. */
  get count(): number {
    return this.#tables - this.#freeCount;
  }

  /** A new table, entered in entry `slot` of table `parent`; -1 when there is room for no more. */
  take(parent: number, slot: number): number {
    let table: number;
    if (this.#freeCount > 0) {
      table = this.#free[--this.#freeCount] as number;
    } else {
      if (this.#tables === this.limit) return -1;
      table = this.#tables++;
      if (table === this.used.length) this.#grow();
    }
    this.#parent[table] = parent;
    this.#slot[table] = slot;
    const address = this.base + table * TABLE_BYTES;
    const word = parent * TABLE_WORDS + 2 * slot;
    this.words[word] = address | ENTRY_PRESENT;
    this.words[word + 1] = highOf(address);
    this.used[parent] = (this.used[parent] as number) + 1;
    return table;
  }

  /** Gives a table back if it is empty, and then each parent that becomes empty by that; never the root. */
  giveBackEmpty(from: number): void {
    let table = from;
    while (table !== 0 && this.used[table] === 0) {
      const parent = this.#parent[table] as number;
      const word = parent * TABLE_WORDS + 2 * (this.#slot[table] as number);
      this.words[word] = 0;
      this.words[word + 1] = 0;
      this.used[parent] = (this.used[parent] as number) - 1;
      this.#free[this.#freeCount++] = table;
      table = parent;
    }
  }

  /** The table that an entry points to. */
  tableOf(low: number, high: number): number {
    return (targetOf(low, high) - this.base) / TABLE_BYTES;
  }

  /** Every table in use, root first. */
  *pages(): Generator<TablePage, void, undefined> {
    const given = new Set(this.#free.subarray(0, this.#freeCount));
    for (let table = 0; table < this.#tables; table++) {
      if (given.has(table)) continue;
      const words = this.words.subarray(table * TABLE_WORDS, (table + 1) * TABLE_WORDS);
      yield { address: storedAddress(this.base + table * TABLE_BYTES), words };
    }
  }

  #grow(): void {
    const capacity = 2 * this.used.length;
    this.words = grown(this.words, new Uint32Array(capacity * TABLE_WORDS));
    this.used = grown(this.used, new Uint16Array(capacity));
    this.#slot = grown(this.#slot, new Uint16Array(capacity));
    this.#parent = grown(this.#parent, new Int32Array(capacity));
    this.#free = grown(this.#free, new Int32Array(capacity));
  }
}

function grown<A extends Uint32Array | Uint16Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
