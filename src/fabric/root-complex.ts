/**
 * The root complex: RAM, the IOMMU in front of it, and what it does with traffic from one root port to another, which the
 * specification leaves to the implementation (PCIe 1.3.1: peer-to-peer between hierarchies is optional).
 */

import { assert } from '../core/assert.ts';
import { joinRanges, type Range } from '../core/range.ts';
import { DecodeTable } from './decode-table.ts';
import type { IommuPort } from './iommu-port.ts';
import { SparseMemory } from './sparse-memory.ts';
import { claimsOn, type Topology } from './topology.ts';

/** What a root complex does with a request that is meant for a device. */
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
    const last = this.ramRanges[this.ramRanges.length - 1];
    assert(this.ramRanges.length === 0 || (this.ramRanges[0] as Range).start >= 0, 'RAM begins at address 0 or above');
    this.ram = new SparseMemory(last?.end ?? 0);
    this.refresh();
  }

  /** Who claims which CPU address below the root buses. */
  get table(): DecodeTable {
    for (const { bus } of this.#topology.rootBuses) {
      if (bus.stale) {
        this.refresh();
        break;
      }
    }
    return this.#table;
  }

  refresh(): void {
    const claims = this.#topology.rootBuses.flatMap(({ bus, busOffset }) => {
      bus.stale = false;
      return claimsOn(bus, -busOffset);
    });
    this.#table = new DecodeTable(claims);
  }

  /** End of the RAM range that holds a CPU address, or 0. */
  ramEnd(address: number): number {
    const last = this.#lastRam;
    if (address >= last.start && address < last.end) return last.end;
    for (const range of this.ramRanges) {
      if (address >= range.start && address < range.end) {
        this.#lastRam = range;
        return range.end;
      }
    }
    return 0;
  }

  /** Bytes from `address`, which is not RAM, to the next RAM. */
  bytesToRam(address: number): number {
    for (const range of this.ramRanges) if (range.start > address) return range.start - address;
    return Number.POSITIVE_INFINITY;
  }
}
