/**
 * The result of a mapping, as a structure of arrays that the caller owns and uses again: the hot path makes no garbage.
 */

import type { Iova } from '../core/address.ts';
import type { DmaDirection } from './direction.ts';

/** What a segment's address is. */
export const SPACE_IOVA = 0;
export const SPACE_PHYS = 1;
export const SPACE_BUS = 2;
/** Case (c): BAR and offset of the mapping device itself; the address is still the bus address. */
export const SPACE_BAR = 3;
/** RAM that is copied through swiotlb: the address is the pool's business. */
export const SPACE_BOUNCE = 4;

export type SegmentSpace = 'iova' | 'phys' | 'bus' | 'bar' | 'bounce';

const SPACE_NAMES: readonly SegmentSpace[] = ['iova', 'phys', 'bus', 'bar', 'bounce'];

/** One output segment, for reading; hot code reads the arrays. */
export interface DmaSegment {
  readonly space: SegmentSpace;
  /** IOVA, CPU physical or bus address; null for `bounce`. */
  readonly address: number | null;
  readonly length: number;
  /** First and last input vector in it. */
  readonly firstInput: number;
  readonly lastInput: number;
  /** Set for `bar` only. */
  readonly bar?: number;
  readonly offset?: number;
}

export class DmaMapping {
  /** Number of segments. */
  count = 0;
  space: Uint8Array;
  address: Float64Array;
  length: Float64Array;
  firstInput: Uint32Array;
  lastInput: Uint32Array;
  bar: Uint8Array;
  barOffset: Float64Array;

  /** The one contiguous range of I/O virtual addresses; size 0 where nothing meets the IOMMU. */
  iovaBase: Iova = 0 as Iova;
  iovaSize = 0;
  /** Vectors that meet the IOMMU. */
  iommuVectors = 0;
  /** Whether it is mapped now. */
  live = false;
  direction: DmaDirection = 'bidirectional';

  /** The IOMMU's vectors in order: CPU address, length, slot length, kind (not 0: MMIO). Scratch of the mapping functions. */
  slotPhys: Float64Array;
  slotLength: Float64Array;
  slotSize: Float64Array;
  slotMmio: Uint8Array;

  /** `capacity`: segments to hold without growing. */
  constructor(capacity = 256) {
    this.space = new Uint8Array(capacity);
    this.address = new Float64Array(capacity);
    this.length = new Float64Array(capacity);
    this.firstInput = new Uint32Array(capacity);
    this.lastInput = new Uint32Array(capacity);
    this.bar = new Uint8Array(capacity);
    this.barOffset = new Float64Array(capacity);
    this.slotPhys = new Float64Array(capacity);
    this.slotLength = new Float64Array(capacity);
    this.slotSize = new Float64Array(capacity);
    this.slotMmio = new Uint8Array(capacity);
  }

  /** Makes room for `capacity` segments, keeping those that are there. */
  reserve(capacity: number): void {
    if (capacity <= this.space.length) return;
    const size = Math.max(capacity, this.space.length * 2);
    this.space = grown(this.space, new Uint8Array(size));
    this.address = grown(this.address, new Float64Array(size));
    this.length = grown(this.length, new Float64Array(size));
    this.firstInput = grown(this.firstInput, new Uint32Array(size));
    this.lastInput = grown(this.lastInput, new Uint32Array(size));
    this.bar = grown(this.bar, new Uint8Array(size));
    this.barOffset = grown(this.barOffset, new Float64Array(size));
    this.slotPhys = grown(this.slotPhys, new Float64Array(size));
    this.slotLength = grown(this.slotLength, new Float64Array(size));
    this.slotSize = grown(this.slotSize, new Float64Array(size));
    this.slotMmio = grown(this.slotMmio, new Uint8Array(size));
  }

  /** Segment `index` as an object. */
  at(index: number): DmaSegment {
    const space = SPACE_NAMES[this.space[index] as number] as SegmentSpace;
    const segment: DmaSegment = {
      space,
      address: space === 'bounce' ? null : (this.address[index] as number),
      length: this.length[index] as number,
      firstInput: this.firstInput[index] as number,
      lastInput: this.lastInput[index] as number,
    };
    if (space !== 'bar') return segment;
    return { ...segment, bar: this.bar[index] as number, offset: this.barOffset[index] as number };
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
