/**
 * Provider memory in a process: what mmap of the sysfs file `p2pmem/allocate` gives. Each page has a life of its own: it goes
 * back to the pool when it is neither mapped nor pinned by I/O. Linux: `p2pmem_alloc_mmap()`.
 */

import type { PhysAddr } from '../core/address.ts';
import { assert, present } from '../core/assert.ts';
import { ProviderError } from './errors.ts';
import type { P2pAllocation } from './pool.ts';

/** What a process asks of mmap. */
export interface MmapRequest {
  /** MAP_SHARED; a private mapping would be copied on write, and a BAR cannot be. */
  readonly shared: boolean;
  /** In the file, bytes: 0, since the pool chooses the place. */
  readonly offset: number;
  /** Bytes, at least 1; rounded up to pages as mmap does. */
  readonly length: number;
}

/** What a mapping needs of the provider that its pages belong to. */
export interface PageHolder {
  readonly state: 'live' | 'removing' | 'gone';
  free(page: P2pAllocation): void;
  get(page: P2pAllocation): void;
  put(page: P2pAllocation): void;
}

interface Page {
  readonly allocation: P2pAllocation;
  mapped: boolean;
  pins: number;
}

export class UserMapping {
  readonly #holder: PageHolder;
  readonly #name: string;
  readonly #pages: readonly Page[];
  #mapped: number;

  /** `name` of the function, for refusals; `pages` by rising address, one allocation each. */
  constructor(holder: PageHolder, name: string, pages: readonly P2pAllocation[]) {
    this.#holder = holder;
    this.#name = name;
    this.#pages = pages.map((allocation) => ({ allocation, mapped: true, pins: 0 }));
    this.#mapped = pages.length;
  }

  /** Number of pages that mmap gave, whether they are still mapped or not. */
  get pageCount(): number {
    return this.#pages.length;
  }

  /** Number of pages that the process can still touch. */
  get mappedPages(): number {
    return this.#mapped;
  }

  /** Where a page is, or null where a touch of it faults. */
  phys(page: number): PhysAddr | null {
    const found = this.#pages[page];
    return found?.mapped ? found.allocation.phys : null;
  }

  /** munmap of `count` pages from `first` on; pages that are not mapped are passed over, as munmap does. */
  unmap(first = 0, count: number = this.#pages.length - first): void {
    assert(first >= 0 && count >= 0, `pages ${first} and ${count} more`);
    for (const page of this.#pages.slice(first, first + count)) {
      if (!page.mapped) continue;
      page.mapped = false;
      this.#mapped--;
      this.#giveBack(page);
    }
  }

  /** I/O begins in a page, which stays out of the pool until `unpin`. `PAGE_NOT_MAPPED` (EFAULT). */
  pin(page: number): P2pAllocation {
    const found = this.#pages[page];
    if (!found?.mapped) {
      throw new ProviderError(
        'PAGE_NOT_MAPPED',
        this.#name,
        `page ${page} of a mapping of ${this.#pages.length} pages is not mapped`,
        'it was unmapped, or the provider is being removed: map again',
      );
    }
    this.#holder.get(found.allocation);
    found.pins++;
    return found.allocation;
  }

  /** I/O in a page ends. `DMA_NOT_IN_FLIGHT` where none had begun. */
  unpin(page: number): void {
    const found = present(this.#pages[page], `page ${page} of a mapping of ${this.#pages.length}`);
    if (found.pins === 0) {
      throw new ProviderError('DMA_NOT_IN_FLIGHT', this.#name, `page ${page} is not pinned`, 'unpin once for each pin');
    }
    found.pins--;
    this.#holder.put(found.allocation);
    if (!found.mapped) this.#giveBack(found);
  }

  #giveBack(page: Page): void {
    if (page.pins === 0 && this.#holder.state !== 'gone') this.#holder.free(page.allocation);
  }
}
