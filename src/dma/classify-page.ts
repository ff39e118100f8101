/**
 * The incumbent: a page descriptor of 64 bytes for every 4 KiB of RAM and of each provider's BAR, as `struct page` with its
 * pagemap. The classification is a read of the descriptor at the page's index; the price is the memory, and that a BAR
 * below the granule of memory hot-plug cannot have descriptors at all.
 */

import type { BvecList } from '../block/bio-vec.ts';
import { pageIndex } from '../core/address.ts';
import { hex } from '../core/hex.ts';
import { PAGE_DESCRIPTOR_BYTES } from '../p2p/page-cost.ts';
import { HOTPLUG_GRANULE } from '../p2p/resource.ts';
import {
  type Classified,
  type Classifier,
  KIND_BUS,
  KIND_RAM,
  KIND_RESOURCE,
  type LookupCounters,
  newClassified,
  newCounters,
} from './classifier.ts';
import type { DmaDevice } from './device.ts';
import { MapError } from './errors.ts';
import { refuseFlag } from './flag-refusals.ts';
import { MADE_NOW, ownerIndex } from './owner.ts';
import { PAIR_BUS, PAIR_HOST_BRIDGE, type PairTypes } from './pair-types.ts';
import type { RangeRecord, RangeTable } from './range-table.ts';

/** Memory whose descriptors are made together, bytes: a section of Linux's sparse memory model on x86. */
const SECTION_BYTES = 2 ** 27;

/** The descriptors of one range's pages within one section, made when first touched. */
interface Section {
  readonly record: RangeRecord;
  /** First page and page behind the last. */
  readonly firstPage: number;
  readonly endPage: number;
  /** Per page the index of its record's provider plus one; 0 is RAM. The first word of each 64-byte descriptor. */
  readonly descriptors: Int32Array;
}

const WORDS = PAGE_DESCRIPTOR_BYTES / 4;

export class PageDescriptors implements Classifier {
  readonly name = 'page';
  readonly counters: LookupCounters = newCounters();
  readonly table: RangeTable;
  readonly pairs: PairTypes;
  queuedAt: number = MADE_NOW;
  readonly #sections = new Map<RangeRecord, Map<number, Section>>();
  #bytes = 0;
  #kind = new Uint32Array(64);
  #address = new Float64Array(64);
  readonly #classified = newClassified();

  constructor(table: RangeTable, pairs: PairTypes) {
    this.table = table;
    this.pairs = pairs;
  }

  /** Bytes of descriptors made so far. */
  get descriptorBytes(): number {
    return this.#bytes;
  }

  /** @throws MapError as `Lookup`, and UNOWNED_ADDRESS for a BAR too small to have page descriptors */
  classify(_device: DmaDevice, vectors: BvecList): Classified {
    const { count, address, length, flags } = vectors;
    if (count > this.#kind.length) {
      this.#kind = new Uint32Array(count * 2);
      this.#address = new Float64Array(count * 2);
    }
    const kind = this.#kind;
    const found = this.#address;
    for (let index = 0; index < count; index++) {
      if (flags[index] !== 0) refuseFlag(vectors, index);
      const at = address[index] as number;
      const section = this.#sectionOf(at, length[index] as number, index);
      const provider = (section.descriptors[(pageIndex(at) - section.firstPage) * WORDS] as number) - 1;
      this.counters.pages++;
      kind[index] = KIND_RAM;
      found[index] = at;
      if (provider < 0) continue;
      const type = this.pairs.of(provider);
      if (type === PAIR_BUS) {
        kind[index] = KIND_BUS;
        found[index] = at + section.record.busOffset;
      } else if (type === PAIR_HOST_BRIDGE) kind[index] = KIND_RESOURCE;
      else this.pairs.refuse(provider, `vectors[${index}]`);
    }
    this.#classified.kind = kind;
    this.#classified.address = found;
    return this.#classified;
  }

  #sectionOf(address: number, length: number, index: number): Section {
    const record = this.table.at(ownerIndex(this.table, address, length, this.queuedAt, index));
    const number = Math.floor(address / SECTION_BYTES);
    let ofRecord = this.#sections.get(record);
    if (ofRecord === undefined) {
      refuseSmallBar(record, `vectors[${index}]`);
      ofRecord = new Map();
      this.#sections.set(record, ofRecord);
    }
    let section = ofRecord.get(number);
    if (section === undefined) {
      section = makeSection(record, number);
      ofRecord.set(number, section);
      this.#bytes += (section.endPage - section.firstPage) * PAGE_DESCRIPTOR_BYTES;
    }
    return section;
  }
}

function refuseSmallBar(record: RangeRecord, path: string): void {
  const bytes = record.end - record.start;
  if (record.kind !== 'bar' || bytes >= HOTPLUG_GRANULE) return;
  const message = `BAR ${record.bar} at ${hex(record.start)} has ${bytes} bytes, and page descriptors come in granules of ${HOTPLUG_GRANULE}`;
  throw new MapError('UNOWNED_ADDRESS', path, message, 'classify by flags or lookup: they need no pages');
}

function makeSection(record: RangeRecord, number: number): Section {
  const firstPage = pageIndex(Math.max(record.start, number * SECTION_BYTES));
  const endPage = pageIndex(Math.min(record.end, (number + 1) * SECTION_BYTES) - 1) + 1;
  const descriptors = new Int32Array((endPage - firstPage) * WORDS);
  for (let page = firstPage; page < endPage; page++) descriptors[(page - firstPage) * WORDS] = record.provider + 1;
  return { record, firstPage, endPage, descriptors };
}
