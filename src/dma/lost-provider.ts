/**
 * Memory that was unplugged, or changed hands, while it was mapped. Linux's pages keep the provider alive as long as they are
 * mapped; page-less providers revoke instead, and the mapper has to notice. Looked for at the unmap, and only if the table of
 * ranges changed since the map.
 */

import { type Iova, iova, pageIndex } from '../core/address.ts';
import { hex } from '../core/hex.ts';
import type { IommuDomain } from '../iommu/domain.ts';
import type { DmaDevice } from './device.ts';
import { MapError } from './errors.ts';
import { type DmaMapping, SPACE_BAR, SPACE_BOUNCE, SPACE_BUS, SPACE_IOVA } from './mapping.ts';
import type { RangeTable } from './range-table.ts';

/** The refusal for the first byte of a live mapping whose owner is not what it was; null if all are. */
export function firstLostProvider(device: DmaDevice, mapping: DmaMapping): MapError | null {
  const { table, tableGeneration } = mapping;
  if (table === null) return null;
  for (let index = 0; index < mapping.count; index++) {
    const phys = firstLostAddress(device, mapping, index, table, tableGeneration);
    if (phys === null) continue;
    const message = `the memory at ${hex(phys)} in segments[${index}] was removed or replaced while it was mapped`;
    const hint = 'everything is unmapped; do not trust the data, and allocate from a provider that is there';
    return new MapError('PROVIDER_GONE', device.fn.name, message, hint);
  }
  return null;
}

/** The CPU address of the segment that changed its owner, or null. One that leaves its range was refused when it was mapped. */
function firstLostAddress(
  device: DmaDevice,
  mapping: DmaMapping,
  index: number,
  table: RangeTable,
  generation: number,
): number | null {
  const space = mapping.space[index] as number;
  const address = mapping.address[index] as number;
  if (space === SPACE_BOUNCE) return null;
  if (space !== SPACE_IOVA) {
    const phys = space === SPACE_BUS || space === SPACE_BAR ? address - device.fn.busOffset : address;
    return isLost(table, phys, generation) ? phys : null;
  }
  // Merged outputs hold several owners: ask the page table, granule by granule.
  const end = address + (mapping.length[index] as number);
  for (let at = pageIndex(address) * 4096; at < end; at += 4096) {
    const found = device.domain === null ? null : targetOf(device.domain, iova(at));
    if (found !== null && isLost(table, found, generation)) return found;
  }
  return null;
}

/** Where an I/O virtual address leads, whichever access its rights allow. */
function targetOf(domain: IommuDomain, at: Iova): number | null {
  for (const access of ['read', 'write'] as const) {
    const found = domain.translate(at, access);
    if ('phys' in found) return found.phys;
  }
  return null;
}

function isLost(table: RangeTable, phys: number, generation: number): boolean {
  const owner = table.find(phys);
  return owner < 0 || table.at(owner).generation > generation;
}
