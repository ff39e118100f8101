/**
 * The ranges of a table as flat arrays, with what they mean for one mapping device, and a small hash of upper address bits in
 * front of the search: the "simple caching" with which, in the words of the thread, the cost of a lookup vanishes. A slot is a
 * guess; the range that it names is compared before it is believed.
 */

import type { BvecList } from '../block/bio-vec.ts';
import { KIND_BUS, KIND_RAM, KIND_RESOURCE } from './classified.ts';
import { ownerIndex } from './owner.ts';
import { PAIR_BUS, PAIR_HOST_BRIDGE, type PairTypes } from './pair-types.ts';
import type { RangeTable } from './range-table.ts';

/** Kind of a range whose owner has not been judged yet. */
export const KIND_NOT_ASKED = 255;

/** Ranges from here on take one slot a GiB, smaller ones one slot for each 2 MiB: RAM would drive all else out. */
const COARSE_BYTES = 2 ** 30;
const FINE_SHIFT = 2 ** -21;
const COARSE_SHIFT = 2 ** -30;
/** Slots of each of the two halves: fine, then coarse. */
const SLOTS = 1024;
const SLOT_BITS = 10;

export class RangeCache {
  /** By record of the table. */
  start: Float64Array = new Float64Array(1);
  end: Float64Array = new Float64Array(1);
  /** `KIND_RAM`, `KIND_RESOURCE`, `KIND_BUS`, or that nobody has asked. */
  kind: Uint8Array = new Uint8Array(1);
  /** What is added to the CPU address, bytes, signed: the bus offset where the kind is `KIND_BUS`, else 0. */
  offset: Float64Array = new Float64Array(1);
  /** Generation of the table in which the record was added. */
  born: Float64Array = new Float64Array(1);
  /** Record by hash. */
  readonly slots: Int32Array = new Int32Array(2 * SLOTS);
  readonly #table: RangeTable;
  readonly #pairs: PairTypes;
  /** What the arrays were filled from. */
  #generation = -1;
  #version = -1;

  constructor(table: RangeTable, pairs: PairTypes) {
    this.#table = table;
    this.#pairs = pairs;
  }

  /** Fills the arrays again, if ranges or verdicts have changed since; no owner has been judged then. */
  renew(): void {
    if (this.#generation !== this.#table.generation || this.#version !== this.#pairs.version) this.#fill();
  }

  /**
   * The record of a vector, judged. By a guess that is compared, else by binary search.
   *
   * @param queuedAt generation of the table when the vector was made
   * @throws MapError UNOWNED_ADDRESS, BAR_SIZE_UNKNOWN, RANGE_STRADDLES, PROVIDER_GONE, PAIR_NOT_SUPPORTED, PAIR_UNKNOWN
   */
  locate(vectors: BvecList, index: number, queuedAt: number): number {
    const { start, end, slots } = this;
    const at = vectors.address[index] as number;
    const behind = at + (vectors.length[index] as number);
    let record = slots[fineSlot(at)] as number;
    if (at < (start[record] as number) || behind > (end[record] as number)) record = slots[coarseSlot(at)] as number;
    if (
      at < (start[record] as number) ||
      behind > (end[record] as number) ||
      this.kind[record] === KIND_NOT_ASKED ||
      (this.born[record] as number) > queuedAt
    ) {
      return this.#search(vectors, index, queuedAt);
    }
    return record;
  }

  #search(vectors: BvecList, index: number, queuedAt: number): number {
    const at = vectors.address[index] as number;
    const record = ownerIndex(this.#table, at, vectors.length[index] as number, queuedAt, index);
    if (this.kind[record] === KIND_NOT_ASKED) this.#judge(record, index);
    const bytes = (this.end[record] as number) - (this.start[record] as number);
    this.slots[bytes < COARSE_BYTES ? fineSlot(at) : coarseSlot(at)] = record;
    return record;
  }

  #judge(record: number, index: number): void {
    const { provider, busOffset } = this.#table.at(record);
    const type = this.#pairs.of(provider);
    if (type !== PAIR_BUS && type !== PAIR_HOST_BRIDGE) this.#pairs.refuse(provider, `vectors[${index}]`);
    this.kind[record] = type === PAIR_BUS ? KIND_BUS : KIND_RESOURCE;
    this.offset[record] = type === PAIR_BUS ? busOffset : 0;
  }

  #fill(): void {
    const { records } = this.#table;
    const size = Math.max(1, records.length);
    // An empty table has one record that holds nothing.
    this.start = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
    this.end = new Float64Array(size);
    this.kind = new Uint8Array(size).fill(KIND_NOT_ASKED);
    this.offset = new Float64Array(size);
    this.born = new Float64Array(size);
    this.slots.fill(0);
    records.forEach((record, index) => {
      this.start[index] = record.start;
      this.end[index] = record.end;
      this.born[index] = record.generation;
      if (record.kind === 'ram') this.kind[index] = KIND_RAM;
    });
    this.#generation = this.#table.generation;
    this.#version = this.#pairs.version;
  }
}

/** Slot of an address as part of a small range. */
export function fineSlot(address: number): number {
  return Math.imul((address * FINE_SHIFT) | 0, 0x9e3779b1) >>> (32 - SLOT_BITS);
}

/** Slot of an address as part of a large range. */
export function coarseSlot(address: number): number {
  return SLOTS + (Math.imul((address * COARSE_SHIFT) | 0, 0x9e3779b1) >>> (32 - SLOT_BITS));
}
