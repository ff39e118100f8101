/**
 * Which case each vector is. Three designs answer behind one small interface: the vector's flag (the mail), a lookup by
 * address (Hellwig's answer), a page descriptor (what Linux has and the mail would remove).
 *
 * The kinds have the values of the flags, so that the trusting flags road copies nothing.
 */

import type { BvecList } from '../block/bio-vec.ts';
import type { DmaDevice } from './device.ts';
import type { RangeTable } from './range-table.ts';

/** Case (a): RAM. The address is CPU physical. */
export const KIND_RAM = 0;
/** Case (b1): another device's BAR through the host bridge. The address is CPU physical. `BVEC_MAP_RESOURCE`. */
export const KIND_RESOURCE = 1;
/** Cases (b2) and (c): the address is a PCI bus address below the mapping device's host bridge. `BVEC_MAP_BUS_ADDR`. */
export const KIND_BUS = 2;

/** What a classifier found: two arrays, one entry a vector. Valid until the next call. */
export interface Classified {
  readonly kind: Uint8Array;
  /** CPU physical for RAM and resources, bus address for `KIND_BUS`. */
  readonly address: Float64Array;
  /** The kind of all vectors, where the classifier has found that it is one and that each vector can be; else -1. */
  readonly uniform: number;
}

/** How often the tables were asked, and how often without a search. */
export interface LookupCounters {
  lookups: number;
  /** Lookups answered by the entry of the vector before. */
  lastHits: number;
  /** Page descriptors read. */
  pages: number;
}

export interface Classifier {
  readonly name: 'flags' | 'flags-verified' | 'lookup' | 'page' | 'premapped' | 'certified';
  readonly counters: LookupCounters;
  /** The ranges and owners that it asks; none under trusting flags. */
  readonly table?: RangeTable;
  /**
   * Classifies all vectors, or throws `MapError` for the first that is refused; nothing has happened then.
   */
  classify(device: DmaDevice, vectors: BvecList): Classified;
}

export function newCounters(): LookupCounters {
  return { lookups: 0, lastHits: 0, pages: 0 };
}
