/**
 * Which I/O virtual addresses a domain has handed out. The rules are those of the kernel's allocator
 * (`alloc_iova_fast`, `iommu_dma_alloc_iova`): top-down from the limit, below 4 GiB first, sizes aligned to the next power
 * of two, small sizes rounded up to one and reused last-in first-out through caches. Where the kernel walks from gap to
 * gap, `TakenRanges` searches a tree: same places, but a cost that does not grow with the number of live ranges.
 */

import { type Iova, storedAddress } from '../core/address.ts';
import { assert } from '../core/assert.ts';
import { hex } from '../core/hex.ts';
import { joinRanges, type Range } from '../core/range.ts';
import { IommuError } from './errors.ts';
import { type IovaSnapshot, snapshotOf } from './iova-snapshot.ts';
import { ceilLog2, POWERS } from './powers.ts';
import { NODE_CACHED, NODE_LIVE, NODE_RESERVED, TakenRanges } from './taken-ranges.ts';

/** Sizes of 1, 2, 4, 8, 16 and 32 granules are cached (`IOVA_RANGE_CACHE_MAX_SIZE`). */
const CACHED_SIZES = 6;
const LARGEST_CACHED = 2 ** (CACHED_SIZES - 1);
/** Ranges in one magazine of the kernel's cache (`IOVA_MAG_SIZE`). */
const MAGAZINE = 127;
/** Magazines a size keeps: two at a processor and the depot's 32. */
const MAGAZINES = 2 + 32;

export interface IovaAllocatorOptions {
  /** Bytes of the smallest page, a power of two in [4096, 2^31]. Default 4096. */
  readonly granule?: number;
  /** Last usable address: the end of the domain's aperture. Default 2^48 - 1; `Infinity` is none but 2^53 - 1. */
  readonly limit?: number;
  /** Never handed out: the host bridge's windows in bus addresses, the MSI window, reserved regions of the IOMMU. */
  readonly reserved?: readonly Range[];
  /** Look below 4 GiB first. Default true; `iommu.forcedac=1` on the kernel's command line is false. */
  readonly prefer32Bit?: boolean;
}

export class IovaAllocator {
  /** Bytes of the smallest page. */
  readonly granule: number;
  /** Last usable address, inclusive. */
  readonly limit: number;
  /** What is never handed out, in whole granules, sorted and joined; the page of address 0 included. */
  readonly reserved: readonly Range[];

  readonly #taken: TakenRanges;
  readonly #notices: string[] = [];
  readonly #caches: Int32Array[] = [];
  readonly #cachedCount = new Int32Array(CACHED_SIZES);
  readonly #limitPage: number;
  /** First page at or above 4 GiB. */
  readonly #page32: number;
  #prefer32Bit: boolean;
  /** Node to search downwards from, below 4 GiB and in all (`cached32_node`, `cached_node`). */
  #hint32: number;
  #hint: number;
  #livePages = 0;
  #liveCount = 0;

  /** Refuses (`OPTIONS_INVALID`) a granule that is no power of two, a limit below one granule, or a range upside down. */
  constructor(options: IovaAllocatorOptions = {}) {
    const granule = options.granule ?? 4096;
    if (
      !Number.isSafeInteger(granule) ||
      granule < 4096 ||
      granule > 2 ** 31 ||
      POWERS[ceilLog2(granule)] !== granule
    ) {
      throw invalid('granule', `granule ${granule} is no power of two in [4096, 2^31]`, 'use 4096');
    }
    const limit = Math.min(options.limit ?? 2 ** 48 - 1, 2 ** 53 - 1);
    if (!(limit >= 2 * granule - 1)) {
      throw invalid(
        'limit',
        `limit ${limit} leaves no granule behind the first`,
        'use the last usable address, inclusive',
      );
    }
    this.granule = granule;
    this.#limitPage = Math.floor((limit + 1) / granule);
    this.limit = this.#limitPage * granule - 1;
    this.#page32 = 2 ** 32 / granule;
    this.#prefer32Bit = options.prefer32Bit ?? true;
    const pages = reservedPages(options.reserved ?? [], granule, this.#limitPage);
    this.reserved = pages.map((range) => ({ start: range.start * granule, end: range.end * granule }));
    this.#taken = new TakenRanges(pages, this.#limitPage);
    this.#hint32 = this.#taken.anchor;
    this.#hint = this.#taken.anchor;
    for (let size = 0; size < CACHED_SIZES; size++) this.#caches.push(new Int32Array(MAGAZINE));
  }

  /** What an operator would find in the kernel's log, oldest first. */
  get notices(): readonly string[] {
    return this.#notices;
  }

  /** Bytes handed out, rounding included. */
  get liveBytes(): number {
    return this.#livePages * this.granule;
  }

  /** Ranges handed out. */
  get liveCount(): number {
    return this.#liveCount;
  }

  /** Whether addresses below 4 GiB are still tried first. */
  get prefers32Bit(): boolean {
    return this.#prefer32Bit;
  }

  /**
   * Hands out an unused range of at least `length` bytes, aligned to the next power of two of its size.
   * @param length - bytes, above 0
   * @param limit - last address the caller can use, inclusive: its DMA mask; default: the allocator's limit
   * @returns the start, or null when nothing fits (`IOVA_EXHAUSTED` to whoever asked)
   */
  allocate(length: number, limit: number = this.limit): Iova | null {
    const size = this.#sizeOf(length);
    const limitPage = limit >= this.limit ? this.#limitPage : Math.floor((limit + 1) / this.granule);
    if (limitPage > this.#page32 && this.#prefer32Bit) {
      const low = this.#take(size, this.#page32);
      if (low >= 0) return storedAddress(low * this.granule);
      this.#prefer32Bit = false;
      const bits = ceilLog2(limitPage) + ceilLog2(this.granule);
      this.#notices.push(`no I/O virtual address below 4 GiB fits: ${bits}-bit addresses from now on`);
    }
    let page = this.#take(size, limitPage);
    if (page < 0 && this.flushCaches() > 0) page = this.#take(size, limitPage);
    return page < 0 ? null : storedAddress(page * this.granule);
  }

  /**
   * Takes a range back. `start` and `length` as they were allocated: refused otherwise, with `IOVA_ALREADY_FREE`,
   * `IOVA_NOT_ALLOCATED` or `IOVA_LENGTH_MISMATCH`, and nothing changed.
   */
  free(start: Iova, length: number): void {
    const size = this.#sizeOf(length);
    const page = start / this.granule;
    const taken = this.#taken;
    const node = taken.nodeAt(page);
    if (node === 0 || taken.state[node] !== NODE_LIVE) this.#refuseFree(start, page, node);
    const pages = (taken.end[node] as number) - (taken.start[node] as number);
    if (pages !== size) {
      throw new IommuError({
        code: 'IOVA_LENGTH_MISMATCH',
        path: `iova ${hex(start)}`,
        message: `range of ${pages} granules at ${hex(start)} cannot be freed as ${size} granules (${length} bytes)`,
        hint: 'free a range with the length it was allocated with',
      });
    }
    this.#livePages -= size;
    this.#liveCount--;
    if (size <= LARGEST_CACHED && this.#cache(node, size)) return;
    this.#remove(node);
  }

  /** Gives every cached range back to the tree, as at exhaustion. Returns how many there were. */
  flushCaches(): number {
    let flushed = 0;
    for (let order = 0; order < CACHED_SIZES; order++) {
      const cache = this.#caches[order] as Int32Array;
      for (let index = (this.#cachedCount[order] as number) - 1; index >= 0; index--) {
        this.#remove(cache[index] as number);
        flushed++;
      }
      this.#cachedCount[order] = 0;
    }
    return flushed;
  }

  /** The range that holds `address`, if it is handed out; else null. */
  liveRangeAt(address: number): Range | null {
    const taken = this.#taken;
    const node = taken.previous(taken.nodeFrom(Math.floor(address / this.granule) + 1));
    if (node === 0 || taken.state[node] !== NODE_LIVE) return null;
    const range = {
      start: (taken.start[node] as number) * this.granule,
      end: (taken.end[node] as number) * this.granule,
    };
    return address < range.end ? range : null;
  }

  /** Everything an observer can see of the allocator, to compare before and after: see `iovaSnapshotDifference`. */
  snapshot(): IovaSnapshot {
    return snapshotOf(this.#taken, this.granule);
  }

  /** Asserts every invariant of the structure; for tests. */
  check(): void {
    this.#taken.check();
  }

  /** Granules of a request, rounded as the kernel rounds them. */
  #sizeOf(length: number): number {
    if (!(length > 0 && length <= 2 ** 53 && Number.isInteger(length))) {
      throw new IommuError({
        code: 'LENGTH_INVALID',
        path: 'length',
        message: `a range of ${length} bytes cannot be allocated`,
        hint: 'ask for a whole number of bytes above 0',
      });
    }
    const size = Math.ceil(length / this.granule);
    return size < LARGEST_CACHED ? (POWERS[ceilLog2(size)] as number) : size;
  }

  /** A range of `size` granules below `limitPage`: its first page, or -1. Counts it as live. */
  #take(size: number, limitPage: number): number {
    const taken = this.#taken;
    let page = size <= LARGEST_CACHED ? this.#takeCached(size, limitPage) : -1;
    if (page < 0) {
      const order = ceilLog2(size);
      const low = limitPage <= this.#page32;
      let above = this.#searchBelow(low ? this.#hint32 : this.#hint, size, order, limitPage);
      // The kernel's second pass, from the top: places above the hint that were too small for an earlier request.
      if (above === 0) above = taken.search(taken.nodeFrom(limitPage), size, order, limitPage);
      if (above === 0) return -1;
      page = taken.foundBase;
      const node = taken.insert(above, page, page + size, NODE_LIVE);
      if (page + size <= this.#page32) this.#hint32 = node;
      else this.#hint = node;
    }
    this.#livePages += size;
    this.#liveCount++;
    return page;
  }

  #searchBelow(hint: number, size: number, order: number, limitPage: number): number {
    const taken = this.#taken;
    // A hint far above the limit would make the search visit gaps that are out of bounds.
    const below = taken.previous(hint);
    const from = (taken.start[below] as number) >= limitPage ? taken.nodeFrom(limitPage) : hint;
    return taken.search(from, size, order, limitPage);
  }

  /** The last freed range of this size that lies below `limitPage`: its first page, or -1. */
  #takeCached(size: number, limitPage: number): number {
    const taken = this.#taken;
    const order = 31 - Math.clz32(size);
    const cache = this.#caches[order] as Int32Array;
    const count = this.#cachedCount[order] as number;
    for (let index = count - 1; index >= 0; index--) {
      const node = cache[index] as number;
      if ((taken.end[node] as number) > limitPage) continue;
      cache[index] = cache[count - 1] as number;
      this.#cachedCount[order] = count - 1;
      taken.state[node] = NODE_LIVE;
      return taken.start[node] as number;
    }
    return -1;
  }

  /** Keeps a freed range for its next user, unless its cache is full. */
  #cache(node: number, size: number): boolean {
    const order = 31 - Math.clz32(size);
    let cache = this.#caches[order] as Int32Array;
    const count = this.#cachedCount[order] as number;
    if (count === cache.length) {
      if (count === MAGAZINES * MAGAZINE) return false;
      cache = new Int32Array(Math.min(2 * count, MAGAZINES * MAGAZINE));
      cache.set(this.#caches[order] as Int32Array);
      this.#caches[order] = cache;
    }
    cache[count] = node;
    this.#cachedCount[order] = count + 1;
    this.#taken.state[node] = NODE_CACHED;
    return true;
  }

  /** Out of the tree; a hint at or below the range moves up behind it, so that the next search finds the place again. */
  #remove(node: number): void {
    const taken = this.#taken;
    const start = taken.start[node] as number;
    const above = taken.next[node] as number;
    const inLow = (taken.end[node] as number) <= this.#page32;
    if (node === this.#hint32 || (inLow && start >= (taken.start[this.#hint32] as number))) this.#hint32 = above;
    if (start >= (taken.start[this.#hint] as number)) this.#hint = above;
    taken.remove(node);
  }

  #refuseFree(start: number, page: number, node: number): never {
    const path = `iova ${hex(start)}`;
    if (node !== 0) {
      throw new IommuError({
        code: 'IOVA_ALREADY_FREE',
        path,
        message: `the range at ${hex(start)} is free already`,
        hint: 'free a range once',
      });
    }
    const taken = this.#taken;
    const holder = taken.previous(taken.nodeFrom(Math.floor(page) + 1));
    const held = holder !== 0 && page < (taken.end[holder] as number);
    const from = hex((taken.start[holder] as number) * this.granule);
    let what = 'is free, or was never handed out';
    if (page >= this.#limitPage) what = `lies behind the limit ${hex(this.limit)}`;
    else if (held && taken.state[holder] === NODE_RESERVED) what = `lies in the reserved range at ${from}`;
    else if (held) what = `lies inside the range at ${from}`;
    throw new IommuError({
      code: 'IOVA_NOT_ALLOCATED',
      path,
      message: `${hex(start)} ${what}`,
      hint: 'free the start of a range that this allocator handed out',
    });
  }
}

function reservedPages(reserved: readonly Range[], granule: number, limitPage: number): Range[] {
  const pages: Range[] = [{ start: 0, end: 1 }];
  reserved.forEach((range, index) => {
    if (!(range.start >= 0 && range.end >= range.start)) {
      throw invalid(
        `reserved[${index}]`,
        `reserved range [${range.start}, ${range.end}) is none`,
        'give a start and an end behind it, exclusive',
      );
    }
    const start = Math.floor(range.start / granule);
    const end = Math.min(Math.ceil(range.end / granule), limitPage);
    if (start < end) pages.push({ start, end });
  });
  const joined = joinRanges(pages);
  assert(joined[0]?.start === 0, 'page 0 is not reserved');
  return joined;
}

function invalid(path: string, message: string, hint: string): IommuError {
  return new IommuError({ code: 'OPTIONS_INVALID', path, message, hint });
}
