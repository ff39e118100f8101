/**
 * The mapper's side of certificates (certified.ts): one comparison a vector, and a lookup for the vectors whose certificate is
 * for another mapper or another topology, or that have none.
 *
 * The comparison needs no pass of its own. `claims` hands over the words as they lie in the list, and whoever lays the vectors out
 * compares each while it reads it. Where one does not match, `classify` does the whole work in a pass before the layout; after
 * such a list it does so for the next ones, until one matches throughout, so that a queue of mixed lists pays for no layout twice.
 */

import type { BvecList } from '../block/bio-vec.ts';
import { requesterId } from '../pcie/bdf.ts';
import { certificateKey, generationOf } from './certified.ts';
import { type Classified, KIND_BUS, newClassified } from './classified.ts';
import type { Classifier, LookupCounters } from './classifier.ts';
import { Lookup } from './classify-lookup.ts';
import type { DmaDevice } from './device.ts';
import { refuseFlag } from './flag-refusals.ts';
import { MADE_NOW } from './owner.ts';
import type { PairTypes } from './pair-types.ts';
import type { RangeTable } from './range-table.ts';

// Engines fold a constant of the same file into a loop, an imported one they load each time.
const BUS = KIND_BUS;

export class Certified implements Classifier {
  readonly name = 'certified';
  /** Counts the fallback alone: certificates that match are not looked up. */
  readonly counters: LookupCounters;
  readonly table: RangeTable;
  readonly pairs: PairTypes;
  readonly #lookup: Lookup;
  /** The list before had a vector that did not match. */
  #mismatched = false;
  #kind: Uint32Array = new Uint32Array(64);
  #address: Float64Array = new Float64Array(64);
  readonly #classified = newClassified();
  readonly #claimed = newClassified();

  constructor(table: RangeTable, pairs: PairTypes) {
    this.table = table;
    this.pairs = pairs;
    this.#lookup = new Lookup(table, pairs);
    this.counters = this.#lookup.counters;
  }

  /** The certificates themselves; null where the first or the last does not match, or one of the list before did not. */
  claims(device: DmaDevice, vectors: BvecList): Classified | null {
    const { count, certificate, address } = vectors;
    if (this.#mismatched || count === 0 || count > certificate.length) return null;
    const key = this.#keyOf(device);
    if (((certificate[0] as number) ^ key) >>> 0 > BUS) return null;
    if (((certificate[count - 1] as number) ^ key) >>> 0 > BUS) return null;
    const claimed = this.#claimed;
    claimed.kind = certificate;
    claimed.key = key;
    claimed.address = address;
    claimed.shift = device.fn.busOffset;
    return claimed;
  }

  /**
   * @throws MapError for vectors whose certificate does not match: FLAG_NOT_USED, UNOWNED_ADDRESS, BAR_SIZE_UNKNOWN,
   * RANGE_STRADDLES, PROVIDER_GONE, PAIR_NOT_SUPPORTED, PAIR_UNKNOWN
   */
  classify(device: DmaDevice, vectors: BvecList): Classified {
    this.pairs.checkClient(device.fn);
    const { count, address, certificate } = vectors;
    const key = this.#keyOf(device);
    const held = Math.min(count, certificate.length);
    const first = held === 0 ? 0 : (certificate[0] as number);
    if ((first ^ key) >>> 2 !== 0 && isOfOneMaking(certificate, held, count)) {
      this.#mismatched = true;
      this.#lookup.queuedAt = this.#queuedAt(first);
      return this.#lookup.classify(device, vectors);
    }
    if (count > this.#kind.length) {
      this.#kind = new Uint32Array(2 * count);
      this.#address = new Float64Array(2 * count);
    }
    const kind = this.#kind;
    const offset = device.fn.busOffset;
    let found = offset === 0 ? address : this.#address;
    let index = 0;
    for (; index < held; index++) {
      const what = ((certificate[index] as number) ^ key) >>> 0;
      if (what > BUS) break;
      kind[index] = what;
    }
    if (offset !== 0) moveToBus(kind, address, this.#address, index, offset);
    this.#mismatched = index < count;
    if (index < count) found = this.#rest(vectors, index, held, key, offset, found);
    const classified = this.#classified;
    classified.kind = kind;
    classified.address = found;
    return classified;
  }

  /** When a vector with this word was made; of one without a certificate nothing is known. */
  #queuedAt(word: number): number {
    return word === 0 ? MADE_NOW : generationOf(word, this.table);
  }

  #keyOf(device: DmaDevice): number {
    return certificateKey(requesterId(device.fn.bdf), this.table.generation);
  }

  /**
   * From the first certificate that does not match: runs of vectors with the same word in the same range are looked up once.
   * Returns the addresses.
   */
  #rest(vectors: BvecList, from: number, held: number, key: number, offset: number, own: Float64Array): Float64Array {
    const { count, address, length, flags, certificate } = vectors;
    const { cache } = this.#lookup;
    cache.renew();
    const kind = this.#kind;
    let found = own;
    let lookups = 0;
    let lookedUp = 0;
    let index = from;
    while (index < count) {
      const word = index < held ? (certificate[index] as number) : 0;
      const certified = (word ^ key) >>> 0;
      if (certified <= BUS) {
        const at = address[index] as number;
        kind[index] = certified;
        if (found !== address) found[index] = certified === BUS ? at + offset : at;
        index++;
        continue;
      }
      const first = index;
      if (flags[first] !== 0) refuseFlag(vectors, first);
      const record = cache.locate(vectors, first, this.#queuedAt(word));
      const start = cache.start[record] as number;
      const end = cache.end[record] as number;
      const what = cache.kind[record] as number;
      const shift = cache.offset[record] as number;
      for (index++; index < count; index++) {
        if ((index < held ? (certificate[index] as number) : 0) !== word) break;
        const at = address[index] as number;
        if (at < start || at + (length[index] as number) > end) break;
        if (flags[index] !== 0) refuseFlag(vectors, index);
      }
      for (let slot = first; slot < index; slot++) kind[slot] = what;
      if (shift !== 0 && found === address) {
        found = this.#address;
        found.set(address.subarray(0, first));
      }
      if (found !== address) {
        for (let slot = first; slot < index; slot++) found[slot] = (address[slot] as number) + shift;
      }
      lookups++;
      lookedUp += index - first;
    }
    this.counters.lookups += lookups;
    this.counters.lastHits += lookedUp - lookups;
    return found;
  }
}

/**
 * Whether all certificates are for one mapper and one generation, or none is there: a list that one submitter made in one go. If
 * that is not here and now, the list is one to look up.
 */
function isOfOneMaking(certificate: Uint32Array, held: number, count: number): boolean {
  if (held === 0) return true;
  if (held < count) return false;
  const first = certificate[0] as number;
  // A word of 0 was made at no generation, and one of requester 0 at a multiple of the wrap was.
  const ignored = first >>> 2 === 0 ? 0 : 3;
  for (let index = 1; index < count; index++) {
    if ((((certificate[index] as number) ^ first) | ignored) !== ignored) return false;
  }
  return true;
}

/** The addresses of the first `count` vectors as the engine or the IOMMU is given them. */
function moveToBus(kind: Uint32Array, address: Float64Array, moved: Float64Array, count: number, offset: number): void {
  for (let index = 0; index < count; index++) {
    const at = address[index] as number;
    moved[index] = kind[index] === BUS ? at + offset : at;
  }
}
