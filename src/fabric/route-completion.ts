/**
 * Walks a completion back to its requester by bus number. PCIe Base Specification, 2.2.4.2 (ID routing), 6.12.3 (Completion
 * Redirect). A completion meets neither windows nor enables: whoever could send the request is reached by the answer, unless
 * ACS sends it up and the root complex does not bring it down again.
 */

import { acsCompletionDecision, type Egress } from './acs-decision.ts';
import type { Bus } from './bus.ts';
import type { LiveFunction } from './live-function.ts';
import type { MemoryRequest, Wiring } from './memory-request.ts';
import { ROOT_COMPLEX } from './outcome.ts';
import {
  LINK_UP,
  type Road,
  STEP_ACCEPT,
  STEP_FORWARD,
  STEP_INTERNAL_PEER,
  STEP_ISSUE,
  STEP_PEER,
  STEP_REDIRECT,
  STEP_REFLECT,
  STEP_UPSTREAM,
} from './road.ts';
import { below, followId } from './route-by-id.ts';

/** A completion, and what of its request decides where it may go. */
export interface CompletionTrip {
  readonly request: MemoryRequest;
  /** Index of the function that completes, or ROOT_COMPLEX. */
  readonly from: number;
  /** Bytes of the largest completion; 0 without data. */
  readonly payload: number;
  /** The request came through the root complex, which waits for the answer. */
  readonly expectedByRootComplex: boolean;
  /** The request turned round inside the device. */
  readonly stayedInside: boolean;
}

/** Leaves the way in `road`; its fate is `delivered` or `completionLost`. */
export function routeCompletion(wiring: Wiring, trip: CompletionTrip, road: Road): void {
  road.begin(0);
  road.step(trip.from, STEP_ISSUE);
  if (trip.from === ROOT_COMPLEX) {
    fromRootComplex(wiring, trip, road);
    return;
  }
  const completer = wiring.topology.functions[trip.from] as LiveFunction;
  const { requester, requesterId } = trip.request;
  // A port that answers itself, to somebody below it.
  if (requester !== null && completer.isBridge && completer.leadsTo(requesterId >> 8)) {
    deliver(trip, road, below(completer, road));
    return;
  }
  climb(wiring, trip, road, completer);
}

function climb(wiring: Wiring, trip: CompletionTrip, road: Road, completer: LiveFunction): void {
  const target = trip.request.requester === null ? -1 : trip.request.requesterId >> 8;
  if (trip.stayedInside && staysInside(trip, road, completer)) return;
  let from = completer;
  for (;;) {
    const { bus } = from;
    const port = bus.bridge;
    if (port === null) break;
    if (bus.kind === 'link') {
      road.cross(port, LINK_UP);
      if (!road.takes(port, trip.payload)) {
        road.stop(port.index, 'completionLost', 'payloadTooLarge');
        return;
      }
      if (isFor(trip, road, port) || !passes(wiring, trip, road, port, target)) return;
      if (port.kind === 'rootPort' || port.bus.bridge === null) break;
      from = port.bus.bridge;
    } else {
      // Inside a switch, or on the wires of conventional PCI: whoever it is for takes it.
      if (target >= 0 && isOn(bus, trip.request.requesterId)) {
        deliver(trip, road, bus);
        return;
      }
      from = port;
    }
    if (isFor(trip, road, from)) return;
    road.step(from.index, STEP_UPSTREAM);
  }
  atRootComplex(wiring, trip, road, completer);
}

/** Whether a bridge on the way up is the requester itself. It takes the completion then. */
function isFor(trip: CompletionTrip, road: Road, bridge: LiveFunction): boolean {
  const { requester, requesterId } = trip.request;
  if (bridge !== requester || bridge.requesterId !== requesterId) return false;
  road.at = bridge.index;
  road.step(bridge.index, STEP_ACCEPT);
  return true;
}

/** The way inside a device, with the function's own Completion Redirect. Returns whether it took it. */
function staysInside(trip: CompletionTrip, road: Road, from: LiveFunction): boolean {
  if (from === trip.request.requester) {
    // It refused its own request and answers itself.
    road.at = from.index;
    road.step(from.index, STEP_ACCEPT);
    return true;
  }
  if (acsCompletionDecision(from.acsControl, 'peer', trip.request.relaxedOrdering) === 'redirect') return false;
  road.step(from.index, STEP_INTERNAL_PEER);
  deliver(trip, road, from.bus);
  return true;
}

/** A port receives a completion from below. Returns whether it goes on upward. */
function passes(wiring: Wiring, trip: CompletionTrip, road: Road, port: LiveFunction, target: number): boolean {
  const atRoot = port.kind === 'rootPort' || port.bus.bridge === null;
  let egress: Egress = 'upstream';
  if (target >= 0) {
    if (port.leadsTo(target)) egress = 'samePort';
    else if (!atRoot && isOn(port.bus, trip.request.requesterId)) egress = 'peer';
  }
  const decision = acsCompletionDecision(port.acsControl, egress, trip.request.relaxedOrdering);
  switch (decision) {
    case 'direct':
      road.step(port.index, STEP_PEER);
      deliver(trip, road, port.bus);
      return false;
    case 'undefined': {
      const rule = atRoot ? wiring.rules.samePortAtRootPort : wiring.rules.samePortAtDownstreamPort;
      // Where the root complex waits for it, a root port is the end of its way and no place to turn at.
      if (rule === 'upstream' || (atRoot && trip.expectedByRootComplex)) break;
      if (rule === 'reflect') {
        road.step(port.index, STEP_REFLECT);
        deliver(trip, road, below(port, road));
      } else road.stop(port.index, 'completionLost', 'samePort');
      return false;
    }
    default:
      break;
  }
  road.step(port.index, decision === 'redirect' ? STEP_REDIRECT : STEP_UPSTREAM);
  return true;
}

function atRootComplex(wiring: Wiring, trip: CompletionTrip, road: Road, completer: LiveFunction): void {
  road.reachedRootComplex = true;
  const { requester } = trip.request;
  // A completion that nobody here waits for, redirected by ACS: it comes down again only where peers are forwarded.
  if (requester !== null && !trip.expectedByRootComplex) {
    const { behaviour } = wiring.rootComplex;
    const forwards =
      behaviour === 'forward' ||
      behaviour === 'corrupt' ||
      (behaviour === 'sameHostBridgeOnly' && requester.bus.root === completer.bus.root);
    if (!forwards) {
      road.stop(ROOT_COMPLEX, 'completionLost', behaviour === 'drop' ? 'rootComplexDrops' : 'rootComplexRefuses');
      return;
    }
    road.corrupted = behaviour === 'corrupt';
  }
  fromRootComplex(wiring, trip, road);
}

function fromRootComplex(wiring: Wiring, trip: CompletionTrip, road: Road): void {
  const { requester, requesterId } = trip.request;
  if (requester === null) {
    road.at = ROOT_COMPLEX;
    road.step(ROOT_COMPLEX, STEP_ACCEPT);
    return;
  }
  road.step(ROOT_COMPLEX, STEP_FORWARD);
  for (const { bus, domain } of wiring.topology.rootBuses) {
    if (domain !== requester.domain || !isOn(bus, requesterId)) continue;
    deliver(trip, road, bus);
    return;
  }
  road.stop(ROOT_COMPLEX, 'completionLost', 'unexpectedCompletion');
}

/** Whether a function on the bus, or a bridge on it, is on the way to an ID. */
function isOn(bus: Bus, id: number): boolean {
  return bus.functionOf(id) !== undefined || bus.bridgeTo(id >> 8) !== undefined;
}

/** From a bus down to the requester. A completion that reaches another function is unexpected there. */
function deliver(trip: CompletionTrip, road: Road, bus: Bus): void {
  const node = followId(bus, trip.request.requesterId, trip.payload, road);
  if (road.fate !== 'delivered') return;
  if (node === null || node !== trip.request.requester || !node.present) {
    road.stop(node?.index ?? road.at, 'completionLost', 'unexpectedCompletion');
    return;
  }
  road.at = node.index;
  road.step(node.index, STEP_ACCEPT);
}
