/** What became of each segment of an NVMe transfer, as far as the hops of its TLPs show. */

import type { DmaSegment } from '../dma/segment.ts';
import { DELIVERED, NOT_MOVED, type SegmentOutcome, SWALLOWED, UNSEEN } from '../engine/transfer.ts';
import type { Hop } from '../fabric/hop.ts';
import type { Workplace } from './mover.ts';

/** What the bytes and the controller's answer say, beside the hops. */
export interface Witness {
  /** The controller said that all went well, and so did whatever was around it. */
  readonly succeeded: boolean;
  /** By segment: the controller takes all of its addresses for its own buffer, so that no TLP is to be seen. */
  readonly isOwn: readonly boolean[];
  /** By segment: bytes that are in the buffer and belong elsewhere. */
  readonly bytes: readonly number[];
}

/** One outcome a segment. A TLP belongs to the segment that its first address lies in. */
export function segmentOutcomes(
  place: Pick<Workplace, 'host' | 'hopName'>,
  segments: readonly DmaSegment[],
  hops: readonly Hop[],
  witness: Witness,
): SegmentOutcome[] {
  if (!place.host.showsHops) return segments.map(() => ({ fate: UNSEEN, at: null, tlps: null }));
  const seen = segments.map(() => ({ tlps: new Set<number>(), isReached: false, stop: null as Hop | null }));
  const segmentOf = new Map<number, number>();
  for (const hop of hops) {
    let index = segmentOf.get(hop.tlp);
    if (index === undefined) {
      // One TLP may carry bytes of neighbours, and one memory may be in a list twice.
      segments.forEach((segment, at) => {
        const one = seen[at];
        if (one !== undefined && meets(segment, hop.address, hop.address + hop.length)) one.isReached = true;
      });
      index = segments.findIndex((segment) => meets(segment, hop.address, hop.address + 1));
      segmentOf.set(hop.tlp, index);
    }
    const one = seen[index];
    if (one === undefined) continue;
    one.tlps.add(hop.tlp);
    if (hop.fate !== 'delivered' && hop.action === 'stop') one.stop = hop;
  }
  return seen.map(({ tlps, isReached, stop }, index): SegmentOutcome => {
    if (stop !== null) return { fate: `${stop.fate} (${stop.reason})`, at: place.hopName(stop), tlps };
    if (isReached) return { fate: DELIVERED, at: null, tlps };
    return { fate: fateInside(segments[index], witness, index), at: null, tlps };
  });
}

/** Whether a segment that the device addresses has a byte in `[start, end)`. */
function meets({ space, address, length }: DmaSegment, start: number, end: number): boolean {
  return space !== 'bar' && address !== null && start < address + length && end > address;
}

/** Of a segment that no TLP carried. */
function fateInside(segment: DmaSegment | undefined, { succeeded, isOwn, bytes }: Witness, index: number): string {
  if ((bytes[index] ?? 0) > 0) return SWALLOWED;
  const isInside = segment?.space === 'bar' || isOwn[index] === true;
  return isInside && succeeded ? DELIVERED : NOT_MOVED;
}
