/**
 * Finding case (c): a bus address that lies in a BAR of the mapping device itself. Nothing goes on the wire then; the
 * engine is programmed with BAR and offset.
 *
 * The mail lets the driver look at each resulting DMA vector while it programs its engine. That is safe on vectors that
 * are bus addresses: an IOVA is only a number, and may equal a BAR's address. So `resolveOwnBar` looks at the bus-address
 * outputs of a mapping and at nothing else.
 */

import type { BusAddr } from '../core/address.ts';
import { hex } from '../core/hex.ts';
import { rangesOverlap } from '../core/range.ts';
import type { Bar } from '../pcie/bar.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { MapError } from './errors.ts';
import { type DmaMapping, SPACE_BUS } from './mapping.ts';

// Engines fold a constant of the same file into a loop, an imported one they load each time.
const BUS = SPACE_BUS;

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
  const bar = holder(fn, address, length);
  return bar === null ? null : { bar: bar.index, offset: address - (bar.busAddress as number) };
}

function holder(fn: PciFunction, address: BusAddr, length: number): Bar | null {
  for (const bar of fn.bars) {
    if (bar.space !== 'memory' || bar.busAddress === null || bar.size === null) continue;
    if (length > 0 && address >= bar.busAddress && address + length <= bar.busAddress + bar.size) return bar;
  }
  return null;
}

/**
 * `pci_bus_addr_in_bar()` over a whole mapping, the mapping driver's step while it programs its engine: turns those
 * bus-address outputs that lie in a BAR of `fn` into BAR and offset, in place. Returns how many there were. Outputs that
 * reach the IOMMU or RAM are not looked at.
 *
 * @throws MapError RANGE_STRADDLES where an output lies partly inside a BAR: that is neither (c) nor (b2). Nothing is turned
 * then; the mapping is mapped still, and wants to be unmapped
 */
export function resolveOwnBar(fn: PciFunction, mapping: DmaMapping): number {
  // From the lowest to the highest byte of all BARs: nearly every output of another device is outside.
  let lowest = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const bar of fn.bars) {
    if (bar.space !== 'memory' || bar.busAddress === null || bar.size === null) continue;
    lowest = Math.min(lowest, bar.busAddress);
    end = Math.max(end, bar.busAddress + bar.size);
  }
  const { space, address, length, count } = mapping;
  let near = 0;
  for (let index = 0; index < count; index++) {
    const at = address[index] as number;
    if (at < end && space[index] === BUS && at + (length[index] as number) > lowest) near++;
  }
  return near === 0 ? 0 : turnOwn(fn, mapping);
}

/** The outputs near the BARs, one by one: first all are looked at, then all are turned. */
function turnOwn(fn: PciFunction, mapping: DmaMapping): number {
  const { space, address, length, count } = mapping;
  for (let index = 0; index < count; index++) {
    const at = address[index] as BusAddr;
    const bytes = length[index] as number;
    if (space[index] === BUS && holder(fn, at, bytes) === null)
      refuseStraddling(fn, at, bytes, `vectors[${mapping.firstInputOf(index)}]`);
  }
  let turned = 0;
  for (let index = 0; index < count; index++) {
    if (space[index] !== BUS) continue;
    const at = address[index] as BusAddr;
    const bar = holder(fn, at, length[index] as number);
    if (bar === null) continue;
    mapping.setOwnBar(index, bar.index, at - (bar.busAddress as number));
    turned++;
  }
  return turned;
}

/** Refuses a bus range that lies partly inside a BAR of `fn`. */
function refuseStraddling(fn: PciFunction, address: BusAddr, length: number, path: string): void {
  for (const bar of fn.bars) {
    if (bar.space !== 'memory' || bar.busAddress === null || bar.size === null) continue;
    const range = { start: bar.busAddress, end: bar.busAddress + bar.size };
    if (!rangesOverlap({ start: address, end: address + length }, range)) continue;
    const message = `${hex(address)} + ${length} is only partly inside BAR ${bar.index} of ${fn.name}, ${hex(range.start)}-${hex(range.end - 1)}`;
    throw new MapError('RANGE_STRADDLES', path, message, 'split the vector at the end of the BAR');
  }
}
