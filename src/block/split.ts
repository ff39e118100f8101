/**
 * Cuts: a bio in two at any byte, a bio into pieces that keep a queue's limits, vectors into segments. Every piece of a
 * vector keeps its flags, for an address and its offset are read the same way, and its certificate, for it lies in the range
 * that the vector lay in. A split and its join are the identity.
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
  return splitAt(bio, [bytes]) as [Bio, Bio];
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
        head.vectors.flags[last] === tail.vectors.flags[0] &&
        head.vectors.certificateAt(last) === tail.vectors.certificateAt(0)));
  if (!fits) {
    throw new BlockError({
      code: 'REQUEST_INVALID',
      path: 'tail',
      message: 'the second bio is not the rest of the first',
      hint: 'join the two results of one split, in their order',
    });
  }
  const vectors = new BvecList(head.vectors.count + tail.vectors.count);
  vectors.pushAll(head.vectors);
  if (cut) vectors.length[last] = (vectors.length[last] as number) + (tail.vectors.length[0] as number);
  vectors.pushAll(tail.vectors, cut ? 1 : 0);
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
    let address = vectors.address[index] as number;
    let remaining = vectors.length[index] as number;
    while (remaining > 0) {
      const bytes = segmentBytes(address, remaining, limits);
      cut.pushPiece(vectors, index, address, bytes);
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
  const total = bio.vectors.byteLength;
  const cuts: number[] = [];
  const cursor: Cursor = { index: 0, offset: 0 };
  for (let from = 0; ; ) {
    const fitting = fittingBytes(bio.vectors, cursor, limits);
    if (from + fitting >= total) return splitAt(bio, cuts);
    const bytes = fitting - ((diskStart(bio) + from + fitting) % SECTOR_BYTES);
    if (bytes <= 0) {
      throw new BlockError({
        code: 'LIMITS_INVALID',
        path: 'limits',
        message: `only ${fitting} bytes at byte ${from} of the bio fit in one request: less than a sector`,
        hint: 'raise maxSegments or maxSegmentSize, or use longer vectors',
        errno: 'EINVAL',
      });
    }
    from += bytes;
    cuts.push(from);
    advance(bio.vectors, cursor, bytes);
  }
}

/** A byte of a list: byte `offset` of vector `index`. */
interface Cursor {
  index: number;
  offset: number;
}

function advance(vectors: BvecList, cursor: Cursor, bytes: number): void {
  cursor.offset += bytes;
  while (cursor.index < vectors.count && cursor.offset >= (vectors.length[cursor.index] as number)) {
    cursor.offset -= vectors.length[cursor.index] as number;
    cursor.index++;
  }
}

/** How many bytes from the cursor keep segment count, size and gaps. */
function fittingBytes(vectors: BvecList, from: Cursor, limits: QueueLimits): number {
  let bytes = 0;
  let segments = 0;
  let previousEnd = -1;
  for (let index = from.index; index < vectors.count; index++) {
    const skipped = index === from.index ? from.offset : 0;
    let address = (vectors.address[index] as number) + skipped;
    let remaining = (vectors.length[index] as number) - skipped;
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

/** The bio cut at these bytes, which rise and lie inside it. */
function splitAt(bio: Bio, cuts: readonly number[]): Bio[] {
  const { vectors } = bio;
  const bios: Bio[] = [];
  let part = new BvecList();
  let start = 0;
  let position = 0;
  let startsInsideVector = bio.startsInsideVector;
  const close = (): void => {
    const at = diskStart(bio) + start;
    const sector = Math.floor(at / SECTOR_BYTES);
    bios.push({ ...bio, vectors: part, sector, sectorOffset: at % SECTOR_BYTES, startsInsideVector });
    part = new BvecList();
    start = position;
  };
  for (let index = 0; index < vectors.count; index++) {
    let address = vectors.address[index] as number;
    let remaining = vectors.length[index] as number;
    while (remaining > 0) {
      const inside = remaining < (vectors.length[index] as number);
      const cut = cuts[bios.length] ?? Number.POSITIVE_INFINITY;
      if (cut === position) {
        close();
        startsInsideVector = inside;
        continue;
      }
      const bytes = Math.min(remaining, cut - position);
      part.pushPiece(vectors, index, address, bytes);
      address += bytes;
      remaining -= bytes;
      position += bytes;
    }
  }
  close();
  return bios;
}
