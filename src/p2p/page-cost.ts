/**
 * What the memory of a machine's BARs would cost as pages, against ranges: the price that the mail proposes to save. A page
 * descriptor (`struct page`) has 64 bytes for every 4 KiB; a range record has one size whatever it covers.
 */

import type { Machine } from '../machine/machine.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { HOTPLUG_GRANULE } from './resource.ts';

/** Size of a page descriptor, bytes: `struct page` on 64-bit. */
export const PAGE_DESCRIPTOR_BYTES = 64;
const PAGE_BYTES = 4096;
/** Start, end and bus offset of 8 bytes, provider and generation of 4, BAR and kind of 1, to a multiple of 8. */
export const RANGE_RECORD_BYTES = 40;

export interface BarCost {
  readonly fn: PciFunction;
  readonly bar: number;
  /** Bytes; null where the capture does not tell, and then the costs are not known. */
  readonly sizeBytes: number | null;
  readonly pages: number | null;
  readonly descriptorBytes: number | null;
  /** Too small for page descriptors, which come in granules of 2 MiB; no obstacle to a range. */
  readonly refusedByPages: boolean | null;
}

/** One entry for each memory BAR of a function that is no bridge, in order. */
export function pageCosts(machine: Machine): BarCost[] {
  const costs: BarCost[] = [];
  for (const fn of machine.hierarchy.functions) {
    if (fn.isBridge) continue;
    for (const bar of fn.bars) {
      if (bar.space !== 'memory') continue;
      const pages = bar.size === null ? null : Math.ceil(bar.size / PAGE_BYTES);
      costs.push({
        fn,
        bar: bar.index,
        sizeBytes: bar.size,
        pages,
        descriptorBytes: pages === null ? null : pages * PAGE_DESCRIPTOR_BYTES,
        refusedByPages: bar.size === null ? null : bar.size < HOTPLUG_GRANULE,
      });
    }
  }
  return costs;
}
