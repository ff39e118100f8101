/** The words of refusals that the hot loops only detect. */

import type { BvecList } from '../block/bio-vec.ts';
import { ADDRESS_LIMIT } from '../core/address.ts';
import { hex } from '../core/hex.ts';
import { type Classified, KIND_BUS, KIND_RAM } from './classifier.ts';
import type { DmaDevice } from './device.ts';
import { MapError } from './errors.ts';

/** swiotlb gives at most 128 slots of 2 KiB at once. Linux: IO_TLB_SEGSIZE, IO_TLB_SHIFT. */
const BOUNCE_MAX = 256 * 1024;

/** Refuses a vector that no mapping can take. Always throws. */
export function refuseVector(vectors: BvecList, index: number): never {
  const path = `vectors[${index}]`;
  const address = vectors.address[index] as number;
  const length = vectors.length[index] as number;
  if (length === 0) {
    throw new MapError('ZERO_LENGTH', path, `the vector at ${hex(address)} has no bytes`, 'leave it out');
  }
  if (address + length > ADDRESS_LIMIT) {
    const message = `${length} bytes from ${hex(address)} end above 2^53`;
    throw new MapError('ADDRESS_OVERFLOW', path, message, 'addresses end below 2^53');
  }
  const message = `has flags ${vectors.flags[index]}: both BVEC_MAP_BUS_ADDR and BVEC_MAP_RESOURCE`;
  throw new MapError('FLAGS_CONFLICT', path, message, 'an address is read one way: set one of the two');
}

/** Refuses a vector above the DMA mask, unless it is RAM that swiotlb can take. */
export function refuseAboveMask(device: DmaDevice, classified: Classified, vectors: BvecList, index: number): void {
  const what = classified.kind[index] as number;
  const address = classified.address[index] as number;
  const length = vectors.length[index] as number;
  const range = `${hex(address)} + ${length}`;
  const mask = Number.isFinite(device.limits.dmaMask) ? hex(device.limits.dmaMask) : 'all ones';
  const path = `vectors[${index}]`;
  if (what === KIND_RAM) {
    if (device.swiotlb !== 'none' && length <= BOUNCE_MAX) return;
    const why =
      device.swiotlb === 'none' ? 'there is no swiotlb to bounce it' : `swiotlb takes ${BOUNCE_MAX} bytes at once`;
    throw new MapError(
      'MASK_TOO_SMALL',
      path,
      `RAM at ${range} is above the DMA mask ${mask}, and ${why}`,
      'use RAM below the mask, or an IOMMU',
    );
  }
  const kind = what === KIND_BUS ? 'the bus address' : 'the BAR';
  const forced = what !== KIND_BUS && device.swiotlb === 'force' && address + length - 1 <= device.limits.dmaMask;
  const message = forced
    ? `bouncing is forced (swiotlb=force), and device memory at ${range} cannot be bounced`
    : `${kind} at ${range} is above the DMA mask ${mask}, and device memory is never bounced`;
  throw new MapError(
    'MASK_TOO_SMALL',
    path,
    message,
    'choose a provider below the mask (firmware: MMIO high base), or an IOMMU',
  );
}
