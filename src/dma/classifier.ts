/**
 * Which case each vector is. Three designs answer behind one small interface: the vector's flag (the mail), a lookup by
 * address (Hellwig's answer), a page descriptor (what Linux has and the mail would remove). What they find is in classified.ts.
 */

import type { BvecList } from '../block/bio-vec.ts';
import type { Classified } from './classified.ts';
import type { DmaDevice } from './device.ts';
import type { RangeTable } from './range-table.ts';

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
   * The vectors' own words, to be compared by whoever reads them first, in place of a pass of their own; null where that is not
   * worth a try. Refuses nothing: what does not compare is for `classify`.
   */
  claims?(device: DmaDevice, vectors: BvecList): Classified | null;
  /**
   * Classifies all vectors into kinds (`key` 0), or throws `MapError` for the first that is refused; nothing has happened then.
   */
  classify(device: DmaDevice, vectors: BvecList): Classified;
}

export function newCounters(): LookupCounters {
  return { lookups: 0, lastHits: 0, pages: 0 };
}
