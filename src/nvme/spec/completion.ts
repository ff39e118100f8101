/** The 16-byte completion queue entry. NVM Express Base Specification 1.4, 4.6. */

import { getU16, putU16, putU32 } from './bytes.ts';

/** Bytes of a completion queue entry, and the power of two that CC.IOCQES wants. */
export const CQE_BYTES = 16;
export const CQE_SHIFT = 4;

/** Offsets in a completion queue entry. Bit 0 of STATUS is the phase tag, bits 15:1 the status field. */
export const CQE = {
  RESULT: 0,
  SQHD: 8,
  SQID: 10,
  CID: 12,
  STATUS: 14,
} as const;

/** The phase tag: it flips each time the controller passes the end of the queue. */
export function cqePhase(bytes: Uint8Array, at: number): number {
  return (bytes[at + CQE.STATUS] as number) & 1;
}

/** The status field, 15 bits, without the phase tag: see `status.ts`. */
export function cqeStatus(bytes: Uint8Array, at: number): number {
  return getU16(bytes, at + CQE.STATUS) >>> 1;
}

/** Writes a whole entry. `status` is the 15-bit status field, `result` dword 0. */
export function putCqe(
  bytes: Uint8Array,
  at: number,
  result: number,
  sqHead: number,
  sqId: number,
  cid: number,
  status: number,
  phase: number,
): void {
  putU32(bytes, at + CQE.RESULT, result);
  putU32(bytes, at + 4, 0);
  putU16(bytes, at + CQE.SQHD, sqHead);
  putU16(bytes, at + CQE.SQID, sqId);
  putU16(bytes, at + CQE.CID, cid);
  putU16(bytes, at + CQE.STATUS, (status << 1) | phase);
}
