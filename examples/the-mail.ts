/**
 * The two sketches of the mail, as they run: what a submitting driver does, and what a mapping driver does.
 *
 * The submitter asks the distance once and chooses memory and flag by it. It knows three roads, not four: memory of the
 * mapping device itself is to it like memory of a peer below the same switch. Only the mapping driver finds case (c), while it
 * programs its engine.
 */

import {
  type BioVec,
  type BusAddr,
  BVEC_MAP_BUS_ADDR,
  BVEC_MAP_RESOURCE,
  type BvecList,
  type DmaDevice,
  type DmaDirection,
  type DmaMapping,
  type DmaSegment,
  dmaAddr,
  dmaMapBvec,
  type EngineTarget,
  type JudgeContext,
  mailDistance,
  type P2pMemory,
  PCI_P2PDMA_THRU_HOST_BRIDGE,
  type PciFunction,
  type PhysAddr,
  p2pdmaDistance,
  type RamAllocator,
  resolveOwnBar,
  TrustingFlags,
} from 'p2pdma';

/** What a submitter has at hand: the memory of a provider (or of none), regular memory, and somebody to ask. */
export interface Memories {
  readonly provider: P2pMemory | null;
  readonly ram: RamAllocator;
  readonly context: JudgeContext;
}

/** A vector, and why its memory is what it is. */
export interface Submitted {
  readonly vector: BioVec;
  /** The mail's `int`; null where no provider was asked. */
  readonly distance: number | null;
  readonly why: string;
}

/** The submitting driver: chooses memory for `length` bytes that `mapping` will transfer. */
export function submit(mapping: PciFunction, memories: Memories, length: number): Submitted {
  const { provider, ram, context } = memories;
  const dist = provider === null ? null : mailDistance(p2pdmaDistance(provider.provider, mapping, context));

  if (provider === null || dist === null || dist < 0) {
    const why = dist === null ? 'no provider' : `${provider?.provider.name} is not supported`;
    return { vector: regularMemory(ram, length), distance: dist, why };
  }
  if (dist & PCI_P2PDMA_THRU_HOST_BRIDGE) {
    const phys: PhysAddr | null = provider.allocPhys(length);
    if (phys === null) return exhausted(memories, dist, length);
    return {
      vector: { address: phys, length, flags: BVEC_MAP_RESOURCE },
      distance: dist,
      why: 'through the host bridge',
    };
  }
  const bus: BusAddr | null = provider.allocBusAddr(length);
  if (bus === null) return exhausted(memories, dist, length);
  return { vector: { address: bus, length, flags: BVEC_MAP_BUS_ADDR }, distance: dist, why: 'by bus address' };
}

/** The pool has nothing left: regular memory will do, and the caller is told. */
function exhausted({ provider, ram }: Memories, distance: number, length: number): Submitted {
  const why = `the pool of ${provider?.provider.name} has no ${length} bytes left: RAM instead`;
  return { vector: regularMemory(ram, length), distance, why };
}

function regularMemory(ram: RamAllocator, length: number): BioVec {
  const phys = ram.kmalloc(length);
  if (phys === null) throw new Error(`no ${length} bytes of RAM are left`);
  return { address: phys, length, flags: 0 };
}

/** A transfer as the engine is given it, with the vectors it covers. */
export interface Programmed {
  readonly target: EngineTarget;
  readonly length: number;
  readonly firstInput: number;
  readonly lastInput: number;
}

/**
 * The mapping driver: maps all vectors at once, then looks for its own BARs while it programs the engine. The flags decide: the
 * counters of `flags` stay at zero.
 */
export function map(
  device: DmaDevice,
  vectors: BvecList,
  direction: DmaDirection,
  mapping: DmaMapping,
  flags: TrustingFlags = new TrustingFlags(),
): Programmed[] {
  dmaMapBvec(device, vectors, direction, flags, mapping);
  resolveOwnBar(device.fn, mapping);

  return mapping.segments().map((segment) => ({
    target: target(segment),
    length: segment.length,
    firstInput: segment.firstInput,
    lastInput: segment.lastInput,
  }));
}

/** What the engine is given for a segment. */
function target(segment: DmaSegment): EngineTarget {
  switch (segment.space) {
    case 'bar': // case (c): nothing for the wire
      return { bar: segment.bar, offset: segment.offset };
    case 'bounce':
      throw new Error('RAM above the DMA mask goes through a bounce buffer, which this engine has not got');
    default: // (a), (b1): IOVA or physical; (b2): bus address
      return { address: dmaAddr(segment.address) };
  }
}
