/** Registers and table entries of VT-d, as far as a host without interrupt remapping needs them. VT-d specification 9 and 10. */

/** Where QEMU has its one remapping unit, as a DMAR table would tell. */
export const VTD_BASE = 0xfed90000;
export const VTD_BYTES = 0x1000;

export const VTD = {
  VERSION: 0x00,
  CAPABILITY: 0x08,
  EXTENDED_CAPABILITY: 0x10,
  GLOBAL_COMMAND: 0x18,
  GLOBAL_STATUS: 0x1c,
  ROOT_TABLE: 0x20,
  CONTEXT_COMMAND: 0x28,
  FAULT_STATUS: 0x34,
} as const;

/** GLOBAL_COMMAND and GLOBAL_STATUS: the same places for the command and for its echo. */
export const TRANSLATION_ENABLE: number = 0x80000000;
export const SET_ROOT_TABLE: number = 0x40000000;

/** CONTEXT_COMMAND, high word: invalidate, all of them. */
export const CONTEXT_INVALIDATE_ALL: number = 0x80000000 + 0x20000000;

/** IOTLB register, high word: invalidate; granularity domain or page; with both kinds of drain. Domain in bits 15:0. */
export const IOTLB_INVALIDATE = 0x80000000;
export const IOTLB_GLOBAL = 0x10000000;
export const IOTLB_PAGES = 0x30000000;

/** FAULT_STATUS: overflow and pending. Write ones to clear. */
export const FAULT_OVERFLOW = 0x1;
export const FAULT_PENDING = 0x2;

/** Context entry: present, and what is done with requests. */
export const CONTEXT_PRESENT = 1;
export const CONTEXT_TRANSLATE: number = 0 << 2;
export const CONTEXT_PASS_THROUGH: number = 2 << 2;

export const ENTRIES_PER_TABLE = 256;
export const ENTRY_BYTES = 16;

/** Bit fields of CAPABILITY's two words that are asked for. */
export function faultRecordOffset(capabilityLow: number): number {
  // FRO, bits 33:24, in units of 16 bytes: the upper two bits are in the other word and zero on QEMU.
  return (capabilityLow >>> 24) * 16;
}

/** IRO of EXTENDED_CAPABILITY, bits 17:8, in units of 16 bytes: the address register; the command register is behind it. */
export function iotlbOffset(extendedLow: number): number {
  return ((extendedLow >>> 8) & 0x3ff) * 16;
}

/** SAGAW, bits 12:8 of CAPABILITY: bit 1 is 3 levels (39 bits), bit 2 is 4 levels (48 bits). */
export function supportsLevels(capabilityLow: number, levels: number): boolean {
  return ((capabilityLow >>> 8) & (1 << (levels - 2))) !== 0;
}

/** AW of a context entry. */
export function addressWidth(levels: number): number {
  return levels - 2;
}

/** A fault record's second half in words: high has F (31), T (30) and the reason (7:0), low has the requester (15:0). */
export interface FaultRecord {
  readonly requester: number;
  readonly isRead: boolean;
  readonly code: number;
}

export function decodeFault(high: number, low: number): FaultRecord | null {
  if (high >>> 31 === 0) return null;
  return { requester: low & 0xffff, isRead: ((high >>> 30) & 1) === 1, code: high & 0xff };
}
