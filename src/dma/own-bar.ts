/**
 * Finding case (c): a bus address that lies in a BAR of the mapping device itself. Nothing goes on the wire then; the
 * engine is programmed with BAR and offset.
 *
 * The mail lets the driver look at each resulting DMA vector while it programs its engine. That is safe on vectors that
 * are bus addresses: an IOVA is only a number, and may equal a BAR's address. So `resolveOwnBar` looks at the bus-address
 * outputs of a mapping and at nothing else.
 */

import type { BusAddr } from '../core/address.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { type DmaMapping, SPACE_BAR, SPACE_BUS } from './mapping.ts';

/** What the mail's `&bar, &off` receive. */
export interface BarOffset {
  /** BAR index; the lower slot of a 64-bit BAR. */
  readonly bar: number;
  /** Bytes from the start of the BAR. */
  readonly offset: number;
}

/**
 * `pci_bus_addr_in_bar(pdev, addr, &bar, &off)` of the mail: the BAR of `fn` that holds all of `[address, address +
 * length)`, or null. I/O BARs, the ROM and BARs of unknown place or size never match; a range that leaves the BAR does not.
 */
export function busAddrInBar(fn: PciFunction, address: BusAddr, length: number): BarOffset | null {
  for (const bar of fn.bars) {
    if (bar.space !== 'memory' || bar.busAddress === null || bar.size === null) continue;
    if (length > 0 && address >= bar.busAddress && address + length <= bar.busAddress + bar.size) {
      return { bar: bar.index, offset: address - bar.busAddress };
    }
  }
  return null;
}

/**
 * `pci_bus_addr_in_bar()` over a whole mapping, the mapping driver's step while it programs its engine: turns those bus-address outputs that lie in a BAR of `fn` into BAR
 * and offset, in place. Returns how many there were. Outputs that reach the IOMMU or RAM are not looked at.
 */
export function resolveOwnBar(fn: PciFunction, mapping: DmaMapping): number {
  let resolved = 0;
  for (let index = 0; index < mapping.count; index++) {
    if (mapping.space[index] !== SPACE_BUS) continue;
    const own = busAddrInBar(fn, mapping.address[index] as BusAddr, mapping.length[index] as number);
    if (own === null) continue;
    mapping.space[index] = SPACE_BAR;
    mapping.bar[index] = own.bar;
    mapping.barOffset[index] = own.offset;
    resolved++;
  }
  return resolved;
}
