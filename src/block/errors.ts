/** What the block layer refuses. */

import { P2pError } from '../core/errors.ts';

export type BlockErrorCode =
  /** A vector of no bytes. */
  | 'ZERO_LENGTH'
  /** A vector whose bytes do not all have an address below 2^53. */
  | 'ADDRESS_OVERFLOW'
  /** `BVEC_MAP_RESOURCE` and `BVEC_MAP_BUS_ADDR` at once: one address cannot be read both ways. */
  | 'FLAGS_CONFLICT'
  /** A length that no 32-bit field holds, a bit that is no flag, or a sector that is none. */
  | 'VECTOR_INVALID'
  /** A flagged vector in a bio that does not announce peer-to-peer memory. */
  | 'P2P_NOT_ANNOUNCED'
  /** A bio that may contain peer-to-peer memory, and a queue without the feature. */
  | 'QUEUE_WITHOUT_P2P'
  /** Limits that contradict themselves, or under which not one sector could pass. */
  | 'LIMITS_INVALID'
  /** Neither a read nor a write. */
  | 'OPERATION_UNKNOWN'
  /** A split outside a bio, or at one of its ends. */
  | 'SPLIT_OUT_OF_RANGE'
  /** Bios that are no single request: different operations, or sectors that do not follow each other. */
  | 'REQUEST_INVALID';

/** A refusal of the block layer; nothing was submitted or changed. */
export class BlockError extends P2pError<BlockErrorCode> {
  override readonly name: string = 'BlockError';
}
