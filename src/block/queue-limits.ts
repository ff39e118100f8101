/** What a queue and its device can take in one request (`struct queue_limits`), and whether they know P2P memory. */

import { BlockError } from './errors.ts';

export interface QueueLimits {
  /** Most bytes of one segment. Default 65536. */
  readonly maxSegmentSize: number;
  /** A segment lies in one window of `mask + 1` bytes: a power of two minus one, or Infinity. Default 0xffffffff. */
  readonly segmentBoundaryMask: number;
  /** Last address the device can emit, or Infinity for all of them. Default Infinity. */
  readonly dmaMask: number;
  /** Most segments of one request. Default 128, as the kernel's. */
  readonly maxSegments: number;
  /** Segments meet at multiples of `mask + 1` only, but for the first start and the last end; 0: anywhere. Default 0. */
  readonly virtBoundaryMask: number;
  /** Bits that are zero in the address and the length of every vector; NVMe: 3. Default 0: any byte. */
  readonly dmaAlignment: number;
  /** Most bytes of one request. Default Infinity. */
  readonly maxBytes: number;
}

export interface QueueFeatures {
  /** The queue takes bios that may contain peer-to-peer memory (`BLK_FEAT_PCI_P2PDMA`). */
  readonly p2p: boolean;
}

export interface Queue {
  readonly limits: QueueLimits;
  readonly features: QueueFeatures;
}

/** Limits of a queue whose driver sets none. */
export const DEFAULT_LIMITS: QueueLimits = {
  maxSegmentSize: 65536,
  segmentBoundaryMask: 0xffffffff,
  dmaMask: Number.POSITIVE_INFINITY,
  maxSegments: 128,
  virtBoundaryMask: 0,
  dmaAlignment: 0,
  maxBytes: Number.POSITIVE_INFINITY,
};

/** The defaults with these changes. Refuses `LIMITS_INVALID`, with the field in the path. */
export function queueLimits(changes: Partial<QueueLimits> = {}): QueueLimits {
  const limits = { ...DEFAULT_LIMITS, ...changes };
  checkCount('maxSegmentSize', limits.maxSegmentSize);
  checkCount('maxSegments', limits.maxSegments);
  checkCount('maxBytes', limits.maxBytes);
  if (limits.segmentBoundaryMask !== Number.POSITIVE_INFINITY) {
    checkMask('segmentBoundaryMask', limits.segmentBoundaryMask);
  }
  checkMask('virtBoundaryMask', limits.virtBoundaryMask);
  checkMask('dmaAlignment', limits.dmaAlignment);
  if (!(limits.dmaMask > 0) || (limits.dmaMask !== Number.POSITIVE_INFINITY && !Number.isInteger(limits.dmaMask))) {
    throw invalid(
      'dmaMask',
      `DMA mask ${limits.dmaMask} reaches no address`,
      'give the last address the device can emit',
    );
  }
  if (limits.virtBoundaryMask > limits.segmentBoundaryMask) {
    throw invalid(
      'virtBoundaryMask',
      `pieces of ${limits.virtBoundaryMask + 1} bytes do not fit in windows of ${limits.segmentBoundaryMask + 1}`,
      'the virtual boundary is at most the segment boundary',
    );
  }
  return limits;
}

function checkCount(path: string, value: number): void {
  if (value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value > 0)) return;
  throw invalid(path, `${path} ${value} lets nothing through`, 'give a whole number above 0, or Infinity for no limit');
}

function checkMask(path: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0 && Number.isInteger(Math.log2(value + 1))) return;
  throw invalid(path, `${path} ${value} is no power of two minus one`, 'give a mask such as 0xfff or 0xffffffff');
}

function invalid(path: string, message: string, hint: string): BlockError {
  return new BlockError({ code: 'LIMITS_INVALID', path: `limits.${path}`, message, hint, errno: 'EINVAL' });
}
