/** Which function a fault line names: an Intel IOMMU prints bus, device and function, and no domain. */

import type { FaultLine } from '../../evidence/kernel/log/fault-line.ts';
import { type Bdf, parseBdf, requesterId } from '../../pcie/bdf.ts';
import type { Hierarchy } from '../../pcie/hierarchy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

/**
 * The function that a line names. One that names no domain means the only function with that number; null where there are two of them,
 * or none.
 */
export function faultRequester(hierarchy: Hierarchy, { by, domainTold }: FaultLine): PciFunction | null {
  const bdf = by === null ? null : parseBdf(by);
  if (bdf === null) return null;
  if (domainTold) return hierarchy.at(bdf) ?? null;
  const alike = ofNumber(hierarchy, bdf);
  return alike.length === 1 ? (alike[0] as PciFunction) : null;
}

/** Whether some function may be the one that a line names. */
export function knowsRequester(hierarchy: Hierarchy, { by, domainTold }: FaultLine): boolean {
  const bdf = by === null ? null : parseBdf(by);
  if (bdf === null) return false;
  return domainTold ? hierarchy.at(bdf) !== undefined : ofNumber(hierarchy, bdf).length > 0;
}

/** Functions with that number in any domain. */
function ofNumber(hierarchy: Hierarchy, bdf: Bdf): PciFunction[] {
  const id = requesterId(bdf);
  return hierarchy.functions.filter((fn) => requesterId(fn.bdf) === id);
}
