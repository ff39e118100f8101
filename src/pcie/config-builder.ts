/**
 * Writes configuration spaces: header, Express capability, ACS, AER, SR-IOV, as a function that firmware has set up would show
 * them. The counterpart of the decoders in this folder; a test reads back what it wrote. PCIe Base Specification, 7.5 to 7.7.
 */

import { wordsOf } from '../core/address.ts';
import { assert } from '../core/assert.ts';
import type { BridgeWindow } from './bridge-window.ts';
import { CAP_PCI_EXPRESS, EXT_CAP_ACS, EXT_CAP_AER, EXT_CAP_SRIOV } from './capability.ts';
import { ConfigSpace } from './config-space.ts';
import { PORT_TYPES, type PortType, SPEEDS_GTS } from './express.ts';
import * as reg from './registers.ts';

export interface HeaderFields {
  readonly vendorId: number;
  readonly deviceId: number;
  /** 24 bits: base class, sub-class, programming interface. */
  readonly classCode: number;
  readonly command: number;
  readonly multiFunction: boolean;
}

export interface BarFields {
  /** 0 to 5; a 64-bit BAR takes the next register too. */
  readonly index: number;
  readonly busAddress: number;
  readonly is64Bit: boolean;
  readonly prefetchable: boolean;
}

export interface ExpressFields {
  readonly portType: PortType;
  /** Trained speed in GT/s and lanes; null for a function without a link. */
  readonly link: { readonly speedGts: number; readonly width: number } | null;
  /** Bytes: 128 to 4096. */
  readonly maxPayload: number;
  readonly maxReadRequest: number;
  /** Port Number of Link Capabilities, 0 to 255: the bit of an egress control vector that means this port. */
  readonly portNumber: number;
}

export interface BridgeFields {
  readonly primary: number;
  readonly secondary: number;
  readonly subordinate: number;
  /** null: closed. */
  readonly memoryWindow: BridgeWindow | null;
  readonly prefetchableWindow: BridgeWindow | null;
}

export interface AcsFields {
  readonly capability: number;
  readonly control: number;
  /** Bit n of word n/32 forbids egress to port (or function) n. */
  readonly egressVector: readonly number[];
}

export interface SriovFields {
  readonly totalVfs: number;
  readonly numVfs: number;
  readonly vfOffset: number;
  readonly vfStride: number;
  readonly vfDeviceId: number;
  readonly bars: readonly BarFields[];
}

export class ConfigBuilder {
  readonly #bytes = new Uint8Array(4096);
  readonly #view = new DataView(this.#bytes.buffer);
  #lastCapability = 0;
  #nextCapability = 0x40;
  #lastExtended = 0;
  #nextExtended = 0x100;

  constructor(header: HeaderFields, layout: 0 | 1) {
    this.u16(reg.VENDOR_ID, header.vendorId);
    this.u16(reg.DEVICE_ID, header.deviceId);
    this.u16(reg.COMMAND, header.command);
    this.u32(reg.REVISION_ID, header.classCode * 256);
    this.#bytes[reg.HEADER_TYPE] = layout | (header.multiFunction ? 0x80 : 0);
  }

  u16(offset: number, value: number): void {
    this.#view.setUint16(offset, value, true);
  }

  u32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  /** Base Address Register(s) from offset `at` on: the header's, or those of an SR-IOV capability. */
  bar(bar: BarFields, at: number = reg.BAR0): void {
    const { high, low } = wordsOf(bar.busAddress);
    assert(bar.is64Bit || high === 0, `a 32-bit BAR at ${bar.busAddress}`);
    const offset = at + bar.index * 4;
    this.u32(offset, low + (bar.is64Bit ? 4 : 0) + (bar.prefetchable ? 8 : 0));
    if (bar.is64Bit) this.u32(offset + 4, high);
  }

  /** The registers of a type 1 header. */
  bridge(fields: BridgeFields): void {
    this.#bytes[reg.PRIMARY_BUS] = fields.primary;
    this.#bytes[reg.SECONDARY_BUS] = fields.secondary;
    this.#bytes[reg.SUBORDINATE_BUS] = fields.subordinate;
    const memory = fields.memoryWindow ?? { start: 0xfff00000, end: 0x100000 };
    this.u16(reg.MEMORY_BASE, wordsOf(memory.start).low >>> 16);
    this.u16(reg.MEMORY_BASE + 2, (wordsOf(memory.end - 1).low >>> 16) & 0xfff0);
    const prefetchable = fields.prefetchableWindow ?? { start: 0xfff00000, end: 0x100000 };
    this.u16(reg.PREFETCHABLE_BASE, (wordsOf(prefetchable.start).low >>> 16) | 1);
    this.u16(reg.PREFETCHABLE_BASE + 2, ((wordsOf(prefetchable.end - 1).low >>> 16) & 0xfff0) | 1);
    this.u32(reg.PREFETCHABLE_BASE_UPPER, wordsOf(prefetchable.start).high);
    this.u32(reg.PREFETCHABLE_LIMIT_UPPER, wordsOf(prefetchable.end - 1).high);
    // I/O space is not modelled by any consumer: its window stays closed (base F0h above limit 00h).
    this.u16(reg.IO_BASE, 0x00f0);
  }

  express(fields: ExpressFields): void {
    const at = this.#capability(CAP_PCI_EXPRESS, 0x3c);
    this.u16(at + 2, 2 | (PORT_TYPES.indexOf(fields.portType) << 4));
    const payload = Math.log2(fields.maxPayload / 128);
    // Extended Tag and the largest payload are supported; what is in use stands in Device Control.
    this.u32(at + 4, 0x8025);
    this.u16(at + 8, (payload << 5) | (Math.log2(fields.maxReadRequest / 128) << 12));
    if (fields.link === null) return;
    const speed = SPEEDS_GTS.indexOf(fields.link.speedGts);
    const isPort = fields.portType === 'rootPort' || fields.portType === 'downstreamPort';
    this.u32(at + 0x0c, speed + fields.link.width * 16 + (isPort ? 0x100000 : 0) + fields.portNumber * 2 ** 24);
    this.u16(at + 0x12, speed | (fields.link.width << 4) | (isPort ? 0x2000 : 0));
  }

  acs(fields: AcsFields): void {
    const vectorBits = fields.egressVector.length * 32;
    const at = this.#extended(EXT_CAP_ACS, 1, 8 + fields.egressVector.length * 4);
    this.u16(at + 4, fields.capability | ((vectorBits & 0xff) << 8));
    this.u16(at + 6, fields.control);
    fields.egressVector.forEach((word, index) => {
      this.u32(at + 8 + index * 4, word);
    });
  }

  /** Advanced Error Reporting with the severities that the specification has as defaults. */
  aer(): void {
    const at = this.#extended(EXT_CAP_AER, 2, 0x48);
    this.u32(at + 0x0c, 0x00462030);
  }

  sriov(fields: SriovFields): void {
    const at = this.#extended(EXT_CAP_SRIOV, 1, 0x40);
    this.u16(at + 8, fields.numVfs > 0 ? 0x0009 : 0);
    this.u16(at + 0x0c, fields.totalVfs);
    this.u16(at + 0x0e, fields.totalVfs);
    this.u16(at + 0x10, fields.numVfs);
    this.u16(at + 0x14, fields.vfOffset);
    this.u16(at + 0x16, fields.vfStride);
    this.u16(at + 0x1a, fields.vfDeviceId);
    // 4 KiB pages only.
    this.u32(at + 0x1c, 1);
    this.u32(at + 0x20, 1);
    for (const bar of fields.bars) this.bar(bar, at + 0x24);
  }

  build(): ConfigSpace {
    return new ConfigSpace(this.#bytes.slice());
  }

  #capability(id: number, length: number): number {
    const at = this.#nextCapability;
    assert(at + length <= 0x100, 'the capabilities fit in 256 bytes');
    this.#bytes[at] = id;
    if (this.#lastCapability === 0) {
      this.#bytes[reg.CAPABILITIES_POINTER] = at;
      this.u16(reg.STATUS, reg.STATUS_CAPABILITIES_LIST);
    } else this.#bytes[this.#lastCapability + 1] = at;
    this.#lastCapability = at;
    this.#nextCapability = (at + length + 3) & ~3;
    return at;
  }

  #extended(id: number, version: number, length: number): number {
    const at = this.#nextExtended;
    assert(at + length <= 0x1000, 'the extended capabilities fit in 4096 bytes');
    this.u32(at, id | (version << 16));
    if (this.#lastExtended !== 0) {
      const header = this.#view.getUint32(this.#lastExtended, true);
      this.u32(this.#lastExtended, header + at * 2 ** 20);
    }
    this.#lastExtended = at;
    this.#nextExtended = (at + length + 3) & ~3;
    return at;
  }
}
