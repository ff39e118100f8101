/**
 * The few words of NVMe that the envelope's self-test speaks: registers of the controller memory buffer and the admin queues, and
 * the Identify command. NVM Express Base Specification 1.4, 3.1 (registers), 4.2 and 4.6 (queue entries), 5.15 (Identify). The
 * driver speaks all of it (src/nvme), and knows nothing of QEMU; this knows nothing of drivers.
 */

/** Offsets in BAR 0. 64-bit registers are two dwords, low first. */
export const NVME = {
  CAP_HIGH: 0x04,
  CC: 0x14,
  CSTS: 0x1c,
  AQA: 0x24,
  ASQ: 0x28,
  ACQ: 0x30,
  CMBLOC: 0x38,
  CMBSZ: 0x3c,
  CMBMSC: 0x50,
  /** Tail of admin submission queue 0, with doorbells one dword apart (CAP.DSTRD 0). */
  ADMIN_TAIL: 0x1000,
} as const;

/** CAP.CMBS in the upper half: the buffer is switched on by CMBMSC. */
export const CAP_HIGH_CMBS: number = 2 ** 25;
/** CMBMSC.CRE: CMBLOC and CMBSZ tell the truth. CMBMSC.CMSE: the buffer answers at CBA. */
export const CMBMSC_CRE = 1;
export const CMBMSC_CMSE = 2;
/** Entries of 64 and 16 bytes, pages of 4 KiB, enabled. */
export const CC_ENABLED = 0x00460001;
export const CSTS_READY = 1;

const SUBMISSION_BYTES = 64;
/** Bytes of a completion queue entry. */
export const COMPLETION_BYTES = 16;
/** Bytes that Identify Controller returns. Its first two are the PCI vendor. */
export const IDENTIFY_BYTES = 4096;
const OPCODE_IDENTIFY = 6;
const CNS_CONTROLLER = 1;

/** Identify Controller with two data pointers, as a submission queue entry. */
export function identifyEntry(commandId: number, prp1: number, prp2: number): Uint8Array {
  const entry = new Uint8Array(SUBMISSION_BYTES);
  const view = new DataView(entry.buffer);
  view.setUint32(0, OPCODE_IDENTIFY | (commandId << 16), true);
  view.setBigUint64(24, BigInt(prp1), true);
  view.setBigUint64(32, BigInt(prp2), true);
  view.setUint32(40, CNS_CONTROLLER, true);
  return entry;
}

/** Phase bit and status (code and type, without DNR) in the last dword of a completion queue entry. */
export function completionOf(dword3: number): { readonly phase: number; readonly status: number } {
  return { phase: (dword3 >>> 16) & 1, status: (dword3 >>> 17) & 0x7ff };
}
