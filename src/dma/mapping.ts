/**
 * The result of a mapping, as a structure of arrays that the caller owns and uses again: the hot path makes no garbage.
 */

import { type Iova, iova, storedAddress } from '../core/address.ts';
import type { DmaDevice } from './device.ts';
import type { DmaDirection } from './direction.ts';
import type { RangeTable } from './range-table.ts';
import type { DmaSegment } from './segment.ts';

/** What a segment's address is. */
export const SPACE_IOVA = 0;
export const SPACE_PHYS = 1;
export const SPACE_BUS = 2;
/** Case (c): BAR and offset of the mapping device itself; the address is still the bus address. */
export const SPACE_BAR = 3;
/** RAM that is copied through swiotlb: the address is the pool's business. */
export const SPACE_BOUNCE = 4;

const NO_BYTES = new Uint8Array(0);
const NO_OFFSETS = new Float64Array(0);

const NO_IOVA = iova(0);

export class DmaMapping {
  /** Number of segments. */
  count = 0;
  // Declared: a field that is `undefined` first and an array later costs a check at each access in a loop.
  declare space: Uint8Array;
  declare address: Float64Array;
  declare length: Float64Array;
  /** The first so many segments are one input each, in order: most need no record of it. */
  oneToOne = 0;
  /** First input of each segment from `oneToOne` on. */
  declare firstInput: Uint32Array;
  /** Not 0: the segment begins in the input that the one before ends in. Empty where no input was cut. */
  cut: Uint8Array = NO_BYTES;
  /** Inputs in all. */
  inputCount = 0;
  /** BAR and offset of `SPACE_BAR` segments; no room is made for them until `resolveOwnBar` finds one. */
  bar: Uint8Array = NO_BYTES;
  barOffset: Float64Array = NO_OFFSETS;

  /** The one contiguous range of I/O virtual addresses; size 0 where nothing meets the IOMMU. */
  iovaBase: Iova = NO_IOVA;
  iovaSize = 0;
  /** Vectors that meet the IOMMU. */
  iommuVectors = 0;
  /** Whether it is mapped now. */
  live = false;
  direction: DmaDirection = 'bidirectional';
  /** Whom it is mapped for, while it is. */
  device: DmaDevice | null = null;
  /** The table that named the owners, and its generation then; null where none was asked. */
  table: RangeTable | null = null;
  tableGeneration = 0;

  /** `capacity`: segments to hold without growing. */
  constructor(capacity = 256) {
    this.space = new Uint8Array(capacity);
    this.address = new Float64Array(capacity);
    this.length = new Float64Array(capacity);
    this.firstInput = new Uint32Array(capacity);
  }

  /** Makes room for `capacity` segments, keeping those that are there. */
  reserve(capacity: number): void {
    if (capacity <= this.space.length) return;
    const size = Math.max(capacity, this.space.length * 2);
    this.space = grown(this.space, new Uint8Array(size));
    this.address = grown(this.address, new Float64Array(size));
    this.length = grown(this.length, new Float64Array(size));
    this.firstInput = grown(this.firstInput, new Uint32Array(size));
    if (this.cut.length > 0) this.cut = grown(this.cut, new Uint8Array(size));
  }

  /** Empties it for a new mapping. */
  begin(direction: DmaDirection): void {
    this.count = 0;
    this.iovaBase = NO_IOVA;
    this.iovaSize = 0;
    this.iommuVectors = 0;
    this.oneToOne = 0;
    this.inputCount = 0;
    if (this.cut.length > 0) this.cut.fill(0);
    this.direction = direction;
  }

  /** Notes that segment `index` begins in the input that the one before ends in. */
  setCut(index: number): void {
    if (this.cut.length < this.space.length) this.cut = grown(this.cut, new Uint8Array(this.space.length));
    this.cut[index] = 1;
  }

  /** Index of the first input vector of a segment. */
  firstInputOf(index: number): number {
    return index < this.oneToOne ? index : (this.firstInput[index] as number);
  }

  /** Index of the last input vector of a segment. */
  lastInputOf(index: number): number {
    if (index + 1 === this.count) return this.inputCount - 1;
    return this.firstInputOf(index + 1) - (this.cut[index + 1] ? 0 : 1);
  }

  /** Makes room for BAR and offset of every segment. */
  reserveBars(): void {
    if (this.bar.length >= this.space.length) return;
    this.bar = grown(this.bar, new Uint8Array(this.space.length));
    this.barOffset = grown(this.barOffset, new Float64Array(this.space.length));
  }

  /** Turns bus-address segment `index` into BAR and offset: case (c). */
  setOwnBar(index: number, bar: number, offset: number): void {
    this.reserveBars();
    this.space[index] = SPACE_BAR;
    this.bar[index] = bar;
    this.barOffset[index] = offset;
  }

  /** Segment `index` as an object. */
  at(index: number): DmaSegment {
    const address = this.address[index] as number;
    const length = this.length[index] as number;
    const firstInput = this.firstInputOf(index);
    const lastInput = this.lastInputOf(index);
    switch (this.space[index]) {
      case SPACE_IOVA:
        return { space: 'iova', address: storedAddress(address), length, firstInput, lastInput };
      case SPACE_PHYS:
        return { space: 'phys', address: storedAddress(address), length, firstInput, lastInput };
      case SPACE_BUS:
        return { space: 'bus', address: storedAddress(address), length, firstInput, lastInput };
      case SPACE_BAR: {
        const bar = this.bar[index] as number;
        const offset = this.barOffset[index] as number;
        return { space: 'bar', address: storedAddress(address), length, firstInput, lastInput, bar, offset };
      }
      default:
        return { space: 'bounce', address: null, length, firstInput, lastInput };
    }
  }

  /** All segments as objects, in the order of the data. */
  segments(): DmaSegment[] {
    return Array.from({ length: this.count }, (_, index) => this.at(index));
  }
}

function grown<A extends Uint8Array | Uint32Array | Float64Array>(old: A, bigger: A): A {
  bigger.set(old);
  return bigger;
}
