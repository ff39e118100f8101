/**
 * The tables of a domain as guest memory has them. A domain builds its tables for the addresses it was told; where those lie in
 * the memory set aside, the pages are copied as they are. Elsewhere each table is given a page, and the entries that point to
 * tables are told its address: leaves stay what the domain made them.
 */

import { type PhysAddr, storedAddress, wordsOf } from '../../core/address.ts';
import { assert } from '../../core/assert.ts';
import { rangeContains } from '../../core/range.ts';
import type { IommuDomain } from '../../iommu/domain.ts';
import type { GuestMemory } from './guest-memory.ts';

const PAGE = 4096;
const ENTRIES = 512;
const PRESENT = 3;
const LEAF = 1 << 7;

export class TableCopy {
  readonly #domain: IommuDomain;
  readonly #memory: GuestMemory;
  /** Page of each table that was not built for the memory set aside. */
  readonly #places = new Map<number, PhysAddr>();
  /** What guest memory holds, by the table's own address. */
  readonly #copies = new Map<number, Uint32Array>();
  /** Generation of the domain that guest memory shows. */
  #generation = -1;

  constructor(domain: IommuDomain, memory: GuestMemory) {
    this.#domain = domain;
    this.#memory = memory;
  }

  /** Where hardware finds the root table. */
  get rootTable(): PhysAddr {
    return this.#placeOf(this.#domain.rootTable);
  }

  /** Hands every page that changed since the last call to `put`. Nothing but a comparison where the domain did not change. */
  update(put: (address: PhysAddr, page: Uint8Array) => void): void {
    const domain = this.#domain;
    if (this.#generation === domain.generation) return;
    this.#generation = domain.generation;
    const tables = new Map<number, Uint32Array>();
    for (const { address, words } of domain.tablePages()) tables.set(address, words);
    this.#updateTable(tables, domain.rootTable, domain.levels - 1, put);
  }

  #updateTable(
    tables: ReadonlyMap<number, Uint32Array>,
    address: number,
    level: number,
    put: (address: PhysAddr, page: Uint8Array) => void,
  ): void {
    const words = tables.get(address);
    assert(words !== undefined, 'an entry points to a table that the domain has');
    let page = words;
    if (level > 0) {
      page = words.slice();
      for (let entry = 0; entry < ENTRIES; entry++) {
        const low = page[2 * entry] as number;
        if ((low & PRESENT) === 0 || (low & LEAF) !== 0) continue;
        const child = ((page[2 * entry + 1] as number) & 0xfffff) * 2 ** 32 + ((low & ~(PAGE - 1)) >>> 0);
        this.#updateTable(tables, child, level - 1, put);
        const place = wordsOf(this.#placeOf(child));
        page[2 * entry] = (place.low | (low & (PAGE - 1))) >>> 0;
        page[2 * entry + 1] = place.high;
      }
    }
    const copy = this.#copies.get(address);
    if (copy !== undefined && isEqual(copy, page)) return;
    if (copy === undefined) this.#copies.set(address, page.slice());
    else copy.set(page);
    put(this.#placeOf(address), new Uint8Array(page.buffer, page.byteOffset, page.byteLength));
  }

  #placeOf(address: number): PhysAddr {
    if (rangeContains(this.#memory.reserved, address, PAGE)) return storedAddress(address);
    let place = this.#places.get(address);
    if (place === undefined) {
      place = this.#memory.reservePages(1);
      this.#places.set(address, place);
    }
    return place;
  }
}

function isEqual(a: Uint32Array, b: Uint32Array): boolean {
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
