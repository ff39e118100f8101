/**
 * Cuts: a bio in two at any byte, a bio into pieces that keep a queue's limits, vectors into segments. Every piece of a
 * vector keeps its flags: an address and its offset are read the same way. A split and its join are the identity.
 */

import { type Bio, diskEnd, diskStart, SECTOR_BYTES } from './bio.ts';
import { BvecList } from './bio-vec.ts';
import { BlockError } from './errors.ts';
import type { QueueLimits } from './queue-limits.ts';

/**
 * The first `bytes` bytes of a bio, and the rest (`bio_split`, which cuts at sectors only). Refuses `SPLIT_OUT_OF_RANGE`
 * unless both parts hold at least one byte.
 */
export function splitBio(bio: Bio, bytes: number): [Bio, Bio] {
  const { vectors } = bio;
  const total = vectors.byteLength;
  if (!(Number.isInteger(bytes) && bytes > 0 && bytes < total)) {
    throw new BlockError({
      code: 'SPLIT_OUT_OF_RANGE',
      path: 'bytes',
      message: `a bio of ${total} bytes cannot be split at byte ${bytes}`,
      hint: total > 1 ? `split at a byte in [1, ${total - 1}]` : 'leave it whole',
    });
  }
  const head = new BvecList();
  const tail = new BvecList();
  let left = bytes;
  let startsInsideVector = false;
  for (let index = 0; index < vectors.count; index++) {
    const address = vectors.address[index] as number;
    const length = vectors.length[index] as number;
    const flags = vectors.flags[index] as number;
    const inHead = Math.min(length, left);
    if (inHead > 0) head.push(address, inHead, flags);
    if (inHead < length) tail.push(address + inHead, length - inHead, flags);
    if (inHead > 0 && inHead < length) startsInsideVector = true;
    left -= inHead;
  }
  const tailStart = diskStart(bio) + bytes;
  return [
    { ...bio, vectors: head },
    {
      ...bio,
      vectors: tail,
      sector: Math.floor(tailStart / SECTOR_BYTES),
      sectorOffset: tailStart % SECTOR_BYTES,
      startsInsideVector,
    },
  ];
}

/**
 * Undoes `splitBio`. Refuses `REQUEST_INVALID` for two bios that are no two parts of one. Vectors are joined only where
 * the split cut one: two that merely lie next to each other stay two, whosever they are.
 */
export function joinBios(head: Bio, tail: Bio): Bio {
  const last = head.vectors.count - 1;
  const cut = tail.startsInsideVector;
  const fits =
    head.operation === tail.operation &&
    head.mayContainP2p === tail.mayContainP2p &&
    diskEnd(head) === diskStart(tail) &&
    (!cut ||
      ((head.vectors.address[last] as number) + (head.vectors.length[last] as number) === tail.vectors.address[0] &&
        head.vectors.flags[last] === tail.vectors.flags[0]));
  if (!fits) {
    throw new BlockError({
      code: 'REQUEST_INVALID',
      path: 'tail',
      message: 'the second bio is not the rest of the first',
      hint: 'join the two results of one split, in their order',
    });
  }
  const vectors = new BvecList(head.vectors.count + tail.vectors.count);
  for (const { address, length, flags } of head.vectors) vectors.push(address, length, flags);
  let index = 0;
  for (const { address, length, flags } of tail.vectors) {
    if (index++ === 0 && cut) vectors.length[last] = (vectors.length[last] as number) + length;
    else vectors.push(address, length, flags);
  }
  return { ...head, vectors };
}

/**
 * Bytes of the segment that starts at `address`, of `remaining` bytes: cut at the maximum size and at the boundary
 * (`get_max_segment_size`).
 */
export function segmentBytes(address: number, remaining: number, limits: QueueLimits): number {
  let bytes = Math.min(remaining, limits.maxSegmentSize);
  const window = limits.segmentBoundaryMask + 1;
  if (window !== Number.POSITIVE_INFINITY) bytes = Math.min(bytes, window - (address % window));
  return bytes;
}

/** The vectors cut into segments that keep maximum size and boundary. Nothing is joined. */
export function cutVectors(vectors: BvecList, limits: QueueLimits): BvecList {
  const cut = new BvecList(vectors.count);
  for (let index = 0; index < vectors.count; index++) {
    const flags = vectors.flags[index] as number;
    let address = vectors.address[index] as number;
    let remaining = vectors.length[index] as number;
    while (remaining > 0) {
      const bytes = segmentBytes(address, remaining, limits);
      cut.push(address, bytes, flags);
      address += bytes;
      remaining -= bytes;
    }
  }
  return cut;
}

/** Whether two vectors in a row leave a gap that the virtual boundary forbids (`bvec_gap_to_prev`). */
export function gapBetween(previousEnd: number, nextStart: number, virtBoundaryMask: number): boolean {
  if (virtBoundaryMask === 0) return false;
  const window = virtBoundaryMask + 1;
  return previousEnd % window !== 0 || nextStart % window !== 0;
}

/**
 * A bio as the bios that a queue can take one by one (`bio_split_rw`): each of at most `maxSegments` segments and
 * `maxBytes` bytes, without forbidden gaps. Cuts at sectors. Refuses `LIMITS_INVALID` where not even one sector fits.
 */
export function splitToLimits(bio: Bio, limits: QueueLimits): Bio[] {
  const bios: Bio[] = [];
  let rest = bio;
  for (;;) {
    const fitting = fittingBytes(rest.vectors, limits);
    const total = rest.vectors.byteLength;
    if (fitting >= total) {
      bios.push(rest);
      return bios;
    }
    const end = diskStart(rest) + fitting;
    const bytes = fitting - (end % SECTOR_BYTES);
    if (bytes <= 0) {
      throw new BlockError({
        code: 'LIMITS_INVALID',
        path: 'limits',
        message: `only ${fitting} bytes at byte ${bio.vectors.byteLength - total} of the bio fit in one request: less than a sector`,
        hint: 'raise maxSegments or maxSegmentSize, or use longer vectors',
        errno: 'EINVAL',
      });
    }
    const [head, tail] = splitBio(rest, bytes);
    bios.push(head);
    rest = tail;
  }
}

/** How many bytes from the start keep segment count, size and gaps. */
function fittingBytes(vectors: BvecList, limits: QueueLimits): number {
  let bytes = 0;
  let segments = 0;
  let previousEnd = -1;
  for (let index = 0; index < vectors.count; index++) {
    let address = vectors.address[index] as number;
    let remaining = vectors.length[index] as number;
    if (previousEnd >= 0 && gapBetween(previousEnd, address, limits.virtBoundaryMask)) return bytes;
    previousEnd = address + remaining;
    while (remaining > 0) {
      if (segments === limits.maxSegments) return bytes;
      segments++;
      const piece = segmentBytes(address, remaining, limits);
      if (bytes + piece > limits.maxBytes) return limits.maxBytes;
      bytes += piece;
      address += piece;
      remaining -= piece;
    }
  }
  return bytes;
}
