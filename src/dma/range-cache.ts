/**
 * The ranges of a table as flat arrays, with what they mean for one mapping device, and a small hash of upper address bits in
 * front of the search: the "simple caching" with which, in the words of the thread, the cost of a lookup vanishes. A slot is a
 * guess; the range that it names is compared before it is believed.
 */

import { KIND_BUS, KIND_RAM } from './classifier.ts';
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
  /** `KIND_RAM`, `KIND_RESOURCE`, `KIND_BUS` or `KIND_NOT_ASKED`. */
  kind: Uint8Array = new Uint8Array(1);
  /** What is added to the CPU address, bytes, signed: the bus offset where the kind is `KIND_BUS`, else 0. */
  offset: Float64Array = new Float64Array(1);
  /** Record by hash. */
  readonly slots: Int32Array = new Int32Array(2 * SLOTS);

  /** Copies the table's records; no owner has been judged then. */
  refresh(table: RangeTable): void {
    const { records } = table;
    const size = Math.max(1, records.length);
    // An empty table has one record that holds nothing.
    this.start = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
    this.end = new Float64Array(size);
    this.kind = new Uint8Array(size).fill(KIND_NOT_ASKED);
    this.offset = new Float64Array(size);
    this.slots.fill(0);
    records.forEach((record, index) => {
      this.start[index] = record.start;
      this.end[index] = record.end;
      if (record.kind === 'ram') this.kind[index] = KIND_RAM;
    });
  }

  /** Notes what the owner of a record was judged to be. */
  learn(record: number, kind: number, busOffset: number): void {
    this.kind[record] = kind;
    this.offset[record] = kind === KIND_BUS ? busOffset : 0;
  }

  /** Puts a record into the slot of an address in it. */
  keep(record: number, address: number): void {
    const bytes = (this.end[record] as number) - (this.start[record] as number);
    this.slots[bytes < COARSE_BYTES ? fineSlot(address) : coarseSlot(address)] = record;
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
