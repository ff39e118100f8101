export type { Certificate } from './certified.ts';
export {
  Certifier,
  certificateKey,
  certificateWord,
  GENERATION_LIMIT,
  generationOf,
  readCertificate,
} from './certified.ts';
export type { Classified } from './classified.ts';
export { addressAt, KIND_BUS, KIND_RAM, KIND_RESOURCE, kindAt } from './classified.ts';
export type { Classifier, LookupCounters } from './classifier.ts';
export type { ClassifierName, ClassifierTables, ClassifyMode } from './classifier-for.ts';
export { CLASSIFY_MODES, classifierFor, classifierName } from './classifier-for.ts';
export { Certified } from './classify-certified.ts';
export { TrustingFlags } from './classify-flags.ts';
export { classifyByLookup, Lookup } from './classify-lookup.ts';
export { PageDescriptors } from './classify-page.ts';
export { Premapped, premap } from './classify-premapped.ts';
export { VerifiedFlags } from './classify-verified.ts';
export type { DmaDeviceOptions, MapRules, Swiotlb } from './device.ts';
export { DmaDevice } from './device.ts';
export type { DmaDirection } from './direction.ts';
export type { MapErrorCode } from './errors.ts';
export { MapError } from './errors.ts';
export type { DmaLimits } from './limits.ts';
export { DEFAULT_LIMITS, dmaLimits } from './limits.ts';
export type { MapOptions } from './map-bvec.ts';
export { classifyVectors, dmaMapBvec, dmaMapClassified, dmaUnmapBvec } from './map-bvec.ts';
export { dmaMapPage, dmaMapResource, dmaUnmapPage } from './map-page.ts';
export { DmaMapping, SPACE_BAR, SPACE_BOUNCE, SPACE_BUS, SPACE_IOVA, SPACE_PHYS } from './mapping.ts';
export type { BarOffset } from './own-bar.ts';
export { busAddrInBar, resolveOwnBar } from './own-bar.ts';
export { PairTypes } from './pair-types.ts';
export type { RangeRecord } from './range-table.ts';
export { RangeTable } from './range-table.ts';
export { reservedWindows } from './reserved-windows.ts';
export type { DmaSegment, EngineTarget, SegmentSpace } from './segment.ts';
export { engineTarget } from './segment.ts';
export type { IovaState, LinkRange } from './two-step.ts';
export { link, sync, tryAlloc, unlink } from './two-step.ts';
