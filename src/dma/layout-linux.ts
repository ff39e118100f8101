/**
 * Where each vector lands, as Linux's scatterlist path lays it out. Addresses of IOVA outputs are relative to the start of the
 * one allocation; it is aligned to its size, so boundary arithmetic from 0 is that of the real addresses.
 *
 * Sources: iommu_dma_map_sg() and __finalise_sg() in drivers/iommu/dma-iommu.c; dma_direct_map_sg() in kernel/dma/direct.c;
 * what kernels answered: facts in tests/truth.
 */

import type { BvecList } from '../block/bio-vec.ts';
import { type Classified, KIND_BUS, KIND_RAM } from './classifier.ts';
import type { DmaDevice } from './device.ts';
import { type DmaMapping, SPACE_BOUNCE, SPACE_BUS, SPACE_IOVA, SPACE_PHYS } from './mapping.ts';

/** Fills segments and slots of `mapping`. All vectors have been checked. */
export function layOutLinux(
  device: DmaDevice,
  vectors: BvecList,
  classified: Classified,
  mapping: DmaMapping,
  noMerge: boolean,
): void {
  if (device.domain === null) layOutDirect(device, vectors, classified, mapping);
  else layOutIommu(device, vectors, classified, mapping, noMerge);
}

/** Without an IOMMU (or in passthrough) nothing merges: one output a vector. */
function layOutDirect(device: DmaDevice, vectors: BvecList, classified: Classified, mapping: DmaMapping): void {
  const { kind, address } = classified;
  const { length, count } = vectors;
  const mask = device.limits.dmaMask;
  const forced = device.swiotlb === 'force';
  for (let index = 0; index < count; index++) {
    const start = address[index] as number;
    const bytes = length[index] as number;
    const what = kind[index] as number;
    const bounced = what === KIND_RAM && (forced || start + bytes - 1 > mask);
    mapping.space[index] = what === KIND_BUS ? SPACE_BUS : bounced ? SPACE_BOUNCE : SPACE_PHYS;
    mapping.address[index] = start;
    mapping.length[index] = bytes;
    mapping.firstInput[index] = index;
    mapping.lastInput[index] = index;
  }
  mapping.count = count;
  mapping.iommuVectors = 0;
  mapping.iovaSize = 0;
}

/** Whole granules for each vector that meets the IOMMU, one behind the other; neighbours in list and IOVA join. */
function layOutIommu(
  device: DmaDevice,
  vectors: BvecList,
  classified: Classified,
  mapping: DmaMapping,
  noMerge: boolean,
): void {
  const { kind, address } = classified;
  const { length, count } = vectors;
  const { space, slotPhys, slotLength, slotSize, slotMmio } = mapping;
  const boundary = device.limits.segmentBoundaryMask + 1;
  // The kernel keeps both lengths in 32 bits and subtracts them unsigned: behind an input longer than the maximum the
  // remainder wraps, and everything joins.
  const maxSegment = device.limits.maxSegmentSize;
  let output = -1;
  let runBytes = 0; // bytes in the output that may still grow, 0 when none may
  let at = 0; // position in the IOVA range
  let inWindow = 0; // `at` modulo the boundary, kept beside it: a remainder per vector would cost more than all the rest
  let slots = 0;
  for (let index = 0; index < count; index++) {
    const start = address[index] as number;
    const bytes = length[index] as number;
    const what = kind[index] as number;
    if (what === KIND_BUS) {
      output++;
      space[output] = SPACE_BUS;
      mapping.address[output] = start;
      mapping.length[output] = bytes;
      mapping.firstInput[output] = index;
      mapping.lastInput[output] = index;
      runBytes = 0;
      continue;
    }
    const offset = start & 4095;
    const used = offset + bytes;
    const low = used & 4095;
    const size = low === 0 ? used : used - low + 4096;
    if (inWindow !== 0 && boundary - inWindow < size - 1) {
      // It would cross the boundary: the slot before is lengthened up to it, which leaves a hole and ends the run.
      const pad = boundary - inWindow;
      slotSize[slots - 1] = (slotSize[slots - 1] as number) + pad;
      at += pad;
      inWindow = 0;
      runBytes = 0;
    }
    if (runBytes > 0 && offset === 0 && !noMerge && inWindow !== 0 && (maxSegment - runBytes) >>> 0 >= bytes) {
      runBytes += bytes;
      mapping.length[output] = runBytes;
      mapping.lastInput[output] = index;
    } else {
      output++;
      space[output] = SPACE_IOVA;
      mapping.address[output] = at + offset;
      mapping.length[output] = bytes;
      mapping.firstInput[output] = index;
      mapping.lastInput[output] = index;
      runBytes = bytes;
    }
    slotPhys[slots] = start;
    slotLength[slots] = bytes;
    slotSize[slots] = size;
    slotMmio[slots] = what;
    slots++;
    at += size;
    inWindow += size;
    if (inWindow >= boundary) inWindow %= boundary;
    if (low !== 0) runBytes = 0;
  }
  mapping.count = output + 1;
  mapping.iommuVectors = slots;
  mapping.iovaSize = at;
}
