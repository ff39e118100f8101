/** What an IOMMU is told of a range, and what it answers to an access. */

import type { Iova, PhysAddr } from '../core/address.ts';

/** What a device may do with a mapped range. */
export interface Protection {
  /** The device may read: `DMA_TO_DEVICE`, `DMA_BIDIRECTIONAL`. */
  readonly read: boolean;
  /** The device may write: `DMA_FROM_DEVICE`, `DMA_BIDIRECTIONAL`. */
  readonly write: boolean;
  /** The target is no RAM (`IOMMU_MMIO`). Kept with each page; says nothing about who may. */
  readonly mmio: boolean;
}

/** What the IOMMU answers to an access: an address, or a fault. Both are outcomes, neither is an error. */
export type Translation =
  | {
      readonly phys: PhysAddr;
      readonly mmio: boolean;
      /** Bytes of the leaf that maps the address: 4 KiB, 2 MiB or 1 GiB. */
      readonly leafBytes: number;
    }
  | IommuFault;

/** A blocked access (VT-d specification 7.1): nothing present, or no right to read or to write. */
export interface IommuFault {
  readonly fault: 'not-mapped' | 'no-read' | 'no-write';
  readonly iova: Iova;
  readonly access: 'read' | 'write';
}

/** What a cache of translations asks when it holds none: the page table of one domain. */
export interface Translator {
  /** What the table says to an access of one byte. */
  translate(iova: Iova, access: 'read' | 'write'): Translation;
  /** The rights of the page that holds `iova`; none where nothing is mapped. */
  rightsAt(iova: Iova): Protection;
}
