/**
 * The mail's design, trusting: the flag decides, no table is consulted. The submitter had to ask the distance to choose
 * memory, so it knows; what a dishonest flag does is shown on the fabric, not hidden.
 */

import type { BvecList } from '../block/bio-vec.ts';
import { type Classified, newClassified } from './classified.ts';
import { type Classifier, type LookupCounters, newCounters } from './classifier.ts';
import type { DmaDevice } from './device.ts';

export class TrustingFlags implements Classifier {
  readonly name = 'flags';
  /** Stays at zero: that is the point of the design. */
  readonly counters: LookupCounters = newCounters();
  readonly #classified = newClassified();

  /** The list itself, read as kinds: the flags have the values of the kinds. */
  classify(_device: DmaDevice, vectors: BvecList): Classified {
    this.#classified.kind = vectors.flags;
    this.#classified.address = vectors.address;
    return this.#classified;
  }
}
