/**
 * One address at a time: what the mail's mapping sketch calls for RAM and for memory behind the host bridge. Linux:
 * dma_map_page(), dma_map_resource(), both dma_map_phys() since 6.18.
 */

import {
  alignDown,
  alignUp,
  type DmaAddr,
  dmaAddr,
  type Iova,
  iova as iovaOf,
  isAddress,
  offsetInGranule,
  type PhysAddr,
} from '../core/address.ts';
import { checkObject, isObject } from '../core/argument.ts';
import { hex } from '../core/hex.ts';
import type { IommuDomain } from '../iommu/domain.ts';
import type { DmaDevice } from './device.ts';
import { checkDirection, type DmaDirection, protectionOf } from './direction.ts';
import { MapError } from './errors.ts';
import { refuseSharedGranule } from './refusals.ts';

const PATH = 'dma_map';

/**
 * `dma_map_page()` of the mail: maps RAM for the device. It takes the address itself, since there is no page to find with
 * `phys_to_page()`. Returns the IOVA, or the physical address where DMA is direct; low
 * bits are kept.
 *
 * @throws MapError ZERO_LENGTH; MASK_TOO_SMALL (direct and above the mask: a single page is not bounced here);
 * UNTRUSTED_UNALIGNED; IOVA_EXHAUSTED; DIRECTION_UNKNOWN; ADDRESS_OVERFLOW
 */
export function dmaMapPage(device: DmaDevice, phys: PhysAddr, length: number, direction: DmaDirection): DmaAddr {
  return mapOne(device, phys, length, direction, false);
}

/**
 * `dma_map_resource()` of the mail: maps another device's BAR by its CPU physical address, as MMIO: not cached, never
 * bounced. Where DMA is direct the address is taken unchanged.
 *
 * @throws MapError ZERO_LENGTH, MASK_TOO_SMALL, UNTRUSTED_UNALIGNED, IOVA_EXHAUSTED, DIRECTION_UNKNOWN, ADDRESS_OVERFLOW
 */
export function dmaMapResource(device: DmaDevice, phys: PhysAddr, length: number, direction: DmaDirection): DmaAddr {
  return mapOne(device, phys, length, direction, true);
}

function mapOne(device: DmaDevice, phys: PhysAddr, length: number, direction: DmaDirection, mmio: boolean): DmaAddr {
  if (!isObject(device)) checkObject(device, 'limits', `${PATH}: device`, 'a DmaDevice');
  checkDirection(direction);
  if (!isAddress(phys)) {
    const message = `${String(phys)} is not an address`;
    throw new MapError('ADDRESS_OVERFLOW', PATH, message, 'give a whole number from 0 on, below 2^53');
  }
  if (!(length > 0))
    throw new MapError('ZERO_LENGTH', PATH, `${hex(phys)} has ${length} bytes`, 'give a length of at least 1');
  const domain = device.domain;
  if (domain === null) {
    if (phys + length - 1 > device.limits.dmaMask) {
      const message = `${hex(phys)} + ${length} is above the DMA mask ${hex(device.limits.dmaMask)}`;
      throw new MapError('MASK_TOO_SMALL', PATH, message, 'use memory below the mask, or an IOMMU');
    }
    return dmaAddr(phys);
  }
  if (device.untrusted) refuseSharedGranule(PATH, phys, length);
  const offset = offsetInGranule(phys, domain.granule);
  const size = alignUp(length + offset, domain.granule);
  const base = domain.allocator.allocate(size, Math.min(device.limits.dmaMask, domain.allocator.limit));
  if (base === null) throw new MapError('IOVA_EXHAUSTED', PATH, `no ${size} bytes of IOVA are free`, 'unmap something');
  try {
    domain.map(base, alignDown(phys, domain.granule), size, protectionOf(direction, mmio));
  } catch (cause) {
    domain.release(base, size);
    throw new MapError('IOVA_EXHAUSTED', PATH, 'the page table refused the mapping', 'unmap something', cause);
  }
  return dmaAddr(iovaOf(base + offset));
}

/**
 * Undoes `dmaMapPage` and `dmaMapResource` (`dma_unmap_page()`, `dma_unmap_resource()`), with the length that was mapped.
 *
 * @throws MapError NOT_MAPPED where nothing, or something else, is mapped there; nothing is unmapped then
 */
export function dmaUnmapPage(device: DmaDevice, address: DmaAddr, length: number): void {
  if (!isObject(device)) checkObject(device, 'limits', `${PATH}: device`, 'the DmaDevice that it was mapped for');
  if (!isAddress(address) || !(length > 0)) refuseUnmap(address, length);
  const domain = device.domain;
  if (domain === null) return;
  const offset = offsetInGranule(address, domain.granule);
  const base = iovaOf(address - offset);
  const size = alignUp(length + offset, domain.granule);
  const end = iovaOf(base + size);
  const range = domain.allocator.liveRangeAt(base);
  if (range?.start !== base || end > range.end || (end < range.end && isMapped(domain, end))) {
    refuseUnmap(address, length);
  }
  try {
    domain.unmap(base, size);
  } catch (cause) {
    refuseUnmap(address, length, cause);
  }
  domain.release(base, size);
}

function isMapped(domain: IommuDomain, at: Iova): boolean {
  const { read, write } = domain.rightsAt(at);
  return read || write;
}

function refuseUnmap(address: DmaAddr, length: number, cause?: unknown): never {
  const message = `${isAddress(address) ? hex(address) : String(address)} + ${length} is not what is mapped there`;
  throw new MapError('NOT_MAPPED', PATH, message, 'unmap once, with the address and length that were mapped', cause);
}
