/**
 * The provider state of one function: BAR ranges registered as peer-to-peer memory, their pool, and the way out.
 *
 *     live --beginRemoval--> removing --finishRemoval--> gone        users are waited for
 *     live --revoke--------------------------------------> gone      users are cut off
 *
 * Linux: drivers/pci/p2pdma.c, `pci_p2pdma_add_resource()` and the `pci_p2pmem_` functions.
 */

import type { BusAddr, PhysAddr } from '../core/address.ts';
import { checkObject } from '../core/argument.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { ProviderError } from './errors.ts';
import { P2P_GRANULE, type P2pAllocation, P2pPool, type P2pRange } from './pool.ts';
import { type P2pResource, p2pRangeOf } from './resource.ts';
import { type MmapRequest, UserMapping } from './user-mapping.ts';

export type P2pMemoryState = 'live' | 'removing' | 'gone';

/** Who still uses a provider. */
export interface P2pUsers {
  readonly allocations: readonly P2pAllocation[];
  /** Transfers under way. */
  readonly transfers: number;
}

export class P2pMemory {
  readonly provider: PciFunction;
  /** Which of the function's providers this is: 1 for the first, 2 for the one that took its place, ... */
  readonly generation: number;
  readonly #pool: P2pPool;
  readonly #watchers: (() => void)[] = [];
  #mappings: UserMapping[] = [];
  #state: P2pMemoryState = 'live';
  #published = false;

  constructor(provider: PciFunction, generation = 1) {
    checkObject(provider, 'bdf', 'P2pMemory: provider', 'the PciFunction whose BAR holds the memory');
    this.provider = provider;
    this.generation = generation;
    this.#pool = new P2pPool(provider.name);
  }

  get state(): P2pMemoryState {
    return this.#state;
  }

  /** The registered ranges, the one added last first. */
  get ranges(): readonly P2pRange[] {
    return this.#pool.ranges;
  }

  /** Bytes of all ranges; sysfs `p2pmem/size`. */
  get size(): number {
    return this.#pool.size;
  }

  /** Bytes that are free; sysfs `p2pmem/available`. */
  get available(): number {
    return this.#pool.available;
  }

  /**
   * Whether others may find this provider: published, with memory, and not on its way out (the kernel still finds one whose removal
   * waits, and every allocation from it fails). sysfs `p2pmem/published`.
   */
  get published(): boolean {
    return this.#published && this.#state === 'live' && this.#pool.ranges.length > 0;
  }

  /** Who uses the memory now. */
  get users(): P2pUsers {
    return { allocations: this.#pool.held(), transfers: this.#pool.transfers };
  }

  /**
   * `pci_p2pdma_add_resource()`: registers a part of a BAR. The checks in their order: `PROVIDER_GONE`, `BAR_NOT_MEMORY`,
   * `BAR_UNKNOWN`, `OFFSET_BEYOND_BAR`, `RANGE_BEYOND_BAR`, `ADDRESS_BEYOND_LIMIT`, `RANGE_OVERLAPS`, `PAGE_GRANULE`,
   * and `HOTPLUG_GRANULE` where the design has pages. After a refusal all is as before.
   */
  addResource(resource: P2pResource): void {
    this.#checkLive(`${this.provider.name}/bar${resource.bar}`);
    this.#pool.add(p2pRangeOf(this.provider, this.generation, resource, this.#pool.ranges));
    this.#changed();
  }

  /** `pci_p2pmem_publish()`: lets others find the provider, or hides it; those who use it stay. No effect without memory. */
  publish(published: boolean): void {
    if (this.#pool.ranges.length > 0) this.#published = published;
  }

  /**
   * Takes `length` bytes of the pool, rounded up to 4 KiB. Null where `length` is 0, no chunk has room, there is no memory,
   * or the provider is being removed: then use RAM. `LENGTH_INVALID`.
   */
  allocate(length: number): P2pAllocation | null {
    return this.#state === 'live' ? this.#pool.allocate(length) : null;
  }

  /** The mail's `pci_p2pmem_alloc_phys()`: `allocate` seen by the CPU, for vectors through the host bridge (b1). */
  allocPhys(length: number): PhysAddr | null {
    return this.allocate(length)?.phys ?? null;
  }

  /** The mail's `pci_p2pmem_alloc_bus_addr()`: `allocate` seen on the bus, for vectors by bus address (b2) or (c). */
  allocBusAddr(length: number): BusAddr | null {
    return this.allocate(length)?.bus ?? null;
  }

  /**
   * Gives an allocation back. `FOREIGN_ADDRESS`, `NOT_ALLOCATED`, `DOUBLE_FREE`, `DMA_IN_FLIGHT`, `PROVIDER_GONE`.
   */
  free(allocation: P2pAllocation): void {
    this.checkCurrent(allocation);
    this.#pool.freeAllocation(allocation);
  }

  /**
   * `pci_free_p2pmem()` by physical address, whichever view it was allocated in; `length` as asked for. As `free`, and
   * `FREE_SIZE_MISMATCH`.
   */
  freePhys(phys: PhysAddr, length: number): void {
    this.#checkNotGone();
    this.#pool.free(phys, 'phys', length);
  }

  /** As `freePhys`, by bus address. */
  freeBusAddr(bus: BusAddr, length: number): void {
    this.#checkNotGone();
    this.#pool.free(bus, 'bus', length);
  }

  /** `PROVIDER_GONE` (ENODEV) where the allocation is of a provider that is gone or another, though at the same address. */
  checkCurrent(allocation: P2pAllocation): void {
    this.#checkNotGone();
    if (allocation.provider.key === this.provider.key && allocation.generation !== this.generation) {
      throw gone(
        this.provider.name,
        `the allocation is of provider ${allocation.generation} of this function, which is provider ${this.generation} now`,
      );
    }
  }

  /**
   * A transfer begins in an allocation, which is not freed nor the provider removed before `put`. Allowed while removal waits
   * for the allocation. Errors as of `free`.
   */
  get(allocation: P2pAllocation): void {
    this.checkCurrent(allocation);
    this.#pool.beginTransfer(allocation);
  }

  /** A transfer ends. `DMA_NOT_IN_FLIGHT`, else as `free`. After `revoke` there is nothing left to count. */
  put(allocation: P2pAllocation): void {
    if (this.#state === 'gone') return;
    this.checkCurrent(allocation);
    this.#pool.endTransfer(allocation);
  }

  /** The allocation that holds all of `[phys, phys + length)`, or null. */
  holderOf(phys: PhysAddr, length: number): P2pAllocation | null {
    return this.#pool.holderOf(phys, length);
  }

  /**
   * mmap of the sysfs file `p2pmem/allocate`: contiguous memory in a process. The refusals in their order: `MAPPING_LENGTH`,
   * `MAPPING_PRIVATE`, `MAPPING_OFFSET`, `PROVIDER_GONE` (no memory, or on its way out), `POOL_EXHAUSTED`.
   */
  mmap(request: MmapRequest): UserMapping {
    const { name } = this.provider;
    checkMmap(request, name);
    if (this.#pool.ranges.length === 0) throw gone(name, 'the function has no peer-to-peer memory');
    this.#checkLive(name);
    const pages = Math.ceil(request.length / P2P_GRANULE);
    const allocation = request.length <= this.size ? this.#pool.allocate(pages * P2P_GRANULE) : null;
    if (allocation === null) {
      throw new ProviderError(
        'POOL_EXHAUSTED',
        name,
        `no chunk has ${pages} free pages in a row, ${this.available} bytes are free in all`,
        'unmap something, or map less at a time',
      );
    }
    this.#mappings = this.#mappings.filter((mapping) => mapping.mappedPages > 0);
    const mapping = new UserMapping(this, name, this.#pool.split(allocation));
    this.#mappings.push(mapping);
    return mapping;
  }

  /**
   * First step of unbind or unplug: processes lose their mappings, and nobody can allocate or map any more. Returns who still
   * uses the memory. `PROVIDER_GONE`.
   */
  beginRemoval(): P2pUsers {
    this.#checkLive(this.provider.name);
    this.#state = 'removing';
    this.#zap();
    this.#changed();
    return this.users;
  }

  /** Last step of removal. `REMOVAL_BLOCKED` while there are users, where the kernel waits; `PROVIDER_GONE`. */
  finishRemoval(): void {
    this.#checkNotGone();
    if (this.#state === 'live') this.beginRemoval();
    if (this.#pool.allocations > 0) {
      throw new ProviderError(
        'REMOVAL_BLOCKED',
        this.provider.name,
        `${this.#pool.allocations} allocations are held and ${this.#pool.transfers} transfers are under way`,
        'end the transfers and free the allocations that beginRemoval() named',
      );
    }
    this.#end();
  }

  /**
   * Removal without waiting, as page-less providers of Linux 6.19 do it: every allocation is void at once. Returns who was cut
   * off; they must stop their transfers. `PROVIDER_GONE`.
   */
  revoke(): P2pUsers {
    this.#checkNotGone();
    this.#zap();
    const users = this.users;
    this.#end();
    return users;
  }

  #zap(): void {
    for (const mapping of this.#mappings) mapping.unmap();
    this.#mappings = [];
  }

  #end(): void {
    this.#state = 'gone';
    this.#pool.clear();
    this.#changed();
  }

  /** Calls `watcher` after each change of the ranges or of the state. */
  watch(watcher: () => void): void {
    this.#watchers.push(watcher);
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #checkLive(path: string): void {
    if (this.#state !== 'live') throw gone(path, `the provider is ${this.#state}`);
  }

  #checkNotGone(): void {
    if (this.#state === 'gone') throw gone(this.provider.name, 'the provider is gone');
  }
}

function gone(path: string, message: string): ProviderError {
  return new ProviderError('PROVIDER_GONE', path, message, 'find a provider and allocate again, or use RAM');
}

function checkMmap({ shared, offset, length }: MmapRequest, name: string): void {
  if (!(Number.isSafeInteger(length) && length > 0)) {
    throw new ProviderError(
      'MAPPING_LENGTH',
      name,
      `${length} bytes cannot be mapped`,
      'map a whole number of bytes, at least 1',
    );
  }
  if (!shared) {
    throw new ProviderError('MAPPING_PRIVATE', name, 'the mapping is private', 'map with MAP_SHARED');
  }
  if (offset !== 0) {
    throw new ProviderError('MAPPING_OFFSET', name, `the mapping begins at offset ${offset}`, 'map from offset 0');
  }
}
