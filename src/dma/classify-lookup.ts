/**
 * Hellwig's design: vectors are CPU physical addresses without flags; the mapper looks each range up, and "fall back to
 * (a)" means RAM if the address lies in RAM. An address that nobody owns is an error.
 */

import type { BvecList } from '../block/bio-vec.ts';
import { checkObject } from '../core/argument.ts';
import { type Classified, newClassified } from './classified.ts';
import { type Classifier, type LookupCounters, newCounters } from './classifier.ts';
import type { DmaDevice } from './device.ts';
import { refuseFlag } from './flag-refusals.ts';
import { MADE_NOW } from './owner.ts';
import type { PairTypes } from './pair-types.ts';
import { coarseSlot, fineSlot, KIND_NOT_ASKED, RangeCache } from './range-cache.ts';
import type { RangeTable } from './range-table.ts';

/**
 * The classifier of Hellwig's answer to the mail: one flag on the bio (`Bio.mayContainP2p`) says that a lookup is needed, the
 * table says all the rest. For bios without the flag nothing needs to be looked up.
 */
export function classifyByLookup(table: RangeTable, pairs: PairTypes): Lookup {
  return new Lookup(table, pairs);
}

export class Lookup implements Classifier {
  readonly name = 'lookup';
  /** `lookups` counts the vectors that lie in another range than the one before, `lastHits` the others. */
  readonly counters: LookupCounters = newCounters();
  readonly table: RangeTable;
  readonly pairs: PairTypes;
  /** Generation of the table when the vectors were made; `MADE_NOW` unless they were queued. */
  queuedAt: number = MADE_NOW;
  /** The ranges, judged for the mapping device; shared with whoever falls back to lookup. */
  readonly cache: RangeCache;
  #kind: Uint32Array = new Uint32Array(64);
  #address: Float64Array = new Float64Array(64);
  readonly #classified = newClassified();

  constructor(table: RangeTable, pairs: PairTypes) {
    checkObject(table, 'records', 'classifier: table', 'a RangeTable');
    checkObject(pairs, 'client', 'classifier: pairs', 'the PairTypes of the mapping device');
    this.table = table;
    this.pairs = pairs;
    this.cache = new RangeCache(table, pairs);
  }

  /** @throws MapError FLAG_NOT_USED, UNOWNED_ADDRESS, RANGE_STRADDLES, PROVIDER_GONE, PAIR_NOT_SUPPORTED, PAIR_UNKNOWN */
  classify(device: DmaDevice, vectors: BvecList): Classified {
    this.pairs.checkClient(device.fn);
    const { count, address, length, flags } = vectors;
    if (count > this.#kind.length) this.#grow(count);
    const cache = this.cache;
    cache.renew();
    const { start: starts, end: ends, kind: kinds, offset: offsets, slots, born } = cache;
    const { queuedAt } = this;
    const kind = this.#kind;
    let found = address; // the list's own addresses, until one has to move
    let uniform = -1;
    let empty = false; // a vector of no bytes, which is refused later
    let lookups = 0;
    let index = 0;
    while (index < count) {
      // A vector outside the range of the one before, and all that follow it into its own: the usual list stays in one.
      const first = index;
      let flagged = flags[first] as number;
      if (flagged !== 0) refuseFlag(vectors, first);
      if (length[first] === 0) empty = true;
      const at = address[first] as number;
      const behind = at + (length[first] as number);
      // As `cache.locate` begins: written out, for what it reads is the same for all vectors.
      let record = slots[fineSlot(at)] as number;
      if (at < (starts[record] as number) || behind > (ends[record] as number))
        record = slots[coarseSlot(at)] as number;
      if (
        at < (starts[record] as number) ||
        behind > (ends[record] as number) ||
        kinds[record] === KIND_NOT_ASKED ||
        (born[record] as number) > queuedAt
      ) {
        record = cache.locate(vectors, first, queuedAt);
      }
      const start = starts[record] as number;
      const end = ends[record] as number;
      const what = kinds[record] as number;
      const offset = offsets[record] as number;
      lookups++;
      for (index++; index < count; index++) {
        const next = address[index] as number;
        const bytes = length[index] as number;
        if (next < start || next + bytes > end || bytes === 0) break;
        flagged |= flags[index] as number;
      }
      if (flagged !== 0) refuseFirstFlag(vectors);
      fill(kind, what, first, index);
      uniform = first === 0 || uniform === what ? what : -1;
      if (offset !== 0 && found === address) {
        found = this.#address;
        for (let moved = 0; moved < first; moved++) found[moved] = address[moved] as number;
      }
      if (found !== address) {
        for (let moved = first; moved < index; moved++) found[moved] = (address[moved] as number) + offset;
      }
    }
    counted(this.counters, lookups, count);
    const classified = this.#classified;
    classified.kind = kind;
    classified.address = found;
    classified.uniform = empty ? -1 : uniform;
    return classified;
  }

  #grow(count: number): void {
    const size = 2 ** Math.ceil(Math.log2(count));
    this.#kind = new Uint32Array(size);
    this.#address = new Float64Array(size);
  }
}

function refuseFirstFlag(vectors: BvecList): never {
  const index = vectors.flags.findIndex((flags) => flags !== 0);
  return refuseFlag(vectors, index);
}

function counted(counters: LookupCounters, lookups: number, count: number): void {
  counters.lookups += lookups;
  counters.lastHits += count - lookups;
}

/** `array.fill(value, first, end)`; a call costs more than a few stores. */
function fill(array: Uint32Array, value: number, first: number, end: number): void {
  if (end - first > 16) array.fill(value, first, end);
  else for (let index = first; index < end; index++) array[index] = value;
}
