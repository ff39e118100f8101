/**
 * Walks a memory request through the tree, hop by hop, asking at each port what its registers say. PCIe Base Specification,
 * 2.2.4.1 (address routing), 7.5.1.3 (windows), 6.12 (ACS).
 *
 *      RC          upward until a port sees the address below itself: turn there ("peer"), if ACS lets it;
 *     /  \         otherwise to the root complex, which translates, and sends it down again or into RAM
 *   RP    RP
 *   |
 *   USP            at each port: receive from below -> ACS -> own window? a peer's window? up
 *   /  \
 * DSP  DSP
 */

import type { Iova } from '../core/address.ts';
import type { BdfKey } from '../pcie/bdf.ts';
import { type AcsDecision, type AddressType, acsRequestDecision, type Egress } from './acs-decision.ts';
import type { LiveFunction } from './live-function.ts';
import { type FateReason, ROOT_COMPLEX } from './outcome.ts';
import {
  LINK_DOWN,
  LINK_UP,
  type Road,
  STEP_DOWNSTREAM,
  STEP_FORWARD,
  STEP_INTERNAL_PEER,
  STEP_ISSUE,
  STEP_PEER,
  STEP_REDIRECT,
  STEP_REFLECT,
  STEP_TRANSLATE,
  STEP_UPSTREAM,
} from './road.ts';
import type { RootComplex } from './root-complex.ts';
import type { FabricRules } from './rules.ts';
import type { Bus, RootBusWires, Topology } from './topology.ts';

/** A memory request under way. One object is used again and again: nothing of it outlives the walk. */
export interface MemoryRequest {
  /** null: the CPU, at the root complex. */
  requester: LiveFunction | null;
  isWrite: boolean;
  address: number;
  /** Payload of a write; 0 for a read, whose request carries none. */
  payload: number;
  addressType: AddressType;
  relaxedOrdering: boolean;
  /** Requester ID as the TLP carries it, 16 bits: the requester's own, unless it lies. */
  requesterId: number;
  /** The same with the domain: what the IOMMU looks up. */
  requesterKey: BdfKey;
}

export interface Wiring {
  readonly topology: Topology;
  readonly rootComplex: RootComplex;
  readonly rules: FabricRules;
}

/** Walks the request to where it ends and leaves the way in `road`. */
export function routeRequest(wiring: Wiring, request: MemoryRequest, road: Road): void {
  road.begin(request.address);
  const { requester } = request;
  if (requester === null) {
    road.step(ROOT_COMPLEX, STEP_ISSUE);
    atRootComplexAddress(wiring, request, road, -1);
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
  const { bus } = requester;
  if (bus.kind === 'link' && wiring.rules.internalPeerRoute && turnsInside(wiring, request, road, requester)) return;
  climb(wiring, request, road, requester);
}

/**
 * Functions of one device may have a way to each other that no port sees. Returns whether the request took it, or ended.
 */
function turnsInside(wiring: Wiring, request: MemoryRequest, road: Road, requester: LiveFunction): boolean {
  const { table } = requester.bus;
  const claim = table.find(road.address);
  if (claim < 0) {
    road.limit(table.nextStart(road.address) - road.address);
    return false;
  }
  road.limit(table.endOf(claim) - road.address);
  const sibling = wiring.topology.functions[table.nodeOf(claim)] as LiveFunction;
  // Its own BAR is not a peer: what the device itself did not recognise leaves on the link.
  if (sibling === requester) return false;
  const bit = requester.egressBit(sibling.egressNumber);
  const decision = acsRequestDecision(requester.acsControl & ~0x13, true, request.addressType, 'peer', bit);
  if (decision === 'redirect') return false;
  if (decision === 'egressControl') {
    road.stop(requester.index, 'acsViolation', 'egressControl');
    return true;
  }
  road.step(requester.index, STEP_INTERNAL_PEER);
  arrive(wiring, road, requester.bus, claim, request);
  return true;
}

/** From `from` upward until the request turns, ends, or is at the root complex. */
function climb(wiring: Wiring, request: MemoryRequest, road: Road, first: LiveFunction): void {
  let from = first;
  for (;;) {
    const { bus } = from;
    const port = bus.bridge;
    if (port === null) {
      atRootComplex(wiring, request, road, bus.root, from);
      return;
    }
    switch (bus.kind) {
      case 'conventional': {
        if (!leaveConventionalBus(wiring, request, road, bus, from)) return;
        from = port;
        break;
      }
      case 'link': {
        road.cross(port, LINK_UP);
        if (port.maxPayload < road.maxPayload) road.maxPayload = port.maxPayload;
        if (request.payload > port.maxPayload) {
          road.stop(port.index, 'malformed', 'payloadTooLarge');
          return;
        }
        const up =
          port.kind === 'rootPort'
            ? atRootPort(wiring, request, road, port)
            : atDownstreamPort(wiring, request, road, port);
        if (up === null) return;
        from = up;
        break;
      }
      case 'internal': {
        // A function inside the switch: no port receives it, so no ACS is asked.
        if (turnsOnInternalBus(wiring, request, road, bus)) return;
        from = port;
        break;
      }
      case 'root':
        return;
    }
  }
}

/** The shared wires of conventional PCI: any device claims; what lies in the bridge's windows does not pass it. */
function leaveConventionalBus(
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
    road.limit(table.endOf(claim) - road.address);
    if (table.nodeOf(claim) === from.index) {
      // A device does not answer its own cycle: master abort.
      road.stop(bridge.index, 'unsupportedRequest', 'samePort');
      return false;
    }
    road.step(bridge.index, STEP_PEER);
    arrive(wiring, road, bus, claim, request);
    return false;
  }
  road.limit(table.nextStart(road.address) - road.address);
  const end = bridge.windowEnd(road.address);
  if (end > 0) {
    road.stop(bridge.index, 'unsupportedRequest', 'windowGap');
    return false;
  }
  road.limit(bridge.bytesToWindow(road.address));
  if (!bridge.busMaster) {
    road.stop(bridge.index, 'unsupportedRequest', 'busMasterOff');
    return false;
  }
  road.step(bridge.index, STEP_UPSTREAM);
  return true;
}

/**
 * A downstream port receives from below. Returns the upstream port where the request goes on up, or null where it turned or
 * ended.
 */
function atDownstreamPort(wiring: Wiring, request: MemoryRequest, road: Road, port: LiveFunction): LiveFunction | null {
  const { bus } = port;
  const { table } = bus;
  const upstream = bus.bridge;
  const own = port.windowEnd(road.address);
  let claim = -1;
  let egress: Egress = 'samePort';
  if (own > 0) road.limit(own - road.address);
  else {
    road.limit(port.bytesToWindow(road.address));
    claim = table.find(road.address);
    road.limit((claim >= 0 ? table.endOf(claim) : table.nextStart(road.address)) - road.address);
    egress = claim >= 0 ? 'peer' : 'upstream';
  }
  // BARs of the switch itself are no peers: there is no port to leave by.
  const inside = claim >= 0 && table.barOf(claim) >= 0;
  const peer = claim >= 0 ? (wiring.topology.functions[table.nodeOf(claim)] as LiveFunction) : null;
  const bit = peer !== null && port.egressBit(peer.egressNumber);
  const decision = acsRequestDecision(
    inside ? port.acsControl & 0x03 : port.acsControl,
    port.leadsTo(request.requesterId >> 8),
    request.addressType,
    egress,
    bit,
  );
  if (isViolation(decision)) {
    road.stop(port.index, 'acsViolation', decision);
    return null;
  }
  if (!port.busMaster) {
    road.stop(port.index, 'unsupportedRequest', 'busMasterOff');
    return null;
  }
  if (decision === 'undefined' && samePort(wiring, request, road, port, wiring.rules.samePortAtDownstreamPort))
    return null;
  if (decision === 'direct') {
    road.step(port.index, STEP_PEER);
    arrive(wiring, road, bus, claim, request);
    return null;
  }
  road.step(port.index, decision === 'upstream' ? STEP_UPSTREAM : STEP_REDIRECT);
  if (upstream === null) {
    // A downstream port on a root bus: no switch that we know; the root complex is above it.
    atRootComplex(wiring, request, road, bus.root, port);
    return null;
  }
  if (decision === 'upstream' && turnsOnInternalBus(wiring, request, road, bus)) return null;
  return leaveSwitch(road, upstream);
}

/** The switch's own BAR at its upstream port, or a gap in its windows. Returns whether the request ended here. */
function turnsOnInternalBus(wiring: Wiring, request: MemoryRequest, road: Road, bus: Bus): boolean {
  const upstream = bus.bridge as LiveFunction;
  const bar = upstream.barAt(road.address);
  if (bar !== null) {
    road.accept(upstream, bar);
    return true;
  }
  const { table } = bus;
  const claim = table.find(road.address);
  if (claim >= 0) {
    road.limit(table.endOf(claim) - road.address);
    arrive(wiring, road, bus, claim, request);
    return true;
  }
  const end = upstream.windowEnd(road.address);
  if (end > 0) {
    road.limit(end - road.address);
    if (wiring.rules.unclaimedInSwitch === 'upstream') return false;
    road.stop(upstream.index, 'unsupportedRequest', 'windowGap');
    return true;
  }
  for (const own of upstream.bars) {
    if (own.start !== null && own.start > road.address) road.limit(own.start - road.address);
  }
  road.limit(upstream.bytesToWindow(road.address));
  return false;
}

function leaveSwitch(road: Road, upstream: LiveFunction): LiveFunction | null {
  if (!upstream.busMaster) {
    road.stop(upstream.index, 'unsupportedRequest', 'busMasterOff');
    return null;
  }
  road.step(upstream.index, STEP_UPSTREAM);
  return upstream;
}

/** A root port receives from below. Always null: what goes on, goes on in the root complex. */
function atRootPort(wiring: Wiring, request: MemoryRequest, road: Road, port: LiveFunction): null {
  const { rootComplex, rules } = wiring;
  const own = port.windowEnd(road.address);
  let egress: Egress = own > 0 ? 'samePort' : 'upstream';
  let bit = false;
  let bar = null;
  if (own > 0) road.limit(own - road.address);
  else {
    road.limit(port.bytesToWindow(road.address));
    bar = port.barAt(road.address);
    if (bar === null && !isTranslated(rootComplex, request)) {
      // Nothing stands between the port and the decoder of the root complex: it sees the peer that is meant.
      const { table } = rootComplex;
      const claim = rootComplex.ramEnd(road.address) > 0 ? -1 : table.find(road.address);
      if (claim >= 0) {
        egress = 'peer';
        bit = port.egressBit((wiring.topology.functions[table.nodeOf(claim)] as LiveFunction).egressNumber);
      }
    }
  }
  const decision = acsRequestDecision(
    port.acsControl,
    port.leadsTo(request.requesterId >> 8),
    request.addressType,
    egress,
    bit,
  );
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
  if (decision === 'undefined' && samePort(wiring, request, road, port, rules.samePortAtRootPort)) return null;
  road.step(port.index, decision === 'redirect' ? STEP_REDIRECT : STEP_UPSTREAM);
  atRootComplex(wiring, request, road, port.bus.root, port);
  return null;
}

/** The case that the specification leaves undefined. Returns whether the request ended here or turned round. */
function samePort(
  wiring: Wiring,
  request: MemoryRequest,
  road: Road,
  port: LiveFunction,
  rule: FabricRules['samePortAtRootPort'],
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

/** Whether the IOMMU would change the address. */
function isTranslated(rootComplex: RootComplex, request: MemoryRequest): boolean {
  const { iommu } = rootComplex;
  return (
    iommu !== null && request.addressType === 'untranslated' && iommu.contextOf(request.requesterKey) !== 'passthrough'
  );
}

/** Arrived at the root complex from root bus `root`: first the IOMMU, then the decoder. */
function atRootComplex(wiring: Wiring, request: MemoryRequest, road: Road, root: number, from: LiveFunction): void {
  road.reachedRootComplex = true;
  if (from.kind === 'endpoint') road.step(from.index, STEP_UPSTREAM);
  const { iommu } = wiring.rootComplex;
  if (request.addressType === 'translationRequest') {
    road.stop(ROOT_COMPLEX, 'unsupportedRequest', 'translationRequest');
    return;
  }
  if (iommu !== null && request.addressType === 'untranslated') {
    const context = iommu.contextOf(request.requesterKey);
    if (context === 'blocked') {
      road.stop(ROOT_COMPLEX, 'iommuFault', 'noContext');
      return;
    }
    if (context !== 'passthrough') {
      const access = request.isWrite ? 'write' : 'read';
      const answer = iommu.iotlb.translate(request.requesterKey, context, road.address as Iova, access);
      const { translation } = answer;
      if ('fault' in translation) {
        road.stop(ROOT_COMPLEX, 'iommuFault', FAULT_REASONS[translation.fault]);
        return;
      }
      road.limit(4096 - (road.address & 4095));
      road.translated = true;
      road.stale = answer.stale;
      road.address = translation.phys;
      road.step(ROOT_COMPLEX, STEP_TRANSLATE);
    }
  }
  atRootComplexAddress(wiring, request, road, root);
}

const FAULT_REASONS: Readonly<Record<'not-mapped' | 'no-read' | 'no-write', FateReason>> = {
  'not-mapped': 'notMapped',
  'no-read': 'readNotAllowed',
  'no-write': 'writeNotAllowed',
};

/** A CPU address at the root complex: RAM, or a device below some root bus. `root` -1: the CPU asks. */
function atRootComplexAddress(wiring: Wiring, request: MemoryRequest, road: Road, root: number): void {
  const { rootComplex } = wiring;
  const { address } = road;
  const ramEnd = rootComplex.ramEnd(address);
  if (ramEnd > 0) {
    road.acceptRam(ramEnd);
    return;
  }
  const { table } = rootComplex;
  const claim = table.find(address);
  if (claim < 0) {
    road.stop(ROOT_COMPLEX, 'unsupportedRequest', 'noSuchAddress');
    return;
  }
  road.limit(table.endOf(claim) - address);
  const target = wiring.topology.functions[table.nodeOf(claim)] as LiveFunction;
  if (root >= 0 && !forwards(wiring, request, road, root, target.bus.root)) return;
  road.address = address + (wiring.topology.rootBuses[target.bus.root] as RootBusWires).busOffset;
  road.step(ROOT_COMPLEX, STEP_FORWARD);
  const barIndex = table.barOf(claim);
  if (barIndex < 0) {
    descend(wiring, request, road, target);
    return;
  }
  const bar = target.bar(barIndex);
  if (bar !== null) road.accept(target, bar);
}

/** Whether this root complex passes a peer's request on; ends it where it does not. */
function forwards(wiring: Wiring, request: MemoryRequest, road: Road, from: number, to: number): boolean {
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
      if (from === to) return true;
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

/** From a bridge whose window holds the address down to the function that claims it. */
function descend(wiring: Wiring, request: MemoryRequest, road: Road, first: LiveFunction): void {
  let bridge = first;
  for (;;) {
    road.step(bridge.index, STEP_DOWNSTREAM);
    const bus = bridge.below as Bus;
    const { table } = bus;
    const claim = table.find(road.address);
    if (bus.kind === 'link') {
      const receiver = bus.functions.find((node) => node.present);
      if (receiver === undefined) {
        road.stop(bridge.index, 'unsupportedRequest', 'linkDown');
        return;
      }
      road.cross(bridge, LINK_DOWN);
      if (claim < 0) {
        road.stop(receiver.index, 'unsupportedRequest', 'windowGap');
        return;
      }
    } else if (claim < 0) {
      road.stop(bridge.index, 'unsupportedRequest', 'windowGap');
      return;
    }
    const next = enter(wiring, request, road, bus, claim);
    if (next === null) return;
    bridge = next;
  }
}

/** A claim on a bus takes the request, and all that is below it. */
function arrive(wiring: Wiring, road: Road, bus: Bus, claim: number, request: MemoryRequest): void {
  const bridge = enter(wiring, request, road, bus, claim);
  if (bridge !== null) descend(wiring, request, road, bridge);
}

/** The function that claims receives the request. Returns it where it is a bridge that passes it on, else null. */
function enter(wiring: Wiring, request: MemoryRequest, road: Road, bus: Bus, claim: number): LiveFunction | null {
  const { table } = bus;
  road.limit(table.endOf(claim) - road.address);
  const node = wiring.topology.functions[table.nodeOf(claim)] as LiveFunction;
  if (bus.kind === 'link') {
    if (node.maxPayload < road.maxPayload) road.maxPayload = node.maxPayload;
    if (request.payload > node.maxPayload) {
      road.stop(node.index, 'malformed', 'payloadTooLarge');
      return null;
    }
  }
  const barIndex = table.barOf(claim);
  if (barIndex < 0) return node;
  const bar = node.bar(barIndex);
  if (bar !== null) road.accept(node, bar);
  return null;
}

type Violation = 'sourceValidation' | 'translationBlocking' | 'egressControl';

function isViolation(decision: AcsDecision): decision is Violation {
  return decision === 'sourceValidation' || decision === 'translationBlocking' || decision === 'egressControl';
}
