/** `p2pdma map --json`: the document of the contract. */

import { hex } from '../../core/hex.ts';
import type { DmaSegment } from '../../dma/mapping.ts';
import type { PolicyName } from '../../p2p/policy.ts';
import type { MappedBio } from '../../scenario/mapped-bio.ts';

/** One mapped bio as the contract has it. */
export function mapDocument(bio: MappedBio, policy: PolicyName): object {
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
  };
}

function segmentDocument(segment: DmaSegment): object {
  const { space, address, length, firstInput, lastInput, bar, offset } = segment;
  const inputs = Array.from({ length: lastInput - firstInput + 1 }, (_, index) => firstInput + index);
  return {
    space,
    ...(address === null ? {} : { address: hex(address) }),
    length,
    inputs,
    ...(bar === undefined ? {} : { bar, offset }),
  };
}
