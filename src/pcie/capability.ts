/**
 * Capability lists: conventional (PCIe 7.5.3, pointer at 34h, 8-bit links) and extended (7.6.3, from 100h, 12-bit links).
 * Both walks are bounded: a list that loops, points into the header or reads as all ones ends there and says so.
 */

import type { ConfigSpace } from './config-space.ts';
import {
  CAPABILITIES_POINTER,
  CARDBUS_CAPABILITIES_POINTER,
  HEADER_TYPE,
  STATUS,
  STATUS_CAPABILITIES_LIST,
} from './registers.ts';

export interface Capability {
  readonly id: number;
  /** Offset of its first register in the configuration space. */
  readonly offset: number;
  /** Extended capabilities carry a version, conventional ones do not. */
  readonly version: number | null;
  readonly extended: boolean;
}

/** How a walk ended. `unknown`: it ran into bytes that the source does not hold. */
export type WalkEnd = 'complete' | 'unknown' | 'loop' | 'outOfRange' | 'allOnes';

export interface CapabilityList {
  readonly entries: readonly Capability[];
  readonly end: WalkEnd;
}

const NOTHING: CapabilityList = { entries: [], end: 'complete' };
const NOTHING_KNOWN: CapabilityList = { entries: [], end: 'unknown' };

/** The conventional list. Empty and `complete` where Status says that there is none. */
export function conventionalCapabilities(config: ConfigSpace): CapabilityList {
  const status = config.u16(STATUS);
  const headerType = config.u8(HEADER_TYPE);
  if (status === undefined || headerType === undefined) return NOTHING_KNOWN;
  if ((status & STATUS_CAPABILITIES_LIST) === 0) return NOTHING;
  const pointer = (headerType & 0x7f) === 2 ? CARDBUS_CAPABILITIES_POINTER : CAPABILITIES_POINTER;
  const entries: Capability[] = [];
  const seen = new Set<number>();
  let offset = config.u8(pointer);
  while (offset !== undefined) {
    offset &= 0xfc;
    if (offset === 0) return { entries, end: 'complete' };
    if (offset < 0x40) return { entries, end: 'outOfRange' };
    if (seen.has(offset)) return { entries, end: 'loop' };
    seen.add(offset);
    const id = config.u8(offset);
    if (id === undefined) break;
    if (id === 0xff) return { entries, end: 'allOnes' };
    entries.push({ id, offset, version: null, extended: false });
    offset = config.u8(offset + 1);
  }
  return { entries, end: 'unknown' };
}

/** The extended list. Empty and `complete` where 100h reads zero or all ones, as it does where there is no such space. */
export function extendedCapabilities(config: ConfigSpace): CapabilityList {
  const entries: Capability[] = [];
  const seen = new Set<number>();
  let offset = 0x100;
  for (;;) {
    const header = config.u32(offset);
    if (header === undefined) return { entries, end: 'unknown' };
    if (header === 0) return { entries, end: 'complete' };
    if (header === 0xffffffff) return { entries, end: offset === 0x100 ? 'complete' : 'allOnes' };
    seen.add(offset);
    entries.push({ id: header & 0xffff, offset, version: (header >>> 16) & 0xf, extended: true });
    const next = (header >>> 20) & 0xffc;
    if (next === 0) return { entries, end: 'complete' };
    if (next < 0x100) return { entries, end: 'outOfRange' };
    if (seen.has(next)) return { entries, end: 'loop' };
    offset = next;
  }
}

/**
 * Offset of one conventional capability without building the list: 0 if it is not there (or the list is damaged before
 * it), undefined if the bytes that would tell are not known.
 */
export function findCapability(config: ConfigSpace, id: number): number | undefined {
  const status = config.u16(STATUS);
  const headerType = config.u8(HEADER_TYPE);
  if (status === undefined || headerType === undefined) return undefined;
  if ((status & STATUS_CAPABILITIES_LIST) === 0) return 0;
  let offset = config.u8((headerType & 0x7f) === 2 ? CARDBUS_CAPABILITIES_POINTER : CAPABILITIES_POINTER);
  // 0x40 to 0xfc in steps of at least 4 bytes: a longer walk is a loop.
  for (let steps = 0; steps < 48; steps++) {
    if (offset === undefined) return undefined;
    offset &= 0xfc;
    if (offset < 0x40) return 0;
    const found = config.u8(offset);
    if (found === undefined) return undefined;
    if (found === id) return offset;
    if (found === 0xff) return 0;
    offset = config.u8(offset + 1);
  }
  return 0;
}

/**
 * Offset of one extended capability without building the list: 0 if it is not there, undefined if the bytes that would
 * tell are not known.
 */
export function findExtendedCapability(config: ConfigSpace, id: number): number | undefined {
  let offset = 0x100;
  // 0x100 to 0xffc in steps of at least 8 bytes: a longer walk is a loop.
  for (let steps = 0; steps < 480; steps++) {
    const header = config.u32(offset);
    if (header === undefined) return undefined;
    if (header === 0 || header === 0xffffffff) return 0;
    if ((header & 0xffff) === id) return offset;
    offset = (header >>> 20) & 0xffc;
    if (offset < 0x100) return 0;
  }
  return 0;
}

/** Conventional capability IDs. PCI Code and ID Assignment Specification, section 2. */
export const CAP_PCI_EXPRESS = 0x10;
/** Extended capability IDs. PCI Code and ID Assignment Specification, section 3. */
export const EXT_CAP_AER = 0x0001;
export const EXT_CAP_ACS = 0x000d;
export const EXT_CAP_ATS = 0x000f;
export const EXT_CAP_SRIOV = 0x0010;
export const EXT_CAP_REBAR = 0x0015;
export const EXT_CAP_VF_REBAR = 0x0024;

const CONVENTIONAL_NAMES: Readonly<Record<number, string>> = {
  1: 'Power Management',
  2: 'AGP',
  3: 'Vital Product Data',
  4: 'Slot Identification',
  5: 'MSI',
  6: 'CompactPCI Hot Swap',
  7: 'PCI-X',
  8: 'HyperTransport',
  9: 'Vendor Specific',
  10: 'Debug Port',
  11: 'CompactPCI Central Resource Control',
  12: 'Hot-Plug',
  13: 'Bridge Subsystem Vendor ID',
  14: 'AGP 8x',
  15: 'Secure Device',
  16: 'PCI Express',
  17: 'MSI-X',
  18: 'SATA Configuration',
  19: 'Advanced Features',
  20: 'Enhanced Allocation',
  21: 'Flattening Portal Bridge',
};

const EXTENDED_NAMES: Readonly<Record<number, string>> = {
  1: 'Advanced Error Reporting',
  2: 'Virtual Channel',
  3: 'Device Serial Number',
  4: 'Power Budgeting',
  5: 'Root Complex Link Declaration',
  6: 'Root Complex Internal Link Control',
  7: 'Root Complex Event Collector',
  8: 'Multi-Function Virtual Channel',
  9: 'Virtual Channel (MFVC)',
  10: 'Root Complex Register Block',
  11: 'Vendor Specific',
  12: 'Configuration Access Correlation',
  13: 'Access Control Services',
  14: 'Alternative Routing-ID Interpretation',
  15: 'Address Translation Service',
  16: 'Single Root I/O Virtualization',
  17: 'Multi Root I/O Virtualization',
  18: 'Multicast',
  19: 'Page Request Interface',
  21: 'Resizable BAR',
  22: 'Dynamic Power Allocation',
  23: 'TPH Requester',
  24: 'Latency Tolerance Reporting',
  25: 'Secondary PCI Express',
  26: 'Protocol Multiplexing',
  27: 'Process Address Space ID',
  28: 'LN Requester',
  29: 'Downstream Port Containment',
  30: 'L1 PM Substates',
  31: 'Precision Time Measurement',
  32: 'M-PCIe',
  33: 'FRS Queueing',
  34: 'Readiness Time Reporting',
  35: 'Designated Vendor-Specific',
  36: 'VF Resizable BAR',
  37: 'Data Link Feature',
  38: 'Physical Layer 16.0 GT/s',
  39: 'Lane Margining at the Receiver',
  40: 'Hierarchy ID',
  41: 'Native PCIe Enclosure Management',
  42: 'Physical Layer 32.0 GT/s',
  43: 'Alternate Protocol',
  44: 'System Firmware Intermediary',
  45: 'Shadow Functions',
  46: 'Data Object Exchange',
  47: 'Device 3',
  48: 'Integrity and Data Encryption',
  49: 'Physical Layer 64.0 GT/s',
  50: 'Flit Logging',
};

/** The specification's name of a capability, or its number where we know none. */
export function capabilityName(capability: Pick<Capability, 'id' | 'extended'>): string {
  const names = capability.extended ? EXTENDED_NAMES : CONVENTIONAL_NAMES;
  return names[capability.id] ?? `capability ${capability.id.toString(16)}h`;
}
