/**
 * The root complex: RAM, the IOMMU in front of it, and what it does with traffic from one root port to another, which the
 * specification leaves to the implementation (PCIe 1.3.1: peer-to-peer between hierarchies is optional).
 */

import { copyBytes } from '../core/bytes.ts';
import { joinRanges, type Range } from '../core/range.ts';
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
  #spanStart = 0;
  #spanEnd = 0;
  #spanIsRam = false;

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
    if (address < this.#spanStart || address >= this.#spanEnd) this.#findSpan(address);
    return this.#spanIsRam ? this.#spanEnd : 0;
  }

  /** Bytes from `address`, which is not RAM, to the next RAM; Infinity where there is none. */
  bytesToRam(address: number): number {
    if (address < this.#spanStart || address >= this.#spanEnd) this.#findSpan(address);
    return this.#spanEnd - address;
  }

  /** The stretch of RAM, or of what is not RAM, around an address. Transfers stay in one for long. */
  #findSpan(address: number): void {
    const ranges = this.ramRanges;
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ranges[middle] as Range).start > address) high = middle;
      else low = middle + 1;
    }
    // `low` is the first range that begins above the address.
    const before = low > 0 ? (ranges[low - 1] as Range) : null;
    this.#spanIsRam = before !== null && address < before.end;
    this.#spanStart = before === null ? 0 : this.#spanIsRam ? before.start : before.end;
    const next = low < ranges.length ? (ranges[low] as Range).start : Number.POSITIVE_INFINITY;
    this.#spanEnd = this.#spanIsRam ? (before as Range).end : next;
  }
}

/** What the behaviour `corrupt` makes of bytes: the low bit of every 64th flips, by place and not by chance. */
export function corrupted(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = copyBytes(bytes);
  for (let at = (64 - (offset & 63)) & 63; at < copy.length; at += 64) copy[at] = (copy[at] as number) ^ 1;
  return copy;
}
