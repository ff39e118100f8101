/** Identify data structures, 4096 bytes each. NVM Express Base Specification 1.4, 5.15. */

export const IDENTIFY_BYTES = 4096;

/** Controller or Namespace Structure, CDW10 bits 7:0. */
export const CNS = {
  NAMESPACE: 0x00,
  CONTROLLER: 0x01,
  ACTIVE_NAMESPACES: 0x02,
  NAMESPACE_DESCRIPTORS: 0x03,
} as const;

/** Offsets in the Identify Controller data structure. */
export const IDENTIFY_CONTROLLER = {
  VID: 0,
  SSVID: 2,
  SN: 4,
  MN: 24,
  FR: 64,
  /** Maximum Data Transfer Size: 2^MDTS pages of the minimum size; 0 is no limit. */
  MDTS: 77,
  CNTLID: 78,
  VER: 80,
  /** Controller Type: 1 is an I/O controller. */
  CNTRLTYPE: 111,
  OACS: 256,
  ACL: 258,
  /** Asynchronous Event Request Limit, 0's based. */
  AERL: 259,
  SQES: 512,
  CQES: 513,
  /** Number of Namespaces. */
  NN: 516,
  ONCS: 520,
  VWC: 525,
  /** SGL Support, see `sgl.ts`. */
  SGLS: 536,
  /** NVM Subsystem NVMe Qualified Name. */
  SUBNQN: 768,
  /** Vendor specific, 1024 bytes. */
  VENDOR: 3072,
} as const;

/** Lengths of the text fields above. */
export const SERIAL_BYTES = 20;
export const MODEL_BYTES = 40;
export const FIRMWARE_BYTES = 8;
export const SUBNQN_BYTES = 256;

/** Offsets in the Identify Namespace data structure. */
export const IDENTIFY_NAMESPACE = {
  /** Namespace Size, in blocks. */
  NSZE: 0,
  NCAP: 8,
  NUSE: 16,
  /** Number of LBA formats, 0's based. */
  NLBAF: 25,
  /** Formatted LBA size: bits 3:0 index the formats. */
  FLBAS: 26,
  /** LBA formats, 4 bytes each: 15:0 metadata size, 23:16 LBADS (block size as a power of two). */
  LBAF0: 128,
} as const;
