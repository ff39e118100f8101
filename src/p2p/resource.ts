/** What may be registered as provider memory: the checks of `pci_p2pdma_add_resource()`, in its order. */

import { ADDRESS_LIMIT, addBytes, type BusAddr, offsetInGranule, type PhysAddr } from '../core/address.ts';
import { hex } from '../core/hex.ts';
import type { Bar } from '../pcie/bar.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { ProviderError } from './errors.ts';
import { P2P_GRANULE, type P2pRange } from './pool.ts';

/** Granule of memory hot-plug on x86, bytes: page descriptors are made for whole subsections. */
export const HOTPLUG_GRANULE: number = 2 * 2 ** 20;

/** A part of a BAR to register. */
export interface P2pResource {
  /** 0 to 5. */
  readonly bar: number;
  /** Bytes; 0 or left out: all from `offset` to the end of the BAR. */
  readonly size?: number | undefined;
  /** Of the range in the BAR; 0 where left out. */
  readonly offset?: number | undefined;
  /** Whether the range gets page descriptors, as mainline does it; `flags` where left out. */
  readonly design?: 'flags' | 'page' | undefined;
}

/**
 * The range that a resource names, beside those registered before. `BAR_NOT_MEMORY`, `BAR_UNKNOWN`, `OFFSET_BEYOND_BAR`,
 * `RANGE_BEYOND_BAR`, `ADDRESS_BEYOND_LIMIT`, `RANGE_OVERLAPS`, `PAGE_GRANULE`, and with pages `HOTPLUG_GRANULE`.
 */
export function p2pRangeOf(
  provider: PciFunction,
  generation: number,
  resource: P2pResource,
  registered: readonly P2pRange[],
): P2pRange {
  const { bar: index, offset = 0, design = 'flags' } = resource;
  const refuse = (code: ProviderError['code'], message: string, hint: string): ProviderError =>
    new ProviderError(code, `${provider.name}/bar${index}`, message, hint);

  const bar = provider.bars.find((candidate) => candidate.index === index);
  if (bar === undefined || bar.space !== 'memory') {
    const what = bar === undefined ? 'is not there' : 'is I/O space';
    throw refuse('BAR_NOT_MEMORY', `BAR ${index} ${what}`, `memory BARs of this function: ${memoryBars(provider)}`);
  }
  const { size: barSize, cpuAddress, busAddress } = bar;
  if (barSize === null || cpuAddress === null || busAddress === null) {
    throw refuse(
      'BAR_UNKNOWN',
      `of BAR ${index} ${missing(bar)} not known or not assigned`,
      'use a capture with the resource file of sysfs, of a machine that assigned the BAR',
    );
  }
  if (!(offset >= 0 && offset < barSize)) {
    throw refuse(
      'OFFSET_BEYOND_BAR',
      `offset ${offset} is not in BAR ${index} of ${barSize} bytes`,
      `give an offset in [0, ${barSize})`,
    );
  }
  const { size: askedSize = 0 } = resource;
  const size = askedSize === 0 ? barSize - offset : askedSize;
  // Linux adds size and offset in 64 bits, where the sum may wrap.
  if (!(size > 0 && size <= barSize - offset)) {
    throw refuse(
      'RANGE_BEYOND_BAR',
      `${size} bytes from offset ${offset} do not fit BAR ${index} of ${barSize} bytes`,
      `give at most ${barSize - offset} bytes`,
    );
  }
  if (Math.max(cpuAddress, busAddress) > ADDRESS_LIMIT - offset - size) {
    throw refuse(
      'ADDRESS_BEYOND_LIMIT',
      `${size} bytes from offset ${offset} end above 2^53: BAR at ${hex(cpuAddress)}, on the bus at ${hex(busAddress)}`,
      'x86 addresses have at most 52 bits: check the BAR and the window of its host bridge',
    );
  }
  const start = cpuAddress + offset;
  const other = registered.find((one) => start < one.phys + one.size && one.phys < start + size);
  if (other !== undefined) {
    throw refuse(
      'RANGE_OVERLAPS',
      `${size} bytes at ${hex(start)} overlap ${other.size} bytes at ${hex(other.phys)} that are registered`,
      'register each byte once',
    );
  }
  // Both views of a granule must be pages: a PRP entry holds the one, a page table the other.
  if (
    !Number.isInteger(offset) ||
    !isMultiple(start, P2P_GRANULE) ||
    !isMultiple(busAddress + offset, P2P_GRANULE) ||
    !isMultiple(size, P2P_GRANULE)
  ) {
    throw refuse(
      'PAGE_GRANULE',
      `${size} bytes at ${hex(start)}, on the bus at ${hex(busAddress + offset)}, do not begin and end at a page of 4 KiB`,
      'register whole pages',
    );
  }
  if (design === 'page' && !(isMultiple(start, HOTPLUG_GRANULE) && isMultiple(size, HOTPLUG_GRANULE))) {
    throw refuse(
      'HOTPLUG_GRANULE',
      `${size} bytes at ${hex(start)} do not begin and end at a multiple of 2 MiB, and page descriptors come in such pieces`,
      'register a part that does, or choose a design without pages',
    );
  }
  return {
    provider,
    generation,
    bar: index,
    offset,
    phys: addBytes<PhysAddr>(cpuAddress, offset),
    bus: addBytes<BusAddr>(busAddress, offset),
    size,
  };
}

function isMultiple(value: number, granule: number): boolean {
  return Number.isInteger(value) && offsetInGranule(value, granule) === 0;
}

function missing(bar: Bar): string {
  const names: string[] = [];
  if (bar.size === null) names.push('size');
  if (bar.cpuAddress === null) names.push('CPU address');
  if (bar.busAddress === null) names.push('bus address');
  return `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'}`;
}

function memoryBars(fn: PciFunction): string {
  const indexes = fn.bars.filter((bar) => bar.space === 'memory').map((bar) => bar.index);
  return indexes.length === 0 ? 'none' : indexes.join(', ');
}
