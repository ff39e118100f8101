/**
 * A page table in memory, in the format of VT-d second-level translation (VT-d specification 3.4, 9.8): 3, 4 or 5 levels of
 * 4 KiB tables with 512 entries of 64 bits. Copied to the address it is built for, a real IOMMU walks it.
 *
 * ```
 *  63 ..... 53  52    51 ................ 12  11 .. 8  7  6 .. 2  1  0
 *   ignored   mmio    address of page/table    (0)    PS   (0)    W  R
 * ```
 *
 * PS marks a 2 MiB leaf on level 1 or a 1 GiB leaf on level 2. Bit 52 is one that hardware ignores; we keep the MMIO
 * attribute there, so that a range needs no record of its own. Entries are pairs of 32-bit words, low word first. A table
 * that becomes empty is given back at once and holds only zeros then, so that an unmap leaves what the map found.
 */

import { alignUp, assert, hex, type PhysAddr } from '../core/index.ts';
import { IommuError } from './errors.ts';

export const ENTRY_READ: number = 1 << 0;
export const ENTRY_WRITE: number = 1 << 1;
export const ENTRY_LEAF: number = 1 << 7;
/** In the high word: bit 52 of the entry. */
export const ENTRY_HIGH_MMIO: number = 1 << 20;
const ENTRY_HIGH_ADDRESS = 0xfffff;
const PRESENT = ENTRY_READ | ENTRY_WRITE;

const ENTRIES = 512;
/** 32-bit words of one table. */
const TABLE_WORDS = 2 * ENTRIES;
const TABLE_BYTES = 4096;
const TWO_32 = 2 ** 32;
const TWO_M32 = 2 ** -32;
/** First physical address that an entry cannot hold. */
export const PHYS_LIMIT: number = 2 ** 52;
/** Bytes that one entry maps, by level; level 0 holds the 4 KiB leaves. */
const SPAN: readonly number[] = [2 ** 12, 2 ** 21, 2 ** 30, 2 ** 39, 2 ** 48];
const LEAF_SPAN = 2 ** 21;

export interface PageTableOptions {
  /** 3, 4 or 5 levels: 39, 48 or 57 bits of I/O virtual address. */
  readonly levels: 3 | 4 | 5;
  /** 2 MiB leaves. */
  readonly largePages: boolean;
  /** 1 GiB leaves. */
  readonly hugePages: boolean;
  /** Where the tables lie in physical memory: the root first, the others behind it. */
  readonly tableBase: PhysAddr;
  /** Most tables there is room for. */
  readonly tableLimit: number;
}

/** One table as it lies in memory. */
export interface TablePage {
  readonly address: PhysAddr;
  /** 1024 words: entry i is words 2i (low) and 2i+1 (high). A view, not a copy. */
  readonly words: Uint32Array;
}

/** One leaf of the table. */
export interface Leaf {
  readonly iova: number;
  readonly phys: number;
  readonly length: number;
  readonly read: boolean;
  readonly write: boolean;
  readonly mmio: boolean;
}

export class PageTable {
  readonly levels: number;
  /** First I/O virtual address behind the table's reach. */
  readonly reach: number;
  readonly tableBase: PhysAddr;
  readonly #tableLimit: number;
  readonly #largePages: boolean;
  readonly #hugePages: boolean;

  /** All tables, one behind the other; table 0 is the root. */
  #words = new Uint32Array(16 * TABLE_WORDS);
  /** Entries in use, by table. */
  #used = new Uint16Array(16);
  /** Table that points here, and the entry of it, by table. */
  #parent = new Int32Array(16);
  #slot = new Uint16Array(16);
  /** Tables given back, the next to use last. */
  #free = new Int32Array(16);
  #freeCount = 0;
  #tables = 1;
  /** The 4 KiB-leaf table of the last call, and the 2 MiB of address space that it maps. */
  #lastLeaf = -1;
  #lastRegion = -1;
  #mappedBytes = 0;

  constructor(options: PageTableOptions) {
    this.levels = options.levels;
    this.reach = Math.min(2 ** (12 + 9 * options.levels), 2 ** 53);
    this.tableBase = options.tableBase;
    this.#tableLimit = options.tableLimit;
    this.#largePages = options.largePages;
    this.#hugePages = options.hugePages;
  }

  /** Bytes mapped. */
  get mappedBytes(): number {
    return this.#mappedBytes;
  }

  /** Tables in use, the root included. */
  get tableCount(): number {
    return this.#tables - this.#freeCount;
  }

  /**
   * Maps `[iova, iova + length)` to `phys` onwards with the largest leaves that size and alignment of both sides allow.
   * All three multiples of 4096 and in reach, which the caller has checked. All or nothing: refuses `ALREADY_MAPPED`,
   * `TABLES_EXHAUSTED`.
   */
  map(iova: number, phys: number, length: number, lowBits: number, highBits: number): void {
    const end = iova + length;
    let at = iova;
    let target = phys;
    while (at < end) {
      const level = this.#leafLevel(at, target, end - at);
      if (level > 0) {
        const table = this.#tableFor(at, level, iova);
        const span = SPAN[level] as number;
        const word = table * TABLE_WORDS + 2 * ((at / span) & (ENTRIES - 1));
        if (((this.#words[word] as number) & PRESENT) !== 0) this.#refuseMapped(at, iova);
        this.#words[word] = ((target >>> 0) | lowBits | ENTRY_LEAF) >>> 0;
        this.#words[word + 1] = ((target / TWO_32) >>> 0) | highBits;
        this.#used[table] = (this.#used[table] as number) + 1;
        this.#mappedBytes += span;
        at += span;
        target += span;
        continue;
      }
      const table = this.#leafTable(at, iova);
      const words = this.#words;
      const slot = (at / 4096) & (ENTRIES - 1);
      const first = table * TABLE_WORDS + 2 * slot;
      const last = first + 2 * Math.min((end - at) / 4096, ENTRIES - slot);
      let word = first;
      for (; word < last && ((words[word] as number) & PRESENT) === 0; word += 2) {
        words[word] = (target >>> 0) | lowBits;
        words[word + 1] = ((target / TWO_32) >>> 0) | highBits;
        target += 4096;
      }
      at += this.#count(table, (word - first) / 2);
      if (word < last) this.#refuseMapped(at, iova);
    }
  }

  /**
   * Maps vectors one behind the other from `iova`, each in a slot of whole pages that starts with the vector's first page;
   * vectors `first` to `first + count - 1`. Returns the bytes of all slots. All or nothing, as `map`.
   */
  mapRun(
    iova: number,
    address: Float64Array,
    length: Uint32Array | Float64Array,
    first: number,
    count: number,
    lowBits: number,
    highBits: number,
  ): number {
    const stop = first + count;
    let at = iova;
    let index = first;
    while (index < stop) {
      const phys = address[index] as number;
      const size = length[index] as number;
      const slotBytes = alignUp(size + (phys & 4095), 4096);
      if (size === 0 || at + slotBytes > this.reach) this.#refuseVector(at, phys, size, iova);
      if (slotBytes > 4096) {
        if (!(phys >= 0 && size <= PHYS_LIMIT - phys)) this.#refuseVector(at, phys, size, iova);
        this.#mapPart(at, phys - (phys & 4095), slotBytes, lowBits, highBits, iova);
        at += slotBytes;
        index++;
        continue;
      }
      // Vectors within one page each, as far as this table reaches.
      const table = this.#leafTable(at, iova);
      const words = this.#words;
      const slot = (at / 4096) & (ENTRIES - 1);
      const begin = table * TABLE_WORDS + 2 * slot;
      const end = begin + 2 * Math.min(stop - index, ENTRIES - slot);
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
        const high = (page * TWO_M32) | 0;
        highSeen |= high;
        words[word] = (low - offset) | lowBits;
        words[word + 1] = high | highBits;
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
      const slot = (at / 4096) & (ENTRIES - 1);
      const count = Math.min((end - at) / 4096, ENTRIES - slot);
      const last = table * TABLE_WORDS + 2 * (slot + count);
      for (let word = table * TABLE_WORDS + 2 * slot; word < last; word += 2) {
        if (((this.#words[word] as number) & PRESENT) === 0) return false;
      }
      at += count * 4096;
    }
    return true;
  }

  /**
   * Unmaps whatever is mapped in the span, and gives empty tables back. A leaf larger than what the span covers of it is
   * split first. Returns the bytes that were mapped.
   */
  unmapSpan(iova: number, length: number): number {
    const end = iova + length;
    let cleared = 0;
    let at = iova;
    while (at < end) {
      const table = this.#leafTableAt(at);
      if (table < 0) {
        // No table of 4 KiB leaves here: a larger leaf, or nothing.
        const level = this.#find(at);
        const span = SPAN[level < 0 ? -level : level] as number;
        const start = Math.floor(at / span) * span;
        if (level < 0) {
          at = start + span;
        } else if (start >= at && start + span <= end) {
          this.#clearEntry(this.#foundWord);
          cleared += span;
          at = start + span;
        } else {
          this.#split(this.#foundWord, level, at);
        }
        continue;
      }
      const words = this.#words;
      const slot = (at / 4096) & (ENTRIES - 1);
      const count = Math.min((end - at) / 4096, ENTRIES - slot);
      const last = table * TABLE_WORDS + 2 * (slot + count);
      let live = 0;
      for (let word = table * TABLE_WORDS + 2 * slot; word < last; word += 2) {
        if (((words[word] as number) & PRESENT) === 0) continue;
        words[word] = 0;
        words[word + 1] = 0;
        live++;
      }
      cleared += live * 4096;
      at += count * 4096;
      const used = (this.#used[table] as number) - live;
      this.#used[table] = used;
      if (used === 0) this.#giveBack(table);
    }
    this.#mappedBytes -= cleared;
    return cleared;
  }

  /**
   * Finds the leaf that maps `iova`. Returns its level (0: 4 KiB, 1: 2 MiB, 2: 1 GiB), and the entry through `lowWord` and
   * `highWord`; or minus the level of the entry that is not present, or -1 where that is level 0 or 1.
   */
  walk(iova: number): number {
    if (!(iova >= 0 && iova < this.reach)) return -this.levels;
    return this.#find(iova);
  }

  /** Low word of the entry that the last successful `walk` found. */
  get lowWord(): number {
    return this.#words[this.#foundWord] as number;
  }

  /** High word of that entry. */
  get highWord(): number {
    return this.#words[this.#foundWord + 1] as number;
  }

  /** Bytes that a leaf of this level maps. */
  static spanOf(level: number): number {
    return SPAN[level] as number;
  }

  /** Every table in use, root first, as it lies in memory. The views are good until the next map or unmap. */
  *pages(): Generator<TablePage, void, undefined> {
    const given = new Set(this.#free.subarray(0, this.#freeCount));
    for (let table = 0; table < this.#tables; table++) {
      if (given.has(table)) continue;
      const words = this.#words.subarray(table * TABLE_WORDS, (table + 1) * TABLE_WORDS);
      yield { address: (this.tableBase + table * TABLE_BYTES) as PhysAddr, words };
    }
  }

  /** Every leaf, by rising I/O virtual address. */
  *leaves(): Generator<Leaf, void, undefined> {
    yield* this.#leavesOf(0, this.levels - 1, 0);
  }

  #foundWord = 0;

  *#leavesOf(table: number, level: number, base: number): Generator<Leaf, void, undefined> {
    for (let slot = 0; slot < ENTRIES; slot++) {
      const low = this.#words[table * TABLE_WORDS + 2 * slot] as number;
      const high = this.#words[table * TABLE_WORDS + 2 * slot + 1] as number;
      if ((low & PRESENT) === 0) continue;
      const iova = base + slot * (SPAN[level] as number);
      if (level > 0 && (low & ENTRY_LEAF) === 0) {
        yield* this.#leavesOf(this.#tableAt(low, high), level - 1, iova);
        continue;
      }
      yield {
        iova,
        phys: (high & ENTRY_HIGH_ADDRESS) * TWO_32 + ((low & ~4095) >>> 0),
        length: SPAN[level] as number,
        read: (low & ENTRY_READ) !== 0,
        write: (low & ENTRY_WRITE) !== 0,
        mmio: (high & ENTRY_HIGH_MMIO) !== 0,
      };
    }
  }

  #leafLevel(iova: number, phys: number, length: number): number {
    if (length < LEAF_SPAN || !this.#largePages) return 0;
    // Both sides aligned to 1 GiB or 2 MiB: their low 30 or 21 bits are zero.
    const low = (iova | phys) & 0x3fffffff;
    if (this.#hugePages && length >= (SPAN[2] as number) && low === 0) return 2;
    return (low & (LEAF_SPAN - 1)) === 0 ? 1 : 0;
  }

  /** Table of 4 KiB leaves for `iova`, made if need be. */
  #leafTable(iova: number, undoFrom: number): number {
    const region = Math.floor(iova / LEAF_SPAN);
    if (region === this.#lastRegion) return this.#lastLeaf;
    const table = this.#tableFor(iova, 0, undoFrom);
    this.#lastRegion = region;
    this.#lastLeaf = table;
    return table;
  }

  /** Table of 4 KiB leaves for `iova`, or -1. */
  #leafTableAt(iova: number): number {
    const region = Math.floor(iova / LEAF_SPAN);
    if (region === this.#lastRegion) return this.#lastLeaf;
    const table = this.#descend(iova);
    if (table >= 0) {
      this.#lastRegion = region;
      this.#lastLeaf = table;
    }
    return table;
  }

  /** Counts entries just written into a table of 4 KiB leaves; returns their bytes. */
  #count(table: number, entries: number): number {
    this.#used[table] = (this.#used[table] as number) + entries;
    this.#mappedBytes += entries * 4096;
    return entries * 4096;
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

  /** Table of `level` on the way to `iova`, made if need be. On a refusal, first unmaps what was mapped from `undoFrom`. */
  #tableFor(iova: number, level: number, undoFrom: number): number {
    let table = 0;
    for (let at = this.levels - 1; at > level; at--) {
      const slot = (iova / (SPAN[at] as number)) & (ENTRIES - 1);
      const word = table * TABLE_WORDS + 2 * slot;
      const low = this.#words[word] as number;
      if ((low & PRESENT) === 0) {
        const child = this.#newTable(table, slot);
        if (child < 0) {
          this.#pruneUp(table);
          this.#undo(undoFrom, iova);
          throw new IommuError({
            code: 'TABLES_EXHAUSTED',
            path: `iova ${hex(iova)}`,
            message: `all ${this.#tableLimit} tables are in use`,
            hint: 'unmap something, or set more memory aside for page tables',
          });
        }
        table = child;
      } else if ((low & ENTRY_LEAF) !== 0) {
        this.#refuseMapped(iova, undoFrom);
      } else {
        table = this.#tableAt(low, this.#words[word + 1] as number);
      }
    }
    return table;
  }

  #descend(iova: number): number {
    let table = 0;
    for (let at = this.levels - 1; at > 0; at--) {
      const word = table * TABLE_WORDS + 2 * ((iova / (SPAN[at] as number)) & (ENTRIES - 1));
      const low = this.#words[word] as number;
      if ((low & PRESENT) === 0 || (low & ENTRY_LEAF) !== 0) return -1;
      table = this.#tableAt(low, this.#words[word + 1] as number);
    }
    return table;
  }

  #find(iova: number): number {
    let table = 0;
    for (let at = this.levels - 1; at >= 0; at--) {
      const word = table * TABLE_WORDS + 2 * ((iova / (SPAN[at] as number)) & (ENTRIES - 1));
      const low = this.#words[word] as number;
      if ((low & PRESENT) === 0) return at === 0 ? -1 : -at;
      if (at === 0 || (low & ENTRY_LEAF) !== 0) {
        this.#foundWord = word;
        return at;
      }
      table = this.#tableAt(low, this.#words[word + 1] as number);
    }
    return -1;
  }

  #tableAt(low: number, high: number): number {
    return ((high & ENTRY_HIGH_ADDRESS) * TWO_32 + ((low & ~4095) >>> 0) - this.tableBase) / TABLE_BYTES;
  }

  #newTable(parent: number, slot: number): number {
    let table: number;
    if (this.#freeCount > 0) {
      table = this.#free[--this.#freeCount] as number;
    } else {
      if (this.#tables === this.#tableLimit) return -1;
      table = this.#tables++;
      if (table === this.#used.length) this.#grow();
    }
    this.#parent[table] = parent;
    this.#slot[table] = slot;
    const address = this.tableBase + table * TABLE_BYTES;
    const word = parent * TABLE_WORDS + 2 * slot;
    this.#words[word] = ((address >>> 0) | PRESENT) >>> 0;
    this.#words[word + 1] = (address / TWO_32) >>> 0;
    this.#used[parent] = (this.#used[parent] as number) + 1;
    return table;
  }

  /** Takes an empty table out of its parent, and the parents that become empty by it. */
  #giveBack(empty: number): void {
    let table = empty;
    while (table !== 0 && this.#used[table] === 0) {
      if (table === this.#lastLeaf) {
        this.#lastLeaf = -1;
        this.#lastRegion = -1;
      }
      const parent = this.#parent[table] as number;
      const word = parent * TABLE_WORDS + 2 * (this.#slot[table] as number);
      this.#words[word] = 0;
      this.#words[word + 1] = 0;
      this.#used[parent] = (this.#used[parent] as number) - 1;
      this.#free[this.#freeCount++] = table;
      table = parent;
    }
  }

  #pruneUp(table: number): void {
    if (this.#used[table] === 0) this.#giveBack(table);
  }

  #clearEntry(word: number): void {
    const table = Math.floor(word / TABLE_WORDS);
    this.#words[word] = 0;
    this.#words[word + 1] = 0;
    this.#used[table] = (this.#used[table] as number) - 1;
    this.#pruneUp(table);
  }

  /** Replaces a large leaf by a table of the same mapping in leaves of the next size. */
  #split(word: number, level: number, iova: number): void {
    const low = this.#words[word] as number;
    const high = this.#words[word + 1] as number;
    const parent = Math.floor(word / TABLE_WORDS);
    const slot = (word % TABLE_WORDS) / 2;
    const table = this.#newTable(parent, slot);
    if (table < 0) {
      throw new IommuError({
        code: 'TABLES_EXHAUSTED',
        path: `iova ${hex(iova)}`,
        message: `all ${this.#tableLimit} tables are in use, and a large leaf must be split to unmap a part of it`,
        hint: 'unmap the whole range that was mapped, or set more memory aside for page tables',
      });
    }
    // `newTable` counted an entry that was there before.
    this.#used[parent] = (this.#used[parent] as number) - 1;
    const span = SPAN[level - 1] as number;
    const keep = (low & PRESENT) | (level > 1 ? ENTRY_LEAF : 0);
    let phys = (high & ENTRY_HIGH_ADDRESS) * TWO_32 + ((low & ~4095) >>> 0);
    const words = this.#words;
    for (let at = table * TABLE_WORDS; at < (table + 1) * TABLE_WORDS; at += 2, phys += span) {
      words[at] = ((phys >>> 0) | keep) >>> 0;
      words[at + 1] = ((phys / TWO_32) >>> 0) | (high & ENTRY_HIGH_MMIO);
    }
    this.#used[table] = ENTRIES;
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

  #grow(): void {
    const capacity = 2 * this.#used.length;
    assert(capacity <= 2 ** 20, 'page tables outgrow what one array can hold');
    const words = new Uint32Array(capacity * TABLE_WORDS);
    words.set(this.#words);
    this.#words = words;
    this.#used = grow(this.#used, new Uint16Array(capacity));
    this.#slot = grow(this.#slot, new Uint16Array(capacity));
    this.#parent = grow(this.#parent, new Int32Array(capacity));
    this.#free = grow(this.#free, new Int32Array(capacity));
  }
}

function grow<A extends Uint16Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
