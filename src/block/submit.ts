/** The door of a queue. What a queue cannot map correctly does not get in: the flag of a vector is a promise to the mapper. */

import { hex } from '../core/index.ts';
import type { Bio } from './bio.ts';
import { checkBioVec } from './bio-vec.ts';
import { BlockError } from './errors.ts';
import type { Queue, QueueFeatures } from './queue-limits.ts';
import { type Request, requestFromBios } from './request.ts';
import { splitToLimits } from './split.ts';

/**
 * Refuses what must not enter a queue: an impossible vector (as `checkBioVec`), a flagged vector in a bio that announces
 * none (`P2P_NOT_ANNOUNCED`), a bio that may contain peer-to-peer memory where the queue lacks the feature
 * (`QUEUE_WITHOUT_P2P`; the kernel fails the user's pages with EREMOTEIO).
 */
export function checkSubmission(bio: Bio, features: QueueFeatures): void {
  let index = 0;
  for (const vector of bio.vectors) {
    checkBioVec(vector, `vectors[${index}]`);
    if (vector.flags !== 0 && !bio.mayContainP2p) {
      throw new BlockError({
        code: 'P2P_NOT_ANNOUNCED',
        path: `vectors[${index}].flags`,
        message: `vector ${index} is peer-to-peer memory, the bio says it contains none`,
        hint: 'set mayContainP2p on the bio',
        errno: 'EINVAL',
      });
    }
    index++;
  }
  if (bio.mayContainP2p && !features.p2p) {
    throw new BlockError({
      code: 'QUEUE_WITHOUT_P2P',
      path: 'queue.p2p',
      message: 'the bio may contain peer-to-peer memory, and the queue does not announce that it can map it',
      hint: 'submit to the NVMe namespace itself rather than to a stacked device, or copy through RAM',
      errno: 'EREMOTEIO',
    });
  }
}

/**
 * Submits a bio: checks it, cuts it to the queue's limits, and returns one request for each part, in order
 * (`submit_bio`, `blk_mq_submit_bio`). Refuses as `checkSubmission` and
 * `splitToLimits`, and a vector that breaks the queue's alignment (`VECTOR_INVALID`).
 */
export function submitBio(bio: Bio, queue: Queue): Request[] {
  checkSubmission(bio, queue.features);
  checkAlignment(bio, queue.limits.dmaAlignment);
  if (bio.vectors.count === 0) return [];
  return splitToLimits(bio, queue.limits).map((part) => requestFromBios([part]));
}

function checkAlignment(bio: Bio, mask: number): void {
  let index = 0;
  for (const { address, length } of bio.vectors) {
    if ((address & mask) !== 0 || (length & mask) !== 0) {
      throw new BlockError({
        code: 'VECTOR_INVALID',
        path: `vectors[${index}]`,
        message: `${length} bytes at ${hex(address)} are no multiples of ${mask + 1}`,
        hint: `align address and length to ${mask + 1} bytes`,
        errno: 'EINVAL',
      });
    }
    index++;
  }
}
