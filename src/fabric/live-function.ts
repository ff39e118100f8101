/**
 * One function as the fabric sees it: the registers that routing asks, decoded from its configuration space, and what stands
 * behind its BARs. A write to the configuration space decodes anew.
 */

import { addressFromWords } from '../core/address.ts';
import { assert } from '../core/assert.ts';
import { ACS_EGRESS_CONTROL } from '../pcie/acs.ts';
import { requesterId } from '../pcie/bdf.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { COMMAND, COMMAND_BUS_MASTER, COMMAND_MEMORY_SPACE } from '../pcie/registers.ts';
import type { Bus } from './bus.ts';
import { ConfigRegisters } from './config-registers.ts';
import { linkBytesPerNs } from './link-rate.ts';
import { SparseMemory } from './sparse-memory.ts';

/** What answers behind a BAR: memory, or the registers of a device model. */
export interface BarTarget {
  /** Fills `into` from `offset`. Returns false where the device refuses (Completer Abort). */
  read(offset: number, into: Uint8Array): boolean;
  /** Takes `from[start..end)` at `offset`, all of it by default. Returns false where the device refuses. */
  write(offset: number, from: Uint8Array, start?: number, end?: number): boolean;
  /**
   * How many bytes from `offset` on are plain memory, which may be accessed in one call and is never refused. 0: one call a
   * TLP, as on the wire.
   */
  bulkLength(offset: number): number;
}

/** A memory BAR of known size. */
export interface LiveBar {
  readonly index: number;
  readonly size: number;
  readonly is64Bit: boolean;
  /** Its address does not fit its register: Enhanced Allocation gives it, for good. PCIe 7.8.5. */
  readonly fixed: boolean;
  /** Bus address; null where the register holds none. */
  start: number | null;
  target: BarTarget;
}

export type FunctionKind = 'endpoint' | 'rootPort' | 'upstreamPort' | 'downstreamPort' | 'pciBridge';

/** VF Enable and VF Memory Space Enable of an SR-IOV Control register. PCIe 9.3.3.3. */
const VF_ENABLE = 0x0001;
const VF_MEMORY_SPACE = 0x0008;

export class LiveFunction {
  readonly index: number;
  readonly kind: FunctionKind;
  readonly isBridge: boolean;
  /** `0000:03:00.0`. */
  readonly name: string;
  /** Requester ID, 16 bits, without the domain. */
  readonly requesterId: number;
  readonly domain: number;
  readonly bars: readonly LiveBar[];
  /** Of a Virtual Function, its Physical Function. */
  readonly physicalFunction: LiveFunction | null;
  /** The bus it stands on, and the one below it; set once when the tree is joined. */
  bus!: Bus;
  below: Bus | null = null;
  /** Of a port: what the link below it carries. */
  linkBytesPerNs: number = Number.POSITIVE_INFINITY;

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
  maxPayload = 128;
  maxReadRequest = 512;
  /** The bit of an egress control vector that means this function: port number, or function number of an endpoint. */
  egressNumber = 0;

  #fn: PciFunction;
  #present: boolean;
  #registers: ConfigRegisters | null = null;
  #egressVector: readonly number[] = [];

  constructor(index: number, fn: PciFunction, kind: FunctionKind, physicalFunction: LiveFunction | null) {
    this.index = index;
    this.#fn = fn;
    this.kind = kind;
    this.isBridge = kind !== 'endpoint';
    this.name = fn.name;
    this.requesterId = requesterId(fn.bdf);
    this.domain = fn.bdf.domain;
    this.physicalFunction = physicalFunction;
    this.#present = !fn.poweredDown;
    const bars: LiveBar[] = [];
    for (const { index: at, size, is64Bit, space, busAddress } of fn.bars) {
      if (space !== 'memory' || size === null) continue;
      const fixed = !is64Bit && (busAddress ?? 0) + size > 2 ** 32;
      bars.push({ index: at, size, is64Bit, fixed, start: busAddress, target: new SparseMemory(size) });
    }
    this.bars = bars;
    if (kind === 'rootPort' || kind === 'downstreamPort') this.linkBytesPerNs = linkBytesPerNs(fn.link);
    this.#decode();
  }

  /** The function with its registers as they stand. */
  get fn(): PciFunction {
    return this.#fn;
  }

  /** False: unplugged, or powered down. */
  get present(): boolean {
    return this.#present;
  }

  set present(value: boolean) {
    this.#present = value;
    this.bus.markStale();
  }

  /** Configuration registers, made on first use. */
  get registers(): ConfigRegisters {
    this.#registers ??= new ConfigRegisters(this.#fn, this.bars, this.physicalFunction !== null);
    return this.#registers;
  }

  /** A register as software reads it. `offset` a multiple of `size`. */
  readConfig(offset: number, size: 1 | 2 | 4): number {
    return this.registers.read(offset, size);
  }

  /** Software writes a register: read-only bits stay. Routing follows at once. */
  writeConfig(offset: number, size: 1 | 2 | 4, value: number): void {
    this.registers.write(offset, size, value);
    this.#fn = this.#fn.withFacts({ ...this.#fn.facts, config: this.registers.space });
    this.#decodeBars();
    this.#decode();
    this.bus.markStale();
  }

  /** Sets bits of the Command register. */
  enable(bits: number): void {
    this.writeConfig(COMMAND, 2, this.readConfig(COMMAND, 2) | bits);
  }

  /** Writes the ACS Control register. Bits that the capability does not offer stay 0. Asserts a capability. */
  setAcsControl(control: number): void {
    assert(this.registers.acs > 0, `${this.name} has an ACS capability`);
    this.writeConfig(this.registers.acs + 6, 2, control);
  }

  #decode(): void {
    const fn = this.#fn;
    const command = fn.command ?? 0;
    this.memorySpace = (command & COMMAND_MEMORY_SPACE) !== 0;
    this.busMaster = (command & COMMAND_BUS_MASTER) !== 0;
    const buses = fn.busNumbers;
    this.secondary = buses?.secondary ?? 0;
    this.subordinate = buses?.subordinate ?? 0;
    const memory = fn.memoryWindow;
    this.memoryStart = memory?.start ?? 0;
    this.memoryEnd = memory?.end ?? 0;
    const prefetchable = fn.prefetchableWindow;
    this.prefetchableStart = prefetchable?.start ?? 0;
    this.prefetchableEnd = prefetchable?.end ?? 0;
    const { acs, config, payload } = fn;
    this.acsControl = acs.state === 'present' ? acs.control & 0x7f : 0;
    const vector: number[] = [];
    if (acs.state === 'present' && acs.offset !== null) {
      const bits = acs.capability >>> 8 || 256;
      for (let word = 0; word * 32 < bits; word++) vector.push(config.u32(acs.offset + 8 + word * 4) ?? 0);
    }
    this.#egressVector = vector;
    // A Virtual Function has the sizes of its Physical Function. PCIe 9.3.5.4.
    const source = this.physicalFunction?.fn.payload ?? payload;
    this.maxPayload = source?.maxPayload ?? 128;
    this.maxReadRequest = source?.maxReadRequest ?? 512;
    const express = fn.expressOffset;
    const link = express ? (config.u32(express + 0x0c) ?? 0) : 0;
    this.egressNumber = this.isBridge ? link >>> 24 : fn.bdf.function;
  }

  /** BARs follow their registers from the first write on; until then they are where the capture says. */
  #decodeBars(): void {
    if (this.physicalFunction !== null) return;
    const { registers } = this;
    for (const bar of this.bars) {
      if (bar.fixed) continue;
      const low = registers.read(0x10 + bar.index * 4, 4);
      const high = bar.is64Bit ? registers.read(0x14 + bar.index * 4, 4) : 0;
      const start = addressFromWords(high, (low & ~0xf) >>> 0);
      // Firmware parks a BAR at 0, or sizes it with all ones: neither is a place.
      bar.start = start === null || start === 0 || start % bar.size !== 0 ? null : start;
    }
  }

  /** Whether its memory BARs decode. Those of a Virtual Function are enabled in the Physical Function. */
  get decodesMemory(): boolean {
    const owner = this.physicalFunction;
    if (owner === null) return this.memorySpace;
    const { registers } = owner;
    if (registers.sriov === 0) return owner.memorySpace;
    const control = registers.read(registers.sriov + 8, 2);
    return (control & VF_ENABLE) !== 0 && (control & VF_MEMORY_SPACE) !== 0;
  }

  /** Turns on what a driver of this function turns on: Memory Space and Bus Master Enable, of a Virtual Function its own. */
  prepare(): void {
    const owner = this.physicalFunction;
    if (owner === null) {
      this.enable(COMMAND_MEMORY_SPACE | COMMAND_BUS_MASTER);
      return;
    }
    this.enable(COMMAND_BUS_MASTER);
    const { sriov } = owner.registers;
    if (sriov > 0) owner.writeConfig(sriov + 8, 2, owner.readConfig(sriov + 8, 2) | VF_ENABLE | VF_MEMORY_SPACE);
    this.bus.markStale();
  }

  /** End of the open window that holds `address`, or 0. */
  windowEnd(address: number): number {
    if (!this.memorySpace) return 0;
    if (address >= this.memoryStart && address < this.memoryEnd) return this.memoryEnd;
    if (address >= this.prefetchableStart && address < this.prefetchableEnd) return this.prefetchableEnd;
    return 0;
  }

  /** Bytes from `address`, which is in no window and no BAR of this bridge, to the nearest one above it. */
  bytesToClaim(address: number): number {
    let bytes = Number.POSITIVE_INFINITY;
    if (!this.memorySpace) return bytes;
    if (this.memoryEnd > 0 && this.memoryStart > address) bytes = this.memoryStart - address;
    if (this.prefetchableEnd > 0 && this.prefetchableStart > address) {
      bytes = Math.min(bytes, this.prefetchableStart - address);
    }
    for (const { start } of this.bars) {
      if (start !== null && start > address) bytes = Math.min(bytes, start - address);
    }
    return bytes;
  }

  /** The enabled BAR that holds `address`, or null. */
  barAt(address: number): LiveBar | null {
    if (!this.decodesMemory) return null;
    for (const bar of this.bars) {
      if (bar.start !== null && address >= bar.start && address < bar.start + bar.size) return bar;
    }
    return null;
  }

  /** The memory BAR with that number, or null. */
  bar(index: number): LiveBar | null {
    for (const bar of this.bars) if (bar.index === index) return bar;
    return null;
  }

  /** Whether a bus number lies in [secondary, subordinate]. */
  leadsTo(bus: number): boolean {
    return bus >= this.secondary && bus <= this.subordinate;
  }

  /** Whether the egress control vector forbids a port or function number; false while Egress Control is off. */
  egressBit(number: number): boolean {
    if ((this.acsControl & ACS_EGRESS_CONTROL) === 0) return false;
    return (((this.#egressVector[number >>> 5] ?? 0) >>> (number & 31)) & 1) !== 0;
  }
}
