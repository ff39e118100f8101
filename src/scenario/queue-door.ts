/**
 * The way into a queue, for `p2pdma map` and `p2pdma run` alike: the vectors become a bio, the block layer checks and submits it, and
 * what the driver gets is the vectors of the requests that come out.
 */

import { createBio } from '../block/bio.ts';
import type { BvecList } from '../block/bio-vec.ts';
import { DEFAULT_LIMITS, type QueueLimits } from '../block/queue-limits.ts';
import { requestVectors } from '../block/request.ts';
import { type IsP2p, submitBio } from '../block/submit.ts';
import type { DmaDirection } from '../dma/direction.ts';

/**
 * The queue cuts nothing: one bio is one request and one mapping, as the kernel's scatterlist path gets it. What a device can take is
 * for its mapper (dma/limits.ts), and how many commands it needs for its driver.
 */
const NO_LIMITS: QueueLimits = {
  ...DEFAULT_LIMITS,
  maxSegmentSize: Number.POSITIVE_INFINITY,
  segmentBoundaryMask: Number.POSITIVE_INFINITY,
  maxSegments: Number.POSITIVE_INFINITY,
};

export interface Submission {
  readonly vectors: BvecList;
  readonly direction: DmaDirection;
  /** Null: whether any vector is peer-to-peer memory. */
  readonly mayContainP2p: boolean | null;
  /** The queue announces that it can map peer-to-peer memory. */
  readonly queueP2p: boolean;
  /** Which vectors are peer-to-peer memory, as far as the submitter knows. */
  readonly isP2p: IsP2p;
}

/**
 * The vectors of one transfer as the driver gets them.
 *
 * @throws BlockError ZERO_LENGTH, ADDRESS_OVERFLOW, FLAGS_CONFLICT, VECTOR_INVALID, P2P_NOT_ANNOUNCED, QUEUE_WITHOUT_P2P
 */
export function throughQueue(submission: Submission): BvecList {
  const { vectors, direction, queueP2p, isP2p } = submission;
  const mayContainP2p = submission.mayContainP2p ?? holdsP2p(vectors, isP2p);
  // A disk is read into memory. Which way a bidirectional mapping goes does not matter here.
  const bio = createBio({ vectors, operation: direction === 'toDevice' ? 'write' : 'read', mayContainP2p });
  const [request] = submitBio(bio, { limits: NO_LIMITS, features: { p2p: queueP2p } }, isP2p);
  return request === undefined ? vectors : requestVectors(request);
}

function holdsP2p(vectors: BvecList, isP2p: IsP2p): boolean {
  for (let index = 0; index < vectors.count; index++) if (isP2p(vectors, index)) return true;
  return false;
}
