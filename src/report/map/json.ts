/** `p2pdma map --json`: the document of the contract. */

import { hex } from '../../core/hex.ts';
import type { ClassifyMode } from '../../dma/classifier-for.ts';
import type { DmaSegment, SegmentSpace } from '../../dma/segment.ts';
import type { IommuMode } from '../../machine/machine.ts';
import type { PolicyName } from '../../p2p/policy.ts';
import type { MappedBio, MappedVector, MapWarning } from '../../scenario/mapped-bio.ts';
import type { NvmePointers } from '../../scenario/nvme-pointers.ts';
import { type NvmeDocument, nvmeDocument } from './nvme.ts';

/** One output segment; `inputs` are the vectors in it, `bar` and `offset` of case (c) alone. */
export interface MapSegmentDocument {
  readonly space: SegmentSpace;
  /** Hex; left out for RAM that is copied through swiotlb. */
  readonly address?: string;
  readonly length: number;
  readonly inputs: readonly number[];
  readonly bar?: number;
  readonly offset?: number;
}

export interface MapDocument {
  readonly schemaVersion: 1;
  readonly command: 'map';
  readonly policy: PolicyName;
  readonly classify: ClassifyMode;
  readonly iommu: IommuMode | null;
  readonly granule: number;
  readonly iova: { readonly base: string; readonly size: number } | null;
  readonly vectors: readonly MappedVector[];
  readonly segments: readonly MapSegmentDocument[];
  readonly lookups: number;
  readonly warnings: readonly MapWarning[];
  /** What an NVMe driver would write, where it was asked for. */
  readonly nvme?: NvmeDocument;
}

/** One mapped bio as the contract has it. */
export function mapDocument(bio: MappedBio, policy: PolicyName, nvme: NvmePointers | null): MapDocument {
  return {
    schemaVersion: 1,
    command: 'map',
    policy,
    classify: bio.classify,
    iommu: bio.iommu,
    granule: bio.granule,
    iova: bio.iova === null ? null : { base: hex(bio.iova.base), size: bio.iova.size },
    vectors: bio.vectors,
    segments: bio.segments.map(segmentDocument),
    lookups: bio.lookups,
    warnings: bio.warnings,
    ...(nvme === null ? {} : { nvme: nvmeDocument(nvme) }),
  };
}

function segmentDocument(segment: DmaSegment): MapSegmentDocument {
  const { space, address, length, firstInput, lastInput } = segment;
  const inputs = Array.from({ length: lastInput - firstInput + 1 }, (_, index) => firstInput + index);
  return {
    space,
    ...(address === null ? {} : { address: hex(address) }),
    length,
    inputs,
    ...(segment.space === 'bar' ? { bar: segment.bar, offset: segment.offset } : {}),
  };
}
