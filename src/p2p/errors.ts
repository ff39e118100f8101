import { P2pError } from '../core/errors.ts';

/** Why a request about provider memory is refused, with the errno of Linux where it has one. */
const ERRNO = {
  /** The BAR is not there or is not memory space. */
  BAR_NOT_MEMORY: 'EINVAL',
  /** The evidence lacks the BAR's size or one of its addresses, or the BAR is not assigned. */
  BAR_UNKNOWN: undefined,
  /** The offset is not inside the BAR. */
  OFFSET_BEYOND_BAR: 'EINVAL',
  /** Offset and size reach behind the BAR. */
  RANGE_BEYOND_BAR: 'EINVAL',
  /** The range does not begin and end at a page of 4 KiB. */
  PAGE_GRANULE: 'EINVAL',
  /** Design `page`: the range does not begin and end at 2 MiB, the granule of memory hot-plug. */
  HOTPLUG_GRANULE: 'EINVAL',
  /** A byte of the range would have an address that is none: below 0, or 2^53 and above. */
  ADDRESS_BEYOND_LIMIT: 'EINVAL',
  /** The range shares a byte with one registered before. */
  RANGE_OVERLAPS: 'ENOMEM',
  /** A length that is no whole number of bytes. */
  LENGTH_INVALID: 'EINVAL',
  /** The address belongs to no range of this provider. The kernel stops with BUG, as in the next three. */
  FOREIGN_ADDRESS: 'EINVAL',
  /** No allocation begins at the address. */
  NOT_ALLOCATED: 'EINVAL',
  /** The allocation was freed before. */
  DOUBLE_FREE: 'EINVAL',
  /** The length is not the one that was asked for. */
  FREE_SIZE_MISMATCH: 'EINVAL',
  /** A transfer is still under way in the allocation. */
  DMA_IN_FLIGHT: 'EBUSY',
  /** More transfers ended than began. */
  DMA_NOT_IN_FLIGHT: 'EINVAL',
  /** The provider is being removed or gone, or another took its place. */
  PROVIDER_GONE: 'ENODEV',
  /** Removal cannot end, for there are allocations or transfers; the kernel waits here. */
  REMOVAL_BLOCKED: 'EBUSY',
  /** The function has memory in the registry already. */
  ALREADY_PROVIDED: 'EEXIST',
  /** A private mapping of provider memory. */
  MAPPING_PRIVATE: 'EINVAL',
  /** A mapping that does not begin at offset 0. */
  MAPPING_OFFSET: 'EINVAL',
  /** A mapping of no bytes, or of a length that is no number of bytes. */
  MAPPING_LENGTH: 'EINVAL',
  /** No chunk has room for the mapping. */
  POOL_EXHAUSTED: 'ENOMEM',
  /** A page that the mapping does not hold any more. */
  PAGE_NOT_MAPPED: 'EFAULT',
} as const;

export type ProviderErrorCode = keyof typeof ERRNO;

/** A request about provider memory was refused; nothing changed. */
export class ProviderError extends P2pError<ProviderErrorCode> {
  override readonly name: string = 'ProviderError';

  /** `path` names the function, and the BAR where there is one: `0000:03:00.0/bar4`. The errno follows from the code. */
  constructor(code: ProviderErrorCode, path: string, message: string, hint: string) {
    super({ code, path, message, hint, errno: ERRNO[code] });
  }
}

/** A pair that cannot be judged as it was asked for. */
export class JudgeError extends P2pError<'FUNCTION_FOREIGN'> {
  override readonly name: string = 'JudgeError';
}
