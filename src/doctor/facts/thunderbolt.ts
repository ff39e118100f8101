/**
 * Whether a function stands below a Thunderbolt or USB4 port: the kernel does not trust what is plugged in there and keeps it translated.
 * Linux marks such ports by an ACPI property that no listing shows; the controllers and root ports are known by their IDs and names.
 */

import type { Hierarchy } from '../../pcie/hierarchy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

/** Bridges of Intel's controllers, and Thunderbolt root ports in its processors. pci.ids of 2023. */
const PORTS: ReadonlySet<number> = new Set([
  0x1549, 0x1567, 0x1569, 0x156b, 0x156d, 0x1576, 0x1578, 0x157e, 0x15c0, 0x15d3, 0x15da, 0x15e7, 0x15ea, 0x15ef,
  0x0b26, 0x1136, 0x8a1d, 0x8a1f, 0x8a21, 0x8a23, 0x9a23, 0x9a25, 0x9a27, 0x9a29, 0x9a2b, 0x9a2d, 0x9a2f, 0x9a31,
  0x461f, 0x462f, 0x463f, 0x466e, 0x7ec4, 0x7ec5, 0x7ec6, 0x7ec7,
]);

/** Whether one of the bridges above a function is a Thunderbolt port. */
export function isBelowThunderbolt(hierarchy: Hierarchy, fn: PciFunction): boolean {
  return hierarchy
    .chainOf(hierarchy.indexOf(fn.bdf))
    .map((index) => hierarchy.functions[index] as PciFunction)
    .some((port) => port !== fn && isThunderbolt(port));
}

/** Whether a bridge is a Thunderbolt port, or stands below one. */
export function isAtThunderbolt(hierarchy: Hierarchy, fn: PciFunction): boolean {
  return isThunderbolt(fn) || isBelowThunderbolt(hierarchy, fn);
}

function isThunderbolt({ isBridge, vendorId, deviceId, facts }: PciFunction): boolean {
  if (!isBridge) return false;
  if (vendorId === 0x8086 && deviceId !== null && PORTS.has(deviceId)) return true;
  return /thunderbolt|usb4/i.test(facts.text?.deviceName ?? '');
}
