/**
 * A request at the root complex: the IOMMU translates it or not, then the decoder finds RAM or a device, and what the
 * implementation does with traffic between devices decides.
 *
 *   from below -> IOMMU (untranslated requests only) -> CPU address -> RAM
 *                                                                   -> a device: behaviour -> bus address -> down
 */

import { type Iova, physAddr, storedAddress } from '../core/address.ts';
import type { LiveFunction } from './live-function.ts';
import type { MemoryRequest, Wiring } from './memory-request.ts';
import { type FateReason, ROOT_COMPLEX } from './outcome.ts';
import { type Road, STEP_FORWARD, STEP_TRANSLATE } from './road.ts';
import type { RootComplex } from './root-complex.ts';
import { descend } from './route-down.ts';
import type { RootBusWires } from './topology.ts';

/** Whether the IOMMU looks at this request, so that nothing below it can know where the address leads. */
export function meetsIommu(rootComplex: RootComplex, request: MemoryRequest): boolean {
  const { iommu } = rootComplex;
  if (iommu === null || request.addressType !== 'untranslated') return false;
  return iommu.contextOf(request.requesterKey) !== 'passthrough';
}

/** A request that came up from root bus `root` (position in `Topology.rootBuses`). */
export function atRootComplex(wiring: Wiring, request: MemoryRequest, road: Road, root: number): void {
  road.reachedRootComplex = true;
  if (request.addressType === 'translationRequest') {
    road.stop(ROOT_COMPLEX, 'unsupportedRequest', 'translationRequest');
    return;
  }
  if (!translate(wiring.rootComplex, request, road)) return;
  decode(wiring, request, road, root);
}

/** A CPU address at the root complex: RAM, or a device below some root bus. `root` -1: the CPU asks. */
export function decode(wiring: Wiring, request: MemoryRequest, road: Road, root: number): void {
  const { rootComplex, topology } = wiring;
  const { address } = road;
  const ramEnd = rootComplex.ramEnd(address);
  if (ramEnd > 0) {
    road.acceptRam(ramEnd);
    return;
  }
  road.limit(rootComplex.bytesToRam(address));
  const { table } = rootComplex;
  const claim = table.find(address);
  if (claim < 0) {
    const disabled = topology.rootBuses.some(({ bus, busOffset }) => bus.hasDisabledClaim(address + busOffset));
    road.stop(ROOT_COMPLEX, 'unsupportedRequest', disabled ? 'memorySpaceOff' : 'noSuchAddress');
    return;
  }
  road.limit(table.endOf(claim) - address);
  const target = topology.functions[table.nodeOf(claim)] as LiveFunction;
  if (root >= 0 && !forwards(wiring, request, road, root === target.bus.root)) return;
  road.address = address + (topology.rootBuses[target.bus.root] as RootBusWires).busOffset;
  road.step(ROOT_COMPLEX, STEP_FORWARD);
  const barIndex = table.barOf(claim);
  if (barIndex < 0) {
    descend(wiring, request, road, target);
    return;
  }
  const bar = target.bar(barIndex);
  if (bar !== null) road.accept(target, bar);
}

/** Returns whether the request goes on. */
function translate(rootComplex: RootComplex, request: MemoryRequest, road: Road): boolean {
  const { iommu } = rootComplex;
  if (iommu === null || request.addressType !== 'untranslated') return true;
  const context = iommu.contextOf(request.requesterKey);
  if (context === 'passthrough') return true;
  if (context === 'blocked') {
    road.stop(ROOT_COMPLEX, 'iommuFault', 'noContext');
    return false;
  }
  const access = request.isWrite ? 'write' : 'read';
  const { translation, stale } = iommu.iotlb.translate(
    request.requesterKey,
    context,
    storedAddress<Iova>(road.address),
    access,
  );
  if ('fault' in translation) {
    road.stop(ROOT_COMPLEX, 'iommuFault', FAULT_REASONS[translation.fault]);
    return false;
  }
  road.limit(4096 - (road.address & 4095));
  road.translated = true;
  road.stale = stale;
  road.address = physAddr(translation.phys);
  road.step(ROOT_COMPLEX, STEP_TRANSLATE);
  return true;
}

const FAULT_REASONS: Readonly<Record<'not-mapped' | 'no-read' | 'no-write', FateReason>> = {
  'not-mapped': 'notMapped',
  'no-read': 'readNotAllowed',
  'no-write': 'writeNotAllowed',
};

/** Whether this root complex passes a peer's request on; ends it where it does not. */
function forwards(wiring: Wiring, request: MemoryRequest, road: Road, sameHostBridge: boolean): boolean {
  switch (wiring.rootComplex.behaviour) {
    case 'forward':
      return true;
    case 'corrupt':
      road.corrupted = true;
      return true;
    case 'drop':
      road.stop(ROOT_COMPLEX, 'dropped', 'rootComplexDrops');
      return false;
    case 'sameHostBridgeOnly':
      if (sameHostBridge) return true;
      break;
    case 'writesOnly':
      if (request.isWrite) return true;
      break;
    case 'unsupportedRequest':
      break;
  }
  road.stop(ROOT_COMPLEX, 'unsupportedRequest', 'rootComplexRefuses');
  return false;
}
