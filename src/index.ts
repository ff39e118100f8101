/**
 * The front door: the names of the mail and what they need around them. Everything else is behind the subpaths: p2pdma/pcie,
 * p2pdma/machine, p2pdma/p2p, p2pdma/dma, p2pdma/iommu, p2pdma/fabric, ...
 */

export type { Bio, BioVec } from './block/index.ts';
export { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList, createBio } from './block/index.ts';
export { type Case, type CaseInput, openCase } from './case/index.ts';
export type { BusAddr, DmaAddr, Iova, PhysAddr } from './core/index.ts';
export { busAddr, dmaAddr, P2pError, Prng, physAddr } from './core/index.ts';
export type { BarOffset, DmaDirection, DmaSegment, EngineTarget, LookupCounters } from './dma/index.ts';
export {
  busAddrInBar,
  classifyByLookup,
  DmaDevice,
  DmaMapping,
  dmaMapBvec,
  dmaMapPage,
  dmaMapResource,
  dmaUnmapBvec,
  dmaUnmapPage,
  engineTarget,
  PairTypes,
  RangeTable,
  reservedWindows,
  resolveOwnBar,
  TrustingFlags,
  VerifiedFlags,
} from './dma/index.ts';
export { IommuDomain, IovaAllocator } from './iommu/index.ts';
export type { Machine } from './machine/index.ts';
export { iommuModeOf, RamAllocator, readMachine } from './machine/index.ts';
export type { PairVerdict } from './p2p/index.ts';
export {
  findProvider,
  JudgeContext,
  mailDistance,
  P2pMemory,
  PCI_P2PDMA_THRU_HOST_BRIDGE,
  Providers,
  p2pdmaDistance,
  policyForKernel,
} from './p2p/index.ts';
export { formatBdf, PciFunction, parseBdf } from './pcie/index.ts';
