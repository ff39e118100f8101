/** What routing found for one request or completion: the way, who completes it, and for how many bytes the answer holds. */

import type { LiveBar, LiveFunction } from './live-function.ts';
import { type Fate, type FateReason, NOWHERE, ROOT_COMPLEX } from './outcome.ts';
import { OVERHEAD_3DW, OVERHEAD_4DW } from './tlp.ts';

/** What happened at a place of the way, in the order of the STEP_ numbers below. */
export const STEP_NAMES = [
  /** A function, or the CPU, sends it. */
  'issue',
  /** Turned inside a device, from one function to another. */
  'internalPeer',
  /** A port received it from below and passes it up. */
  'upstream',
  /** A port received it from below and hands it to a peer. */
  'peer',
  /** ACS sends it up although it is for a peer, or for what is below this very port. */
  'redirect',
  /** The port turned it back down. */
  'reflect',
  /** The IOMMU gave it another address. */
  'translate',
  /** The root complex sends it down. */
  'forward',
  /** A port received it from above and passes it down. */
  'downstream',
  /** Here it arrived. */
  'accept',
  /** Here it ended. */
  'stop',
] as const;
export type StepName = (typeof STEP_NAMES)[number];

export const STEP_ISSUE = 0;
export const STEP_INTERNAL_PEER = 1;
export const STEP_UPSTREAM = 2;
export const STEP_PEER = 3;
export const STEP_REDIRECT = 4;
export const STEP_REFLECT = 5;
export const STEP_TRANSLATE = 6;
export const STEP_FORWARD = 7;
export const STEP_DOWNSTREAM = 8;
export const STEP_ACCEPT = 9;
export const STEP_STOP = 10;

/** Directions of a link, seen from the root. */
export const LINK_UP = 0;
export const LINK_DOWN = 1;

export class Road {
  fate: Fate = 'notSent';
  reason: FateReason = 'none';
  /** Where it ended: index of a function, or ROOT_COMPLEX. */
  at: number = NOWHERE;
  /** The function whose BAR is hit; null: RAM, or nobody. */
  completer: LiveFunction | null = null;
  bar: LiveBar | null = null;
  /** Where the first byte lands: offset in the BAR, or address in RAM. */
  offset = 0;
  /** The address as it stands in the TLP here; changes at the root complex. */
  address = 0;
  /** From the first byte on, bytes for which the same way holds. */
  extent = 0;
  /** Smallest Max_Payload_Size of the receivers. */
  maxPayload = 0;
  reachedRootComplex = false;
  /** Turned inside the device that sent it. */
  stayedInside = false;
  corrupted = false;
  /** Translated by the IOMMU; `stale`: from a cache that the page table no longer backs. */
  translated = false;
  stale = false;
  /** Rate of the slowest link, bytes a nanosecond. */
  rate = 0;
  /** Time of the headers over all links, ns: ports pass a TLP on as soon as they have its header. */
  latencyNs = 0;
  /** Largest overhead of a TLP on any link, bytes. */
  overhead = 0;
  /** Links in order: index of the port above * 2 + direction. */
  readonly links: Int32Array;
  readonly linkOverhead: Uint8Array;
  linkCount = 0;
  readonly stepAt: Int32Array;
  readonly stepAction: Uint8Array;
  readonly stepAddress: Float64Array;
  readonly stepLatencyNs: Float64Array;
  stepCount = 0;

  /** @param depth - most bridges above a function: the longest way goes up and down again, with the root complex between */
  constructor(depth: number) {
    const steps = 2 * depth + 16;
    this.links = new Int32Array(steps);
    this.linkOverhead = new Uint8Array(steps);
    this.stepAt = new Int32Array(steps);
    this.stepAction = new Uint8Array(steps);
    this.stepAddress = new Float64Array(steps);
    this.stepLatencyNs = new Float64Array(steps);
  }

  begin(address: number): void {
    this.fate = 'delivered';
    this.reason = 'none';
    this.at = NOWHERE;
    this.completer = null;
    this.bar = null;
    this.offset = 0;
    this.address = address;
    this.extent = Number.POSITIVE_INFINITY;
    this.maxPayload = 4096;
    this.reachedRootComplex = false;
    this.stayedInside = false;
    this.corrupted = false;
    this.translated = false;
    this.stale = false;
    this.rate = Number.POSITIVE_INFINITY;
    this.latencyNs = 0;
    this.overhead = 0;
    this.linkCount = 0;
    this.stepCount = 0;
  }

  step(at: number, action: number): void {
    const index = this.stepCount++;
    this.stepAt[index] = at;
    this.stepAction[index] = action;
    this.stepAddress[index] = this.address;
    this.stepLatencyNs[index] = this.latencyNs;
  }

  /** Over the link below `port`. */
  cross(port: LiveFunction, direction: number): void {
    const below4GiB = this.address < 2 ** 32;
    const overhead = below4GiB ? OVERHEAD_3DW : OVERHEAD_4DW;
    this.links[this.linkCount] = port.index * 2 + direction;
    this.linkOverhead[this.linkCount] = overhead;
    this.linkCount++;
    if (below4GiB) this.limit(2 ** 32 - this.address);
    if (overhead > this.overhead) this.overhead = overhead;
    if (port.linkBytesPerNs < this.rate) this.rate = port.linkBytesPerNs;
    this.latencyNs += overhead / port.linkBytesPerNs;
  }

  /** A receiver with its Max_Payload_Size. Returns whether it takes a payload of that many bytes. */
  takes(receiver: LiveFunction, payload: number): boolean {
    if (receiver.maxPayload < this.maxPayload) this.maxPayload = receiver.maxPayload;
    return payload <= receiver.maxPayload;
  }

  /** The same way holds for no more than `bytes`. */
  limit(bytes: number): void {
    if (bytes < this.extent) this.extent = bytes;
  }

  /** Arrived at a BAR. */
  accept(node: LiveFunction, bar: LiveBar): void {
    this.completer = node;
    this.bar = bar;
    this.at = node.index;
    this.offset = this.address - (bar.start as number);
    this.limit(bar.size - this.offset);
    this.step(node.index, STEP_ACCEPT);
  }

  /** Arrived in RAM; `end` is the end of its range. */
  acceptRam(end: number): void {
    this.at = ROOT_COMPLEX;
    this.offset = this.address;
    this.limit(end - this.address);
    this.step(ROOT_COMPLEX, STEP_ACCEPT);
  }

  /** Ended before it arrived. */
  stop(at: number, fate: Fate, reason: FateReason): void {
    this.fate = fate;
    this.reason = reason;
    this.at = at;
    this.step(at, STEP_STOP);
  }
}
