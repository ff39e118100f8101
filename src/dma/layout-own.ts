/**
 * Where each vector lands by our own rules: every limit holds for every output. IOVA neighbours merge, an output that would
 * exceed the maximum segment size or cross a boundary is cut there, and no address is above the mask.
 */

import type { BvecList } from '../block/bio-vec.ts';
import { type Classified, KIND_BUS, KIND_RAM } from './classified.ts';
import type { DmaDevice } from './device.ts';
import { type DmaMapping, SPACE_BOUNCE, SPACE_BUS, SPACE_IOVA, SPACE_PHYS } from './mapping.ts';
import { checkVectors } from './refusals.ts';

/**
 * Checks all vectors and fills the segments of `mapping`.
 *
 * @throws MapError ZERO_LENGTH, ADDRESS_OVERFLOW, FLAGS_CONFLICT, MASK_TOO_SMALL
 */
export function layOutOwn(
  device: DmaDevice,
  vectors: BvecList,
  classified: Classified,
  mapping: DmaMapping,
  noMerge: boolean,
): void {
  const { kind, address } = classified;
  const { length, count } = vectors;
  const direct = device.domain === null;
  checkVectors(device, vectors, classified);
  let slots = 0;
  let firstSlot = 0; // the input of the first slot, and the one behind the last
  let endSlot = 0;
  let mixed = false; // slots of both kinds
  let at = 0; // position in the IOVA range
  let joinable = false; // the last output ends where the next IOVA slot begins
  for (let index = 0; index < count; index++) {
    const start = address[index] as number;
    const bytes = length[index] as number;
    const what = kind[index] as number;
    if (direct || what === KIND_BUS) {
      const bounced = what === KIND_RAM && (device.swiotlb === 'force' || start + bytes - 1 > device.limits.dmaMask);
      emit(
        device,
        mapping,
        what === KIND_BUS ? SPACE_BUS : bounced ? SPACE_BOUNCE : SPACE_PHYS,
        start,
        bytes,
        index,
        false,
      );
      joinable = false;
      continue;
    }
    const offset = start & 4095;
    const used = offset + bytes;
    const low = used & 4095;
    const size = low === 0 ? used : used - low + 4096;
    if (slots === 0) firstSlot = index;
    if (what !== (kind[firstSlot] as number)) mixed = true;
    slots++;
    endSlot = index + 1;
    emit(device, mapping, SPACE_IOVA, at + offset, bytes, index, joinable && offset === 0 && !noMerge);
    at += size;
    joinable = low === 0;
  }
  mapping.iommuVectors = slots;
  mapping.iovaSize = at;
  mapping.inputCount = count;
  device.slots.describe(slots, firstSlot, endSlot, !mixed);
}

/** Appends `[start, start + bytes)`, joined to the last output where that is allowed, cut where a limit says so. */
function emit(
  device: DmaDevice,
  mapping: DmaMapping,
  space: number,
  start: number,
  bytes: number,
  input: number,
  join: boolean,
): void {
  const { maxSegmentSize, segmentBoundaryMask } = device.limits;
  const boundary = segmentBoundaryMask + 1;
  let at = start;
  let left = bytes;
  let joining = join;
  while (left > 0) {
    const beyond = at % boundary;
    const toBoundary = boundary === Number.POSITIVE_INFINITY ? boundary : boundary - beyond;
    const last = mapping.count - 1;
    if (joining && (mapping.length[last] as number) < maxSegmentSize && beyond !== 0) {
      const room = Math.min(maxSegmentSize - (mapping.length[last] as number), toBoundary, left);
      mapping.length[last] = (mapping.length[last] as number) + room;
      at += room;
      left -= room;
      joining = false;
      continue;
    }
    joining = false;
    const piece = Math.min(maxSegmentSize, toBoundary, left);
    const index = mapping.count++;
    mapping.reserve(mapping.count);
    mapping.space[index] = space;
    mapping.address[index] = at;
    mapping.length[index] = piece;
    mapping.firstInput[index] = input;
    // The rest of an input that the segment before could not take.
    if (left < bytes) mapping.setCut(index);
    at += piece;
    left -= piece;
  }
}
