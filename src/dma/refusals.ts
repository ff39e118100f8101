/** The words of refusals that the hot loops only detect. */

import type { BvecList } from '../block/bio-vec.ts';
import { ADDRESS_LIMIT } from '../core/address.ts';
import { hex } from '../core/hex.ts';
import { addressAt, type Classified, KIND_BUS, KIND_RAM, kindAt } from './classified.ts';
import type { DmaDevice } from './device.ts';
import { MapError } from './errors.ts';

/** swiotlb gives at most 128 slots of 2 KiB at once. Linux: IO_TLB_SEGSIZE, IO_TLB_SHIFT. */
const BOUNCE_MAX = 256 * 1024;

const KIND_WORDS = ['RAM', 'the BAR', 'the bus address'] as const;

/** Refuses a vector that no mapping can take. Always throws. */
export function refuseVector(vectors: BvecList, index: number): never {
  const path = `vectors[${index}]`;
  const address = vectors.address[index] as number;
  const length = vectors.length[index] as number;
  if (length === 0) {
    throw new MapError('ZERO_LENGTH', path, `the vector at ${hex(address)} has no bytes`, 'leave it out');
  }
  if (!(length <= ADDRESS_LIMIT - address)) {
    const message = `${length} bytes from ${hex(address)} end above 2^53`;
    throw new MapError('ADDRESS_OVERFLOW', path, message, 'addresses end below 2^53');
  }
  const message = `has flags ${vectors.flags[index]}: both BVEC_MAP_BUS_ADDR and BVEC_MAP_RESOURCE`;
  throw new MapError('FLAGS_CONFLICT', path, message, 'an address is read one way: set one of the two');
}

/**
 * Refuses the first vector that cannot be mapped directly, in the order of the list. For the rules and the error paths that
 * do not check while they lay out.
 */
export function checkVectors(device: DmaDevice, vectors: BvecList, classified: Classified): void {
  const { kind, address } = classified;
  const { length, count } = vectors;
  const direct = device.domain === null;
  const { dmaMask } = device.limits;
  for (let index = 0; index < count; index++) {
    const start = address[index] as number;
    const bytes = length[index] as number;
    const what = kind[index] as number;
    if (bytes === 0 || !(bytes <= ADDRESS_LIMIT - start) || what > KIND_BUS) refuseVector(vectors, index);
    const above = start + bytes - 1 > dmaMask;
    if (what === KIND_BUS) {
      if (above && device.rules === 'own') refuseAboveMask(device, classified, vectors, index);
    } else if (direct && (above || device.swiotlb === 'force')) refuseUnlessBounced(device, classified, vectors, index);
  }
}

/** Refuses a vector that cannot go out as it is (above the mask, or bouncing is forced), unless swiotlb can take it. */
export function refuseUnlessBounced(device: DmaDevice, classified: Classified, vectors: BvecList, index: number): void {
  const length = vectors.length[index] as number;
  if (kindAt(classified, index) === KIND_RAM && device.swiotlb !== 'none' && length <= BOUNCE_MAX) return;
  refuseAboveMask(device, classified, vectors, index);
}

/** Refuses, for an untrusted device, the first vector that would show it more of a granule than was mapped. */
export function checkWholeGranules(vectors: BvecList, classified: Classified): void {
  for (let index = 0; index < vectors.count; index++) {
    if (classified.kind[index] === KIND_BUS) continue;
    const address = classified.address[index] as number;
    refuseSharedGranule(`vectors[${index}]`, address, vectors.length[index] as number);
  }
}

/** Refuses a range for an untrusted device unless it is made of whole granules. */
export function refuseSharedGranule(path: string, address: number, length: number): void {
  if (((address | length) & 4095) === 0) return;
  const message = `${hex(address)} + ${length} shares a granule with other data, and the device is not trusted with that`;
  throw new MapError(
    'UNTRUSTED_UNALIGNED',
    path,
    message,
    'map whole granules of 4096 bytes, or copy the data to some',
  );
}

/** The words: above the mask, or kept from below it by forced bouncing. Always throws. */
function refuseAboveMask(device: DmaDevice, classified: Classified, vectors: BvecList, index: number): never {
  const { dmaMask } = device.limits;
  const address = addressAt(classified, index);
  const length = vectors.length[index] as number;
  const what = kindAt(classified, index);
  const range = `${hex(address)} + ${length}`;
  const above = address + length - 1 > dmaMask;
  const place = above
    ? `${KIND_WORDS[what]} at ${range} is above the DMA mask ${hex(dmaMask)}`
    : `bouncing is forced (swiotlb=force) for ${KIND_WORDS[what]} at ${range}`;
  const reason =
    what !== KIND_RAM
      ? 'device memory is never bounced'
      : device.swiotlb === 'none'
        ? 'there is no swiotlb to bounce it'
        : `swiotlb takes at most ${BOUNCE_MAX} bytes at once`;
  const hint =
    what === KIND_RAM
      ? 'use RAM below the mask in shorter vectors, or an IOMMU'
      : 'choose a provider below the mask (firmware: MMIO high base), or an IOMMU';
  throw new MapError('MASK_TOO_SMALL', `vectors[${index}]`, `${place}, and ${reason}`, hint);
}
