/** Downward by bus, device and function number: completions and configuration requests. PCIe Base Specification, 2.2.4.2. */

import type { Bus } from './bus.ts';
import type { LiveFunction } from './live-function.ts';
import { LINK_DOWN, type Road, STEP_DOWNSTREAM } from './road.ts';

/**
 * From a bus down to the function with a routing ID of 16 bits.
 *
 * Returns the function, present or not; null where nobody has the ID (`road.at` is then the last bridge that led towards it)
 * or where the payload is too large for a receiver (the road has stopped then).
 */
export function followId(first: Bus, id: number, payload: number, road: Road): LiveFunction | null {
  let bus = first;
  for (;;) {
    const direct = bus.functionOf(id);
    const receiver = direct ?? bus.bridgeTo(id >> 8);
    if (receiver === undefined) return null;
    if (bus.kind === 'link' && !road.takes(receiver, payload)) {
      road.stop(receiver.index, 'completionLost', 'payloadTooLarge');
      return null;
    }
    if (direct !== undefined) return direct;
    bus = below(receiver, road);
  }
}

/** Over a bridge to the bus below it. */
export function below(bridge: LiveFunction, road: Road): Bus {
  const bus = bridge.below as Bus;
  road.at = bridge.index;
  road.step(bridge.index, STEP_DOWNSTREAM);
  if (bus.kind === 'link') road.cross(bridge, LINK_DOWN);
  return bus;
}
