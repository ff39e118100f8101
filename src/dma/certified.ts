/**
 * Certificates: our own proposal between the mail's flags and Hellwig's lookup. A `struct bio_vec { u64 address; u32 length; }`
 * has 32 bits to spare on 64-bit machines. They hold what the submitter found, for whom, and when:
 *
 *   31            16 15             2 1  0
 *   +---------------+----------------+----+
 *   | requester id  |   generation   |type|     type 0: none, 1: (b2) or (c), 2: (b1), 3: (a)
 *   +---------------+----------------+----+
 *
 * The mapper knows its own upper 30 bits and sets the lower two: one exclusive or with that key leaves the kind, 0 to 2, if the type
 * was found for this device in this topology, and more if not. So the comparison is the one that a mapper makes anyway, to see
 * that a kind is one. If it matches, no table is asked; if not (a stacked queue, a BAR that moved, another mapper, no certificate at all), the address is
 * looked up. For that it stays CPU physical whatever the type: a (b2) vector becomes a bus address at map time, by the offset of
 * the mapper's host bridge, and the fallback has nothing to turn back.
 *
 * Limits, each with a test in tests/designs/limits.test.ts:
 *
 * - A requester ID has no domain. Where two functions share one, their certificates could be taken for each other's: none is
 *   issued to either, and they pay the lookup. Sixteen more bits would lift this.
 * - The generation wraps: a bio that is queued across exactly 16,384 changes of the topology (or a multiple) looks fresh. A kernel
 *   would have to wait for queued bios once every 16,384 changes.
 * - Memory with another bus offset than the mapper's own host bridge is certified by nobody, and looked up.
 * - A certificate is no signature. It does not cover the address: a word moved to another vector, or made up, is believed.
 *
 * A piece of a vector keeps its certificate, for it lies in the same range; two pieces of RAM that become one keep what both have
 * (src/block/certificate.ts).
 */

import type { BvecList } from '../block/bio-vec.ts';
import { CERTIFIED_NOTHING, CERTIFIED_RAM, certifiedType } from '../block/certificate.ts';
import { requesterId } from '../pcie/bdf.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { KIND_BUS, KIND_RAM, KIND_RESOURCE } from './classified.ts';
import { refuseFlag } from './flag-refusals.ts';
import { PAIR_BUS, PAIR_HOST_BRIDGE, type PairTypes } from './pair-types.ts';
import type { RangeRecord, RangeTable } from './range-table.ts';

/** Generations that a certificate can tell apart. */
export const GENERATION_LIMIT = 16384;

/** A certificate, taken apart. */
export interface Certificate {
  /** `KIND_RAM`, `KIND_RESOURCE`, `KIND_BUS`; null where it certifies nothing. */
  readonly kind: number | null;
  /** Bus, device and function of the mapper that was asked for, 16 bits. */
  readonly requesterId: number;
  /** Topology generation modulo `GENERATION_LIMIT`. */
  readonly generation: number;
}

/** The word of a certificate, unsigned. Fields beyond their width are cut, as in the hole of a `struct bio_vec`. */
export function certificateWord({ kind, requesterId: requester, generation }: Certificate): number {
  const type = kind === null ? CERTIFIED_NOTHING : CERTIFIED_RAM - kind;
  return ((requester << 16) | ((generation & (GENERATION_LIMIT - 1)) << 2) | type) >>> 0;
}

/**
 * What a mapper compares with: `(word ^ key) >>> 0` is the kind that a word certifies for this device at this generation, and above
 * `KIND_BUS` for all other words.
 */
export function certificateKey(requester: number, generation: number): number {
  return (requester << 16) | ((generation & (GENERATION_LIMIT - 1)) << 2) | CERTIFIED_RAM;
}

/** What a word says. */
export function readCertificate(word: number): Certificate {
  const type = certifiedType(word);
  return {
    kind: type === CERTIFIED_NOTHING ? null : CERTIFIED_RAM - type,
    requesterId: word >>> 16,
    generation: (word >>> 2) & (GENERATION_LIMIT - 1),
  };
}

/**
 * Generation of the table in which a word was made, if no wrap lies between. Changes that the ranges do not show count too:
 * whoever makes one calls `RangeTable.bump`, and `PairTypes.forget`.
 */
export function generationOf(word: number, table: RangeTable): number {
  return table.generation - ((table.generation - (word >>> 2)) & (GENERATION_LIMIT - 1));
}

/** Issues certificates for one mapping device: the submitter's side. */
export class Certifier {
  readonly #table: RangeTable;
  readonly #pairs: PairTypes;
  readonly #mapper: PciFunction;
  /** Whether nobody else in the machine has the mapper's requester ID. */
  readonly #isOnlyOne: boolean;

  /** @param pairs verdicts for the mapping device that the submitter has in mind */
  constructor(table: RangeTable, pairs: PairTypes) {
    this.#table = table;
    this.#pairs = pairs;
    const { functions } = pairs.context;
    this.#mapper = functions[pairs.client] as PciFunction;
    const id = requesterId(this.#mapper.bdf);
    this.#isOnlyOne = functions.every((fn) => fn === this.#mapper || requesterId(fn.bdf) !== id);
  }

  /** The word for memory of one range: asked once where memory is allocated, and good for all vectors in it. */
  wordOf(record: RangeRecord | null): number {
    return certificateWord({
      kind: record === null || !this.#isOnlyOne ? null : this.#kindOf(record),
      requesterId: requesterId(this.#mapper.bdf),
      generation: this.#table.generation,
    });
  }

  #kindOf(record: RangeRecord): number | null {
    if (record.kind === 'ram') return KIND_RAM;
    const type = this.#pairs.of(record.provider);
    if (type === PAIR_HOST_BRIDGE) return KIND_RESOURCE;
    // A pair that is not supported gets no certificate: the mapper looks it up, and refuses with the reasons.
    return type === PAIR_BUS && record.busOffset === this.#mapper.busOffset ? KIND_BUS : null;
  }

  /**
   * Certifies all vectors of a list of CPU physical addresses without flags. Who allocates knows the range; this looks it up.
   *
   * @throws MapError FLAG_NOT_USED: a flag may mean another reading of the address, and takes the same room
   */
  certify(vectors: BvecList): void {
    const { count, address, length, flags } = vectors;
    const words = new Uint32Array(count);
    for (let index = 0; index < count; index++) {
      if (flags[index] !== 0) refuseFlag(vectors, index);
      const at = address[index] as number;
      const found = this.#table.find(at);
      const record = found < 0 ? null : this.#table.at(found);
      const isInside = record !== null && at + (length[index] as number) <= record.end;
      words[index] = this.wordOf(isInside ? record : null);
    }
    vectors.certificate = words;
  }
}
