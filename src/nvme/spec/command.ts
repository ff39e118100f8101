/** The 64-byte submission queue entry and the commands used here. NVM Express Base Specification 1.4, 4.2, 5 and 6. */

/** Bytes of a submission queue entry, and the power of two that CC.IOSQES wants. */
export const SQE_BYTES = 64;
export const SQE_SHIFT = 6;

/**
 * Offsets in a submission queue entry.
 *
 *      0 OPC | FUSE, PSDT | CID        4 NSID       8 CDW2, CDW3      16 MPTR (8 bytes)
 *     24 DPTR (16 bytes: PRP1 and PRP2, or one SGL descriptor)        40 CDW10 ... 60 CDW15
 */
export const SQE = {
  OPC: 0,
  FLAGS: 1,
  CID: 2,
  NSID: 4,
  MPTR: 16,
  DPTR: 24,
  PRP1: 24,
  PRP2: 32,
  CDW10: 40,
  CDW11: 44,
  CDW12: 48,
  CDW13: 52,
  CDW14: 56,
  CDW15: 60,
} as const;

/** FUSE, bits 1:0 of the flags byte: 0 for a command that stands alone. */
export const FLAGS_FUSE_MASK = 0x03;
/** PSDT, bits 7:6 of the flags byte: what the data pointer holds. */
export const FLAGS_PSDT_SHIFT = 6;

export const PSDT = {
  /** PRP entries. */
  PRP: 0,
  /** An SGL; metadata in one contiguous buffer. */
  SGL: 1,
  /** An SGL; metadata in an SGL as well. */
  SGL_METADATA_SGL: 2,
} as const;

/** Admin opcodes. */
export const ADMIN = {
  DELETE_IO_SQ: 0x00,
  CREATE_IO_SQ: 0x01,
  GET_LOG_PAGE: 0x02,
  DELETE_IO_CQ: 0x04,
  CREATE_IO_CQ: 0x05,
  IDENTIFY: 0x06,
  ABORT: 0x08,
  SET_FEATURES: 0x09,
  GET_FEATURES: 0x0a,
  ASYNC_EVENT_REQUEST: 0x0c,
} as const;

/** NVM command set opcodes. */
export const NVM = {
  FLUSH: 0x00,
  WRITE: 0x01,
  READ: 0x02,
} as const;

/** Feature identifiers. */
export const FEATURE = {
  ARBITRATION: 0x01,
  POWER_MANAGEMENT: 0x02,
  TEMPERATURE_THRESHOLD: 0x04,
  ERROR_RECOVERY: 0x05,
  VOLATILE_WRITE_CACHE: 0x06,
  NUMBER_OF_QUEUES: 0x07,
  INTERRUPT_COALESCING: 0x08,
  INTERRUPT_VECTOR: 0x09,
  WRITE_ATOMICITY: 0x0a,
  ASYNC_EVENT: 0x0b,
} as const;

/** Create I/O queue, CDW11: the queue is physically contiguous. 5.3, 5.4. */
export const QUEUE_CONTIGUOUS = 0x1;
/** Create I/O Completion Queue, CDW11: interrupts enabled. 5.3. */
export const QUEUE_INTERRUPTS = 0x2;

/** A namespace identifier that means all namespaces. 6.1. */
export const NSID_ALL = 0xffffffff;
