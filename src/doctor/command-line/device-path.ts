/**
 * The kernel's device-path form of an address, `0000:00:1c.0/00.0/01.0`: the function on the root bus, then device and
 * function number of each step down. Bus numbers below the root do not occur in it, so it survives renumbering. Linux
 * Documentation/admin-guide/kernel-parameters.txt, "pci=".
 */

import { hexDigits } from '../../core/hex.ts';
import type { Hierarchy } from '../../pcie/hierarchy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

/** The path of a function by its index; null for orphans, whose way from the root is not known. */
export function devicePath(hierarchy: Hierarchy, index: number): string | null {
  if (!hierarchy.isRooted(index)) return null;
  const chain = hierarchy.chainOf(index).map((at) => hierarchy.functions[at] as PciFunction);
  const top = chain.pop();
  if (top === undefined) return null;
  const steps = chain.reverse().map(({ bdf }) => `${hexDigits(bdf.device, 2)}.${bdf.function}`);
  return [top.name, ...steps].join('/');
}
