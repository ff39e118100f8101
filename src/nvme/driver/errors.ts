/** Transfers and controllers that the driver refuses. What a controller answers is never an error but an outcome. */

import { P2pError } from '../../core/errors.ts';

export type NvmeErrorCode =
  /** Commands to a controller that was lost, or is not up. */
  | 'NVME_NOT_UP'
  /** The controller cannot work with 4 KiB pages. */
  | 'NVME_PAGE_SIZE'
  /** More queues or deeper ones than there are. */
  | 'NVME_QUEUE'
  | 'NVME_NAMESPACE'
  /** Not a whole number of blocks, or beyond the namespace. */
  | 'NVME_LENGTH'
  /** A segment of the own BARs that is not in the controller memory buffer. */
  | 'NVME_OUTSIDE_CMB'
  | 'NVME_RELATIVE_NOT_OFFERED'
  | 'NVME_SGL_NOT_OFFERED'
  /** Addresses that neither PRPs nor SGLs of this controller can say. */
  | 'NVME_ALIGNMENT'
  /** Commands would have to part in the middle of a block. */
  | 'NVME_CUT_IN_BLOCK'
  /** A piece into MMIO that the machine is known to lose. */
  | 'NVME_PIECE_GRANULE'
  /** A mapping that goes through a bounce buffer. */
  | 'NVME_BOUNCE';

export class NvmeError extends P2pError<NvmeErrorCode> {
  override readonly name: string = 'NvmeError';
}
