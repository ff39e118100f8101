/**
 * The design of the RFC that the thread is about: `dma_vec { DMA address, length }`, mapped first and submitted then. Whoever
 * submits maps for the device that he knows will do the DMA; the queue carries DMA addresses, and at the device nothing is left
 * to decide.
 *
 *   submitter   premap(X, vectors)  ->  dma_vec, dma_vec, ...      IOVAs of X, bus addresses as X must send them
 *   mapper      Premapped           ->  as they are                X or whoever the queue led to
 *
 * What it costs: the address is right for X and for nobody else. Below another root port another bus offset may hold, behind
 * another IOMMU domain an IOVA means nothing or something else, and a dma_vec does not say which kind of address it is. Also a
 * mapping lives from the submission on, not from the start of the transfer.
 */

import { BvecList } from '../block/bio-vec.ts';
import { type Classified, KIND_BUS, newClassified } from './classified.ts';
import { type Classifier, type LookupCounters, newCounters } from './classifier.ts';
import type { DmaDevice } from './device.ts';
import type { DmaDirection } from './direction.ts';
import { refuseFlag } from './flag-refusals.ts';
import { dmaMapBvec } from './map-bvec.ts';
import type { DmaMapping } from './mapping.ts';

/** Most bytes of a dma_vec: its length has 32 bits, and a cut stays aligned. */
const LONGEST = 2 ** 32 - 4096;

/**
 * Maps `vectors` for `device` now, into `mapping`, and returns the dma_vecs to submit. `mapping` is to be unmapped for the same
 * device when the transfer has ended.
 *
 * @throws MapError as `dmaMapBvec`
 */
export function premap(
  device: DmaDevice,
  vectors: BvecList,
  direction: DmaDirection,
  classifier: Classifier,
  mapping: DmaMapping,
): BvecList {
  dmaMapBvec(device, vectors, direction, classifier, mapping);
  const list = new BvecList(mapping.count);
  for (let index = 0; index < mapping.count; index++) {
    const address = mapping.address[index] as number;
    const length = mapping.length[index] as number;
    for (let done = 0; done < length; done += LONGEST) {
      list.push(address + done, Math.min(LONGEST, length - done), 0);
    }
  }
  return list;
}

/** Takes every vector for a DMA address that somebody has mapped. Asks nobody, and so cannot notice that it was for another. */
export class Premapped implements Classifier {
  readonly name = 'premapped';
  /** Stays at zero. */
  readonly counters: LookupCounters = newCounters();
  #kind = new Uint32Array(64).fill(KIND_BUS);
  // All are of one kind, but whether each can be is not looked at here: `uniform` stays -1.
  readonly #classified = newClassified();

  /** @throws MapError FLAG_NOT_USED */
  classify(_device: DmaDevice, vectors: BvecList): Classified {
    const { count, flags } = vectors;
    if (count > this.#kind.length) this.#kind = new Uint32Array(2 * count).fill(KIND_BUS);
    for (let index = 0; index < count; index++) if (flags[index] !== 0) refuseFlag(vectors, index);
    this.#classified.kind = this.#kind;
    this.#classified.address = vectors.address;
    return this.#classified;
  }
}
