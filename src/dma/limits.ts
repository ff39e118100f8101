/** What a device's DMA engine can take. Linux: struct device_dma_parameters and the device's dma_mask. */

import { hex } from '../core/hex.ts';
import { MapError } from './errors.ts';

export interface DmaLimits {
  /** Longest output segment, bytes (dma_get_max_seg_size()). */
  readonly maxSegmentSize: number;
  /** No output crosses a multiple of this + 1, a power of two (dma_get_seg_boundary()); Infinity: no limit. */
  readonly segmentBoundaryMask: number;
  /** Highest DMA address (dma_get_mask()); Infinity: no limit. */
  readonly dmaMask: number;
  /** Low address bits that bouncing must keep (dma_get_min_align_mask()). */
  readonly minAlignMask: number;
}

/** What Linux assumes of a device whose driver says nothing, with all address bits. */
export const DEFAULT_LIMITS: DmaLimits = {
  maxSegmentSize: 65536,
  segmentBoundaryMask: 0xffffffff,
  dmaMask: Number.POSITIVE_INFINITY,
  minAlignMask: 0,
};

/** The limits with defaults filled in. Throws `MapError` LIMITS_INVALID for values that no device can have. */
export function dmaLimits(limits: Partial<DmaLimits> = {}): DmaLimits {
  const full = { ...DEFAULT_LIMITS, ...limits };
  const bits = Math.log2(full.segmentBoundaryMask + 1);
  if (!(full.maxSegmentSize >= 1)) {
    throw new MapError(
      'LIMITS_INVALID',
      'limits.maxSegmentSize',
      `is ${full.maxSegmentSize}`,
      'give a length of at least 1 byte',
    );
  }
  if (
    full.segmentBoundaryMask !== Number.POSITIVE_INFINITY &&
    (bits !== Math.floor(bits) || full.segmentBoundaryMask < 0xfff)
  ) {
    const message = `${hex(full.segmentBoundaryMask)} is no mask of at least 12 low bits`;
    throw new MapError(
      'LIMITS_INVALID',
      'limits.segmentBoundaryMask',
      message,
      'give a power of two minus one, e.g. 0xffffffff',
    );
  }
  if (!(full.dmaMask >= 0)) {
    throw new MapError(
      'LIMITS_INVALID',
      'limits.dmaMask',
      `is ${full.dmaMask}`,
      'give the highest address the device can reach',
    );
  }
  return full;
}
