/** The door of a queue. What a queue cannot map correctly does not get in: the flag of a vector is a promise to the mapper. */

import { checkObject } from '../core/argument.ts';
import { hex } from '../core/hex.ts';
import type { Bio } from './bio.ts';
import type { BvecList } from './bio-vec.ts';
import { certifiesP2p } from './certificate.ts';
import { BlockError } from './errors.ts';
import type { Queue, QueueFeatures } from './queue-limits.ts';
import { type Request, requestFromBios } from './request.ts';
import { splitToLimits } from './split.ts';

/** Whether a vector is another device's memory: `index` counts the vectors of the list. */
export type IsP2p = (vectors: BvecList, index: number) => boolean;

/** What the vectors say of themselves, by a flag or a certificate. */
export function saysP2p(vectors: BvecList, index: number): boolean {
  return vectors.flags[index] !== 0 || certifiesP2p(vectors.certificateAt(index));
}

/**
 * Refuses what must not enter a queue: an impossible vector (as `checkBioVec`), a vector of peer-to-peer memory in a bio that
 * announces none (`P2P_NOT_ANNOUNCED`), a bio that may contain peer-to-peer memory where the queue lacks the feature
 * (`QUEUE_WITHOUT_P2P`; the kernel fails the user's pages with EREMOTEIO).
 *
 * @param isP2p which vectors are peer-to-peer memory, where more is known of them than flags and certificates say
 */
export function checkSubmission(bio: Bio, features: QueueFeatures, isP2p: IsP2p = saysP2p): void {
  checkObject(bio, 'vectors', 'submit: bio', 'a bio, as createBio makes');
  checkObject(features, 'p2p', 'submit: features', 'what the queue announces: { p2p }');
  const { vectors } = bio;
  vectors.check();
  for (let index = 0; !bio.mayContainP2p && index < vectors.count; index++) {
    if (!isP2p(vectors, index)) continue;
    throw new BlockError({
      code: 'P2P_NOT_ANNOUNCED',
      path: `vectors[${index}]`,
      message: `vector ${index} is peer-to-peer memory, and the bio says that it contains none`,
      hint: 'set mayContainP2p on the bio, or leave it out',
      errno: 'EINVAL',
    });
  }
  if (bio.mayContainP2p && !features.p2p) {
    throw new BlockError({
      code: 'QUEUE_WITHOUT_P2P',
      path: 'queue.p2p',
      message: 'the bio may contain peer-to-peer memory, and the queue does not announce that it can map it',
      hint: 'submit to the device itself rather than to a stacked one, or copy through RAM',
      errno: 'EREMOTEIO',
    });
  }
}

/**
 * Submits a bio: checks it, cuts it to the queue's limits, and returns one request for each part, in order
 * (`submit_bio`, `blk_mq_submit_bio`). Refuses as `checkSubmission` and
 * `splitToLimits`, and a vector that breaks the queue's alignment (`VECTOR_INVALID`).
 */
export function submitBio(bio: Bio, queue: Queue, isP2p: IsP2p = saysP2p): Request[] {
  checkObject(queue, 'features', 'submit: queue', 'a queue: { limits, features }');
  checkSubmission(bio, queue.features, isP2p);
  checkAlignment(bio, queue.limits.dmaAlignment);
  if (bio.vectors.count === 0) return [];
  return splitToLimits(bio, queue.limits).map((part) => requestFromBios([part]));
}

function checkAlignment({ vectors }: Bio, mask: number): void {
  for (let index = 0; mask !== 0 && index < vectors.count; index++) {
    const address = vectors.address[index] as number;
    const length = vectors.length[index] as number;
    if ((address & mask) === 0 && (length & mask) === 0) continue;
    throw new BlockError({
      code: 'VECTOR_INVALID',
      path: `vectors[${index}]`,
      message: `${length} bytes at ${hex(address)} are not multiples of ${mask + 1}`,
      hint: `align address and length to ${mask + 1} bytes`,
      errno: 'EINVAL',
    });
  }
}
