export type { Bio, BioFields, BioOperation } from './bio.ts';
export { createBio, diskEnd, diskStart, SECTOR_BYTES } from './bio.ts';
export type { BioVec } from './bio-vec.ts';
export { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList, checkBioVec } from './bio-vec.ts';
export {
  CERTIFIED_BUS,
  CERTIFIED_NOTHING,
  CERTIFIED_RAM,
  CERTIFIED_RESOURCE,
  certifiedType,
  certifiesP2p,
  joinedCertificate,
} from './certificate.ts';
export type { BlockErrorCode } from './errors.ts';
export { BlockError } from './errors.ts';
export type { MergeDecision, MergeObstacle, MergeRules, OwnerOf, VectorKind } from './merge.ts';
export {
  mayAddVector,
  mayJoinVectors,
  mayMergeBio,
  mergeBios,
  segmentsOf,
  uniformLists,
  vectorKind,
} from './merge.ts';
export type { Queue, QueueFeatures, QueueLimits } from './queue-limits.ts';
export { DEFAULT_LIMITS, queueLimits } from './queue-limits.ts';
export type { Request } from './request.ts';
export { requestFromBios, requestVectors } from './request.ts';
export { cutVectors, gapBetween, joinBios, segmentBytes, splitBio, splitToLimits } from './split.ts';
export type { IsP2p } from './submit.ts';
export { checkSubmission, saysP2p, submitBio } from './submit.ts';
