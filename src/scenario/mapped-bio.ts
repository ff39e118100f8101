/** A mapped bio as `p2pdma map` reports it: what each vector is, the segments, and what the kernel let pass. */

import type { ClassifyMode } from '../dma/classifier-for.ts';
import type { DmaSegment } from '../dma/segment.ts';
import type { IommuMode } from '../machine/machine.ts';
import type { MailCase } from '../p2p/verdict.ts';
import type { PciFunction } from '../pcie/pci-function.ts';

export interface MapWarning {
  readonly code:
    | 'BUS_ADDRESS_ABOVE_MASK'
    | 'INPUT_ABOVE_SEGMENT_SIZE'
    | 'SEGMENT_ABOVE_SIZE'
    | 'SEGMENT_CROSSES_BOUNDARY'
    | 'RAM_AND_MMIO_MERGED'
    | 'BAR_NOT_DECODED';
  /** Vectors concerned. */
  readonly inputs: readonly number[];
  readonly message: string;
}

export interface MappedVector {
  readonly input: number;
  readonly case: MailCase;
  readonly owner: string | null;
  readonly bar?: number;
  readonly offset?: number;
}

export interface MappedBio {
  readonly device: PciFunction;
  readonly classify: ClassifyMode;
  readonly iommu: IommuMode | null;
  readonly granule: number;
  readonly iova: { readonly base: number; readonly size: number } | null;
  readonly vectors: readonly MappedVector[];
  readonly segments: readonly DmaSegment[];
  /** Vectors that were looked up to be classified; by the submitter, where he maps first. Verifying flags is not counted. */
  readonly lookups: number;
  readonly warnings: readonly MapWarning[];
}
