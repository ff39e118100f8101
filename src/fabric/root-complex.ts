/**
 * The root complex: RAM, the IOMMU in front of it, and what it does with traffic from one root port to another, which the
 * specification leaves to the implementation (PCIe 1.3.1: peer-to-peer between hierarchies is optional).
 */

import { findRange, joinRanges, type Range } from '../core/range.ts';
import { claimsOn } from './bus.ts';
import { DecodeTable } from './decode-table.ts';
import type { IommuPort } from './iommu-port.ts';
import { SparseMemory } from './sparse-memory.ts';
import type { Topology } from './topology.ts';

/** What a root complex does with a request of one device that is meant for another. */
export type RootComplexBehaviour =
  | 'forward'
  /** Forwards where both ends are below one host bridge; answers Unsupported Request otherwise. */
  | 'sameHostBridgeOnly'
  | 'unsupportedRequest'
  /** The request vanishes. */
  | 'drop'
  /** Forwards, and bytes change on the way, which nobody reports. */
  | 'corrupt'
  /** Forwards writes; answers reads with Unsupported Request. */
  | 'writesOnly';

export class RootComplex {
  /** RAM by CPU address. */
  readonly ram: SparseMemory;
  /** CPU addresses, sorted, without overlaps. */
  readonly ramRanges: readonly Range[];
  readonly iommu: IommuPort | null;
  behaviour: RootComplexBehaviour;
  readonly #topology: Topology;
  #table: DecodeTable = DecodeTable.EMPTY;
  #lastRam: Range = { start: 0, end: 0 };

  constructor(topology: Topology, ram: readonly Range[], behaviour: RootComplexBehaviour, iommu: IommuPort | null) {
    this.#topology = topology;
    this.behaviour = behaviour;
    this.iommu = iommu;
    this.ramRanges = joinRanges(ram);
    this.ram = new SparseMemory(this.ramRanges[this.ramRanges.length - 1]?.end ?? 0);
  }

  /** Who claims which CPU address below the root buses. */
  get table(): DecodeTable {
    if (this.#topology.rootClaimsStale) {
      this.#table = new DecodeTable(
        this.#topology.rootBuses.flatMap(({ bus, busOffset }) => claimsOn(bus, -busOffset)),
      );
      this.#topology.rootClaimsStale = false;
    }
    return this.#table;
  }

  /** End of the RAM range that holds a CPU address, or 0. */
  ramEnd(address: number): number {
    const last = this.#lastRam;
    if (address >= last.start && address < last.end) return last.end;
    const found = this.ramRanges[findRange(this.ramRanges, address)];
    if (found === undefined) return 0;
    this.#lastRam = found;
    return found.end;
  }

  /** Bytes from `address`, which is not RAM, to the next RAM; Infinity where there is none. */
  bytesToRam(address: number): number {
    let low = 0;
    let high = this.ramRanges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ramRanges[middle] as Range).start > address) high = middle;
      else low = middle + 1;
    }
    const next = this.ramRanges[low];
    return next === undefined ? Number.POSITIVE_INFINITY : next.start - address;
  }
}
