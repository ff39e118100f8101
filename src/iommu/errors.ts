/** What the IOMMU's software side refuses. A fault of the IOMMU itself is a hardware outcome and a value: see `domain.ts`. */

import { P2pError } from '../core/errors.ts';

export type IommuErrorCode =
  /** A granule, limit, reserved range or level count that makes no sense. */
  | 'OPTIONS_INVALID'
  /** A length that is no whole number of bytes above 0, or larger than any address space. */
  | 'LENGTH_INVALID'
  /** `free` of an address that was handed out before and is free now. */
  | 'IOVA_ALREADY_FREE'
  /** `free` of an address that is no start of a live range: foreign, reserved, or inside a range. */
  | 'IOVA_NOT_ALLOCATED'
  /** `free` of a live range with another length than it was allocated with. */
  | 'IOVA_LENGTH_MISMATCH'
  /** An address or a length that is no multiple of the granule. */
  | 'UNALIGNED'
  /** An I/O virtual address behind the last one the page table can hold, or a physical one wider than an entry. */
  | 'OUT_OF_REACH'
  /** `map` over a page that is mapped. */
  | 'ALREADY_MAPPED'
  /** `unmap` of a page that is not mapped. */
  | 'NOT_MAPPED'
  /** A mapping that permits neither reads nor writes. */
  | 'PROTECTION_EMPTY'
  /** Every page set aside for page tables is in use. */
  | 'TABLES_EXHAUSTED';

/** A refusal of the allocator, of a domain or of the grouping. */
export class IommuError extends P2pError<IommuErrorCode> {
  override readonly name: string = 'IommuError';
}
