/** Why a bio is not mapped. Nothing is mapped then. */

import { P2pError } from '../core/errors.ts';

export type MapErrorCode =
  | 'ZERO_LENGTH'
  | 'ADDRESS_OVERFLOW'
  /** Neither RAM nor a BAR. */
  | 'UNOWNED_ADDRESS'
  /** In or behind a BAR whose size is not known: the evidence does not tell whose it is. */
  | 'BAR_SIZE_UNKNOWN'
  /** Begins in one owner's range and ends outside it. */
  | 'RANGE_STRADDLES'
  /** The flag says one thing of the address, the machine another. */
  | 'FLAG_MISMATCH'
  | 'FLAGS_CONFLICT'
  /** A flagged vector where lookup or page decides. */
  | 'FLAG_NOT_USED'
  /** EREMOTEIO: the kernel does not let this pair do P2P. */
  | 'PAIR_NOT_SUPPORTED'
  /** EIO: the address is above the device's DMA mask, and nothing can bounce it. */
  | 'MASK_TOO_SMALL'
  /** ENODEV: the memory's provider was removed, or its BAR moved, since the vector was made. */
  | 'PROVIDER_GONE'
  /** ENOMEM. */
  | 'IOVA_EXHAUSTED'
  /** Neither of the three directions. */
  | 'DIRECTION_UNKNOWN'
  /** The device is not in the machine. */
  | 'DEVICE_UNKNOWN'
  /** Whether an IOMMU translates for the device is not known, and it matters. */
  | 'IOMMU_UNKNOWN'
  /** The evidence does not tell whether the pair may do P2P. */
  | 'PAIR_UNKNOWN'
  /** Limits that no device can have. */
  | 'LIMITS_INVALID'
  /** An unmap of something that is not mapped, or not so. */
  | 'NOT_MAPPED'
  /** EIO: a range of the two-step form that does not continue the one before, or leaves the allocation. */
  | 'LINK_INVALID'
  /** EIO: an untrusted device would see the rest of a granule, and nothing is bounced. */
  | 'UNTRUSTED_UNALIGNED';

/** The errno that Linux answers with, where it has one. */
const ERRNO: Partial<Record<MapErrorCode, string>> = {
  ZERO_LENGTH: 'EINVAL',
  ADDRESS_OVERFLOW: 'EINVAL',
  UNOWNED_ADDRESS: 'EINVAL',
  RANGE_STRADDLES: 'EINVAL',
  FLAG_MISMATCH: 'EINVAL',
  FLAGS_CONFLICT: 'EINVAL',
  FLAG_NOT_USED: 'EINVAL',
  DIRECTION_UNKNOWN: 'EINVAL',
  PAIR_NOT_SUPPORTED: 'EREMOTEIO',
  MASK_TOO_SMALL: 'EIO',
  PROVIDER_GONE: 'ENODEV',
  IOVA_EXHAUSTED: 'ENOMEM',
  LINK_INVALID: 'EIO',
  UNTRUSTED_UNALIGNED: 'EIO',
};

/** A mapping was refused. */
export class MapError extends P2pError<MapErrorCode> {
  override readonly name: string = 'MapError';

  /** `path` names the vector: `vectors[2]`. The errno follows from the code. */
  constructor(code: MapErrorCode, path: string, message: string, hint: string, cause?: unknown) {
    super({ code, path, message, hint, errno: ERRNO[code], cause });
  }
}
