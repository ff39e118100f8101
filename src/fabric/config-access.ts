/** Configuration accesses of the CPU: routed by bus, device and function number. PCIe Base Specification, 7.2 and 7.3. */

import { type Bdf, requesterId } from '../pcie/bdf.ts';
import type { LiveFunction } from './live-function.ts';
import { ROOT_COMPLEX } from './outcome.ts';
import { type Road, STEP_ACCEPT, STEP_FORWARD, STEP_ISSUE } from './road.ts';
import { followId } from './route-by-id.ts';
import type { Topology } from './topology.ts';

/** Bytes of a configuration request's payload. */
const REGISTER_BYTES = 4;

/** The function that answers at `bdf`, by the bus numbers as they stand, or null; the way is left in `road`. */
export function routeConfig(topology: Topology, bdf: Bdf, road: Road): LiveFunction | null {
  const id = requesterId(bdf);
  road.begin(0);
  road.step(ROOT_COMPLEX, STEP_ISSUE);
  road.at = ROOT_COMPLEX;
  for (const { bus, domain } of topology.rootBuses) {
    if (domain !== bdf.domain) continue;
    if (bus.functionOf(id) === undefined && bus.bridgeTo(bdf.bus) === undefined) continue;
    road.step(ROOT_COMPLEX, STEP_FORWARD);
    const node = followId(bus, id, REGISTER_BYTES, road);
    if (node?.present === true) {
      road.at = node.index;
      road.step(node.index, STEP_ACCEPT);
      return node;
    }
    break;
  }
  road.stop(road.at, 'unsupportedRequest', 'noSuchFunction');
  return null;
}
