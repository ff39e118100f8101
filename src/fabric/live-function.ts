/**
 * One function as the fabric sees it: the registers that routing asks, decoded from its configuration space, and what stands
 * behind its BARs. Writes to the configuration space decode anew.
 */

import { requesterId } from '../pcie/bdf.ts';
import { EXT_CAP_ACS, findExtendedCapability } from '../pcie/capability.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { COMMAND_BUS_MASTER, COMMAND_MEMORY_SPACE } from '../pcie/registers.ts';
import { SparseMemory } from './sparse-memory.ts';
import type { Bus } from './topology.ts';

/** What answers behind a BAR: memory, or the registers of a device model. */
export interface BarTarget {
  /** Fills `into` from `offset`. Returns false where the device refuses (Completer Abort). */
  read(offset: number, into: Uint8Array): boolean;
  /** Takes `from[start..end)` at `offset`, all of it by default. Returns false where the device refuses. */
  write(offset: number, from: Uint8Array, start?: number, end?: number): boolean;
  /** How many bytes from `offset` on may be accessed in one call; 0: one TLP a call, as on the wire. */
  bulkLength(offset: number): number;
}

/** A memory BAR that decodes. */
export interface LiveBar {
  readonly index: number;
  readonly size: number;
  /** Bus address; null where the register holds none. */
  start: number | null;
  target: BarTarget;
}

export type FunctionKind = 'endpoint' | 'rootPort' | 'upstreamPort' | 'downstreamPort' | 'pciBridge';

export class LiveFunction {
  readonly index: number;
  readonly fn: PciFunction;
  readonly kind: FunctionKind;
  /** Requester ID, 16 bits, without the domain. */
  readonly requesterId: number;
  readonly bars: readonly LiveBar[];
  /** The bus it stands on, and the one below it; set once when the tree is joined. */
  bus!: Bus;
  below: Bus | null = null;
  /** False: unplugged, or powered down. */
  present: boolean;
  memorySpace = false;
  busMaster = false;
  secondary = 0;
  subordinate = 0;
  /** Two windows, memory and prefetchable, `end` exclusive; closed: end 0. */
  memoryStart = 0;
  memoryEnd = 0;
  prefetchableStart = 0;
  prefetchableEnd = 0;
  acsControl = 0;
  egressVector: readonly number[] = [];
  maxPayload = 128;
  maxReadRequest = 512;
  /** The bit of an egress control vector that means this function: port number, or function number of an endpoint. */
  egressNumber = 0;

  constructor(index: number, fn: PciFunction, kind: FunctionKind) {
    this.index = index;
    this.fn = fn;
    this.kind = kind;
    this.requesterId = requesterId(fn.bdf);
    this.present = !fn.poweredDown;
    const bars: LiveBar[] = [];
    for (const bar of fn.bars) {
      if (bar.space !== 'memory' || bar.size === null) continue;
      bars.push({ index: bar.index, size: bar.size, start: bar.busAddress, target: new SparseMemory(bar.size) });
    }
    this.bars = bars;
    this.#decode();
  }

  get isBridge(): boolean {
    return this.kind !== 'endpoint';
  }

  #decode(): void {
    const { fn } = this;
    const command = fn.command ?? 0;
    this.memorySpace = (command & COMMAND_MEMORY_SPACE) !== 0;
    this.busMaster = (command & COMMAND_BUS_MASTER) !== 0;
    this.secondary = fn.busNumbers?.secondary ?? 0;
    this.subordinate = fn.busNumbers?.subordinate ?? 0;
    const memory = fn.memoryWindow ?? { start: 0, end: 0 };
    this.memoryStart = memory.start;
    this.memoryEnd = memory.end;
    const prefetchable = fn.prefetchableWindow ?? { start: 0, end: 0 };
    this.prefetchableStart = prefetchable.start;
    this.prefetchableEnd = prefetchable.end;
    this.acsControl = fn.acs.state === 'present' ? fn.acs.control : 0;
    const acs = findExtendedCapability(fn.config, EXT_CAP_ACS);
    const vector: number[] = [];
    if (acs) for (let word = 0; word < 8; word++) vector.push(fn.config.u32(acs + 8 + word * 4) ?? 0);
    this.egressVector = vector;
    this.maxPayload = fn.payload?.maxPayload ?? 128;
    this.maxReadRequest = fn.payload?.maxReadRequest ?? 512;
    const express = fn.expressOffset;
    const port = express ? fn.config.u32(express + 0x0c) : undefined;
    this.egressNumber = this.isBridge ? (port ?? 0) >>> 24 : fn.bdf.function;
  }

  /** Memory Space and Bus Master Enable of the Command register. */
  setCommand(bits: number): void {
    if (bits & COMMAND_MEMORY_SPACE) this.memorySpace = true;
    if (bits & COMMAND_BUS_MASTER) this.busMaster = true;
    this.bus.stale = true;
  }

  /** End of the open window that holds `address`, or 0. */
  windowEnd(address: number): number {
    if (!this.memorySpace) return 0;
    if (address >= this.memoryStart && address < this.memoryEnd) return this.memoryEnd;
    if (address >= this.prefetchableStart && address < this.prefetchableEnd) return this.prefetchableEnd;
    return 0;
  }

  /** Bytes from `address`, which no window holds, to the nearest window above it. */
  bytesToWindow(address: number): number {
    if (!this.memorySpace) return Number.POSITIVE_INFINITY;
    let bytes = Number.POSITIVE_INFINITY;
    if (this.memoryEnd > 0 && this.memoryStart > address) bytes = this.memoryStart - address;
    if (this.prefetchableEnd > 0 && this.prefetchableStart > address) {
      bytes = Math.min(bytes, this.prefetchableStart - address);
    }
    return bytes;
  }

  /** The enabled BAR that holds `address`, or null. */
  barAt(address: number): LiveBar | null {
    if (!this.memorySpace) return null;
    for (const bar of this.bars) {
      if (bar.start !== null && address >= bar.start && address < bar.start + bar.size) return bar;
    }
    return null;
  }

  bar(index: number): LiveBar | null {
    for (const bar of this.bars) if (bar.index === index) return bar;
    return null;
  }

  /** Whether a bus number lies in [secondary, subordinate]. */
  leadsTo(bus: number): boolean {
    return bus >= this.secondary && bus <= this.subordinate;
  }

  /** The egress control vector's bit for a port or function number. */
  egressBit(number: number): boolean {
    return (((this.egressVector[number >>> 5] ?? 0) >>> (number & 31)) & 1) !== 0;
  }
}
