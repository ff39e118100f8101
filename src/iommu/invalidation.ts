/**
 * The IOMMU's cache of translations, the IOTLB. It is a state of its own, apart from the page table: an entry lives on
 * after its mapping is gone, until somebody invalidates it. That stale window is the hazard of lazy unmapping, and the
 * reason why a page must not be mapped anew without an invalidation (VT-d specification 6.2, 6.5).
 */

import { type Iova, type PhysAddr, storedAddress } from '../core/address.ts';
import { assert } from '../core/assert.ts';
import type { Translation, Translator } from './translation.ts';

/** A translation, and whether the page table still says so. */
export interface CachedTranslation {
  readonly translation: Translation;
  /** It came from the cache, without a look at the page table. */
  readonly hit: boolean;
  /** It came from the cache and the page table says something else by now: the hazard of a missing invalidation. */
  readonly stale: boolean;
}

interface Entry {
  readonly domain: Translator;
  /** First physical address of the cached page. */
  readonly phys: number;
  /** Bytes of the leaf that the entry was filled from. */
  readonly leafBytes: number;
  readonly read: boolean;
  readonly write: boolean;
  readonly mmio: boolean;
}

export interface IotlbOptions {
  /** Most entries kept; the oldest goes first. Default 1024. */
  readonly entries?: number;
}

/** Caches translations of 4 KiB pages by requester and page. One may serve any number of domains. */
export class Iotlb {
  readonly #capacity: number;
  /** By requester, then by page number; insertion order is age. */
  readonly #entries = new Map<number, Map<number, Entry>>();
  #count = 0;
  #hits = 0;
  #misses = 0;

  constructor(options: IotlbOptions = {}) {
    this.#capacity = options.entries ?? 1024;
    assert(this.#capacity >= 1, `an IOTLB of ${this.#capacity} entries`);
  }

  /** Entries held. */
  get size(): number {
    return this.#count;
  }

  get hits(): number {
    return this.#hits;
  }

  get misses(): number {
    return this.#misses;
  }

  /**
   * Translates for a requester, from the cache if it can. A fault is never cached (VT-d specification 6.1: only present
   * entries are, unless caching mode is on).
   * @param requesterId - bus, device and function as the TLP carries them, with the segment above
   */
  translate(requesterId: number, domain: Translator, iova: Iova, access: 'read' | 'write'): CachedTranslation {
    const page = Math.floor(iova / 4096);
    const entry = this.#entries.get(requesterId)?.get(page);
    if (entry !== undefined && entry.domain === domain && (access === 'read' ? entry.read : entry.write)) {
      this.#hits++;
      const phys = storedAddress<PhysAddr>(entry.phys + (iova & 4095));
      const now = domain.translate(iova, access);
      const stale = !('phys' in now) || now.phys !== phys;
      return { translation: { phys, mmio: entry.mmio, leafBytes: entry.leafBytes }, hit: true, stale };
    }
    this.#misses++;
    const translation = domain.translate(iova, access);
    if ('phys' in translation) {
      const rights = domain.rightsAt(iova);
      this.#fill(requesterId, page, {
        domain,
        phys: translation.phys - (iova & 4095),
        leafBytes: translation.leafBytes,
        read: rights.read,
        write: rights.write,
        mmio: translation.mmio,
      });
    }
    return { translation, hit: false, stale: false };
  }

  /** Whether the requester's page is cached. */
  holds(requesterId: number, iova: Iova): boolean {
    return this.#entries.get(requesterId)?.has(Math.floor(iova / 4096)) ?? false;
  }

  /** Page-selective: drops the domain's entries in `[iova, iova + length)`. */
  invalidate(domain: Translator, iova: Iova, length: number): void {
    const first = Math.floor(iova / 4096);
    const last = Math.ceil((iova + length) / 4096);
    for (const pages of this.#entries.values()) {
      if (last - first > pages.size) {
        for (const [page, entry] of pages) if (page >= first && page < last) this.#drop(pages, page, entry, domain);
        continue;
      }
      for (let page = first; page < last; page++) {
        const entry = pages.get(page);
        if (entry !== undefined) this.#drop(pages, page, entry, domain);
      }
    }
  }

  /** Domain-selective: drops every entry of the domain. */
  invalidateDomain(domain: Translator): void {
    for (const pages of this.#entries.values()) {
      for (const [page, entry] of pages) this.#drop(pages, page, entry, domain);
    }
  }

  /** Global. */
  invalidateAll(): void {
    this.#entries.clear();
    this.#count = 0;
  }

  #drop(pages: Map<number, Entry>, page: number, entry: Entry, domain: Translator): void {
    if (entry.domain !== domain) return;
    pages.delete(page);
    this.#count--;
  }

  #fill(requesterId: number, page: number, entry: Entry): void {
    let pages = this.#entries.get(requesterId);
    if (pages === undefined) {
      pages = new Map();
      this.#entries.set(requesterId, pages);
    }
    // An entry of another domain, or one with fewer rights, makes room for the new one.
    if (!pages.delete(page)) this.#count++;
    pages.set(page, entry);
    if (this.#count > this.#capacity) this.#evict(requesterId);
  }

  /** Drops the oldest entry of the requester that has most. */
  #evict(keep: number): void {
    let most = this.#entries.get(keep) as Map<number, Entry>;
    for (const pages of this.#entries.values()) if (pages.size > most.size) most = pages;
    for (const page of most.keys()) {
      most.delete(page);
      this.#count--;
      return;
    }
  }
}
