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
  #kind = new Uint8Array(64);
  #address = new Float64Array(64);

  constructor(table: RangeTable, pairs: PairTypes) {
    this.table = table;
    this.pairs = pairs;
  }

  /** @throws MapError FLAG_NOT_USED, UNOWNED_ADDRESS, RANGE_STRADDLES, PROVIDER_GONE, PAIR_NOT_SUPPORTED, PAIR_UNKNOWN */
  classify(_device: DmaDevice, vectors: BvecList): Classified {
    const { count, address, length, flags } = vectors;
    if (count > this.#kind.length) this.#grow(count);
    const kind = this.#kind;
    const found = this.#address;
    const { table, pairs, counters } = this;
    // The record of the vector before, in locals: the usual list stays in one range.
    let start = 1;
    let end = 0;
    let currentKind = KIND_RAM;
    let currentOffset = 0;
    let lookups = 0;
    for (let index = 0; index < count; index++) {
      const at = address[index] as number;
      const last = at + (length[index] as number);
      if (flags[index] !== 0) refuseFlag(vectors, index);
      if (at < start || last > end) {
        lookups++;
        const record = table.at(ownerIndex(table, at, length[index] as number, this.queuedAt, `vectors[${index}]`));
        start = record.start;
        end = record.end;
        currentKind = KIND_RAM;
        currentOffset = 0;
        if (record.kind === 'bar') {
          const type = pairs.of(record.provider);
          if (type === PAIR_BUS) {
            currentKind = KIND_BUS;
            currentOffset = record.busOffset;
          } else if (type === PAIR_HOST_BRIDGE) currentKind = KIND_RESOURCE;
          else pairs.refuse(record.provider, `vectors[${index}]`);
        }
      }
      kind[index] = currentKind;
      found[index] = at + currentOffset;
    }
    counters.lookups += lookups;
    counters.lastHits += count - lookups;
    return { kind, address: found };
  }

  #grow(count: number): void {
    this.#kind = new Uint8Array(count * 2);
    this.#address = new Float64Array(count * 2);
  }
}
