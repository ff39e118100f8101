/**
 * Walks a memory request upward through the tree, hop by hop, asking at each port what its registers say. PCIe Base
 * Specification, 2.2.4.1 (address routing), 7.5.1.3 (windows), 6.12 (ACS).
 *
 *      RC          upward until a port sees the address claimed by a peer: turn there, if ACS lets it;
 *     /  \         otherwise to the root complex, which translates, and sends it down again or into RAM
 *   RP    RP
 *   |
 *   USP            at each port: receive from below -> whose window? -> ACS -> peer, or up
 *   /  \
 * DSP  DSP
 *
 * Multicast and I/O space are not modelled: no rule needs them yet. A PCI bridge keeps the requester ID of what is below it
 * (a real one puts its own there).
 */

import { ACS_SOURCE_VALIDATION, ACS_TRANSLATION_BLOCKING, ACS_UPSTREAM_FORWARDING } from '../pcie/acs.ts';
import { type AcsDecision, acsRequestDecision, type Egress } from './acs-decision.ts';
import type { Bus } from './bus.ts';
import type { LiveFunction } from './live-function.ts';
import type { MemoryRequest, Wiring } from './memory-request.ts';
import { ROOT_COMPLEX } from './outcome.ts';
import {
  LINK_UP,
  type Road,
  STEP_INTERNAL_PEER,
  STEP_ISSUE,
  STEP_PEER,
  STEP_REDIRECT,
  STEP_REFLECT,
  STEP_UPSTREAM,
} from './road.ts';
import { arrive, descend } from './route-down.ts';
import { leaveConventionalBus, leaveUpward, turnsOnInternalBus } from './route-on-bus.ts';
import { atRootComplex, decode, meetsIommu } from './route-root-complex.ts';
import type { SamePortRule } from './rules.ts';

/** Walks the request to where it ends and leaves the way in `road`. */
export function routeRequest(wiring: Wiring, request: MemoryRequest, road: Road): void {
  road.begin(request.address);
  const { requester } = request;
  if (requester === null) {
    road.step(ROOT_COMPLEX, STEP_ISSUE);
    decode(wiring, request, road, -1);
    return;
  }
  if (!requester.present) {
    road.stop(requester.index, 'notSent', 'absent');
    return;
  }
  if (!requester.busMaster) {
    road.stop(requester.index, 'notSent', 'busMasterOff');
    return;
  }
  road.step(requester.index, STEP_ISSUE);
  if (
    wiring.rules.internalPeerRoute &&
    requester.bus.kind === 'link' &&
    turnsInside(wiring, request, road, requester)
  ) {
    return;
  }
  if (requester.isBridge && goesDown(wiring, request, road, requester)) return;
  climb(wiring, request, road, requester);
}

/** A bridge's own request for what is below it goes down at once. Returns whether it did. */
function goesDown(wiring: Wiring, request: MemoryRequest, road: Road, bridge: LiveFunction): boolean {
  const end = bridge.windowEnd(road.address);
  road.limit(end > 0 ? end - road.address : bridge.bytesToClaim(road.address));
  if (end > 0) descend(wiring, request, road, bridge);
  return end > 0;
}

/** The services that functions of one device may have among themselves: RR, CR, EC, DT. PCIe 6.12.1.2. */
const BETWEEN_FUNCTIONS = ~(ACS_SOURCE_VALIDATION | ACS_TRANSLATION_BLOCKING | ACS_UPSTREAM_FORWARDING);

/** The way inside a device, which no port sees. Returns whether the request took it, or ended. */
function turnsInside(wiring: Wiring, request: MemoryRequest, road: Road, requester: LiveFunction): boolean {
  const { table } = requester.bus;
  const claim = table.find(road.address);
  road.limit((claim >= 0 ? table.endOf(claim) : table.nextStart(road.address)) - road.address);
  if (claim < 0) return false;
  const sibling = wiring.topology.functions[table.nodeOf(claim)] as LiveFunction;
  // Its own BAR is no peer: what the device itself did not recognise leaves on the link.
  if (sibling === requester) return false;
  const control = requester.acsControl & BETWEEN_FUNCTIONS;
  const bit = requester.egressBit(sibling.egressNumber);
  const decision = acsRequestDecision(control, true, request.addressType, 'peer', bit);
  if (decision === 'redirect') return false;
  road.stayedInside = true;
  if (isViolation(decision)) {
    road.stop(requester.index, 'acsViolation', decision);
    return true;
  }
  road.step(requester.index, STEP_INTERNAL_PEER);
  arrive(wiring, request, road, requester.bus, claim);
  return true;
}

/** From a function upward until the request turns, ends, or is at the root complex. */
function climb(wiring: Wiring, request: MemoryRequest, road: Road, first: LiveFunction): void {
  let from: LiveFunction | null = first;
  while (from !== null) {
    const bus: Bus = from.bus;
    const port: LiveFunction | null = bus.bridge;
    if (port === null) {
      atRootComplex(wiring, request, road, bus.root);
      return;
    }
    if (bus.kind === 'link') {
      road.cross(port, LINK_UP);
      if (!road.takes(port, request.payload)) {
        road.stop(port.index, 'malformed', 'payloadTooLarge');
        return;
      }
      from =
        port.kind === 'rootPort'
          ? atRootPort(wiring, request, road, port)
          : atDownstreamPort(wiring, request, road, port);
    } else if (bus.kind === 'internal') {
      // A function inside the switch: no port receives it, so ACS is not asked.
      from = turnsOnInternalBus(wiring, request, road, bus) ? null : leaveUpward(road, port);
    } else from = leaveConventionalBus(wiring, request, road, bus, from) ? leaveUpward(road, port) : null;
  }
}

/**
 * A downstream port receives from below. Returns the upstream port where the request goes on up, or null where it turned or
 * ended.
 */
function atDownstreamPort(wiring: Wiring, request: MemoryRequest, road: Road, port: LiveFunction): LiveFunction | null {
  const { bus } = port;
  const { table } = bus;
  const own = port.windowEnd(road.address);
  let claim = -1;
  let egress: Egress = 'samePort';
  if (own > 0) road.limit(own - road.address);
  else {
    claim = table.find(road.address);
    road.limit((claim >= 0 ? table.endOf(claim) : table.nextStart(road.address)) - road.address);
    egress = claim >= 0 ? 'peer' : 'upstream';
  }
  // The BARs of the switch are no peers: there is no port to leave by, and only SV and TB are asked.
  const inSwitch = claim >= 0 && table.barOf(claim) >= 0;
  const control = inSwitch ? port.acsControl & (ACS_SOURCE_VALIDATION | ACS_TRANSLATION_BLOCKING) : port.acsControl;
  const bit =
    claim >= 0 && port.egressBit((wiring.topology.functions[table.nodeOf(claim)] as LiveFunction).egressNumber);
  const below = port.leadsTo(request.requesterId >> 8);
  const decision = acsRequestDecision(control, below, request.addressType, egress, bit);
  if (isViolation(decision)) {
    road.stop(port.index, 'acsViolation', decision);
    return null;
  }
  // Without its Bus Master Enable a port forwards no request upward. PCIe 7.5.1.1.3.
  if (!port.busMaster) {
    road.stop(port.index, 'unsupportedRequest', 'busMasterOff');
    return null;
  }
  if (decision === 'undefined' && endsAtSamePort(wiring, request, road, port, wiring.rules.samePortAtDownstreamPort)) {
    return null;
  }
  if (decision === 'direct') {
    road.step(port.index, STEP_PEER);
    arrive(wiring, request, road, bus, claim);
    return null;
  }
  road.step(port.index, decision === 'upstream' ? STEP_UPSTREAM : STEP_REDIRECT);
  if (bus.bridge === null) {
    // A downstream port on a root bus: the switch around it is not known, the root complex is above.
    atRootComplex(wiring, request, road, bus.root);
    return null;
  }
  if (decision === 'upstream' && turnsOnInternalBus(wiring, request, road, bus)) return null;
  return leaveUpward(road, bus.bridge);
}

/** A root port receives from below. Null: what goes on, goes on in the root complex. */
function atRootPort(wiring: Wiring, request: MemoryRequest, road: Road, port: LiveFunction): null {
  const { rootComplex, rules } = wiring;
  const own = port.windowEnd(road.address);
  const bar = own > 0 ? null : port.barAt(road.address);
  let egress: Egress = own > 0 ? 'samePort' : 'upstream';
  let bit = false;
  if (own > 0) road.limit(own - road.address);
  else {
    road.limit(port.bytesToClaim(road.address));
    if (bar === null && !meetsIommu(rootComplex, request) && rootComplex.ramEnd(road.address) === 0) {
      // Nothing stands between the port and the decoder of the root complex: the peer that is meant is known.
      const { table } = rootComplex;
      const claim = table.find(road.address);
      const peer = claim >= 0 ? (wiring.topology.functions[table.nodeOf(claim)] as LiveFunction) : port;
      // What comes back to this very port under another bus address is for the root complex to say, and no peer.
      if (peer !== port) {
        egress = 'peer';
        bit = port.egressBit(peer.egressNumber);
      }
    }
  }
  const below = port.leadsTo(request.requesterId >> 8);
  const decision = acsRequestDecision(port.acsControl, below, request.addressType, egress, bit);
  if (isViolation(decision)) {
    road.stop(port.index, 'acsViolation', decision);
    return null;
  }
  if (!port.busMaster) {
    road.stop(port.index, 'unsupportedRequest', 'busMasterOff');
    return null;
  }
  if (bar !== null) {
    road.accept(port, bar);
    return null;
  }
  if (decision === 'undefined' && endsAtSamePort(wiring, request, road, port, rules.samePortAtRootPort)) return null;
  road.step(port.index, decision === 'redirect' ? STEP_REDIRECT : STEP_UPSTREAM);
  atRootComplex(wiring, request, road, port.bus.root);
  return null;
}

/** The case that the specification leaves undefined. Returns whether the request ended here or turned round. */
function endsAtSamePort(
  wiring: Wiring,
  request: MemoryRequest,
  road: Road,
  port: LiveFunction,
  rule: SamePortRule,
): boolean {
  switch (rule) {
    case 'unsupportedRequest':
      road.stop(port.index, 'unsupportedRequest', 'samePort');
      return true;
    case 'drop':
      road.stop(port.index, 'dropped', 'samePort');
      return true;
    case 'reflect':
      road.step(port.index, STEP_REFLECT);
      descend(wiring, request, road, port);
      return true;
    case 'upstream':
      return false;
  }
}

type Violation = 'sourceValidation' | 'translationBlocking' | 'egressControl';

function isViolation(decision: AcsDecision): decision is Violation {
  return decision === 'sourceValidation' || decision === 'translationBlocking' || decision === 'egressControl';
}
