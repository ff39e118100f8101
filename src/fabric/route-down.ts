/**
 * Downward by address: from a bridge whose window holds it to the function whose BAR does. PCIe Base Specification, 2.2.4.1 and
 * 7.5.1.3. Nothing on this way asks ACS: only what comes from below is questioned.
 */

import type { Bus } from './bus.ts';
import type { LiveFunction } from './live-function.ts';
import type { MemoryRequest, Wiring } from './memory-request.ts';
import { LINK_DOWN, type Road, STEP_DOWNSTREAM } from './road.ts';

/** From a bridge whose open window holds the address down to where the request ends. */
export function descend(wiring: Wiring, request: MemoryRequest, road: Road, first: LiveFunction): void {
  let bridge: LiveFunction | null = first;
  while (bridge !== null) {
    road.step(bridge.index, STEP_DOWNSTREAM);
    const bus = bridge.below as Bus;
    const claim = bus.table.find(road.address);
    let at = bridge.index;
    if (bus.kind === 'link') {
      const { receiver } = bus;
      if (receiver === null) {
        road.stop(bridge.index, 'unsupportedRequest', 'linkDown');
        return;
      }
      road.cross(bridge, LINK_DOWN);
      at = receiver.index;
    }
    if (claim < 0) {
      road.stop(at, 'unsupportedRequest', bus.hasDisabledClaim(road.address) ? 'memorySpaceOff' : 'windowGap');
      return;
    }
    bridge = enter(wiring, request, road, bus, claim);
  }
}

/** A claim on a bus takes the request, and passes it on to all that is below. */
export function arrive(wiring: Wiring, request: MemoryRequest, road: Road, bus: Bus, claim: number): void {
  const bridge = enter(wiring, request, road, bus, claim);
  if (bridge !== null) descend(wiring, request, road, bridge);
}

/** The function that claims receives the request. Returns it where it is a bridge that passes it on, else null. */
function enter(wiring: Wiring, request: MemoryRequest, road: Road, bus: Bus, claim: number): LiveFunction | null {
  const { table } = bus;
  road.limit(table.endOf(claim) - road.address);
  const node = wiring.topology.functions[table.nodeOf(claim)] as LiveFunction;
  if (bus.kind === 'link' && !road.takes(node, request.payload)) {
    road.stop(node.index, 'malformed', 'payloadTooLarge');
    return null;
  }
  const barIndex = table.barOf(claim);
  if (barIndex < 0) return node;
  const bar = node.bar(barIndex);
  if (bar !== null) road.accept(node, bar);
  return null;
}
