/**
 * What the mapping is measured against: below, the bare loop that no mapping can beat; above, the form that lost, one object
 * for every vector and every segment.
 */

import type { BvecList } from 'p2pdma/block';
import type { Iova, PhysAddr } from 'p2pdma/core';
import type { IommuDomain } from 'p2pdma/iommu';

/** Two windows of bus addresses: the device's own BARs, and the provider with the offset of its host bridge. */
export interface Windows {
  readonly ownStart: number;
  readonly ownEnd: number;
  readonly peerStart: number;
  readonly peerEnd: number;
  readonly offset: number;
}

/** The floor: for each vector, two window tests and an addition, into typed arrays. Returns how many lie in the own BAR. */
export function bareLoop(
  vectors: BvecList,
  windows: Windows,
  outAddress: Float64Array,
  outLength: Float64Array,
): number {
  const { address, length, count } = vectors;
  const { ownStart, ownEnd, peerStart, peerEnd, offset } = windows;
  let own = 0;
  for (let index = 0; index < count; index++) {
    const at = address[index] as number;
    const bytes = length[index] as number;
    if (at >= ownStart && at + bytes <= ownEnd) {
      own++;
      outAddress[index] = at - ownStart;
    } else if (at >= peerStart && at + bytes <= peerEnd) outAddress[index] = at + offset;
    else outAddress[index] = at;
    outLength[index] = bytes;
  }
  return own;
}

export interface VectorObject {
  readonly address: number;
  readonly length: number;
  readonly flags: number;
}

export interface SegmentObject {
  readonly space: 'iova' | 'bus';
  readonly address: number;
  length: number;
  readonly inputs: number[];
}

const RIGHTS = { read: true, write: true, mmio: false };
const MMIO_RIGHTS = { read: true, write: true, mmio: true };

/** Maps objects into objects: the same layout as the linux rules with default limits, each vector into the page table by itself. */
export function mapObjects(
  vectors: readonly VectorObject[],
  domain: IommuDomain,
): { base: Iova; size: number; segments: SegmentObject[] } {
  const meets = vectors.filter(({ flags }) => flags !== 2);
  const size = meets.reduce(
    (bytes, { address, length }) => bytes + Math.ceil(((address % 4096) + length) / 4096) * 4096,
    0,
  );
  const base = size === 0 ? (0 as Iova) : domain.allocator.allocate(size);
  if (base === null) throw new Error('no IOVA is free');
  const segments: SegmentObject[] = [];
  let at = base as number;
  let open: SegmentObject | null = null;
  vectors.forEach(({ address, length, flags }, input) => {
    if (flags === 2) {
      segments.push({ space: 'bus', address, length, inputs: [input] });
      open = null;
      return;
    }
    const offset = address % 4096;
    const slot = Math.ceil((offset + length) / 4096) * 4096;
    domain.map(at as Iova, (address - offset) as PhysAddr, slot, flags === 1 ? MMIO_RIGHTS : RIGHTS);
    const run: SegmentObject | null = open;
    if (run !== null && offset === 0 && run.length + length <= 65536) {
      run.length += length;
      run.inputs.push(input);
    } else {
      open = { space: 'iova', address: at + offset, length, inputs: [input] };
      segments.push(open);
    }
    if ((offset + length) % 4096 !== 0) open = null;
    at += slot;
  });
  return { base, size, segments };
}

export function unmapObjects(domain: IommuDomain, { base, size }: { base: Iova; size: number }): void {
  if (size === 0) return;
  domain.unmap(base, size);
  domain.release(base, size);
}
