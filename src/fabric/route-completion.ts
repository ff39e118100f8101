/**
 * Walks a completion back to its requester by bus number. PCIe Base Specification, 2.2.4.2 (ID routing), 6.12.3 (Completion
 * Redirect). A completion meets neither windows nor enables: who could send the request is reached by the answer, unless ACS
 * sends it up and the root complex does not bring it down again.
 */

import { acsCompletionDecision, type Egress } from './acs-decision.ts';
import type { LiveFunction } from './live-function.ts';
import { ROOT_COMPLEX } from './outcome.ts';
import {
  LINK_DOWN,
  LINK_UP,
  type Road,
  STEP_ACCEPT,
  STEP_DOWNSTREAM,
  STEP_FORWARD,
  STEP_INTERNAL_PEER,
  STEP_ISSUE,
  STEP_PEER,
  STEP_REDIRECT,
  STEP_REFLECT,
  STEP_UPSTREAM,
} from './road.ts';
import type { MemoryRequest, Wiring } from './route-request.ts';
import type { Bus } from './topology.ts';

/** The request that a completion answers. */
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
  const bus = trip.request.requesterId >> 8;
  if (trip.request.requester !== null && completer.isBridge && completer.leadsTo(bus)) {
    descend(trip, road, completer);
    return;
  }
  climb(wiring, trip, road, completer);
}

function climb(wiring: Wiring, trip: CompletionTrip, road: Road, first: LiveFunction): void {
  const target = trip.request.requester === null ? -1 : trip.request.requesterId >> 8;
  let from = first;
  for (;;) {
    const { bus } = from;
    const port = bus.bridge;
    if (port === null) {
      atRootComplex(wiring, trip, road);
      return;
    }
    if (bus.kind === 'link') {
      if (from === first && trip.stayedInside && staysInside(trip, road, from)) return;
      road.cross(port, LINK_UP);
      if (tooLarge(trip, road, port)) return;
      if (port.kind === 'rootPort') {
        if (!throughRootPort(wiring, trip, road, port, target)) return;
        atRootComplex(wiring, trip, road);
        return;
      }
      if (!throughDownstreamPort(wiring, trip, road, port, target)) return;
      if (port.bus.bridge === null) {
        atRootComplex(wiring, trip, road);
        return;
      }
      from = port.bus.bridge;
      road.step(from.index, STEP_UPSTREAM);
      continue;
    }
    // Inside a switch, or on the wires of conventional PCI: whoever it is for takes it.
    if (target >= 0 && takenOn(trip, road, bus)) return;
    from = port;
    road.step(from.index, STEP_UPSTREAM);
  }
}

/** The way inside a device, with the function's own Completion Redirect. Returns whether it took it. */
function staysInside(trip: CompletionTrip, road: Road, from: LiveFunction): boolean {
  if (acsCompletionDecision(from.acsControl, 'peer', trip.request.relaxedOrdering) === 'redirect') return false;
  road.step(from.index, STEP_INTERNAL_PEER);
  deliver(trip, road, from.bus.functionOf(trip.request.requesterId));
  return true;
}

/** Returns whether the completion goes on to the root complex. */
function throughRootPort(
  wiring: Wiring,
  trip: CompletionTrip,
  road: Road,
  port: LiveFunction,
  target: number,
): boolean {
  const egress: Egress = target >= 0 && port.leadsTo(target) ? 'samePort' : 'upstream';
  const decision = acsCompletionDecision(port.acsControl, egress, trip.request.relaxedOrdering);
  if (decision === 'undefined') {
    const rule = wiring.rules.samePortAtRootPort;
    // The root complex expects it: it is the end of the completion's way, not a port to turn at.
    if (rule !== 'upstream' && !trip.expectedByRootComplex) return turnsRound(trip, road, port, rule === 'reflect');
  }
  road.step(port.index, decision === 'redirect' ? STEP_REDIRECT : STEP_UPSTREAM);
  return true;
}

/** Returns whether the completion goes on upward. */
function throughDownstreamPort(
  wiring: Wiring,
  trip: CompletionTrip,
  road: Road,
  port: LiveFunction,
  target: number,
): boolean {
  const { bus } = port;
  let egress: Egress = 'upstream';
  if (target >= 0) {
    if (port.leadsTo(target)) egress = 'samePort';
    else if (bus.bridgeTo(target) !== undefined || bus.functionOf(trip.request.requesterId) !== undefined)
      egress = 'peer';
  }
  const decision = acsCompletionDecision(port.acsControl, egress, trip.request.relaxedOrdering);
  if (decision === 'direct') {
    road.step(port.index, STEP_PEER);
    takenOn(trip, road, bus);
    return false;
  }
  if (decision === 'undefined') {
    const rule = wiring.rules.samePortAtDownstreamPort;
    if (rule !== 'upstream') return turnsRound(trip, road, port, rule === 'reflect');
  }
  road.step(port.index, decision === 'upstream' ? STEP_UPSTREAM : STEP_REDIRECT);
  return true;
}

function turnsRound(trip: CompletionTrip, road: Road, port: LiveFunction, reflects: boolean): false {
  if (reflects) {
    road.step(port.index, STEP_REFLECT);
    descend(trip, road, port);
  } else road.stop(port.index, 'completionLost', 'samePort');
  return false;
}

function atRootComplex(wiring: Wiring, trip: CompletionTrip, road: Road): void {
  road.reachedRootComplex = true;
  if (trip.request.requester === null) {
    road.at = ROOT_COMPLEX;
    road.step(ROOT_COMPLEX, STEP_ACCEPT);
    return;
  }
  // A completion that nobody here waits for, redirected by ACS: it comes down again only where peers are forwarded.
  if (!trip.expectedByRootComplex) {
    const { behaviour } = wiring.rootComplex;
    if (behaviour === 'drop' || behaviour === 'unsupportedRequest' || behaviour === 'writesOnly') {
      road.stop(ROOT_COMPLEX, 'completionLost', behaviour === 'drop' ? 'rootComplexDrops' : 'rootComplexRefuses');
      return;
    }
    road.corrupted = behaviour === 'corrupt';
  }
  fromRootComplex(wiring, trip, road);
}

function fromRootComplex(wiring: Wiring, trip: CompletionTrip, road: Road): void {
  road.reachedRootComplex = true;
  const { requester } = trip.request;
  if (requester === null) {
    road.at = ROOT_COMPLEX;
    road.step(ROOT_COMPLEX, STEP_ACCEPT);
    return;
  }
  road.step(ROOT_COMPLEX, STEP_FORWARD);
  const { domain } = requester.fn.bdf;
  for (const root of wiring.topology.rootBuses) {
    if (root.domain === domain && takenOn(trip, road, root.bus)) return;
  }
  road.stop(ROOT_COMPLEX, 'completionLost', 'unexpectedCompletion');
}

/** A function on the bus, or a bridge on it, takes the completion. Returns false where nobody does. */
function takenOn(trip: CompletionTrip, road: Road, bus: Bus): boolean {
  const { requesterId } = trip.request;
  const direct = bus.functionOf(requesterId);
  if (direct !== undefined) {
    if (bus.kind === 'link' && tooLarge(trip, road, direct)) return true;
    deliver(trip, road, direct);
    return true;
  }
  const bridge = bus.bridgeTo(requesterId >> 8);
  if (bridge === undefined) return false;
  if (bus.kind === 'link' && tooLarge(trip, road, bridge)) return true;
  descend(trip, road, bridge);
  return true;
}

function descend(trip: CompletionTrip, road: Road, bridge: LiveFunction): void {
  road.step(bridge.index, STEP_DOWNSTREAM);
  const bus = bridge.below as Bus;
  if (bus.kind === 'link') road.cross(bridge, LINK_DOWN);
  if (!takenOn(trip, road, bus)) road.stop(bridge.index, 'completionLost', 'unexpectedCompletion');
}

function deliver(trip: CompletionTrip, road: Road, node: LiveFunction | undefined): void {
  if (node === undefined || node !== trip.request.requester || !node.present) {
    road.stop(node?.index ?? ROOT_COMPLEX, 'completionLost', 'unexpectedCompletion');
    return;
  }
  road.at = node.index;
  road.step(node.index, STEP_ACCEPT);
}

function tooLarge(trip: CompletionTrip, road: Road, receiver: LiveFunction): boolean {
  if (trip.payload <= receiver.maxPayload) return false;
  road.stop(receiver.index, 'completionLost', 'payloadTooLarge');
  return true;
}
