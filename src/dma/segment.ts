/** One output of a mapping as an object, for reading. Hot code reads the arrays of `DmaMapping` (mapping.ts). */

import { type BusAddr, type DmaAddr, dmaAddr, type Iova, type PhysAddr } from '../core/address.ts';
import { checkObject } from '../core/argument.ts';

/** Where in the data a segment lies. */
interface SegmentPart {
  /** Bytes. */
  readonly length: number;
  /** First and last input vector in it. */
  readonly firstInput: number;
  readonly lastInput: number;
}

/** One output segment. `space` says what its address is. */
export type DmaSegment = SegmentPart &
  (
    | { readonly space: 'iova'; readonly address: Iova }
    | { readonly space: 'phys'; readonly address: PhysAddr }
    /** Case (b2). */
    | { readonly space: 'bus'; readonly address: BusAddr }
    /** Case (c): BAR and offset of the mapping device itself; the address is still the bus address. */
    | { readonly space: 'bar'; readonly address: BusAddr; readonly bar: number; readonly offset: number }
    /** RAM that is copied through swiotlb: the address is the pool's business. */
    | { readonly space: 'bounce'; readonly address: null }
  );

export type SegmentSpace = DmaSegment['space'];

/** What an engine is programmed with: an address for the wire, or a BAR of its own function and an offset in it. */
export type EngineTarget = { readonly address: DmaAddr } | { readonly bar: number; readonly offset: number };

/** What an engine is programmed with for a segment; null for `bounce`, whose address only the pool knows. */
export function engineTarget(segment: DmaSegment): EngineTarget | null {
  checkObject(segment, 'space', 'engineTarget: segment', 'a segment of a mapping');
  switch (segment.space) {
    case 'bar':
      return { bar: segment.bar, offset: segment.offset };
    case 'bounce':
      return null;
    default:
      return { address: dmaAddr(segment.address) };
  }
}
