/**
 * The two kinds of bus on which functions meet without a port between them: the internal bus of a switch, and the shared wires
 * of conventional PCI. ACS is not asked on either. PCIe Base Specification, 1.3.3; PCI Local Bus Specification, 3.2.2.
 */

import type { Bus } from './bus.ts';
import type { LiveFunction } from './live-function.ts';
import type { MemoryRequest, Wiring } from './memory-request.ts';
import { type Road, STEP_PEER, STEP_UPSTREAM } from './road.ts';
import { arrive } from './route-down.ts';

/** What is on the internal bus of a switch and claimed by no other port. Returns whether the request ended here. */
export function turnsOnInternalBus(wiring: Wiring, request: MemoryRequest, road: Road, bus: Bus): boolean {
  const upstream = bus.bridge as LiveFunction;
  const bar = upstream.barAt(road.address);
  if (bar !== null) {
    road.accept(upstream, bar);
    return true;
  }
  const { table } = bus;
  const claim = table.find(road.address);
  if (claim >= 0) {
    arrive(wiring, request, road, bus, claim);
    return true;
  }
  road.limit(table.nextStart(road.address) - road.address);
  if (upstream.windowEnd(road.address) > 0) {
    if (wiring.rules.unclaimedInSwitch === 'upstream') return false;
    const disabled = bus.hasDisabledClaim(road.address);
    road.stop(upstream.index, 'unsupportedRequest', disabled ? 'memorySpaceOff' : 'windowGap');
    return true;
  }
  road.limit(upstream.bytesToClaim(road.address));
  return false;
}

/** The shared wires of conventional PCI: any device claims; what lies in the bridge's windows does not pass it. */
export function leaveConventionalBus(
  wiring: Wiring,
  request: MemoryRequest,
  road: Road,
  bus: Bus,
  from: LiveFunction,
): boolean {
  const bridge = bus.bridge as LiveFunction;
  const { table } = bus;
  const claim = table.find(road.address);
  if (claim >= 0) {
    if (table.nodeOf(claim) === from.index) {
      // A device does not answer its own cycle: master abort.
      road.stop(bridge.index, 'unsupportedRequest', 'samePort');
      return false;
    }
    road.step(bridge.index, STEP_PEER);
    arrive(wiring, request, road, bus, claim);
    return false;
  }
  road.limit(table.nextStart(road.address) - road.address);
  const own = bridge.barAt(road.address);
  if (own !== null) {
    road.accept(bridge, own);
    return false;
  }
  if (bridge.windowEnd(road.address) > 0) {
    road.stop(bridge.index, 'unsupportedRequest', bus.hasDisabledClaim(road.address) ? 'memorySpaceOff' : 'windowGap');
    return false;
  }
  road.limit(bridge.bytesToClaim(road.address));
  return true;
}

/** A bridge passes the request up, if it may. */
export function leaveUpward(road: Road, bridge: LiveFunction): LiveFunction | null {
  if (!bridge.busMaster) {
    road.stop(bridge.index, 'unsupportedRequest', 'busMasterOff');
    return null;
  }
  road.step(bridge.index, STEP_UPSTREAM);
  return bridge;
}
