/**
 * Finding case (c): a bus address that lies in a BAR of the mapping device itself. Nothing goes on the wire then; the
 * engine is programmed with BAR and offset.
 *
 * The mail lets the driver look at each resulting DMA vector while it programs its engine. That is safe on vectors that
 * are bus addresses: an IOVA is only a number, and may equal a BAR's address. So `resolveOwnBar` looks at the bus-address
 * outputs of a mapping and at nothing else.
 */

import type { BusAddr } from '../core/address.ts';
import { checkObject, isObject } from '../core/argument.ts';
import { hex } from '../core/hex.ts';
import type { Bar } from '../pcie/bar.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { MapError } from './errors.ts';
import { type DmaMapping, SPACE_BAR, SPACE_BUS } from './mapping.ts';

// Engines fold constants of the same file into a loop, imported ones they load each time.
const BUS = SPACE_BUS;
const BAR = SPACE_BAR;

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
  if (!isObject(fn)) checkObject(fn, 'bdf', 'busAddrInBar: fn', 'the PciFunction that does the DMA');
  for (const bar of fn.bars) {
    if (bar.space !== 'memory' || bar.busAddress === null || bar.size === null) continue;
    if (length > 0 && address >= bar.busAddress && address + length <= bar.busAddress + bar.size) {
      return { bar: bar.index, offset: address - bar.busAddress };
    }
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
  if (!isObject(fn)) checkObject(fn, 'bdf', 'resolveOwnBar: fn', 'the PciFunction that does the DMA');
  if (!isObject(mapping)) checkObject(mapping, 'live', 'resolveOwnBar: mapping', 'the DmaMapping that was filled');
  // From the lowest to the highest byte of all BARs: nearly every output of another device is outside.
  let lowest = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const bar of fn.bars) {
    if (bar.space !== 'memory' || bar.busAddress === null || bar.size === null) continue;
    lowest = Math.min(lowest, bar.busAddress);
    end = Math.max(end, bar.busAddress + bar.size);
  }
  if (!nearOutputs(mapping, lowest, end)) return 0;
  // First all are looked at, then all are turned.
  for (const bar of fn.bars) {
    if (bar.space !== 'memory' || bar.busAddress === null || bar.size === null) continue;
    refuseStraddling(fn, bar, mapping, bar.busAddress, bar.busAddress + bar.size);
  }
  let turned = 0;
  for (const bar of fn.bars) {
    if (bar.space !== 'memory' || bar.busAddress === null || bar.size === null) continue;
    turned += turnOutputs(mapping, bar.index, bar.busAddress, bar.busAddress + bar.size);
  }
  return turned;
}

/** Whether any bus-address output has a byte in `[start, end)`. */
function nearOutputs(mapping: DmaMapping, start: number, end: number): boolean {
  const { space, address, length, count } = mapping;
  for (let index = 0; index < count; index++) {
    const at = address[index] as number;
    if (at < end && space[index] === BUS && at + (length[index] as number) > start) return true;
  }
  return false;
}

/** Refuses the first bus-address output that lies partly in `[start, end)`. */
function refuseStraddling(fn: PciFunction, bar: Bar, mapping: DmaMapping, start: number, end: number): void {
  const { space, address, length, count } = mapping;
  for (let index = 0; index < count; index++) {
    const at = address[index] as number;
    const behind = at + (length[index] as number);
    if (space[index] !== BUS || at >= end || behind <= start || (at >= start && behind <= end)) continue;
    const message = `${hex(at)} + ${behind - at} is only partly inside BAR ${bar.index} of ${fn.name}, ${hex(start)}-${hex(end - 1)}`;
    const path = `vectors[${mapping.firstInputOf(index)}]`;
    throw new MapError('RANGE_STRADDLES', path, message, 'split the vector at the end of the BAR');
  }
}

/** Turns the bus-address outputs in `[start, end)` into offsets of a BAR. No call for each: its numbers would be garbage. */
function turnOutputs(mapping: DmaMapping, bar: number, start: number, end: number): number {
  mapping.reserveBars();
  const { space, address, length, count, bar: outBar, barOffset } = mapping;
  let turned = 0;
  for (let index = 0; index < count; index++) {
    const at = address[index] as number;
    if (at < start || at + (length[index] as number) > end || space[index] !== BUS) continue;
    space[index] = BAR;
    outBar[index] = bar;
    barOffset[index] = at - start;
    turned++;
  }
  return turned;
}
