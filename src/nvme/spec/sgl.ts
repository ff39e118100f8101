/**
 * Scatter Gather Lists. NVM Express Base Specification 1.4, 4.4.
 *
 * A descriptor is 16 bytes: address (8), length (4), reserved (3), and type (high nibble) with subtype (low nibble) in byte 15.
 */

import { getU32, getU64, putU32, putU64 } from './bytes.ts';

export const SGL_BYTES = 16;

/** Offsets in a descriptor. */
export const SGL = {
  ADDRESS: 0,
  LENGTH: 8,
  TYPE: 15,
} as const;

/** Descriptor types. */
export const SGL_TYPE = {
  DATA_BLOCK: 0x0,
  BIT_BUCKET: 0x1,
  SEGMENT: 0x2,
  LAST_SEGMENT: 0x3,
  KEYED_DATA_BLOCK: 0x4,
  TRANSPORT_DATA_BLOCK: 0x5,
  VENDOR: 0xf,
} as const;

/** Descriptor subtypes. */
export const SGL_SUBTYPE = {
  /** The address is an address. */
  ADDRESS: 0x0,
  /** The address is an offset: into a capsule over Fabrics; see `vendor.ts` for what we make of it over PCIe. */
  OFFSET: 0x1,
} as const;

/** Identify Controller SGLS. */
export const SGLS = {
  /** 0 none, 1 byte aligned, 2 dword aligned and granular. */
  SUPPORT: { shift: 0, width: 2 },
  BIT_BUCKET: { shift: 16, width: 1 },
  /** An SGL may describe more bytes than the command moves. */
  EXCESS_LENGTH: { shift: 18, width: 1 },
  /** The address field may be an offset. */
  OFFSET: { shift: 20, width: 1 },
} as const;

/** Type of the descriptor at `at`. */
export function sglType(bytes: Uint8Array, at: number): number {
  return (bytes[at + SGL.TYPE] as number) >>> 4;
}

/** Subtype of the descriptor at `at`. */
export function sglSubtype(bytes: Uint8Array, at: number): number {
  return (bytes[at + SGL.TYPE] as number) & 0xf;
}

/** Address field; 2^53 or more (and not exact) where it is no address. */
export function sglAddress(bytes: Uint8Array, at: number): number {
  return getU64(bytes, at + SGL.ADDRESS);
}

/** Length field, bytes. */
export function sglLength(bytes: Uint8Array, at: number): number {
  return getU32(bytes, at + SGL.LENGTH);
}

/** Writes one descriptor. `address` below 2^53, `lengthBytes` below 2^32. */
export function putSgl(
  bytes: Uint8Array,
  at: number,
  type: number,
  subtype: number,
  address: number,
  lengthBytes: number,
): void {
  putU64(bytes, at + SGL.ADDRESS, address);
  putU32(bytes, at + SGL.LENGTH, lengthBytes);
  putU32(bytes, at + 12, ((type << 28) | (subtype << 24)) >>> 0);
}
