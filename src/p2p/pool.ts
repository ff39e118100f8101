/**
 * The pool behind one provider: chunks of BAR memory in granules of 4 KiB. First fit from the first granule of a chunk, the
 * chunk added last is searched first, and no allocation spans chunks. Linux: genalloc as p2pdma uses it.
 */

import type { BusAddr, PhysAddr } from '../core/address.ts';
import { addBytes, pageIndex } from '../core/address.ts';
import { hex } from '../core/hex.ts';
import { rangeContains } from '../core/range.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { ProviderError } from './errors.ts';
import { GranuleMap } from './granule-map.ts';

/** Bytes of a granule: a page. */
export const P2P_GRANULE = 4096;

/** Provider memory that somebody holds: one allocation, two views of its address. */
export interface P2pAllocation {
  /** Where the CPU sees it. */
  readonly phys: PhysAddr;
  /** What a TLP carries for it: `phys` plus the bus offset of the BAR. */
  readonly bus: BusAddr;
  /** Bytes as asked for; the pool rounds them up to granules. */
  readonly length: number;
  readonly provider: PciFunction;
  /** 0 to 5. */
  readonly bar: number;
  /** Of the first byte in the BAR. */
  readonly offset: number;
  /** Which of the function's providers it comes from; stale once another took that one's place. */
  readonly generation: number;
}

/** A registered part of a BAR. Start and size are multiples of 4 KiB. */
export interface P2pRange {
  readonly provider: PciFunction;
  readonly generation: number;
  readonly bar: number;
  /** Of the range in the BAR. */
  readonly offset: number;
  readonly phys: PhysAddr;
  readonly bus: BusAddr;
  readonly size: number;
}

interface Holding {
  readonly allocation: P2pAllocation;
  /** Transfers under way in it. */
  transfers: number;
}

interface Chunk {
  readonly range: P2pRange;
  readonly granules: GranuleMap;
  /** By the index of the first granule. */
  readonly holdings: Map<number, Holding>;
  /** Granules at which an allocation began and was freed: to tell a double free from a wrong address. */
  readonly freed: Set<number>;
}

export class P2pPool {
  readonly #name: string;
  /** Newest first. */
  readonly #chunks: Chunk[] = [];
  #allocations = 0;
  #transfers = 0;

  /** `name` of the function, for refusals. */
  constructor(name: string) {
    this.#name = name;
  }

  /** The ranges, the one added last first. */
  get ranges(): P2pRange[] {
    return this.#chunks.map((chunk) => chunk.range);
  }

  /** Bytes of all chunks. */
  get size(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.range.size, 0);
  }

  /** Bytes that are free, in all chunks together. */
  get available(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.granules.free * P2P_GRANULE, 0);
  }

  /** Number of allocations that are held. */
  get allocations(): number {
    return this.#allocations;
  }

  /** Transfers under way in allocations. */
  get transfers(): number {
    return this.#transfers;
  }

  /** What is held, chunk by chunk, by rising address. */
  held(): P2pAllocation[] {
    return this.#chunks.flatMap((chunk) =>
      [...chunk.holdings].sort(([a], [b]) => a - b).map(([, holding]) => holding.allocation),
    );
  }

  /** Adds a range; the caller has checked that it overlaps no other. */
  add(range: P2pRange): void {
    const granules = new GranuleMap(range.size / P2P_GRANULE);
    this.#chunks.unshift({ range, granules, holdings: new Map(), freed: new Set() });
  }

  /** `length` bytes, or null where the length is 0 or no chunk has room. `LENGTH_INVALID`. */
  allocate(length: number): P2pAllocation | null {
    this.#checkLength(length);
    if (length === 0) return null;
    const count = Math.ceil(length / P2P_GRANULE);
    for (const chunk of this.#chunks) {
      if (chunk.granules.free < count) continue;
      const start = chunk.granules.firstFit(count);
      if (start < 0) continue;
      chunk.granules.take(start, count);
      return this.#hold(chunk, start, length);
    }
    return null;
  }

  #hold(chunk: Chunk, start: number, length: number): P2pAllocation {
    const { phys, bus, provider, bar, offset, generation } = chunk.range;
    const at = start * P2P_GRANULE;
    const allocation: P2pAllocation = {
      phys: addBytes(phys, at),
      bus: addBytes(bus, at),
      length,
      provider,
      bar,
      offset: offset + at,
      generation,
    };
    chunk.holdings.set(start, { allocation, transfers: 0 });
    chunk.freed.delete(start);
    this.#allocations++;
    return allocation;
  }

  /**
   * Gives back what begins at `address`. `FOREIGN_ADDRESS`, `NOT_ALLOCATED`, `DOUBLE_FREE`, `FREE_SIZE_MISMATCH`,
   * `DMA_IN_FLIGHT`.
   */
  free(address: PhysAddr | BusAddr, view: 'phys' | 'bus', length: number): void {
    const { chunk, start, holding } = this.#holdingAt(address, view);
    const asked = holding.allocation.length;
    if (length !== asked) {
      throw new ProviderError(
        'FREE_SIZE_MISMATCH',
        this.#name,
        `${length} bytes are freed at ${hex(address)}, where ${asked} bytes were allocated`,
        'free with the length of the allocation',
      );
    }
    this.#release(chunk, start, holding);
  }

  /** As `free`, for the allocation itself: one that was freed is stale even where its memory was given out again. */
  freeAllocation(allocation: P2pAllocation): void {
    const { chunk, start, holding } = this.#holdingOf(allocation);
    this.#release(chunk, start, holding);
  }

  #release(chunk: Chunk, start: number, holding: Holding): void {
    const { phys, length } = holding.allocation;
    if (holding.transfers > 0) {
      throw new ProviderError(
        'DMA_IN_FLIGHT',
        this.#name,
        `${holding.transfers} transfers are under way in ${length} bytes at ${hex(phys)}`,
        'end them before the memory is freed',
      );
    }
    chunk.granules.give(start, Math.ceil(length / P2P_GRANULE));
    chunk.holdings.delete(start);
    chunk.freed.add(start);
    this.#allocations--;
  }

  /**
   * Makes each page of an allocation one of its own, so that they can be freed one by one; the last has the rest of the
   * length. The allocation itself is gone then. Errors as of `freeAllocation`.
   */
  split(allocation: P2pAllocation): P2pAllocation[] {
    const { chunk, start, holding } = this.#holdingOf(allocation);
    const { length } = allocation;
    const count = Math.ceil(length / P2P_GRANULE);
    this.#release(chunk, start, holding);
    chunk.granules.take(start, count);
    return Array.from({ length: count }, (_, page) =>
      this.#hold(chunk, start + page, Math.min(P2P_GRANULE, length - page * P2P_GRANULE)),
    );
  }

  /** A transfer begins in an allocation. Errors as of `freeAllocation`. */
  beginTransfer(allocation: P2pAllocation): void {
    this.#holdingOf(allocation).holding.transfers++;
    this.#transfers++;
  }

  /** A transfer ends. `DMA_NOT_IN_FLIGHT` where none had begun, else as `freeAllocation`. */
  endTransfer(allocation: P2pAllocation): void {
    const { holding } = this.#holdingOf(allocation);
    if (holding.transfers === 0) {
      throw new ProviderError(
        'DMA_NOT_IN_FLIGHT',
        this.#name,
        `no transfer is under way in ${allocation.length} bytes at ${hex(allocation.phys)}`,
        'end a transfer once for each time that it began',
      );
    }
    holding.transfers--;
    this.#transfers--;
  }

  /** The allocation that holds all of `[phys, phys + length)`, or null. */
  holderOf(phys: PhysAddr, length: number): P2pAllocation | null {
    for (const { range, granules, holdings } of this.#chunks) {
      const inChunk = phys - range.phys;
      if (!(inChunk >= 0 && inChunk < range.size)) continue;
      for (let start = pageIndex(inChunk); start >= 0 && granules.isTaken(start); start--) {
        const allocation = holdings.get(start)?.allocation;
        if (allocation === undefined) continue;
        const held = { start: allocation.phys, end: allocation.phys + allocation.length };
        return rangeContains(held, phys, length) ? allocation : null;
      }
    }
    return null;
  }

  /** Forgets all allocations and chunks. */
  clear(): void {
    this.#chunks.length = 0;
    this.#allocations = 0;
    this.#transfers = 0;
  }

  #holdingOf(allocation: P2pAllocation): { chunk: Chunk; start: number; holding: Holding } {
    const found = this.#holdingAt(allocation.phys, 'phys');
    if (found.holding.allocation !== allocation) throw this.#doubleFree(allocation.phys);
    return found;
  }

  #holdingAt(address: number, view: 'phys' | 'bus'): { chunk: Chunk; start: number; holding: Holding } {
    for (const chunk of this.#chunks) {
      const inChunk = address - chunk.range[view];
      if (!(inChunk >= 0 && inChunk < chunk.range.size)) continue;
      const start = pageIndex(inChunk);
      const holding = chunk.holdings.get(start);
      if (holding !== undefined && inChunk % P2P_GRANULE === 0) return { chunk, start, holding };
      if (inChunk % P2P_GRANULE === 0 && chunk.freed.has(start) && !chunk.granules.isTaken(start)) {
        throw this.#doubleFree(address);
      }
      throw new ProviderError(
        'NOT_ALLOCATED',
        this.#name,
        `no allocation begins at ${hex(address)}`,
        'give the address that the allocation returned',
      );
    }
    throw new ProviderError(
      'FOREIGN_ADDRESS',
      this.#name,
      `${view === 'phys' ? 'physical' : 'bus'} address ${hex(address)} is in no range of this provider`,
      'give it back to the provider that it came from, in the view that it was allocated in',
    );
  }

  #doubleFree(address: number): ProviderError {
    return new ProviderError(
      'DOUBLE_FREE',
      this.#name,
      `the allocation at ${hex(address)} was freed before`,
      'free each allocation once',
    );
  }

  #checkLength(length: number): void {
    if (Number.isSafeInteger(length) && length >= 0) return;
    throw new ProviderError(
      'LENGTH_INVALID',
      this.#name,
      `length ${length} is no whole number of bytes`,
      'give a length in [0, 2^53)',
    );
  }
}
