/**
 * The mapper's side of certificates (certified.ts): one comparison a vector, and a lookup for the vectors whose certificate is
 * for another mapper or another topology, or that have none.
 */

import type { BvecList } from '../block/bio-vec.ts';
import { requesterId } from '../pcie/bdf.ts';
import { certificateWord, generationOf } from './certified.ts';
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

// Engines fold a constant of the same file into a loop, an imported one they load each time.
const BUS = KIND_BUS;

export class Certified implements Classifier {
  readonly name = 'certified';
  /** Counts the fallback alone: certificates that match are not looked up. */
  readonly counters: LookupCounters = newCounters();
  readonly table: RangeTable;
  readonly pairs: PairTypes;
  #kind: Uint8Array = new Uint8Array(64);
  #address: Float64Array = new Float64Array(64);
  readonly #classified = { kind: this.#kind, address: this.#address, uniform: -1 };

  constructor(table: RangeTable, pairs: PairTypes) {
    this.table = table;
    this.pairs = pairs;
  }

  /**
   * @throws MapError for vectors whose certificate does not match: FLAG_NOT_USED, UNOWNED_ADDRESS, RANGE_STRADDLES,
   * PROVIDER_GONE, PAIR_NOT_SUPPORTED, PAIR_UNKNOWN
   */
  classify(device: DmaDevice, vectors: BvecList): Classified {
    const { count, address, certificate } = vectors;
    if (count > this.#kind.length) {
      this.#kind = new Uint8Array(2 * count);
      this.#address = new Float64Array(2 * count);
    }
    const kind = this.#kind;
    const offset = device.fn.busOffset;
    let found = offset === 0 ? address : this.#address;
    const held = Math.min(count, certificate.length);
    const { generation } = this.table;
    const expected = certificateWord({ kind: null, requesterId: requesterId(device.fn.bdf), generation }) | 0;
    let index = 0;
    if (offset === 0) {
      for (; index < held; index++) {
        // The upper 30 bits are equal and the type is one of three: both in one comparison.
        const what = ((certificate[index] as number) ^ expected) - 1;
        if (what >>> 0 > BUS) break;
        kind[index] = what;
      }
    } else index = this.#matched(vectors, held, expected, offset);
    if (index < count) found = this.#rest(vectors, index, held, expected, offset, found);
    const classified = this.#classified;
    classified.kind = kind;
    classified.address = found;
    return classified;
  }

  /** As the loop above, where bus addresses differ from CPU addresses. Returns how many match from the first on. */
  #matched(vectors: BvecList, held: number, expected: number, offset: number): number {
    const { address, certificate } = vectors;
    const kind = this.#kind;
    const found = this.#address;
    for (let index = 0; index < held; index++) {
      const what = ((certificate[index] as number) ^ expected) - 1;
      if (what >>> 0 > BUS) return index;
      kind[index] = what;
      found[index] = what === BUS ? (address[index] as number) + offset : (address[index] as number);
    }
    return held;
  }

  /**
   * From the first certificate that does not match: runs of vectors with the same word in the same range are looked up once.
   * Returns the addresses.
   */
  #rest(
    vectors: BvecList,
    from: number,
    held: number,
    expected: number,
    offset: number,
    own: Float64Array,
  ): Float64Array {
    const { count, address, length, flags, certificate } = vectors;
    const { counters } = this;
    const kind = this.#kind;
    let found = own;
    let index = from;
    while (index < count) {
      const word = index < held ? (certificate[index] as number) : 0;
      const certified = (word ^ expected) - 1;
      if (certified >>> 0 <= BUS) {
        const at = address[index] as number;
        kind[index] = certified;
        if (found !== address) found[index] = certified === BUS ? at + offset : at;
        index++;
        continue;
      }
      const first = index;
      const record = this.table.at(this.#ownerOf(vectors, first, word));
      const what = record.kind === 'ram' ? KIND_RAM : this.#kindOfBar(record.provider, first);
      const shift = what === KIND_BUS ? record.busOffset : 0;
      if (shift !== 0 && found === address) {
        found = this.#address;
        found.set(address.subarray(0, first));
      }
      for (; index < count; index++) {
        const at = address[index] as number;
        if ((index < held ? (certificate[index] as number) : 0) !== word) break;
        if (at < record.start || at + (length[index] as number) > record.end) break;
        if (flags[index] !== 0) refuseFlag(vectors, index);
        kind[index] = what;
        if (found !== address) found[index] = at + shift;
      }
      counters.lookups++;
      counters.lastHits += index - first - 1;
    }
    return found;
  }

  #ownerOf(vectors: BvecList, index: number, word: number): number {
    if (vectors.flags[index] !== 0) refuseFlag(vectors, index);
    const queuedAt = word === 0 ? MADE_NOW : generationOf(word, this.table);
    const at = vectors.address[index] as number;
    return ownerIndex(this.table, at, vectors.length[index] as number, queuedAt, `vectors[${index}]`);
  }

  #kindOfBar(provider: number, index: number): number {
    const type = this.pairs.of(provider);
    if (type === PAIR_BUS) return KIND_BUS;
    if (type === PAIR_HOST_BRIDGE) return KIND_RESOURCE;
    return this.pairs.refuse(provider, `vectors[${index}]`);
  }
}
