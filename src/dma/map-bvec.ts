/**
 * `dma_map_bvec()`: one mapping function for a list that mixes RAM, memory behind the host bridge and bus addresses.
 * Everything that meets the IOMMU is folded into one contiguous range of I/O virtual addresses, compact over the vectors
 * between that do not; the output keeps the order of the input. The mail wished for it; Linux's nearest relative is the
 * scatterlist path (iommu_dma_map_sg(), dma_direct_map_sg()), whose quirks the rules `linux` keep.
 *
 *   vectors   RAM    bus    RAM'   resource
 *   IOVA      [ 0 ][ 1' ][ 2 ]               one allocation: RAM, RAM', resource
 *   outputs   iova   bus    iova (RAM' and resource merged, being neighbours in the list and in the IOVA)
 */

import { BvecList } from '../block/bio-vec.ts';
import { addBytes, type Iova } from '../core/address.ts';
import { checkObject, isObject } from '../core/argument.ts';
import { assert } from '../core/assert.ts';
import type { IommuDomain } from '../iommu/domain.ts';
import { type Classified, KIND_RAM, kindAt } from './classified.ts';
import type { Classifier } from './classifier.ts';
import type { DmaDevice } from './device.ts';
import { checkDirection, type DmaDirection, protectionOf } from './direction.ts';
import { MapError } from './errors.ts';
import { layOutLinux } from './layout-linux.ts';
import { layOutOwn } from './layout-own.ts';
import { firstLostProvider } from './lost-provider.ts';
import { type DmaMapping, SPACE_IOVA } from './mapping.ts';
import type { RangeTable } from './range-table.ts';
import { checkVectors, checkWholeGranules } from './refusals.ts';
import type { SlotList } from './slot-list.ts';

export interface MapOptions {
  /** Every vector its own segment. */
  readonly noMerge?: boolean;
}

const MERGE: MapOptions = {};

/**
 * Maps all vectors of a list for `device`, or nothing: `dma_map_bvec()` of the mail.
 *
 * Fills `mapping` (caller-owned, reused) with segments in the order of the data. Bus-address segments never merge and never
 * reach the IOMMU; find case (c) among them with `resolveOwnBar`.
 *
 * @throws MapError DIRECTION_UNKNOWN, ZERO_LENGTH, ADDRESS_OVERFLOW, FLAGS_CONFLICT, MASK_TOO_SMALL, IOVA_EXHAUSTED, and whatever
 * the classifier refuses; ArgumentError; nothing is mapped then
 */
export function dmaMapBvec(
  device: DmaDevice,
  vectors: BvecList,
  direction: DmaDirection,
  classifier: Classifier,
  mapping: DmaMapping,
  options: MapOptions = MERGE,
): DmaMapping {
  begin(device, vectors, direction, mapping);
  if (!isObject(classifier)) checkObject(classifier, 'classify', 'dmaMapBvec: classifier', 'such as TrustingFlags');
  if (device.rules === 'linux' && !device.untrusted) {
    const claimed = classifier.claims?.(device, vectors) ?? null;
    if (claimed !== null) {
      if (layOutLinux(device, vectors, claimed, mapping, options.noMerge === true)) {
        return complete(device, vectors, claimed, classifier.table ?? null, mapping);
      }
      begin(device, vectors, direction, mapping);
    }
  }
  const classified = classifyVectors(device, vectors, classifier);
  return layOut(device, vectors, classified, classifier.table ?? null, mapping, options);
}

/**
 * The second half of `dmaMapBvec`, for vectors that have been classified for this device already.
 *
 * @param table that named the owners, or null: `dmaUnmapBvec` asks it whether they are still there
 * @throws MapError as `dmaMapBvec`, but for what classifiers refuse
 */
export function dmaMapClassified(
  device: DmaDevice,
  vectors: BvecList,
  direction: DmaDirection,
  classified: Classified,
  table: RangeTable | null,
  mapping: DmaMapping,
  options: MapOptions = MERGE,
): DmaMapping {
  begin(device, vectors, direction, mapping);
  return layOut(device, vectors, classified, table, mapping, options);
}

function layOut(
  device: DmaDevice,
  vectors: BvecList,
  classified: Classified,
  table: RangeTable | null,
  mapping: DmaMapping,
  options: MapOptions,
): DmaMapping {
  if (device.untrusted && device.domain !== null) checkWholeGranules(vectors, classified);
  if (device.rules === 'own') layOutOwn(device, vectors, classified, mapping, options.noMerge === true);
  else layOutLinux(device, vectors, classified, mapping, options.noMerge === true);
  return complete(device, vectors, classified, table, mapping);
}

function begin(device: DmaDevice, vectors: BvecList, direction: DmaDirection, mapping: DmaMapping): void {
  if (!isObject(device) || !isObject(vectors) || !isObject(mapping)) refuseArguments(device, vectors, mapping);
  checkDirection(direction);
  assert(!mapping.live, 'a mapping is unmapped before it is used again');
  mapping.begin(direction);
  mapping.reserve(vectors.count);
  device.slots.clear();
}

/** Says which argument of a mapping is not what it should be. Types do not hold every caller back. */
function refuseArguments(device: unknown, vectors: unknown, mapping: unknown): void {
  checkObject(device, 'limits', 'dma_map_bvec: device', 'a DmaDevice');
  checkObject(mapping, 'live', 'dma_map_bvec: mapping', 'a DmaMapping');
  checkObject(vectors, 'count', 'dma_map_bvec: vectors', 'a BvecList');
}

/** What was laid out goes into the page table, or nothing does. */
function complete(
  device: DmaDevice,
  vectors: BvecList,
  classified: Classified,
  table: RangeTable | null,
  mapping: DmaMapping,
): DmaMapping {
  if (mapping.iovaSize > 0) {
    const refusal = mapThroughIommu(device, vectors, classified, mapping);
    if (refusal !== null) {
      mapping.begin(mapping.direction);
      throw refusal;
    }
  }
  mapping.live = true;
  mapping.device = device;
  mapping.table = table;
  mapping.tableGeneration = table === null ? 0 : table.generation;
  return mapping;
}

/**
 * Unmaps a mapping: the whole IOVA span at once, and nothing for the segments that never met the IOMMU.
 *
 * @throws MapError NOT_MAPPED where it is not mapped (a second unmap) or was mapped for another device, and nothing is
 * changed; PROVIDER_GONE where memory in it changed its owner since it was mapped, and everything is unmapped all the same.
 * Mappings by trusting flags know of no owners, and so of no change.
 */
export function dmaUnmapBvec(device: DmaDevice, mapping: DmaMapping): void {
  if (!isObject(device) || !isObject(mapping)) refuseArguments(device, mapping, mapping);
  if (!mapping.live || mapping.device !== device) refuseUnmap(device, mapping);
  const lost = mapping.table?.generation === mapping.tableGeneration ? null : firstLostProvider(device, mapping);
  if (mapping.iovaSize > 0) {
    const domain = device.domain as IommuDomain;
    domain.unmapSpan(mapping.iovaBase, mapping.iovaSize);
    domain.release(mapping.iovaBase, mapping.iovaSize);
  }
  mapping.live = false;
  mapping.device = null;
  if (lost !== null) throw lost;
}

function refuseUnmap(device: DmaDevice, mapping: DmaMapping): never {
  const message = mapping.live
    ? `the mapping was made for ${mapping.device?.fn.name}, by another device object`
    : 'the mapping is not mapped';
  throw new MapError('NOT_MAPPED', device.fn.name, message, 'unmap each mapping once, for the device it was made for');
}

/**
 * Classifies all vectors, refusing in the order in which Linux would. Its direct path takes them one by one: a vector above the
 * mask before the one whose pair is not supported is what its error tells of (EIO, not EREMOTEIO). With an IOMMU it looks at
 * all pairs first.
 *
 * @throws MapError of the classifier, or MASK_TOO_SMALL
 */
export function classifyVectors(device: DmaDevice, vectors: BvecList, classifier: Classifier): Classified {
  try {
    return classifier.classify(device, vectors);
  } catch (error) {
    const refusedAt = error instanceof MapError ? /^vectors\[(\d+)\]$/.exec(error.path)?.[1] : undefined;
    if (refusedAt !== undefined && device.domain === null && Number(refusedAt) > 0) {
      const before = new BvecList(Number(refusedAt));
      for (let index = 0; index < Number(refusedAt); index++) {
        before.pushPiece(vectors, index, vectors.address[index] as number, vectors.length[index] as number);
      }
      checkVectors(device, before, classifier.classify(device, before));
    }
    throw error;
  }
}

/**
 * Allocates the one range, maps the slots into it, and moves the outputs, laid out from 0, to where it is. Returns why not,
 * where that cannot be done; nothing is allocated or mapped then.
 */
function mapThroughIommu(
  device: DmaDevice,
  vectors: BvecList,
  classified: Classified,
  mapping: DmaMapping,
): MapError | null {
  const domain = device.domain as IommuDomain;
  const base = domain.allocator.allocate(mapping.iovaSize, Math.min(device.limits.dmaMask, domain.allocator.limit));
  if (base === null) {
    const message = `no ${mapping.iovaSize} contiguous bytes of I/O virtual addresses are free below the device's mask`;
    return new MapError('IOVA_EXHAUSTED', device.fn.name, message, 'unmap something, or map a shorter list');
  }
  try {
    mapSlots(domain, device.slots, vectors, classified, mapping.direction, base);
  } catch (cause) {
    domain.unmapSpan(base, mapping.iovaSize);
    domain.release(base, mapping.iovaSize);
    const message = `the page table refused: ${cause instanceof Error ? cause.message : String(cause)}`;
    return new MapError('IOVA_EXHAUSTED', device.fn.name, message, 'unmap something, or map a shorter list', cause);
  }
  mapping.iovaBase = base;
  const { space, address, count } = mapping;
  for (let index = 0; index < count; index++) {
    if (space[index] === SPACE_IOVA) address[index] = (address[index] as number) + base;
  }
  return null;
}

/** Slots that follow each other without a hole between go to the page table in one call. */
function mapSlots(
  domain: IommuDomain,
  slots: SlotList,
  vectors: BvecList,
  classified: Classified,
  direction: DmaDirection,
  base: Iova,
): void {
  const { count } = slots;
  if (slots.oneRun) {
    const first = slots.firstInput;
    const mmio = kindAt(classified, first) !== KIND_RAM;
    domain.mapRun(base, classified.address, vectors.length, first, count, protectionOf(direction, mmio));
    return;
  }
  slots.collect(vectors, classified);
  const { phys, length, kind, holeBehind, holeBytes, holes } = slots;
  const protection = protectionOf(direction, false);
  let at = base;
  for (let first = 0, hole = 0; first < count; hole++) {
    const next = hole < holes ? (holeBehind[hole] as number) + 1 : count;
    const bytes = domain.mapRun(at, phys, length, first, next - first, protection, kind);
    at = addBytes(at, bytes + (hole < holes ? (holeBytes[hole] as number) : 0));
    first = next;
  }
}
