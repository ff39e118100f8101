/**
 * One I/O address space: an allocator for its addresses, a page table in memory that says what they reach, and the rule by
 * which caches of it are invalidated. The kernel's counterpart is `struct iommu_domain` with its DMA cookie.
 */

import { type Iova, type PhysAddr, physAddr, storedAddress } from '../core/address.ts';
import { checkObject } from '../core/argument.ts';
import type { Clock } from '../core/clock.ts';
import { hex } from '../core/hex.ts';
import { IommuError } from './errors.ts';
import { FlushQueue } from './flush-queue.ts';
import type { Iotlb } from './invalidation.ts';
import type { IovaAllocator } from './iova-allocator.ts';
import { type Leaf, leavesOf } from './leaves.ts';
import { ENTRY_HIGH_MMIO, ENTRY_READ, ENTRY_WRITE, PHYS_LIMIT, SPAN, targetOf } from './page-entry.ts';
import { PageTable } from './page-table.ts';
import { MOST_TABLES, TableMemory, type TablePage } from './table-memory.ts';
import type { Protection, Translation, Translator } from './translation.ts';

export interface IommuDomainOptions {
  readonly allocator: IovaAllocator;
  /** Levels of the page table: 3 (39 bits), 4 (48 bits, the default) or 5. */
  readonly levels?: 3 | 4 | 5;
  /** `iommu.strict=0`: an unmap leaves cached translations to the next flush. Default false: invalidates at once. */
  readonly lazy?: boolean;
  /** Use 2 MiB leaves where size and alignment allow. Default true. */
  readonly largePages?: boolean;
  /** Use 1 GiB leaves too, a capability of the hardware. Default false. */
  readonly hugePages?: boolean;
  /** Physical address of the root table, a multiple of 4096; the others follow it. Default 0: no hardware walks it. */
  readonly tableBase?: PhysAddr;
  /** Most tables there is room for, in [1, 2^20]. Default 2^18 (1 GiB of tables). */
  readonly tableLimit?: number;
  /** Lazy: ranges that wait for a flush at most. Default 256. */
  readonly flushQueueLength?: number;
  /** Lazy: longest wait in nanoseconds, kept where `clock` is given. Default 10 ms. */
  readonly flushAfterNs?: number;
  readonly clock?: Clock;
}

export class IommuDomain implements Translator {
  readonly allocator: IovaAllocator;
  /** Bytes of the smallest page. */
  readonly granule: number;
  readonly lazy: boolean;
  readonly #table: PageTable;
  readonly #queue: FlushQueue;
  readonly #clock: Clock | null;
  readonly #flushAfterNs: number;
  readonly #iotlbs: Iotlb[] = [];
  readonly #freeQueued: (start: number, length: number) => void;
  #generation = 0;
  #unflushed = 0;
  #flushes = 0;

  /**
   * Refuses (`OPTIONS_INVALID`) an allocator whose granule is not 4 KiB or whose limit the page table cannot reach, and
   * tables that cannot lie where they should.
   */
  constructor(options: IommuDomainOptions) {
    checkObject(options?.allocator, 'granule', 'IommuDomain: options.allocator', 'an IovaAllocator');
    const levels = options.levels ?? 4;
    this.allocator = options.allocator;
    this.granule = options.allocator.granule;
    this.lazy = options.lazy ?? false;
    const tableBase = options.tableBase ?? physAddr(0);
    const tableLimit = options.tableLimit ?? 2 ** 18;
    if (!(Number.isInteger(tableLimit) && tableLimit >= 1 && tableLimit <= MOST_TABLES)) {
      throw optionsInvalid('tableLimit', `room for ${tableLimit} tables`, `give a whole number in [1, ${MOST_TABLES}]`);
    }
    if ((tableBase & 4095) !== 0 || tableBase + tableLimit * 4096 > PHYS_LIMIT) {
      const hint = 'give a multiple of 4096 with room for all tables below 2^52';
      throw optionsInvalid('tableBase', `${tableLimit} tables cannot lie at ${hex(tableBase)}`, hint);
    }
    this.#table = new PageTable({
      levels,
      largePages: options.largePages ?? true,
      hugePages: options.hugePages ?? false,
      memory: new TableMemory(tableBase, tableLimit),
    });
    if (this.granule !== 4096) {
      throw optionsInvalid(
        'granule',
        `granule ${this.granule} is not the table's 4096`,
        'use an allocator of 4 KiB granules',
      );
    }
    if (this.allocator.limit >= this.#table.reach) {
      throw optionsInvalid(
        'allocator.limit',
        `allocator hands out addresses up to ${hex(this.allocator.limit)}, ${levels} levels end at ${hex(this.#table.reach)}`,
        `set the limit to ${hex(this.#table.reach - 1)} or use more levels`,
      );
    }
    this.#queue = new FlushQueue(options.flushQueueLength ?? 256);
    this.#flushAfterNs = options.flushAfterNs ?? 10_000_000;
    this.#clock = options.clock ?? null;
    this.#freeQueued = (start, length) => this.allocator.free(storedAddress(start), length);
  }

  /** Grows with every map and unmap: two equal readings mean that the table did not change between them. */
  get generation(): number {
    return this.#generation;
  }

  get mappedBytes(): number {
    return this.#table.mappedBytes;
  }

  /** Tables in use, the root included. 1 when nothing is mapped. */
  get tableCount(): number {
    return this.#table.memory.count;
  }

  /** Physical address of the root table, as a context entry takes it. */
  get rootTable(): PhysAddr {
    return this.#table.memory.base;
  }

  get levels(): number {
    return this.#table.levels;
  }

  /** Unmaps since the last flush whose translations an IOTLB may still hold. Always 0 in strict mode. */
  get pendingInvalidations(): number {
    return this.#unflushed;
  }

  /** Ranges that wait for a flush before the allocator gets them back. */
  get queuedFrees(): number {
    return this.#queue.count;
  }

  /** Flushes so far. */
  get flushCount(): number {
    return this.#flushes;
  }

  /** Makes a cache of this domain's translations known, so that invalidations reach it. */
  attach(iotlb: Iotlb): void {
    if (!this.#iotlbs.includes(iotlb)) this.#iotlbs.push(iotlb);
  }

  /**
   * Maps `[iova, iova + length)` to `phys` onwards (`iommu_map`). All three multiples of the granule.
   * Refuses `UNALIGNED`, `LENGTH_INVALID`, `OUT_OF_REACH`, `PROTECTION_EMPTY`, `ALREADY_MAPPED`, `TABLES_EXHAUSTED`, and has
   * then mapped nothing.
   */
  map(iova: Iova, phys: PhysAddr, length: number, protection: Protection): void {
    this.#checkSpan(iova, length);
    if ((phys & 4095) !== 0) this.#refuseUnaligned('phys', phys);
    if (!(phys >= 0 && length <= PHYS_LIMIT - phys)) this.#refusePhys(phys, length);
    this.#generation++;
    this.#table.map(iova, phys, length, rightsOf(protection), protection.mmio ? ENTRY_HIGH_MMIO : 0);
  }

  /**
   * Maps vectors `first` to `first + count - 1` one behind the other from `iova` (`iommu_map_sg`). Each takes a slot of
   * whole granules that begins with the granule its address lies in: byte `address & 4095` of its slot is its first.
   * @param mmio - by vector, not 0: the target is no RAM, whatever `protection` says; left out, `protection` says it of all
   * @returns bytes of all slots, from `iova` on. Refuses as `map` does, and has then mapped nothing.
   */
  mapRun(
    iova: Iova,
    address: Float64Array,
    length: Uint32Array | Float64Array,
    first: number,
    count: number,
    protection: Protection,
    mmio: Uint8Array | null = null,
  ): number {
    if ((iova & 4095) !== 0) this.#refuseUnaligned('iova', iova);
    this.#generation++;
    const high = protection.mmio ? ENTRY_HIGH_MMIO : 0;
    return this.#table.mapRun(iova, address, length, first, count, rightsOf(protection), high, mmio);
  }

  /**
   * Unmaps `[iova, iova + length)`, all of which must be mapped: refuses `NOT_MAPPED`, and has then unmapped nothing. In strict
   * mode the caches are invalidated before it returns; in lazy mode they are not, see `pendingInvalidations`.
   * The addresses go back with `release`.
   */
  unmap(iova: Iova, length: number): void {
    this.#checkSpan(iova, length);
    if (!this.#table.isMapped(iova, length)) {
      throw new IommuError({
        code: 'NOT_MAPPED',
        path: `iova ${hex(iova)}`,
        message: `not every page of [${hex(iova)}, ${hex(iova + length)}) is mapped`,
        hint: 'unmap a range once, with the length it was mapped with',
      });
    }
    this.#table.unmapSpan(iova, length);
    this.#unmapped(iova, length);
  }

  /** As `unmap`, but pages that are not mapped are passed over. Returns the bytes that were mapped. */
  unmapSpan(iova: Iova, length: number): number {
    this.#checkSpan(iova, length);
    const bytes = this.#table.unmapSpan(iova, length);
    this.#unmapped(iova, length);
    return bytes;
  }

  /**
   * Gives an allocated range back to the allocator, after its `unmap`. Strict: at once. Lazy: after a flush that begins
   * later than this call; a queue that is full, or whose oldest range waited its time, is flushed here.
   */
  release(iova: Iova, length: number): void {
    if (!this.lazy) {
      this.allocator.free(iova, length);
      return;
    }
    this.flushIfDue();
    if (this.#queue.full) this.flush();
    this.#queue.push(iova, length, this.#clock?.nowNs ?? 0);
  }

  /** Invalidates a range in every cache at once, whatever the mode (`iommu_iotlb_sync`). */
  invalidate(iova: Iova, length: number): void {
    for (const iotlb of this.#iotlbs) iotlb.invalidate(this, iova, length);
  }

  /** Invalidates every cache of the domain, and frees what was queued. */
  flush(): void {
    this.beginFlush();
    this.endFlush();
  }

  /** First half of a flush: ranges queued from here on have to wait for the next one. */
  beginFlush(): void {
    this.#queue.beginFlush();
  }

  /** Second half: the caches are invalidated, and what was queued before the flush began is free. */
  endFlush(): void {
    for (const iotlb of this.#iotlbs) iotlb.invalidateDomain(this);
    this.#unflushed = 0;
    this.#flushes++;
    this.#queue.endFlush();
    this.#queue.drain(this.#freeQueued, this.#clock?.nowNs ?? 0);
  }

  /** Flushes if the oldest queued range has waited its time by the clock. Returns whether it did. */
  flushIfDue(): boolean {
    if (this.#clock === null || this.#queue.count === 0) return false;
    if (this.#clock.nowNs - this.#queue.oldestNs < this.#flushAfterNs) return false;
    this.flush();
    return true;
  }

  /** What the page table says to an access of one byte. No cache is asked: that is `Iotlb.translate`. */
  translate(iova: Iova, access: 'read' | 'write'): Translation {
    const table = this.#table;
    const level = table.walk(iova);
    if (level < 0) return { fault: 'not-mapped', iova, access };
    const low = table.lowWord;
    if (access === 'read' && (low & ENTRY_READ) === 0) return { fault: 'no-read', iova, access };
    if (access === 'write' && (low & ENTRY_WRITE) === 0) return { fault: 'no-write', iova, access };
    const leafBytes = SPAN[level] as number;
    const high = table.highWord;
    return {
      phys: storedAddress(targetOf(low, high) + (iova & (leafBytes - 1))),
      mmio: (high & ENTRY_HIGH_MMIO) !== 0,
      leafBytes,
    };
  }

  /** The rights on the page of `iova`; neither where it is not mapped. */
  rightsAt(iova: Iova): Protection {
    const table = this.#table;
    if (table.walk(iova) < 0) return { read: false, write: false, mmio: false };
    return {
      read: (table.lowWord & ENTRY_READ) !== 0,
      write: (table.lowWord & ENTRY_WRITE) !== 0,
      mmio: (table.highWord & ENTRY_HIGH_MMIO) !== 0,
    };
  }

  /** Every leaf of the page table, by rising address. */
  leaves(): Generator<Leaf, void, undefined> {
    return leavesOf(this.#table.memory, this.levels - 1);
  }

  /** Every table as it lies in memory, root first: write each at its address and hardware can walk them. */
  tablePages(): Generator<TablePage, void, undefined> {
    return this.#table.memory.pages();
  }

  #unmapped(iova: Iova, length: number): void {
    this.#generation++;
    if (this.lazy) this.#unflushed++;
    else if (this.#iotlbs.length > 0) this.invalidate(iova, length);
  }

  #checkSpan(iova: number, length: number): void {
    if ((iova & 4095) !== 0) this.#refuseUnaligned('iova', iova);
    if (!(length > 0)) {
      throw new IommuError({
        code: 'LENGTH_INVALID',
        path: 'length',
        message: `a range of ${length} bytes cannot be mapped or unmapped`,
        hint: 'give whole granules, at least one',
      });
    }
    if ((length & 4095) !== 0 || Math.floor(length) !== length) this.#refuseUnaligned('length', length);
    if (!(iova >= 0 && length <= this.#table.reach - iova)) {
      throw new IommuError({
        code: 'OUT_OF_REACH',
        path: `iova ${hex(iova)}`,
        message: `[${hex(iova)}, ${hex(iova + length)}) goes beyond ${hex(this.#table.reach)}, the reach of ${this.levels} levels`,
        hint: 'take addresses from the allocator, or use more levels',
      });
    }
  }

  #refuseUnaligned(path: string, value: number): never {
    throw new IommuError({
      code: 'UNALIGNED',
      path,
      message: `${path} ${hex(value)} is no multiple of the granule ${this.granule}`,
      hint: 'map whole granules',
    });
  }

  #refusePhys(phys: number, length: number): never {
    throw new IommuError({
      code: 'OUT_OF_REACH',
      path: 'phys',
      message: `physical range of ${length} bytes at ${phys} does not lie in [0, 2^52)`,
      hint: 'physical addresses have at most 52 bits',
    });
  }
}

function rightsOf(protection: Protection): number {
  const bits = (protection.read ? ENTRY_READ : 0) | (protection.write ? ENTRY_WRITE : 0);
  if (bits === 0) {
    throw new IommuError({
      code: 'PROTECTION_EMPTY',
      path: 'protection',
      message: 'a mapping that permits neither reads nor writes cannot be told from none',
      hint: 'give the direction of the transfer',
    });
  }
  return bits;
}

function optionsInvalid(path: string, message: string, hint: string): IommuError {
  return new IommuError({ code: 'OPTIONS_INVALID', path, message, hint });
}
