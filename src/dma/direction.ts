/** Which way the data goes, and what that lets the device do. Linux: enum dma_data_direction, dma_info_to_prot(). */

import type { Protection } from '../iommu/translation.ts';
import { MapError } from './errors.ts';

/** `toDevice`: memory to device (DMA_TO_DEVICE); `fromDevice`: device to memory (DMA_FROM_DEVICE). */
export type DmaDirection = 'toDevice' | 'fromDevice' | 'bidirectional';

const RAM_PROTECTION: Readonly<Record<DmaDirection, Protection>> = {
  toDevice: { read: true, write: false, mmio: false },
  fromDevice: { read: false, write: true, mmio: false },
  bidirectional: { read: true, write: true, mmio: false },
};

const MMIO_PROTECTION: Readonly<Record<DmaDirection, Protection>> = {
  toDevice: { read: true, write: false, mmio: true },
  fromDevice: { read: false, write: true, mmio: true },
  bidirectional: { read: true, write: true, mmio: true },
};

/**
 * Refuses what is not a direction.
 *
 * @throws MapError DIRECTION_UNKNOWN
 */
export function checkDirection(direction: DmaDirection): void {
  if (direction === 'toDevice' || direction === 'fromDevice' || direction === 'bidirectional') return;
  const message = `'${String(direction)}' is not a direction`;
  const hint = 'toDevice: from memory to the device; fromDevice: from the device to memory; or bidirectional';
  throw new MapError('DIRECTION_UNKNOWN', 'direction', message, hint);
}

/** Page table rights for RAM, or for another device's memory (never cacheable). */
export function protectionOf(direction: DmaDirection, mmio: boolean): Protection {
  return (mmio ? MMIO_PROTECTION : RAM_PROTECTION)[direction];
}
