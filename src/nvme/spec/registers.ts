/**
 * Controller registers: where they lie, what may be done to them, and their fields.
 * NVM Express Base Specification 1.4, 3.1. CMBEBS and CMBSWTP came with 2.0.
 */

/** What host software may do to a register. `W1S`/`W1C`: a one written sets or clears the bit that is read back. */
export type RegisterAccess = 'RO' | 'RW' | 'W1S' | 'W1C' | 'WO';

export interface Register {
  readonly offset: number;
  /** Bytes. */
  readonly size: 4 | 8;
  readonly access: RegisterAccess;
  /** The specification's full name. */
  readonly title: string;
}

/** Every register up to the doorbells, by the name that the specification gives it. */
export const REGISTERS = {
  CAP: { offset: 0x000, size: 8, access: 'RO', title: 'Controller Capabilities' },
  VS: { offset: 0x008, size: 4, access: 'RO', title: 'Version' },
  INTMS: { offset: 0x00c, size: 4, access: 'W1S', title: 'Interrupt Mask Set' },
  INTMC: { offset: 0x010, size: 4, access: 'W1C', title: 'Interrupt Mask Clear' },
  CC: { offset: 0x014, size: 4, access: 'RW', title: 'Controller Configuration' },
  CSTS: { offset: 0x01c, size: 4, access: 'RO', title: 'Controller Status' },
  NSSR: { offset: 0x020, size: 4, access: 'WO', title: 'NVM Subsystem Reset' },
  AQA: { offset: 0x024, size: 4, access: 'RW', title: 'Admin Queue Attributes' },
  ASQ: { offset: 0x028, size: 8, access: 'RW', title: 'Admin Submission Queue Base Address' },
  ACQ: { offset: 0x030, size: 8, access: 'RW', title: 'Admin Completion Queue Base Address' },
  CMBLOC: { offset: 0x038, size: 4, access: 'RO', title: 'Controller Memory Buffer Location' },
  CMBSZ: { offset: 0x03c, size: 4, access: 'RO', title: 'Controller Memory Buffer Size' },
  CMBMSC: { offset: 0x050, size: 8, access: 'RW', title: 'Controller Memory Buffer Memory Space Control' },
  CMBSTS: { offset: 0x058, size: 4, access: 'RO', title: 'Controller Memory Buffer Status' },
  CMBEBS: { offset: 0x05c, size: 4, access: 'RO', title: 'Controller Memory Buffer Elasticity Buffer Size' },
  CMBSWTP: { offset: 0x060, size: 4, access: 'RO', title: 'Controller Memory Buffer Sustained Write Throughput' },
  PMRCAP: { offset: 0xe00, size: 4, access: 'RO', title: 'Persistent Memory Region Capabilities' },
  PMRCTL: { offset: 0xe04, size: 4, access: 'RW', title: 'Persistent Memory Region Control' },
  PMRSTS: { offset: 0xe08, size: 4, access: 'RO', title: 'Persistent Memory Region Status' },
  PMRMSCL: { offset: 0xe14, size: 4, access: 'RW', title: 'Persistent Memory Region Memory Space Control Lower' },
  PMRMSCU: { offset: 0xe18, size: 4, access: 'RW', title: 'Persistent Memory Region Memory Space Control Upper' },
} as const;

/** Fields of CAP; those above bit 31 lie in the dword at 04h. */
export const CAP = {
  /** Maximum Queue Entries Supported, 0's based. */
  MQES: { offset: 0x00, shift: 0, width: 16 },
  /** Contiguous Queues Required. */
  CQR: { offset: 0x00, shift: 16, width: 1 },
  AMS: { offset: 0x00, shift: 17, width: 2 },
  /** Timeout, in units of 500 ms. */
  TO: { offset: 0x00, shift: 24, width: 8 },
  /** Doorbell Stride: 2^(2 + DSTRD) bytes. */
  DSTRD: { offset: 0x04, shift: 0, width: 4 },
  NSSRS: { offset: 0x04, shift: 4, width: 1 },
  /** Command Sets Supported; bit 0 is the NVM command set. */
  CSS: { offset: 0x04, shift: 5, width: 8 },
  /** Memory Page Size Minimum: 2^(12 + MPSMIN) bytes. */
  MPSMIN: { offset: 0x04, shift: 16, width: 4 },
  /** Memory Page Size Maximum: 2^(12 + MPSMAX) bytes. */
  MPSMAX: { offset: 0x04, shift: 20, width: 4 },
  /** Persistent Memory Region Supported. */
  PMRS: { offset: 0x04, shift: 24, width: 1 },
  /** Controller Memory Buffer Supported, which here means: to be enabled by CMBMSC (1.4 and later). */
  CMBS: { offset: 0x04, shift: 25, width: 1 },
} as const;

/** Fields of CC. */
export const CC = {
  EN: { offset: 0x14, shift: 0, width: 1 },
  /** I/O Command Set Selected. */
  CSS: { offset: 0x14, shift: 4, width: 3 },
  /** Memory Page Size: 2^(12 + MPS) bytes. */
  MPS: { offset: 0x14, shift: 7, width: 4 },
  /** Arbitration Mechanism Selected. */
  AMS: { offset: 0x14, shift: 11, width: 3 },
  /** Shutdown Notification: 1 normal, 2 abrupt. */
  SHN: { offset: 0x14, shift: 14, width: 2 },
  /** I/O Submission Queue Entry Size, as a power of two. */
  IOSQES: { offset: 0x14, shift: 16, width: 4 },
  /** I/O Completion Queue Entry Size, as a power of two. */
  IOCQES: { offset: 0x14, shift: 20, width: 4 },
} as const;

/** Fields of CSTS. */
export const CSTS = {
  RDY: { offset: 0x1c, shift: 0, width: 1 },
  /** Controller Fatal Status. */
  CFS: { offset: 0x1c, shift: 1, width: 1 },
  /** Shutdown Status: 0 normal operation, 1 in progress, 2 complete. */
  SHST: { offset: 0x1c, shift: 2, width: 2 },
} as const;

/** Fields of AQA. Both sizes are 0's based. */
export const AQA = {
  ASQS: { offset: 0x24, shift: 0, width: 12 },
  ACQS: { offset: 0x24, shift: 16, width: 12 },
} as const;

/** Fields of CMBLOC. */
export const CMBLOC = {
  /** Base Indicator Register: 0, 2, 3, 4 or 5. */
  BIR: { offset: 0x38, shift: 0, width: 3 },
  /** Queue Mixed Memory Support: one queue may lie partly in the buffer. */
  CQMMS: { offset: 0x38, shift: 3, width: 1 },
  /** Queue Physically Discontiguous Support. */
  CQPDS: { offset: 0x38, shift: 4, width: 1 },
  /** Data Pointer Mixed Locations Support: the memory that holds one command's PRP list or SGL may be in both places. */
  CDPMLS: { offset: 0x38, shift: 5, width: 1 },
  /** Data Pointer and Command Independent Locations Support: lists in the buffer, command outside. */
  CDPCILS: { offset: 0x38, shift: 6, width: 1 },
  /** Data Metadata Mixed Memory Support: the data of one command may be in both places. */
  CDMMMS: { offset: 0x38, shift: 7, width: 1 },
  /** Queue Dword Alignment. */
  CQDA: { offset: 0x38, shift: 8, width: 1 },
  /** Offset in the BAR, in units of CMBSZ.SZU. */
  OFST: { offset: 0x38, shift: 12, width: 20 },
} as const;

/** Fields of CMBSZ. */
export const CMBSZ = {
  /** Submission Queue Support. */
  SQS: { offset: 0x3c, shift: 0, width: 1 },
  /** Completion Queue Support. */
  CQS: { offset: 0x3c, shift: 1, width: 1 },
  /** PRP and SGL List Support. */
  LISTS: { offset: 0x3c, shift: 2, width: 1 },
  /** Read Data Support: data that the controller sends to the host. */
  RDS: { offset: 0x3c, shift: 3, width: 1 },
  /** Write Data Support: data that the host sends to the controller. */
  WDS: { offset: 0x3c, shift: 4, width: 1 },
  /** Size Units: 4 KiB * 16^SZU, up to 6 (64 GiB). */
  SZU: { offset: 0x3c, shift: 8, width: 4 },
  /** Size, in units of SZU. */
  SZ: { offset: 0x3c, shift: 12, width: 20 },
} as const;

/** Fields of CMBMSC. CBA takes bits 63:12: CBA_LOW in the dword at 50h, the whole dword at 54h above it. */
export const CMBMSC = {
  /** Capabilities Registers Enabled: CMBLOC and CMBSZ tell the truth. */
  CRE: { offset: 0x50, shift: 0, width: 1 },
  /** Controller Memory Space Enable: the controller recognises [CBA, CBA + size). */
  CMSE: { offset: 0x50, shift: 1, width: 1 },
  CBA_LOW: { offset: 0x50, shift: 12, width: 20 },
  CBA_HIGH: { offset: 0x54, shift: 0, width: 32 },
} as const;

/** Fields of CMBSTS. */
export const CMBSTS = {
  /** Controller Base Address Invalid: CBA + size - 1 does not fit 64 bits. */
  CBAI: { offset: 0x58, shift: 0, width: 1 },
} as const;

/** Fields of PMRCAP. */
export const PMRCAP = {
  RDS: { offset: 0xe00, shift: 3, width: 1 },
  WDS: { offset: 0xe00, shift: 4, width: 1 },
  BIR: { offset: 0xe00, shift: 5, width: 3 },
  /** Time Units: 0 = 500 ms, 1 = minutes. */
  PMRTU: { offset: 0xe00, shift: 8, width: 2 },
  /** Write Barrier Mechanisms. */
  PMRWBM: { offset: 0xe00, shift: 10, width: 4 },
  /** Timeout. */
  PMRTO: { offset: 0xe00, shift: 16, width: 8 },
  /** Controller Memory Space Supported. */
  CMSS: { offset: 0xe00, shift: 24, width: 1 },
} as const;

/** Fields of PMRCTL. */
export const PMRCTL = {
  EN: { offset: 0xe04, shift: 0, width: 1 },
} as const;

/** Fields of PMRSTS. */
export const PMRSTS = {
  ERR: { offset: 0xe08, shift: 0, width: 8 },
  /** Not Ready. */
  NRDY: { offset: 0xe08, shift: 8, width: 1 },
  /** Health Status. */
  HSTS: { offset: 0xe08, shift: 9, width: 3 },
  /** Controller Base Address Invalid. */
  CBAI: { offset: 0xe08, shift: 12, width: 1 },
} as const;

/** Fields of PMRMSCL; PMRMSCU holds bits 63:32 of the base address. */
export const PMRMSC = {
  CMSE: { offset: 0xe14, shift: 1, width: 1 },
  CBA_LOW: { offset: 0xe14, shift: 12, width: 20 },
  CBA_HIGH: { offset: 0xe18, shift: 0, width: 32 },
} as const;

/** Where the doorbells begin. */
export const DOORBELLS = 0x1000;

/** Offset of the Submission Queue Tail doorbell of queue `queueId`; `stride` is CAP.DSTRD. */
export function submissionDoorbell(queueId: number, stride: number): number {
  return DOORBELLS + 2 * queueId * (4 << stride);
}

/** Offset of the Completion Queue Head doorbell of queue `queueId`; `stride` is CAP.DSTRD. */
export function completionDoorbell(queueId: number, stride: number): number {
  return DOORBELLS + (2 * queueId + 1) * (4 << stride);
}

/** Largest CMBSZ.SZU: units of 64 GiB. */
export const CMB_LARGEST_UNIT = 6;

/** Bytes of one unit of CMBSZ.SZU: 4 KiB, 64 KiB, 1 MiB, 16 MiB, 256 MiB, 4 GiB, 64 GiB. */
export function cmbUnitBytes(szu: number): number {
  return 4096 * 16 ** szu;
}

/** `major.minor.tertiary` of a VS register. */
export function formatVersion(vs: number): string {
  return `${vs >>> 16}.${(vs >>> 8) & 0xff}.${vs & 0xff}`;
}
