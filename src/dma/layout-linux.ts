/**
 * Where each vector lands, as Linux's scatterlist path lays it out. Addresses of IOVA outputs are relative to the start of the
 * one allocation; it is aligned to its size, so boundary arithmetic from 0 is that of the real addresses.
 *
 * The checks of a vector are made in the same pass, and so is the comparison of a word that nobody has compared yet: a refusal
 * leaves scratch behind and nothing else.
 *
 * Sources: iommu_dma_map_sg() and __finalise_sg() in drivers/iommu/dma-iommu.c; dma_direct_map_sg() in kernel/dma/direct.c;
 * what kernels answered: facts in tests/truth.
 */

import type { BvecList } from '../block/bio-vec.ts';
import { ADDRESS_LIMIT } from '../core/address.ts';
import { type Classified, KIND_BUS } from './classified.ts';
import type { DmaDevice } from './device.ts';
import { type DmaMapping, SPACE_BOUNCE, SPACE_BUS, SPACE_IOVA, SPACE_PHYS } from './mapping.ts';
import { refuseUnlessBounced, refuseVector } from './refusals.ts';

// Engines fold constants of the same file into a loop, imported ones they load each time.
const LIMIT = ADDRESS_LIMIT;
const BUS = KIND_BUS;
const TO_BUS = SPACE_BUS;
const TO_IOVA = SPACE_IOVA;
const TO_PHYS = SPACE_PHYS;
const TO_BOUNCE = SPACE_BOUNCE;

/**
 * Checks all vectors and fills the segments of `mapping`. Returns whether it did: false where `classified` are claims, and one is no
 * kind or its vector cannot be.
 *
 * @throws MapError ZERO_LENGTH, ADDRESS_OVERFLOW, FLAGS_CONFLICT (these not of claims), MASK_TOO_SMALL
 */
export function layOutLinux(
  device: DmaDevice,
  vectors: BvecList,
  classified: Classified,
  mapping: DmaMapping,
  noMerge: boolean,
): boolean {
  mapping.inputCount = vectors.count;
  if (onlyBusAddresses(vectors, classified)) return layOutBus(vectors, classified, mapping);
  if (device.domain === null) return layOutDirect(device, vectors, classified, mapping);
  return layOutIommu(device, vectors, classified, mapping, noMerge);
}

/** Whether all vectors are bus addresses that can be. Of others nothing is said here: whoever lays them out refuses them. */
function onlyBusAddresses(vectors: BvecList, classified: Classified): boolean {
  if (classified.uniform >= 0) return classified.uniform === BUS;
  const { kind, key, address, shift } = classified;
  const { length, count } = vectors;
  const limit = LIMIT - shift;
  for (let index = 0; index < count; index++) {
    const bytes = length[index] as number;
    if (((kind[index] as number) ^ key) !== BUS || bytes === 0 || !(bytes <= limit - (address[index] as number))) {
      return false;
    }
  }
  return true;
}

/** Bus addresses only: as they are, one output a vector. */
function layOutBus(vectors: BvecList, classified: Classified, mapping: DmaMapping): boolean {
  const { count } = vectors;
  const { address, shift } = classified;
  mapping.space.fill(TO_BUS, 0, count);
  if (shift === 0) copyNumbers(address, mapping.address, count);
  else for (let index = 0; index < count; index++) mapping.address[index] = (address[index] as number) + shift;
  copyNumbers(vectors.length, mapping.length, count);
  mapping.count = count;
  mapping.oneToOne = count;
  return true;
}

/** Copies the first `count` numbers; in one call where that is less work, though it may copy more than asked for. */
function copyNumbers(from: Float64Array | Uint32Array, to: Float64Array, count: number): void {
  if (count >= 32 && from.length <= 2 * count && from.length <= to.length) to.set(from);
  else for (let index = 0; index < count; index++) to[index] = from[index] as number;
}

/** Claims that fail are for somebody else; whatever else cannot be is refused. */
function stopped(classified: Classified, vectors: BvecList, index: number): false {
  if (classified.key === 0) refuseVector(vectors, index);
  return false;
}

/** Without an IOMMU (or in passthrough) nothing merges: one output a vector. */
function layOutDirect(device: DmaDevice, vectors: BvecList, classified: Classified, mapping: DmaMapping): boolean {
  const { kind, key, address, shift } = classified;
  const { length, count } = vectors;
  const { space, address: outAddress, length: outLength } = mapping;
  const mask = device.limits.dmaMask;
  const forced = device.swiotlb === 'force';
  for (let index = 0; index < count; index++) {
    let start = address[index] as number;
    const bytes = length[index] as number;
    const what = ((kind[index] as number) ^ key) >>> 0;
    let where = TO_BUS;
    if (what === BUS) start += shift;
    if (bytes === 0 || !(bytes <= LIMIT - start) || what > BUS) return stopped(classified, vectors, index);
    if (what !== BUS) {
      where = TO_PHYS;
      if (forced || start + bytes - 1 > mask) {
        refuseUnlessBounced(device, classified, vectors, index);
        where = TO_BOUNCE;
      }
    }
    space[index] = where;
    outAddress[index] = start;
    outLength[index] = bytes;
  }
  mapping.count = count;
  mapping.oneToOne = count;
  return true;
}

/** Whole granules for each vector that meets the IOMMU, one behind the other; neighbours in list and IOVA join. */
function layOutIommu(
  device: DmaDevice,
  vectors: BvecList,
  classified: Classified,
  mapping: DmaMapping,
  noMerge: boolean,
): boolean {
  const { kind, key, address, shift } = classified;
  const { length, count } = vectors;
  const { space, address: outAddress, length: outLength, firstInput } = mapping;
  const boundary = device.limits.segmentBoundaryMask + 1;
  // The kernel keeps both lengths in 32 bits and subtracts them unsigned: behind an input longer than the maximum the
  // remainder wraps, and everything joins.
  const maxSegment = device.limits.maxSegmentSize;
  let oneToOne = 0;
  let output = -1;
  let runBytes = 0; // bytes in the output that may still grow, 0 when none may
  let at = 0; // position in the IOVA range
  let inWindow = 0; // `at` modulo the boundary, kept beside it: a remainder per vector would cost more than all the rest
  let slots = 0;
  let firstSlot = 0; // the input of the first slot, and the one behind the last
  let endSlot = 0;
  let mixed = false; // slots of both kinds
  let index = 0;
  while (index < count) {
    // Bus addresses, as many as follow each other: a loop of its own, since it has next to nothing to do.
    for (; index < count && ((kind[index] as number) ^ key) === BUS; index++) {
      const start = (address[index] as number) + shift;
      const bytes = length[index] as number;
      if (bytes === 0 || !(bytes <= LIMIT - start)) return stopped(classified, vectors, index);
      output++;
      space[output] = TO_BUS;
      outAddress[output] = start;
      outLength[output] = bytes;
      if (output !== index) firstInput[output] = index;
    }
    runBytes = 0;
    if (output + 1 === index) oneToOne = index;
    if (index === count) break;
    if (slots === 0) firstSlot = index;
    const slotKind = ((kind[firstSlot] as number) ^ key) >>> 0;
    for (; index < count; index++) {
      const what = ((kind[index] as number) ^ key) >>> 0;
      if (what === BUS) break;
      const start = address[index] as number;
      const bytes = length[index] as number;
      if (bytes === 0 || !(bytes <= LIMIT - start) || what > BUS) return stopped(classified, vectors, index);
      const offset = start & 4095;
      const used = offset + bytes;
      const low = used & 4095;
      const size = low === 0 ? used : used - low + 4096;
      if (inWindow !== 0 && boundary - inWindow < size - 1) {
        // It would cross the boundary: the slot before is lengthened up to it, which leaves a hole and ends the run.
        const pad = boundary - inWindow;
        device.slots.addHole(slots - 1, pad);
        at += pad;
        inWindow = 0;
        runBytes = 0;
      }
      if (runBytes > 0 && offset === 0 && !noMerge && inWindow !== 0 && (maxSegment - runBytes) >>> 0 >= bytes) {
        runBytes += bytes;
        outLength[output] = runBytes;
      } else {
        output++;
        space[output] = TO_IOVA;
        outAddress[output] = at + offset;
        outLength[output] = bytes;
        firstInput[output] = index;
        runBytes = bytes;
      }
      if (what !== slotKind) mixed = true;
      slots++;
      at += size;
      inWindow += size;
      if (inWindow >= boundary) inWindow %= boundary;
      if (low !== 0) runBytes = 0;
    }
    if (output + 1 === index) oneToOne = index;
    endSlot = index;
  }
  mapping.count = output + 1;
  mapping.oneToOne = oneToOne;
  mapping.iommuVectors = slots;
  mapping.iovaSize = at;
  device.slots.describe(slots, firstSlot, endSlot, !mixed);
  return true;
}
