/** What routing found for one request or completion: the way, who completes it, and for how many bytes the answer holds. */

import type { LiveBar, LiveFunction } from './live-function.ts';
import { type Fate, type FateReason, NOWHERE, ROOT_COMPLEX } from './outcome.ts';

/** What happened at a place of the way. */
export const STEP_NAMES = [
  'issue',
  'internalPeer',
  'upstream',
  'peer',
  'redirect',
  'reflect',
  'translate',
  'rootComplexForward',
  'downstream',
  'accept',
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

/** Longest way: up and down again through 256 buses, with the root complex between. */
const STEPS = 1100;

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
  corrupted = false;
  /** Translated by the IOMMU; `stale`: from a cache that the page table no longer backs. */
  translated = false;
  stale = false;
  /** Links in order: index of the port above * 2 + direction. */
  readonly links: Int32Array = new Int32Array(STEPS);
  /** Header and framing of a write on that link, bytes. */
  readonly linkOverhead: Uint8Array = new Uint8Array(STEPS);
  linkCount = 0;
  readonly stepAt: Int32Array = new Int32Array(STEPS);
  readonly stepAction: Uint8Array = new Uint8Array(STEPS);
  stepCount = 0;

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
    this.corrupted = false;
    this.translated = false;
    this.stale = false;
    this.linkCount = 0;
    this.stepCount = 0;
  }

  step(at: number, action: number): void {
    this.stepAt[this.stepCount] = at;
    this.stepAction[this.stepCount] = action;
    this.stepCount++;
  }

  /** Over the link below `port`. Framing, sequence number and LCRC are 8 bytes, the header 12 or (from 4 GiB on) 16. */
  cross(port: LiveFunction, direction: number): void {
    const below4GiB = this.address < 2 ** 32;
    this.links[this.linkCount] = port.index * 2 + direction;
    this.linkOverhead[this.linkCount] = below4GiB ? 20 : 24;
    this.linkCount++;
    if (below4GiB) this.limit(2 ** 32 - this.address);
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
