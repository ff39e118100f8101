/**
 * The configuration space of a live function: its bytes, which bits software may write, and which it clears by writing ones.
 * BAR sizing falls out of the masks: ones written to a BAR read back as its size. PCIe Base Specification, 7.5 to 7.8, 9.3.
 */

import { wordsOf } from '../core/address.ts';
import { assert } from '../core/assert.ts';
import {
  CAP_PCI_EXPRESS,
  conventionalCapabilities,
  EXT_CAP_ACS,
  EXT_CAP_AER,
  EXT_CAP_SRIOV,
  findExtendedCapability,
} from '../pcie/capability.ts';
import { ConfigBuilder } from '../pcie/config-builder.ts';
import { ConfigSpace } from '../pcie/config-space.ts';
import type { PciFunction } from '../pcie/pci-function.ts';

/** [offset, bytes, writable bits]; the offset is relative to the header or the capability. */
type Rule = readonly [offset: number, bytes: 1 | 2 | 4, bits: number];

const HEADER_WRITABLE: readonly Rule[] = [
  [0x04, 2, 0x0547],
  [0x0c, 1, 0xff],
  [0x3c, 1, 0xff],
];
const HEADER_CLEARS: readonly Rule[] = [[0x06, 2, 0xf900]];
/** A Virtual Function has only its Bus Master Enable. PCIe 9.3.4.1.3. */
const VIRTUAL_WRITABLE: readonly Rule[] = [[0x04, 2, 0x0004]];
const BRIDGE_WRITABLE: readonly Rule[] = [
  [0x18, 4, 0x00ffffff],
  [0x1c, 2, 0xf0f0],
  [0x20, 4, 0xfff0fff0],
  [0x24, 4, 0xfff0fff0],
  [0x28, 4, 0xffffffff],
  [0x2c, 4, 0xffffffff],
  [0x30, 4, 0xffffffff],
  [0x3e, 2, 0x0fff],
];
const BRIDGE_CLEARS: readonly Rule[] = [[0x1e, 2, 0xf900]];
/** Device, Link, Slot and Root Control. A reset by Initiate Function Level Reset is not modelled: the bit stays 0. */
const EXPRESS_WRITABLE: readonly Rule[] = [
  [0x08, 2, 0x7fff],
  [0x10, 2, 0x0fff],
  [0x18, 2, 0x1fff],
  [0x1c, 2, 0x001f],
  [0x28, 2, 0xffff],
];
const EXPRESS_CLEARS: readonly Rule[] = [[0x0a, 2, 0x000f]];
const AER_WRITABLE: readonly Rule[] = [
  [0x08, 4, 0xfffff030],
  [0x0c, 4, 0xfffff030],
  [0x14, 4, 0x0000f1c1],
];
const AER_CLEARS: readonly Rule[] = [
  [0x04, 4, 0xfffff030],
  [0x10, 4, 0x0000f1c1],
];
const SRIOV_WRITABLE: readonly Rule[] = [
  [0x08, 2, 0x001f],
  [0x10, 2, 0xffff],
];

/** What the registers need to know of a BAR. */
export interface BarSlot {
  readonly index: number;
  readonly size: number;
  readonly is64Bit: boolean;
  /** Not in this register, whatever software writes. */
  readonly fixed: boolean;
  /** Bus address; null where it has none. */
  readonly start: number | null;
}

export class ConfigRegisters {
  readonly #bytes: Uint8Array;
  readonly #writable = new Uint8Array(4096);
  readonly #clears = new Uint8Array(4096);
  readonly #known: Uint8Array;
  readonly #length: number;
  /** Offsets of the capabilities, 0 where there is none. */
  readonly acs: number;
  readonly aer: number;
  readonly sriov: number;
  readonly express: number;

  /**
   * @param fn - gives the bytes; where a capture holds no registers, a space is written that says what it does hold
   * @param virtual - a Virtual Function: its BARs and most of its Command register are not there
   */
  constructor(fn: PciFunction, bars: readonly BarSlot[], virtual: boolean) {
    const source = fn.config.length >= 64 ? fn.config : synthesize(fn);
    this.#length = source.length;
    this.#bytes = new Uint8Array(4096);
    this.#bytes.set(source.bytes);
    this.#known = Uint8Array.from({ length: Math.ceil(source.length / 16) }, (_, row) =>
      source.knows(row * 16, 16) ? 1 : 0,
    );
    this.acs = findExtendedCapability(source, EXT_CAP_ACS) ?? 0;
    this.aer = findExtendedCapability(source, EXT_CAP_AER) ?? 0;
    this.sriov = findExtendedCapability(source, EXT_CAP_SRIOV) ?? 0;
    const capabilities = conventionalCapabilities(source).entries;
    this.express = capabilities.find((entry) => entry.id === CAP_PCI_EXPRESS)?.offset ?? 0;
    if (virtual) this.#allow(0, VIRTUAL_WRITABLE);
    else {
      this.#allow(0, HEADER_WRITABLE);
      for (const bar of bars) if (!bar.fixed) this.#allowBar(0x10 + bar.index * 4, bar);
    }
    this.#clear(0, HEADER_CLEARS);
    if (fn.isBridge) {
      this.#allow(0, BRIDGE_WRITABLE);
      this.#clear(0, BRIDGE_CLEARS);
    }
    if (this.express) {
      this.#allow(this.express, EXPRESS_WRITABLE);
      this.#clear(this.express, EXPRESS_CLEARS);
    }
    if (this.aer) {
      this.#allow(this.aer, AER_WRITABLE);
      this.#clear(this.aer, AER_CLEARS);
    }
    if (this.sriov) this.#allow(this.sriov, SRIOV_WRITABLE);
    if (this.acs) this.#allowAcs(source);
  }

  /** The space as it stands; it follows later writes. */
  get space(): ConfigSpace {
    return new ConfigSpace(this.#bytes.subarray(0, this.#length), this.#known);
  }

  /** The register of `size` bytes at `offset`; what lies behind the captured bytes reads 0, as a capability that is not there. */
  read(offset: number, size: 1 | 2 | 4): number {
    assertAccess(offset, size);
    let value = 0;
    for (let at = size - 1; at >= 0; at--) value = value * 256 + (this.#bytes[offset + at] as number);
    return value;
  }

  /** A write by software. */
  write(offset: number, size: 1 | 2 | 4, value: number): void {
    assertAccess(offset, size);
    for (let at = 0; at < size; at++) {
      const byte = (value >>> (at * 8)) & 0xff;
      const old = this.#bytes[offset + at] as number;
      const writable = this.#writable[offset + at] as number;
      const cleared = byte & (this.#clears[offset + at] as number);
      this.#bytes[offset + at] = ((old & ~writable) | (byte & writable)) & ~cleared;
    }
  }

  /** Hardware sets a register of 32 bits, whatever software may do. */
  put32(offset: number, value: number): void {
    for (let at = 0; at < 4; at++) this.#bytes[offset + at] = (value >>> (at * 8)) & 0xff;
  }

  /** Hardware sets bits of a 16-bit register. */
  set16(offset: number, bits: number): void {
    this.#bytes[offset] = (this.#bytes[offset] as number) | (bits & 0xff);
    this.#bytes[offset + 1] = (this.#bytes[offset + 1] as number) | (bits >>> 8);
  }

  #allow(base: number, rules: readonly Rule[]): void {
    for (const rule of rules) mark(this.#writable, base, rule);
  }

  #clear(base: number, rules: readonly Rule[]): void {
    for (const rule of rules) mark(this.#clears, base, rule);
  }

  #allowBar(offset: number, bar: BarSlot): void {
    // -size is the mask of the address bits; of a BAR of 4 GiB or more the low half is all zeros.
    const low = bar.size >= 2 ** 32 ? 0 : (~(bar.size - 1) & ~0xf) >>> 0;
    mark(this.#writable, offset, [0, 4, low]);
    if (bar.start !== null) this.#placeBar(offset, bar, bar.start);
    if (!bar.is64Bit) return;
    const units = bar.size / 2 ** 32;
    mark(this.#writable, offset + 4, [0, 4, units <= 1 ? 0xffffffff : ~(units - 1) >>> 0]);
  }

  /** The kernel's resources win over a register that was captured while the function slept. */
  #placeBar(offset: number, bar: BarSlot, start: number): void {
    const { high, low } = wordsOf(start);
    this.put32(offset, low | (this.read(offset, 4) & 0xf));
    if (bar.is64Bit) this.put32(offset + 4, high);
  }

  #allowAcs(source: ConfigSpace): void {
    const capability = source.u16(this.acs + 4) ?? 0;
    mark(this.#writable, this.acs, [6, 2, capability & 0x7f]);
    if ((capability & 0x20) === 0) return;
    const bits = capability >>> 8 || 256;
    for (let word = 0; word * 32 < bits; word++) mark(this.#writable, this.acs, [8 + word * 4, 4, 0xffffffff]);
  }
}

function mark(masks: Uint8Array, base: number, [offset, bytes, bits]: Rule): void {
  for (let at = 0; at < bytes; at++) masks[base + offset + at] = (bits >>> (at * 8)) & 0xff;
}

function assertAccess(offset: number, size: number): void {
  assert(
    offset >= 0 && offset % size === 0 && offset + size <= 4096,
    `a configuration access of ${size} bytes at ${offset}`,
  );
}

/** A space that says what text or sysfs told of a function whose registers nobody captured. */
function synthesize(fn: PciFunction): ConfigSpace {
  const header = {
    vendorId: fn.vendorId ?? 0xffff,
    deviceId: fn.deviceId ?? 0xffff,
    classCode: (fn.classCode ?? 0) * 256 + (fn.progIf ?? 0),
    command: fn.command ?? 0,
    multiFunction: fn.multiFunction ?? false,
  };
  const config = new ConfigBuilder(header, fn.isBridge ? 1 : 0);
  for (const bar of fn.bars) {
    const { busAddress, is64Bit, space } = bar;
    if (space !== 'memory' || busAddress === null || (!is64Bit && busAddress >= 2 ** 32)) continue;
    config.bar({ ...bar, busAddress });
  }
  const buses = fn.busNumbers;
  if (fn.isBridge) {
    config.bridge({
      primary: buses?.primary ?? 0,
      secondary: buses?.secondary ?? 0,
      subordinate: buses?.subordinate ?? 0,
      memoryWindow: fn.memoryWindow ?? null,
      prefetchableWindow: fn.prefetchableWindow ?? null,
    });
  }
  const { portType } = fn;
  if (portType !== null && portType !== 'conventional') {
    const speedGts = fn.link?.speedGts || fn.link?.maxSpeedGts || 8;
    config.express({
      portType,
      link: fn.link ? { speedGts, width: fn.link.width || fn.link.maxWidth || 4 } : null,
      maxPayload: fn.payload?.maxPayload ?? 128,
      maxReadRequest: fn.payload?.maxReadRequest ?? 512,
      portNumber: 0,
    });
  }
  if (fn.acs.state === 'present')
    config.acs({ capability: fn.acs.capability & 0x7f, control: fn.acs.control, egressVector: [] });
  return config.build();
}
