/**
 * Hellwig's design: vectors are CPU physical addresses without flags; the mapper looks each range up, and "fall back to
 * (a)" means RAM if the address lies in RAM. An address that nobody owns is an error.
 */

import type { BvecList } from '../block/bio-vec.ts';
import {
  type Classified,
  type Classifier,
  KIND_BUS,
  KIND_RAM,
  KIND_RESOURCE,
  type LookupCounters,
  newCounters,
} from './classifier.ts';
import type { DmaDevice } from './device.ts';
import { refuseFlag } from './flag-refusals.ts';
import { MADE_NOW, ownerIndex } from './owner.ts';
import { PAIR_BUS, PAIR_HOST_BRIDGE, type PairTypes } from './pair-types.ts';
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
  readonly counters: LookupCounters = newCounters();
  readonly table: RangeTable;
  readonly pairs: PairTypes;
  /** Generation of the table when the vectors were made; `MADE_NOW` unless they were queued. */
  queuedAt: number = MADE_NOW;
  #kind: Uint8Array = new Uint8Array(64);
  #address: Float64Array = new Float64Array(64);
  /** Used again at each call, so that classifying makes no garbage. */
  readonly #classified = { kind: this.#kind, address: this.#address, uniform: -1 };

  constructor(table: RangeTable, pairs: PairTypes) {
    this.table = table;
    this.pairs = pairs;
  }

  /** @throws MapError FLAG_NOT_USED, UNOWNED_ADDRESS, RANGE_STRADDLES, PROVIDER_GONE, PAIR_NOT_SUPPORTED, PAIR_UNKNOWN */
  classify(_device: DmaDevice, vectors: BvecList): Classified {
    const { count, address, length, flags } = vectors;
    if (count > this.#kind.length) this.#grow(count);
    const { table, counters } = this;
    const kind = this.#kind;
    let found = address; // the list's own addresses, until one has to move
    let uniform = -1;
    let lookups = 0;
    let index = 0;
    if (count > 0 && flags[0] !== 0) refuseFlag(vectors, 0);
    while (index < count) {
      // A vector outside the range of the one before, and all that follow it into its own: the usual list stays in one.
      const first = index;
      const record = table.at(this.#ownerOf(vectors, first));
      const { start, end } = record;
      const what = record.kind === 'ram' ? KIND_RAM : this.#kindOfBar(record.provider, first);
      lookups++;
      for (index++; index < count; index++) {
        const at = address[index] as number;
        if (flags[index] !== 0) refuseFlag(vectors, index);
        if (at < start || at + (length[index] as number) > end) break;
      }
      fill(kind, what, first, index);
      uniform = first === 0 || uniform === what ? what : -1;
      const offset = what === KIND_BUS ? record.busOffset : 0;
      if (offset !== 0 && found === address) {
        found = this.#address;
        for (let at = 0; at < first; at++) found[at] = address[at] as number;
      }
      if (found !== address) {
        for (let at = first; at < index; at++) found[at] = (address[at] as number) + offset;
      }
    }
    counters.lookups += lookups;
    counters.lastHits += count - lookups;
    const classified = this.#classified;
    classified.kind = kind;
    classified.address = found;
    classified.uniform = uniform;
    return classified;
  }

  #ownerOf(vectors: BvecList, index: number): number {
    const { table, queuedAt } = this;
    const at = vectors.address[index] as number;
    const length = vectors.length[index] as number;
    const owner = queuedAt === MADE_NOW ? table.find(at) : -1;
    if (owner >= 0 && at + length <= table.at(owner).end) return owner;
    return ownerIndex(table, at, length, queuedAt, `vectors[${index}]`);
  }

  #kindOfBar(provider: number, index: number): number {
    const type = this.pairs.of(provider);
    if (type === PAIR_BUS) return KIND_BUS;
    if (type === PAIR_HOST_BRIDGE) return KIND_RESOURCE;
    return this.pairs.refuse(provider, `vectors[${index}]`);
  }

  #grow(count: number): void {
    this.#kind = new Uint8Array(count * 2);
    this.#address = new Float64Array(count * 2);
  }
}

/** `array.fill(value, first, end)`; a call costs more than a few stores. */
function fill(array: Uint8Array, value: number, first: number, end: number): void {
  if (end - first > 16) array.fill(value, first, end);
  else for (let index = first; index < end; index++) array[index] = value;
}
