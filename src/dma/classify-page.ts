/**
 * The incumbent: a page descriptor of 64 bytes for every 4 KiB of RAM and of each provider's BAR, as `struct page` with its
 * pagemap. The classification is a read of the descriptor at the page's index (page-map.ts), and nothing more where it leads to
 * the provider of the vector before: Linux's `struct pci_p2pdma_map_state`, new for each list. The price is the memory, and that a
 * BAR below the granule of memory hot-plug cannot have descriptors at all.
 */

import type { BvecList } from '../block/bio-vec.ts';
import { checkObject } from '../core/argument.ts';
import { hex } from '../core/hex.ts';
import { HOTPLUG_GRANULE } from '../p2p/resource.ts';
import { type Classified, KIND_BUS, KIND_RAM, KIND_RESOURCE, newClassified } from './classified.ts';
import { type Classifier, type LookupCounters, newCounters } from './classifier.ts';
import type { DmaDevice } from './device.ts';
import { MapError } from './errors.ts';
import { refuseFlag } from './flag-refusals.ts';
import { MADE_NOW, ownerIndex } from './owner.ts';
import { PageMap } from './page-map.ts';
import { PAIR_BUS, PAIR_HOST_BRIDGE, type PairTypes } from './pair-types.ts';
import type { RangeRecord, RangeTable } from './range-table.ts';

export class PageDescriptors implements Classifier {
  readonly name = 'page';
  readonly counters: LookupCounters = newCounters();
  readonly table: RangeTable;
  readonly pairs: PairTypes;
  queuedAt: number = MADE_NOW;
  #pages = new PageMap(0);
  /** What the descriptors were made for; and their bytes before, of ranges that are there no more. */
  #records: readonly RangeRecord[] = [];
  #bytesBefore = 0;
  #kind = new Uint32Array(64);
  #address = new Float64Array(64);
  readonly #classified = newClassified();

  constructor(table: RangeTable, pairs: PairTypes) {
    checkObject(table, 'records', 'classifier: table', 'a RangeTable');
    checkObject(pairs, 'client', 'classifier: pairs', 'the PairTypes of the mapping device');
    this.table = table;
    this.pairs = pairs;
  }

  /** Bytes of descriptors made so far. */
  get descriptorBytes(): number {
    return this.#bytesBefore + this.#pages.bytes;
  }

  /** @throws MapError as `Lookup`, and UNOWNED_ADDRESS for a BAR too small to have page descriptors */
  classify(device: DmaDevice, vectors: BvecList): Classified {
    this.pairs.checkClient(device.fn);
    const { count, address, length, flags } = vectors;
    if (count > this.#kind.length) {
      this.#kind = new Uint32Array(count * 2);
      this.#address = new Float64Array(count * 2);
    }
    if (this.#records !== this.table.records) this.#renew();
    const pages = this.#pages;
    const kind = this.#kind;
    const found = this.#address;
    // The record of the vector before, and what it means here: Linux keeps as much between the pages of one list.
    let last = -1;
    let start = Number.POSITIVE_INFINITY;
    let end = 0;
    let what = KIND_RAM;
    let offset = 0;
    for (let index = 0; index < count; index++) {
      if (flags[index] !== 0) refuseFlag(vectors, index);
      const at = address[index] as number;
      // A page says whose it is; that the whole vector is, and has been since it was made, only the record says.
      const paged = pages.recordAt(at);
      if (paged !== last || at < start || at + (length[index] as number) > end) {
        last = this.#recordOf(paged, at, length[index] as number, index);
        const record = this.#records[last] as RangeRecord;
        start = record.start;
        end = record.end;
        what = this.#kindOf(record, index);
        offset = what === KIND_BUS ? record.busOffset : 0;
      }
      kind[index] = what;
      found[index] = at + offset;
    }
    this.counters.pages += count;
    this.#classified.kind = kind;
    this.#classified.address = found;
    return this.#classified;
  }

  /** By the page's descriptor, if it leads to a record that holds the vector; else by a search, and descriptors are made then. */
  #recordOf(paged: number, at: number, length: number, index: number): number {
    const record = paged < 0 ? undefined : this.#records[paged];
    if (record !== undefined && at >= record.start && at + length <= record.end && record.generation <= this.queuedAt) {
      return paged;
    }
    const owner = ownerIndex(this.table, at, length, this.queuedAt, index);
    const owned = this.table.at(owner);
    refuseSmallBar(owned, `vectors[${index}]`);
    this.#pages.make(owned, owner, at);
    return owner;
  }

  #kindOf({ provider }: RangeRecord, index: number): number {
    if (provider < 0) return KIND_RAM;
    const type = this.pairs.of(provider);
    if (type !== PAIR_BUS && type !== PAIR_HOST_BRIDGE) this.pairs.refuse(provider, `vectors[${index}]`);
    return type === PAIR_BUS ? KIND_BUS : KIND_RESOURCE;
  }

  /** Ranges came or went: descriptors lead to records by their place in the table. */
  #renew(): void {
    this.#bytesBefore += this.#pages.bytes;
    this.#records = this.table.records;
    this.#pages = new PageMap(this.#records.at(-1)?.end ?? 0);
  }
}

function refuseSmallBar(record: RangeRecord, path: string): void {
  const bytes = record.end - record.start;
  if (record.kind !== 'bar' || bytes >= HOTPLUG_GRANULE) return;
  const message = `BAR ${record.bar} at ${hex(record.start)} has ${bytes} bytes, and page descriptors come in granules of ${HOTPLUG_GRANULE}`;
  throw new MapError('UNOWNED_ADDRESS', path, message, 'classify by flags or lookup: they need no pages');
}
