/**
 * A page table in memory, in the format of VT-d second-level translation (VT-d specification 3.4, 9.8): 3, 4 or 5 levels of
 * 4 KiB tables. Copied to the address it is built for, a real IOMMU walks it. `page-entry.ts` draws an entry.
 *
 * A call maps or unmaps everything it is asked for, or nothing. A table that becomes empty is given back at once, so that an
 * unmap leaves what the map found. The table of 4 KiB leaves of the last call is remembered: neighbours cost no walk.
 */

import { alignUp } from '../core/address.ts';
import { hex } from '../core/hex.ts';
import { IommuError } from './errors.ts';
import {
  ENTRIES,
  ENTRY_HIGH_ADDRESS,
  ENTRY_HIGH_MMIO,
  ENTRY_LEAF,
  ENTRY_PRESENT,
  highOf,
  PHYS_LIMIT,
  SPAN,
  targetOf,
} from './page-entry.ts';
import { TABLE_WORDS, type TableMemory } from './table-memory.ts';

/** Bytes that one table of 4 KiB leaves maps. */
const REGION = 2 ** 21;

// Copies for the loops: an imported name is looked up anew in each round, which cost them a fifth.
const PRESENT = ENTRY_PRESENT;
const SLOTS = ENTRIES;
const WORDS = TABLE_WORDS;
const MMIO = ENTRY_HIGH_MMIO;

const NO_MARKS = new Uint8Array(0);

export interface PageTableOptions {
  /** 3, 4 or 5 levels: 39, 48 or 57 bits of I/O virtual address. */
  readonly levels: 3 | 4 | 5;
  /** 2 MiB leaves. */
  readonly largePages: boolean;
  /** 1 GiB leaves. */
  readonly hugePages: boolean;
  /** Where the tables lie; empty. */
  readonly memory: TableMemory;
}

export class PageTable {
  readonly levels: number;
  /** First I/O virtual address behind the table's reach. */
  readonly reach: number;
  readonly memory: TableMemory;
  readonly #largePages: boolean;
  readonly #hugePages: boolean;
  /** The table of 4 KiB leaves of the last call, and which region it maps; -1 for none. */
  #lastTable = -1;
  #lastRegion = -1;
  #mappedBytes = 0;
  /** Word of the entry that the last successful walk found. */
  #foundWord = 0;

  constructor(options: PageTableOptions) {
    this.levels = options.levels;
    this.reach = Math.min(2 ** (12 + 9 * options.levels), 2 ** 53);
    this.memory = options.memory;
    this.#largePages = options.largePages;
    this.#hugePages = options.hugePages;
  }

  /** Bytes mapped. */
  get mappedBytes(): number {
    return this.#mappedBytes;
  }

  /**
   * Maps `[iova, iova + length)` to `phys` onwards with the largest leaves that size and alignment of both sides allow.
   * All three multiples of 4096 and in reach, which the caller has checked. Refuses `ALREADY_MAPPED`, `TABLES_EXHAUSTED`.
   */
  map(iova: number, phys: number, length: number, lowBits: number, highBits: number): void {
    const end = iova + length;
    let at = iova;
    let target = phys;
    while (at < end) {
      const level = this.#leafLevel(at, target, end - at);
      if (level > 0) {
        this.#mapLarge(at, target, level, iova, lowBits, highBits);
        at += SPAN[level] as number;
        target += SPAN[level] as number;
        continue;
      }
      const table = this.#leafTable(at, iova);
      const words = this.memory.words;
      const slot = (at / 4096) & (SLOTS - 1);
      const first = table * WORDS + 2 * slot;
      const last = first + 2 * Math.min((end - at) / 4096, SLOTS - slot);
      let word = first;
      for (; word < last && ((words[word] as number) & PRESENT) === 0; word += 2) {
        words[word] = target | lowBits;
        words[word + 1] = highOf(target) | highBits;
        target += 4096;
      }
      at += this.#count(table, (word - first) / 2);
      if (word < last) this.#refuseMapped(at, iova);
    }
  }

  /**
   * Maps vectors `first` to `first + count - 1` one behind the other from `iova`, each in a slot of whole pages that starts
   * with the vector's first page. Returns the bytes of all slots. Refuses as `map`, and `LENGTH_INVALID`, `OUT_OF_REACH`.
   * @param mmio - not 0 for the vectors that get the MMIO attribute too; null: `highBits` are those of all
   */
  mapRun(
    iova: number,
    address: Float64Array,
    length: Uint32Array | Float64Array,
    first: number,
    count: number,
    lowBits: number,
    highBits: number,
    mmio: Uint8Array | null,
  ): number {
    const stop = first + count;
    const mixed = mmio !== null;
    const marks = mmio ?? NO_MARKS;
    let at = iova;
    let index = first;
    while (index < stop) {
      const phys = address[index] as number;
      const size = length[index] as number;
      const slotBytes = alignUp(size + (phys & 4095), 4096);
      if (size === 0 || at + slotBytes > this.reach) this.#refuseVector(at, phys, size, iova);
      if (slotBytes > 4096) {
        if (!(phys >= 0 && size <= PHYS_LIMIT - phys)) this.#refuseVector(at, phys, size, iova);
        const bits = mixed && marks[index] !== 0 ? highBits | MMIO : highBits;
        this.#mapPart(at, phys - (phys & 4095), slotBytes, lowBits, bits, iova);
        at += slotBytes;
        index++;
        continue;
      }
      // Vectors within one page each, as far as this table reaches.
      const table = this.#leafTable(at, iova);
      const words = this.memory.words;
      const slot = (at / 4096) & (SLOTS - 1);
      const begin = table * WORDS + 2 * slot;
      const end = begin + 2 * Math.min(stop - index, SLOTS - slot);
      let word = begin;
      let free = true;
      let highSeen = 0;
      for (; word < end; word += 2, index++) {
        const page = address[index] as number;
        const bytes = length[index] as number;
        const low = page | 0;
        const offset = low & 4095;
        if (bytes + offset > 4096 || bytes === 0) break;
        free = ((words[word] as number) & PRESENT) === 0;
        if (!free) break;
        const high = highOf(page);
        highSeen |= high;
        words[word] = (low - offset) | lowBits;
        words[word + 1] = high | (mixed && marks[index] !== 0 ? highBits | MMIO : highBits);
      }
      at += this.#count(table, (word - begin) / 2);
      if (!free) this.#refuseMapped(at, iova);
      if (highSeen < 0 || highSeen > ENTRY_HIGH_ADDRESS) this.#refuseVector(at, PHYS_LIMIT, 4096, iova);
    }
    return at - iova;
  }

  /** Whether every page of the span is mapped. */
  isMapped(iova: number, length: number): boolean {
    const end = iova + length;
    for (let at = iova; at < end; ) {
      const table = this.#leafTableAt(at);
      if (table < 0) {
        const level = this.#find(at);
        if (level < 0) return false;
        const span = SPAN[level] as number;
        at = (Math.floor(at / span) + 1) * span;
        continue;
      }
      const words = this.memory.words;
      const slot = (at / 4096) & (SLOTS - 1);
      const count = Math.min((end - at) / 4096, SLOTS - slot);
      const last = table * WORDS + 2 * (slot + count);
      for (let word = table * WORDS + 2 * slot; word < last; word += 2) {
        if (((words[word] as number) & PRESENT) === 0) return false;
      }
      at += count * 4096;
    }
    return true;
  }

  /**
   * Unmaps whatever is mapped in the span. A leaf larger than what the span covers of it is split first, which may refuse
   * `TABLES_EXHAUSTED`. Returns the bytes that were mapped.
   */
  unmapSpan(iova: number, length: number): number {
    const end = iova + length;
    this.#splitAt(iova);
    this.#splitAt(end);
    let cleared = 0;
    let at = iova;
    while (at < end) {
      const table = this.#leafTableAt(at);
      if (table < 0) {
        // No table of 4 KiB leaves here: a larger leaf, which lies in the span as a whole, or nothing.
        const level = this.#find(at);
        const span = SPAN[Math.abs(level)] as number;
        if (level >= 0) cleared += this.#clearLarge(this.#foundWord, span);
        at = (Math.floor(at / span) + 1) * span;
        continue;
      }
      const words = this.memory.words;
      const slot = (at / 4096) & (SLOTS - 1);
      const count = Math.min((end - at) / 4096, SLOTS - slot);
      const last = table * WORDS + 2 * (slot + count);
      let live = 0;
      for (let word = table * WORDS + 2 * slot; word < last; word += 2) {
        if (((words[word] as number) & PRESENT) === 0) continue;
        words[word] = 0;
        words[word + 1] = 0;
        live++;
      }
      cleared += live * 4096;
      at += count * 4096;
      this.#count(table, -live);
      this.#giveBackEmpty(table);
    }
    return cleared;
  }

  /**
   * Finds the leaf that maps `iova`. Returns its level (0: 4 KiB, 1: 2 MiB, 2: 1 GiB), and the entry through `lowWord` and
   * `highWord`; or a negative number where nothing is mapped.
   */
  walk(iova: number): number {
    return iova >= 0 && iova < this.reach ? this.#find(iova) : -1;
  }

  /** Low word of the entry that the last successful `walk` found. */
  get lowWord(): number {
    return this.memory.words[this.#foundWord] as number;
  }

  /** High word of that entry. */
  get highWord(): number {
    return this.memory.words[this.#foundWord + 1] as number;
  }

  #leafLevel(iova: number, phys: number, length: number): number {
    if (length < REGION || !this.#largePages) return 0;
    // Both sides aligned to 1 GiB or 2 MiB: their low 30 or 21 bits are zero.
    const low = (iova | phys) & 0x3fffffff;
    if (this.#hugePages && length >= (SPAN[2] as number) && low === 0) return 2;
    return (low & (REGION - 1)) === 0 ? 1 : 0;
  }

  #mapLarge(iova: number, phys: number, level: number, undoFrom: number, lowBits: number, highBits: number): void {
    const table = this.#tableFor(iova, level, undoFrom);
    const span = SPAN[level] as number;
    const word = table * WORDS + 2 * ((iova / span) & (SLOTS - 1));
    const { words, used } = this.memory;
    if (((words[word] as number) & PRESENT) !== 0) this.#refuseMapped(iova, undoFrom);
    words[word] = phys | lowBits | ENTRY_LEAF;
    words[word + 1] = highOf(phys) | highBits;
    used[table] = (used[table] as number) + 1;
    this.#mappedBytes += span;
  }

  /** `map` of one vector in a run: a refusal undoes the run. */
  #mapPart(at: number, phys: number, length: number, lowBits: number, highBits: number, undoFrom: number): void {
    try {
      this.map(at, phys, length, lowBits, highBits);
    } catch (error) {
      this.#undo(undoFrom, at);
      throw error;
    }
  }

  /** Counts entries written into a table of 4 KiB leaves, or cleared if negative; returns their bytes. */
  #count(table: number, entries: number): number {
    const { used } = this.memory;
    used[table] = (used[table] as number) + entries;
    this.#mappedBytes += entries * 4096;
    return entries * 4096;
  }

  /** Table of 4 KiB leaves for `iova`, made if need be. */
  #leafTable(iova: number, undoFrom: number): number {
    const region = Math.floor(iova / REGION);
    if (region !== this.#lastRegion) {
      this.#lastTable = this.#tableFor(iova, 0, undoFrom);
      this.#lastRegion = region;
    }
    return this.#lastTable;
  }

  /** Table of 4 KiB leaves for `iova`, or -1. */
  #leafTableAt(iova: number): number {
    const region = Math.floor(iova / REGION);
    if (region === this.#lastRegion) return this.#lastTable;
    const table = this.#descend(iova);
    if (table >= 0) {
      this.#lastRegion = region;
      this.#lastTable = table;
    }
    return table;
  }

  /** Table of `level` on the way to `iova`, made if need be. On a refusal, first unmaps what was mapped from `undoFrom`. */
  #tableFor(iova: number, level: number, undoFrom: number): number {
    const { memory } = this;
    let table = 0;
    for (let at = this.levels - 1; at > level; at--) {
      const slot = (iova / (SPAN[at] as number)) & (SLOTS - 1);
      const word = table * WORDS + 2 * slot;
      const low = memory.words[word] as number;
      if ((low & PRESENT) === 0) {
        const child = memory.take(table, slot);
        if (child < 0) {
          this.#giveBackEmpty(table);
          this.#undo(undoFrom, iova);
          throw this.#exhausted(iova, 'unmap something, or set more memory aside for page tables');
        }
        table = child;
      } else if ((low & ENTRY_LEAF) !== 0) {
        this.#refuseMapped(iova, undoFrom);
      } else {
        table = memory.tableOf(low, memory.words[word + 1] as number);
      }
    }
    return table;
  }

  #descend(iova: number): number {
    const { memory } = this;
    let table = 0;
    for (let at = this.levels - 1; at > 0; at--) {
      const word = table * WORDS + 2 * ((iova / (SPAN[at] as number)) & (SLOTS - 1));
      const low = memory.words[word] as number;
      if ((low & PRESENT) === 0 || (low & ENTRY_LEAF) !== 0) return -1;
      table = memory.tableOf(low, memory.words[word + 1] as number);
    }
    return table;
  }

  /** Level of the leaf for `iova`, its entry in `#foundWord`; or minus the level of the entry that is not present, at least 1. */
  #find(iova: number): number {
    const { memory } = this;
    let table = 0;
    for (let at = this.levels - 1; at > 0; at--) {
      const word = table * WORDS + 2 * ((iova / (SPAN[at] as number)) & (SLOTS - 1));
      const low = memory.words[word] as number;
      if ((low & PRESENT) === 0) return -at;
      if ((low & ENTRY_LEAF) !== 0) {
        this.#foundWord = word;
        return at;
      }
      table = memory.tableOf(low, memory.words[word + 1] as number);
    }
    const word = table * WORDS + 2 * ((iova / 4096) & (SLOTS - 1));
    if (((memory.words[word] as number) & PRESENT) === 0) return -1;
    this.#foundWord = word;
    return 0;
  }

  #giveBackEmpty(table: number): void {
    if (this.memory.used[table] !== 0) return;
    this.memory.giveBackEmpty(table);
    this.#lastTable = -1;
    this.#lastRegion = -1;
  }

  #clearLarge(word: number, span: number): number {
    const { words, used } = this.memory;
    const table = Math.floor(word / WORDS);
    words[word] = 0;
    words[word + 1] = 0;
    used[table] = (used[table] as number) - 1;
    this.#mappedBytes -= span;
    this.#giveBackEmpty(table);
    return span;
  }

  /** Splits the leaf that an address lies inside of, until a leaf begins at it or none is there. */
  #splitAt(iova: number): void {
    if ((iova & (REGION - 1)) === 0 && !this.#hugePages) return;
    if (iova >= this.reach || (this.#lastRegion === Math.floor(iova / REGION) && this.#lastTable >= 0)) return;
    for (let level = this.#find(iova); level > 0; level = this.#find(iova)) {
      if (iova % (SPAN[level] as number) === 0) return;
      this.#split(this.#foundWord, level, iova);
    }
  }

  /** Replaces a large leaf by a table of the same mapping in leaves of the next size. */
  #split(word: number, level: number, iova: number): void {
    const { memory } = this;
    const low = memory.words[word] as number;
    const high = memory.words[word + 1] as number;
    const parent = Math.floor(word / WORDS);
    const table = memory.take(parent, (word % WORDS) / 2);
    if (table < 0)
      throw this.#exhausted(iova, 'unmap what was mapped as a whole, or set more memory aside for page tables');
    // `take` counted an entry that was there before.
    memory.used[parent] = (memory.used[parent] as number) - 1;
    const span = SPAN[level - 1] as number;
    const keep = (low & PRESENT) | (level > 1 ? ENTRY_LEAF : 0);
    let phys = targetOf(low, high);
    const words = memory.words;
    for (let at = table * WORDS; at < (table + 1) * WORDS; at += 2, phys += span) {
      words[at] = phys | keep;
      words[at + 1] = highOf(phys) | (high & ENTRY_HIGH_MMIO);
    }
    memory.used[table] = SLOTS;
  }

  #undo(from: number, to: number): void {
    if (to > from) this.unmapSpan(from, to - from);
  }

  #refuseMapped(iova: number, undoFrom: number): never {
    this.#undo(undoFrom, iova);
    throw new IommuError({
      code: 'ALREADY_MAPPED',
      path: `iova ${hex(iova)}`,
      message: `the page at ${hex(iova)} is mapped already`,
      hint: 'unmap it first, or take an address from the allocator',
    });
  }

  #refuseVector(iova: number, phys: number, length: number, undoFrom: number): never {
    this.#undo(undoFrom, iova);
    if (length === 0) {
      throw new IommuError({
        code: 'LENGTH_INVALID',
        path: 'length',
        message: `a vector of no bytes at ${hex(phys)} cannot be mapped`,
        hint: 'leave it out',
      });
    }
    throw new IommuError({
      code: 'OUT_OF_REACH',
      path: `iova ${hex(iova)}`,
      message: `a vector of the run lies at or above ${hex(PHYS_LIMIT)}, or its slot at or above ${hex(this.reach)}`,
      hint: 'physical addresses have at most 52 bits; take I/O virtual ones from the allocator',
    });
  }

  #exhausted(iova: number, hint: string): IommuError {
    return new IommuError({
      code: 'TABLES_EXHAUSTED',
      path: `iova ${hex(iova)}`,
      message: `all ${this.memory.limit} tables are in use`,
      hint,
    });
  }
}
