/**
 * The five designs once more, on a memory that counts (counted-memory.ts), with the structures of a C program:
 *
 *   vector       u64 address, u32 length                    12 bytes, packed        lookup, page, premapped
 *                u64 address, u32 length, u32 word          16 bytes                flags, certified
 *   range        u64 start, u64 end, s64 bus offset,
 *                u32 generation, u32 provider, u8 kind      40 bytes, sorted        lookup, certified that do not match
 *   judged       u8 kind, by range, for one mapper           1 byte
 *   slots        u32 range, by a hash of the address      8192 bytes for one mapper
 *   descriptor   u64 flags, u64 pgmap, ...                  64 bytes a page         page
 *   pgmap        s64 bus offset, u32 provider               16 bytes a BAR
 *   own BARs     start and end, in registers                nothing                 flags, certified that match
 *
 * They take the decisions of src/dma, step by step and from the same state: a test (tests/designs/counted.test.ts) runs both over the same
 * lists and compares every kind, every address, and what was looked up. Address and length of a vector are read once each,
 * as every mapper must. Not counted: the judgement of a pair, made once a pair; the branch by the kind, which all take; and stores.
 *
 * A bus address may lie in a BAR of the mapper itself, case (c). Whoever was told a kind and no owner compares with the own BARs
 * (`pci_bus_addr_in_bar` of the mail); lookup and page have learnt the owner on the way. What was mapped before cannot be compared: an
 * IOVA may look like a BAR.
 */

import type { BvecList } from '../src/block/index.ts';
import {
  certificateKey,
  generationOf,
  KIND_BUS,
  KIND_RAM,
  KIND_RESOURCE,
  type LookupCounters,
} from '../src/dma/index.ts';
import { PAIR_BUS, PAIR_HOST_BRIDGE } from '../src/dma/pair-types.ts';
import { coarseSlot, fineSlot } from '../src/dma/range-cache.ts';
import { PAGE_DESCRIPTOR_BYTES, RANGE_RECORD_BYTES } from '../src/p2p/page-cost.ts';
import { requesterId } from '../src/pcie/index.ts';
import { CountedMemory, type Counts, known, made, type Word } from './counted-memory.ts';
import type { RoadName, Side } from './designs.ts';

export const PGMAP_BYTES = 16;
export const SLOT_BYTES: number = 2 * 1024 * 4;
const PAGE = 4096;
const GIB = 2 ** 30;
const NOT_ASKED = 255;
const MADE_NOW = known(Number.POSITIVE_INFINITY);
/** The vectors' words have no place among the other structures. */
const VECTORS = 2 ** 50;
const DESCRIPTORS = 2 ** 51;

/** What a run came to. */
export interface CountedRun {
  readonly kinds: readonly number[];
  readonly addresses: readonly number[];
  /** Vectors in a BAR of the mapping device, in order; of `premapped` none is known. */
  readonly own: readonly number[];
  readonly counters: LookupCounters;
  readonly counts: Counts;
}

/** Bytes of a vector as the design needs it. */
export function vectorBytes(name: RoadName): number {
  return name === 'flags' || name === 'flags verified' || name === 'certified' ? 16 : 12;
}

/** One design at one mapping device; what it keeps from list to list stays. */
export class CountedDesign {
  readonly name: RoadName;
  readonly #side: Side;
  readonly #memory = new CountedMemory();
  readonly #counters: LookupCounters = { lookups: 0, lastHits: 0, pages: 0 };
  /** Ranges that there is room for. */
  readonly #room: number;
  readonly #records: number;
  readonly #judged: number;
  readonly #slots: number;
  readonly #types: number;
  readonly #pgmaps: number;
  /** `table.find`'s last answer. */
  #last = -1;
  #generation = -1;
  #mismatched = false;
  /** Vectors that were read, and the words behind their lengths. */
  #read: (readonly [Word, Word] | undefined)[] = [];
  #words: number[] = [];
  #kinds: number[] = [];
  #addresses: number[] = [];
  #own: number[] = [];
  /** Bus addresses of which a certificate told no owner. */
  readonly #believed = new Set<number>();
  /** BARs of the mapping device on the bus: start and end. */
  readonly #ownBars: readonly (readonly [number, number])[];
  /** Index of the mapping device. */
  readonly #client: number;

  constructor(name: RoadName, side: Side) {
    this.name = name;
    this.#side = side;
    const { records } = side.table;
    this.#room = records.length;
    this.#client = side.pairs.client;
    this.#ownBars = side.device.fn.bars.flatMap(({ space, busAddress, size }) =>
      space === 'memory' && busAddress !== null && size !== null ? [[busAddress, busAddress + size] as const] : [],
    );
    this.#records = this.#memory.place(records.length * RANGE_RECORD_BYTES);
    this.#judged = this.#memory.place(records.length);
    this.#slots = this.#memory.place(SLOT_BYTES);
    this.#types = this.#memory.place(side.pairs.context.functions.length);
    this.#pgmaps = this.#memory.place(records.length * PGMAP_BYTES);
    this.#layRanges();
  }

  /** Classifies a list as it was submitted, and counts. */
  run(list: BvecList): CountedRun {
    this.#layVectors(list);
    if (this.#generation !== this.#side.table.generation) this.#renew();
    this.#kinds = [];
    this.#addresses = [];
    this.#own = [];
    this.#believed.clear();
    this.#memory.take();
    const before = { ...this.#counters };
    if (this.name === 'flags') this.#flags(list.count);
    else if (this.name === 'flags verified') this.#verified(list.count);
    else if (this.name === 'lookup') this.#lookup(list.count, MADE_NOW);
    else if (this.name === 'page') this.#page(list.count);
    else if (this.name === 'premapped') this.#premapped(list.count);
    else {
      this.#certified(list.count);
      // As the mail's driver does: once all is laid out, and the engine is programmed.
      for (const index of this.#believed) {
        const shift = this.#side.device.fn.busOffset;
        const [at, behind] = this.#vector(index);
        this.#compareOwn(index, made(at.value + shift, at), made(behind.value + shift, behind));
      }
    }
    const { lookups, lastHits, pages } = this.#counters;
    return {
      kinds: this.#kinds,
      addresses: this.#addresses,
      own: this.#own.sort((a, b) => a - b),
      counters: {
        lookups: lookups - before.lookups,
        lastHits: lastHits - before.lastHits,
        pages: pages - before.pages,
      },
      counts: this.#memory.take(),
    };
  }

  /** The mail: the word is the kind, if it is one. */
  #flags(count: number): void {
    for (let index = 0; index < count; index++) {
      const [at, behind] = this.#vector(index);
      const word = this.#word(index);
      if (this.#memory.isAbove(word, known(KIND_BUS))) throw new Error('an honest list');
      this.#found(index, word.value, at.value);
      if (word.value === KIND_BUS) this.#compareOwn(index, at, behind);
    }
  }

  /** The RFC: an address is a DMA address. */
  #premapped(count: number): void {
    for (let index = 0; index < count; index++) {
      const [at] = this.#vector(index);
      this.#found(index, KIND_BUS, at.value);
    }
  }

  /** The mail's flags, each compared with the range that the vector lies in. */
  #verified(count: number): void {
    const memory = this.#memory;
    for (let index = 0; index < count; index++) {
      const [at, behind] = this.#vector(index);
      const word = this.#word(index);
      const shift = memory.isEqual(word, known(KIND_BUS)) ? this.#side.device.fn.busOffset : 0;
      const record = this.#find(made(at.value - shift, at));
      if (memory.isAbove(made(behind.value - shift, behind), memory.load(this.#field(record, 8), 8))) {
        throw new Error('an honest list');
      }
      const judged = this.#judged + record.value;
      if (memory.isEqual(memory.load(made(judged, record), 1), known(NOT_ASKED))) {
        memory.store(judged, 1, this.#judge(record.value));
      }
      if (!memory.isEqual(word, memory.load(made(judged, record), 1))) throw new Error('an honest list');
      this.#counters.lookups++;
      this.#found(index, word.value, at.value);
      if (word.value === KIND_BUS && this.#side.table.at(record.value).provider === this.#client) this.#own.push(index);
    }
  }

  /** `pci_bus_addr_in_bar()`: nearly all that is on the bus lies above or below all own BARs. */
  #compareOwn(index: number, at: Word, behind: Word): void {
    const memory = this.#memory;
    const lowest = Math.min(...this.#ownBars.map(([start]) => start));
    const highest = Math.max(0, ...this.#ownBars.map(([, end]) => end));
    if (!memory.isBelow(at, known(highest)) || !memory.isAbove(behind, known(lowest))) return;
    for (const [start, end] of this.#ownBars) {
      if (memory.isBelow(at, known(start)) || memory.isAbove(behind, known(end))) continue;
      this.#own.push(index);
      return;
    }
  }

  /**
   * Linux: the descriptor at the page's index, and what it leads to. The pgmap before is kept through the list, and what it means
   * here (`struct pci_p2pdma_map_state`).
   */
  #page(count: number): void {
    const memory = this.#memory;
    let last = known(0);
    let kind = KIND_RAM;
    let shift = 0;
    let isOwn = false;
    for (let index = 0; index < count; index++) {
      const [at] = this.#vector(index);
      const descriptor = made(DESCRIPTORS + Math.floor(at.value / PAGE) * PAGE_DESCRIPTOR_BYTES, at);
      this.#counters.pages++;
      if (memory.isEqual(memory.load(descriptor, 8), known(0))) {
        this.#found(index, KIND_RAM, at.value);
        continue;
      }
      const pgmap = memory.load(made(descriptor.value + 8, descriptor), 8);
      if (!memory.isEqual(pgmap, last)) {
        last = pgmap;
        const provider = memory.load(made(pgmap.value + 8, pgmap), 4);
        kind = memory.load(made(this.#types + provider.value, provider), 1).value;
        const offset = memory.load(pgmap, 8).value;
        shift = kind === KIND_BUS ? offset : 0;
        isOwn = provider.value === this.#client;
      }
      this.#found(index, kind, at.value + shift);
      if (isOwn && kind === KIND_BUS) this.#own.push(index);
    }
  }

  /** Hellwig: runs of vectors in one range are looked up once. */
  #lookup(count: number, queuedAt: Word): void {
    let index = 0;
    while (index < count) index = this.#run(index, count, queuedAt, () => true);
  }

  /** Looks vector `first` up, and takes all that follow it into its range, as long as `belongs`. Returns the next index. */
  #run(first: number, count: number, queuedAt: Word, belongs: (index: number) => boolean): number {
    const memory = this.#memory;
    const [at, behind] = this.#vector(first);
    const { record, start, end } = this.#locate(at, behind, queuedAt);
    const kind = memory.load(made(this.#judged + record.value, record), 1);
    const offset = memory.load(this.#field(record, 16), 8);
    const shift = kind.value === KIND_BUS ? offset.value : 0;
    // The judgement, made once a range, could say as much: nothing is read for it.
    const isOwn = kind.value === KIND_BUS && this.#side.table.at(record.value).provider === this.#client;
    this.#found(first, kind.value, at.value + shift);
    if (isOwn) this.#own.push(first);
    this.#counters.lookups++;
    let index = first + 1;
    for (; index < count && belongs(index); index++) {
      const [next, nextBehind] = this.#vector(index);
      if (memory.isBelow(next, start) || memory.isAbove(nextBehind, end)) break;
      this.#found(index, kind.value, next.value + shift);
      if (isOwn) this.#own.push(index);
      this.#counters.lastHits++;
    }
    return index;
  }

  /** A guess by hash, twice; then the search. */
  #locate(at: Word, behind: Word, queuedAt: Word): { record: Word; start: Word; end: Word } {
    const memory = this.#memory;
    for (const slot of [fineSlot(at.value), coarseSlot(at.value)]) {
      const record = memory.load(made(this.#slots + slot * 4, at), 4);
      const start = memory.load(this.#field(record, 0), 8);
      if (memory.isBelow(at, start)) continue;
      const end = memory.load(this.#field(record, 8), 8);
      if (memory.isAbove(behind, end)) continue;
      if (memory.isEqual(memory.load(made(this.#judged + record.value, record), 1), known(NOT_ASKED))) break;
      const isOlder = queuedAt === MADE_NOW || !memory.isAbove(memory.load(this.#field(record, 24), 4), queuedAt);
      if (isOlder) return { record, start, end };
      break;
    }
    return this.#search(at, behind, queuedAt);
  }

  #search(at: Word, behind: Word, queuedAt: Word): { record: Word; start: Word; end: Word } {
    const memory = this.#memory;
    const record = this.#find(at);
    const start = memory.load(this.#field(record, 0), 8);
    const end = memory.load(this.#field(record, 8), 8);
    if (memory.isAbove(behind, end)) throw new Error('an honest list');
    if (queuedAt !== MADE_NOW && memory.isAbove(memory.load(this.#field(record, 24), 4), queuedAt)) {
      throw new Error('an honest list');
    }
    const judged = this.#judged + record.value;
    if (memory.isEqual(memory.load(made(judged, record), 1), known(NOT_ASKED))) {
      memory.store(judged, 1, this.#judge(record.value));
    }
    const isSmall = memory.isBelow(made(end.value - start.value, end), known(GIB));
    memory.store(this.#slots + (isSmall ? fineSlot(at.value) : coarseSlot(at.value)) * 4, 4, record.value);
    return { record, start, end };
  }

  /** `RangeTable.find`. */
  #find(at: Word): Word {
    const memory = this.#memory;
    // Where to look next hangs on what was compared before: only the first place is known from the start.
    let waitsFor = known(0);
    const placeOf = (index: number): 'below' | 'above' | 'inside' => {
      const record = made(index, waitsFor);
      waitsFor = memory.load(this.#field(record, 0), 8);
      if (memory.isBelow(at, waitsFor)) return 'below';
      return memory.isBelow(at, memory.load(this.#field(record, 8), 8)) ? 'inside' : 'above';
    };
    if (this.#last >= 0 && placeOf(this.#last) === 'inside') return made(this.#last, waitsFor);
    waitsFor = known(0);
    let low = 0;
    let high = this.#side.table.records.length - 1;
    while (!memory.isAbove(known(low), known(high))) {
      const middle = (low + high) >>> 1;
      const place = placeOf(middle);
      if (place === 'inside') {
        this.#last = middle;
        return made(middle, waitsFor);
      }
      if (place === 'below') high = middle - 1;
      else low = middle + 1;
    }
    throw new Error('an honest list');
  }

  /** Ours: the words as they are laid out; if one does not match, a pass that compares and looks up. */
  #certified(count: number): void {
    const memory = this.#memory;
    const { device, table } = this.#side;
    const key = certificateKey(requesterId(device.fn.bdf), table.generation);
    const kindOf = (index: number): Word => {
      const word = this.#word(index);
      return made((word.value ^ key) >>> 0, word);
    };
    const matches = (index: number): boolean => !memory.isAbove(kindOf(index), known(KIND_BUS));
    const take = (index: number): void => {
      const [at] = this.#vector(index);
      const kind = (this.#wordAt(index) ^ key) >>> 0;
      this.#found(index, kind, kind === KIND_BUS ? at.value + device.fn.busOffset : at.value);
      if (kind === KIND_BUS) this.#believed.add(index);
    };
    if (!this.#mismatched && matches(0) && matches(count - 1)) {
      let index = 0;
      while (index < count && matches(index)) take(index++);
      if (index === count) return;
    }
    const first = this.#word(0);
    if (!memory.isEqual(made((first.value ^ key) >>> 2, first), known(0)) && this.#isOfOneMaking(count)) {
      this.#mismatched = true;
      this.#lookup(count, this.#queuedAt(first.value));
      return;
    }
    this.#mismatched = false;
    for (let index = 0; index < count; ) {
      if (matches(index)) {
        take(index++);
        continue;
      }
      this.#mismatched = true;
      const word = this.#wordAt(index);
      index = this.#run(index, count, this.#queuedAt(word), (next) => memory.isEqual(this.#word(next), known(word)));
    }
  }

  #isOfOneMaking(count: number): boolean {
    const first = this.#word(0);
    const ignored = first.value >>> 2 === 0 ? 0 : 3;
    for (let index = 1; index < count; index++) {
      const word = this.#word(index);
      const differs = made(((word.value ^ first.value) | ignored) >>> 0, word);
      if (!this.#memory.isEqual(differs, known(ignored))) return false;
    }
    return true;
  }

  #queuedAt(word: number): Word {
    return word === 0 ? MADE_NOW : known(generationOf(word, this.#side.table));
  }

  #found(index: number, kind: number, address: number): void {
    this.#kinds[index] = kind;
    this.#addresses[index] = address;
  }

  /** Address of a vector, and the byte behind it: read once. The loop knows where the vectors lie. */
  #vector(index: number): readonly [Word, Word] {
    const held = this.#read[index];
    if (held !== undefined) return held;
    const from = VECTORS + index * vectorBytes(this.name);
    const at = this.#memory.load(known(from), 8);
    const length = this.#memory.load(known(from + 8), 4);
    const vector = [at, made(at.value + length.value, at, length)] as const;
    this.#read[index] = vector;
    return vector;
  }

  /** The word behind the length. */
  #word(index: number): Word {
    return this.#memory.load(known(VECTORS + index * 16 + 12), 4);
  }

  /** The same, still in a register. */
  #wordAt(index: number): number {
    return this.#words[index] as number;
  }

  #field(record: Word, offset: number): Word {
    return made(this.#records + record.value * RANGE_RECORD_BYTES + offset, record);
  }

  #judge(record: number): number {
    const type = this.#side.pairs.of(this.#side.table.at(record).provider);
    if (type === PAIR_BUS) return KIND_BUS;
    if (type === PAIR_HOST_BRIDGE) return KIND_RESOURCE;
    throw new Error('an honest list');
  }

  #layVectors(list: BvecList): void {
    const memory = this.#memory;
    this.#read = [];
    this.#words = [];
    for (let index = 0; index < list.count; index++) {
      const at = list.address[index] as number;
      const from = VECTORS + index * vectorBytes(this.name);
      const word = this.name === 'certified' ? list.certificateAt(index) : (list.flags[index] as number);
      memory.store(from, 8, at);
      memory.store(from + 8, 4, list.length[index] as number);
      if (vectorBytes(this.name) === 16) memory.store(from + 12, 4, word);
      this.#words.push(word);
      if (this.name === 'page') this.#layDescriptor(at);
    }
  }

  #layDescriptor(at: number): void {
    const record = this.#side.table.find(at);
    const descriptor = DESCRIPTORS + Math.floor(at / PAGE) * PAGE_DESCRIPTOR_BYTES;
    const isRam = this.#side.table.at(record).kind === 'ram';
    this.#memory.store(descriptor, 8, isRam ? 0 : 1);
    this.#memory.store(descriptor + 8, 8, this.#pgmaps + record * PGMAP_BYTES);
  }

  #layRanges(): void {
    if (this.#side.table.records.length > this.#room) throw new Error('ranges were added: make a new one');
    const memory = this.#memory;
    const { table, pairs } = this.#side;
    table.records.forEach(({ start, end, busOffset, generation, provider }, index) => {
      const from = this.#records + index * RANGE_RECORD_BYTES;
      memory.store(from, 8, start);
      memory.store(from + 8, 8, end);
      memory.store(from + 16, 8, busOffset);
      memory.store(from + 24, 4, generation);
      memory.store(from + 28, 4, provider);
      memory.store(this.#pgmaps + index * PGMAP_BYTES, 8, busOffset);
      memory.store(this.#pgmaps + index * PGMAP_BYTES + 8, 4, provider);
      if (provider >= 0)
        memory.store(this.#types + provider, 1, pairs.of(provider) === PAIR_BUS ? KIND_BUS : KIND_RESOURCE);
    });
  }

  /** Slots and judgements are dropped when the table has changed, as `RangeCache.renew` does. */
  #renew(): void {
    const { table } = this.#side;
    this.#layRanges();
    for (let slot = 0; slot < SLOT_BYTES; slot += 4) this.#memory.store(this.#slots + slot, 4, 0);
    table.records.forEach(({ kind }, index) => {
      this.#memory.store(this.#judged + index, 1, kind === 'ram' ? KIND_RAM : NOT_ASKED);
    });
    this.#generation = table.generation;
    this.#last = -1;
  }
}
