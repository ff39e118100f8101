/**
 * Bus addresses that no IOVA may have: the memory windows of the mapping device's host bridge. Without this an IOVA could
 * equal the bus address of a BAR, and a switch below would take it for that BAR. Linux: iova_reserve_pci_windows().
 */

import { checkObject } from '../core/argument.ts';
import { joinRanges, type Range } from '../core/range.ts';
import type { Machine } from '../machine/machine.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { MapError } from './errors.ts';

/** Where x86 raises message-signalled interrupts: never an IOVA (the IOMMU's reserved region). */
const MSI_WINDOW: Range = { start: 0xfee00000, end: 0xfef00000 };

/**
 * The reserved ranges for DMA of `fn`, sorted and joined: the windows of its host bridge in the memory map, moved to bus
 * addresses, and what the bridges and BARs below the same root bus occupy.
 */
export function reservedWindows(machine: Machine, fn: PciFunction): Range[] {
  checkObject(machine, 'hierarchy', 'reservedWindows: machine', 'a Machine, as readMachine gives');
  checkObject(fn, 'bdf', 'reservedWindows: fn', 'a PciFunction of machine.hierarchy');
  if (machine.hierarchy.at(fn.bdf) !== fn) {
    const message = `is not a function of ${machine.source}`;
    throw new MapError('DEVICE_UNKNOWN', fn.name, message, 'take it from machine.hierarchy');
  }
  const { hierarchy } = machine;
  const root = hierarchy.rootBuses[hierarchy.rootBusOf[hierarchy.indexOf(fn.bdf)] as number];
  const ranges: Range[] = [MSI_WINDOW];
  if (root === undefined) return ranges;
  const name = `PCI Bus ${root.domain.toString(16).padStart(4, '0')}:${root.bus.toString(16).padStart(2, '0')}`;
  for (const entry of machine.iomem) {
    if (entry.name === name) ranges.push({ start: entry.start + fn.busOffset, end: entry.end + fn.busOffset });
  }
  hierarchy.functions.forEach((other, index) => {
    if (hierarchy.rootBusOf[index] !== root.id) return;
    for (const window of [other.memoryWindow, other.prefetchableWindow]) if (window) ranges.push(window);
    for (const bar of other.bars) {
      if (bar.space !== 'memory' || bar.busAddress === null) continue;
      ranges.push({ start: bar.busAddress, end: bar.busAddress + (bar.size ?? 4096) });
    }
  });
  return joinRanges(ranges.filter((range) => range.start >= 0));
}
