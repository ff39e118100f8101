/**
 * The memory map of page descriptors: 64 bytes for each 4 KiB, found by the page's number alone, as Linux finds a `struct page`
 * (sparse memory model, include/asm-generic/memory_model.h). Linux lays descriptors at one virtual address and lets the CPU's page
 * table find those that are there; here two steps through a directory take the place of that table.
 *
 *   address  / 2 GiB -> group    / 2 MiB -> chunk of 512 descriptors    / 4 KiB -> descriptor
 */

import { pageIndex } from '../core/address.ts';
import { PAGE_DESCRIPTOR_BYTES } from '../p2p/page-cost.ts';
import type { RangeRecord } from './range-table.ts';

/** Memory whose descriptors are made together, bytes: a section of Linux's sparse memory model on x86. */
const SECTION_BYTES = 2 ** 27;
const PAGES_PER_SECTION = 2 ** 15;
const WORDS = PAGE_DESCRIPTOR_BYTES / 4;
const CHUNK_PAGES = 512;
const CHUNKS_PER_GROUP = 1024;
const PER_GROUP = 2 ** -31;
const PER_CHUNK = 2 ** -21;
const PER_PAGE = 2 ** -12;

export class PageMap {
  /** By group the place of its first chunk in `#chunks`; 0 is none. */
  #groups: Uint32Array;
  /** By chunk its place in `#descriptors`; 0 is none, and the descriptors of nobody lie there. */
  #chunks: Uint32Array = new Uint32Array(CHUNKS_PER_GROUP);
  /** The first word of each descriptor is the index of its record plus one. The rest is there as it is in the kernel: unread. */
  readonly #descriptors: Int32Array[] = [new Int32Array(CHUNK_PAGES * WORDS)];
  /** Sections of records that have descriptors, by the number of the section. */
  readonly #made = new Map<RangeRecord, Set<number>>();
  #bytes = 0;

  /** `end`: the address behind the last that has a descriptor. */
  constructor(end: number) {
    this.#groups = new Uint32Array(Math.floor(end * PER_GROUP) + 1);
  }

  /** Bytes of descriptors made so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The index of the record that the descriptor of an address leads to; -1 where no descriptor has been made. */
  recordAt(address: number): number {
    // Of an address above all groups nothing is read: it has none.
    const group = this.#groups[Math.floor(address * PER_GROUP)];
    if (group === undefined) return -1;
    const chunk = this.#chunks[group + ((address * PER_CHUNK) & (CHUNKS_PER_GROUP - 1))] as number;
    const descriptors = this.#descriptors[chunk] as Int32Array;
    return (descriptors[((address * PER_PAGE) & (CHUNK_PAGES - 1)) * WORDS] as number) - 1;
  }

  /** Makes the descriptors of a record's pages in the section around `address`. Of a page that two records share the first has it. */
  make(record: RangeRecord, index: number, address: number): void {
    const section = Math.floor(address / SECTION_BYTES);
    let sections = this.#made.get(record);
    if (sections === undefined) {
      sections = new Set();
      this.#made.set(record, sections);
    }
    if (sections.has(section)) return;
    sections.add(section);
    const first = Math.max(pageIndex(record.start), section * PAGES_PER_SECTION);
    const end = Math.min(pageIndex(record.end - 1), (section + 1) * PAGES_PER_SECTION - 1) + 1;
    for (let page = first; page < end; page++) {
      const descriptors = this.#chunkOf(page * 4096);
      const word = (page % CHUNK_PAGES) * WORDS;
      if (descriptors[word] === 0) descriptors[word] = index + 1;
    }
    this.#bytes += (end - first) * PAGE_DESCRIPTOR_BYTES;
  }

  #chunkOf(address: number): Int32Array {
    const at = Math.floor(address * PER_GROUP);
    if (this.#groups[at] === 0) {
      const bigger = new Uint32Array(this.#chunks.length + CHUNKS_PER_GROUP);
      bigger.set(this.#chunks);
      this.#groups[at] = this.#chunks.length;
      this.#chunks = bigger;
    }
    const slot = (this.#groups[at] as number) + ((address * PER_CHUNK) & (CHUNKS_PER_GROUP - 1));
    if (this.#chunks[slot] === 0) {
      this.#chunks[slot] = this.#descriptors.length;
      this.#descriptors.push(new Int32Array(CHUNK_PAGES * WORDS));
    }
    return this.#descriptors[this.#chunks[slot] as number] as Int32Array;
  }
}
