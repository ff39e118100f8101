/**
 * Lists of vectors by chance, mapped by `dmaMapBvec` and run by the client's DMA engine. What should be where afterwards is
 * worked out here from the vectors alone and entered in the ledger.
 */

import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from 'p2pdma/block';
import { type Prng, present } from 'p2pdma/core';
import {
  type Classifier,
  DmaDevice,
  type DmaDirection,
  DmaMapping,
  type DmaSegment,
  dmaMapBvec,
  dmaUnmapBvec,
  engineTarget,
  Lookup,
  MapError,
  PairTypes,
  RangeTable,
  reservedWindows,
  resolveOwnBar,
  TrustingFlags,
  VerifiedFlags,
} from 'p2pdma/dma';
import type { DmaSide } from 'p2pdma/fabric';
import type { MapType } from 'p2pdma/p2p';
import { type Bed, RAM } from './bed.ts';
import { isOpenEnd } from './examine.ts';
import { BAR_BYTES } from './grow.ts';
import type { Ledger } from './ledger.ts';

/** Upper half of the client's own BAR 0: where its engine takes bytes from, and puts them. */
const STAGING = BAR_BYTES / 2;
const LONGEST = 6000;

/** Where the memory of a vector is. */
interface Place {
  /** Index of the function, -1 for RAM. */
  readonly provider: number;
  /** Position among the BARs of the function. */
  readonly position: number;
  /** CPU address in RAM, or offset in the BAR. */
  readonly offset: number;
  readonly length: number;
  readonly type: MapType | 'ram';
}

export interface BioResult {
  readonly outcome: 'moved' | 'refused';
  readonly bytes: number;
  readonly segments: number;
  /** Segments whose way ends where `Examiner` knows of an open end: nothing may have moved there. */
  readonly deadEnds: number;
  readonly complaints: readonly string[];
}

export class BioRunner {
  readonly #bed: Bed;
  readonly #ledger: Ledger;
  readonly #table: RangeTable;
  readonly #clients: readonly number[];
  readonly #providers: readonly number[];
  readonly #mapping = new DmaMapping();
  readonly #pairs = new Map<number, PairTypes>();

  constructor(bed: Bed, ledger: Ledger) {
    this.#bed = bed;
    this.#ledger = ledger;
    this.#table = RangeTable.ofMachine(bed.machine);
    const functions = bed.fabric.topology.functions;
    this.#providers = functions.filter((node) => node.bars.length > 0).map((node) => node.index);
    this.#clients = functions
      .filter((node) => !node.isBridge && node.bars[0]?.size === BAR_BYTES)
      .map((node) => node.index);
  }

  /** Whether there is anybody to send. */
  get canRun(): boolean {
    return this.#clients.length > 0;
  }

  /** One list, from the choice of its memories to the unmapping. */
  run(chance: Prng): BioResult {
    const client = chance.pick(this.#clients);
    const pairs = this.#pairsOf(client);
    const places: Place[] = [];
    let left = STAGING;
    for (let count = chance.between(1, 6); count > 0 && left >= LONGEST; count--) {
      const place = this.#place(chance, client, pairs);
      left -= place.length;
      places.push(place);
    }
    const direction = chance.pick<DmaDirection>(['toDevice', 'fromDevice']);
    const design = chance.pick(['flags', 'verified', 'lookup'] as const);
    const complaints: string[] = [];
    const refused = places.some((place) => place.type === 'notSupported');
    const { device, vectors, classifier } = this.#prepare(chance, client, places, pairs, refused ? 'lookup' : design);
    const before = tlpsOf(this.#bed);
    try {
      dmaMapBvec(device, vectors, direction, classifier, this.#mapping);
    } catch (error) {
      if (!(error instanceof MapError) || error.code !== 'PAIR_NOT_SUPPORTED') throw error;
      if (!refused) complaints.push(`refused although every pair is supported: ${error.message}`);
      if (tlpsOf(this.#bed) !== before) complaints.push('E66: a TLP was sent for a pair that is not supported');
      if ((device.domain?.mappedBytes ?? 0) !== this.#mappedBefore)
        complaints.push('a refused list left something mapped');
      return { outcome: 'refused', bytes: 0, segments: 0, deadEnds: 0, complaints };
    }
    if (refused) complaints.push('mapped although a pair is not supported');
    resolveOwnBar(this.#bed.fn(client), this.#mapping);
    const segments = this.#mapping.segments();
    const bytes = places.reduce((sum, place) => sum + place.length, 0);
    const deadEnds = this.#transfer(chance, client, places, segments, direction, complaints);
    dmaUnmapBvec(device, this.#mapping);
    if ((device.domain?.mappedBytes ?? 0) !== this.#mappedBefore) complaints.push('unmapping left something mapped');
    return { outcome: 'moved', bytes, segments: segments.length, deadEnds, complaints };
  }

  #mappedBefore = 0;

  #pairsOf(client: number): PairTypes {
    let pairs = this.#pairs.get(client);
    if (pairs === undefined) {
      pairs = new PairTypes(this.#bed.judge('directional'), client);
      this.#pairs.set(client, pairs);
    }
    return pairs;
  }

  #place(chance: Prng, client: number, pairs: PairTypes): Place {
    const length = chance.chance(0.3) ? 4096 : chance.between(1, LONGEST);
    if (chance.chance(0.35)) {
      const offset = chance.between(2 ** 20, RAM.end - length);
      return {
        provider: -1,
        position: -1,
        offset: chance.chance(0.5) ? offset - (offset % 4096) : offset,
        length,
        type: 'ram',
      };
    }
    const provider = chance.chance(0.2) ? client : chance.pick(this.#providers);
    const { bars } = this.#bed.fabric.function(provider);
    const position = chance.below(bars.length);
    // Its own staging area is no place for its data.
    const room = provider === client && position === 0 ? STAGING : (bars[position]?.size ?? 0);
    const bytes = Math.min(length, room);
    const type = provider === client ? 'busAddr' : pairs.verdict(provider).type;
    return { provider, position, offset: chance.between(0, room - bytes), length: bytes, type };
  }

  #prepare(
    chance: Prng,
    client: number,
    places: readonly Place[],
    pairs: PairTypes,
    design: 'flags' | 'verified' | 'lookup',
  ): { device: DmaDevice; vectors: BvecList; classifier: Classifier } {
    const bed = this.#bed;
    const fn = bed.fn(client);
    const domain = bed.iommu === 'on' ? bed.domain(client, reservedWindows(bed.machine, fn)) : null;
    this.#mappedBefore = domain?.mappedBytes ?? 0;
    const device = new DmaDevice({
      fn,
      iommu: bed.iommu,
      domain,
      rules: chance.pick(['linux', 'own']),
      limits: {
        maxSegmentSize: chance.pick([65536, 16384, 8192]),
        segmentBoundaryMask: chance.pick([0xffffffff, 0xffff, 0xfff]),
      },
    });
    const vectors = new BvecList();
    for (const { provider, position, offset, length, type } of places) {
      if (provider < 0) vectors.push(offset, length, 0);
      else {
        const bus = (bed.fabric.function(provider).bars[position]?.start ?? 0) + offset;
        const phys = bus - bed.fn(provider).busOffset;
        if (design === 'lookup') vectors.push(phys, length, 0);
        else if (type === 'busAddr') vectors.push(bus, length, BVEC_MAP_BUS_ADDR);
        else vectors.push(phys, length, BVEC_MAP_RESOURCE);
      }
    }
    const classifier =
      design === 'flags'
        ? new TrustingFlags()
        : design === 'verified'
          ? new VerifiedFlags(this.#table, pairs)
          : new Lookup(this.#table, pairs);
    return { device, vectors, classifier };
  }

  /** Runs every segment through the engine. Returns how many ended at an open end. */
  #transfer(
    chance: Prng,
    client: number,
    places: readonly Place[],
    segments: readonly DmaSegment[],
    direction: DmaDirection,
    complaints: string[],
  ): number {
    const seed = chance.next();
    const bar = this.#bed.fabric.function(client).bars[0]?.index as number;
    const total = places.reduce((sum, place) => sum + place.length, 0);
    if (segments.reduce((sum, one) => sum + one.length, 0) !== total)
      complaints.push('segments and vectors differ in length');
    const data = new Uint8Array(total);
    for (let at = 0; at < total; at++) data[at] = (seed + at * 13 + (at >> 8)) & 0xff;
    if (direction === 'fromDevice') this.#put(client, 0, STAGING, data);
    else this.#eachPlace(places, (place, start) => this.#putAt(place, data.subarray(start, start + place.length)));
    let deadEnds = 0;
    let done = 0;
    for (const segment of segments) {
      const own: DmaSide = { bar, offset: STAGING + done };
      const there: DmaSide = present(engineTarget(segment), 'an address: nothing is bounced here');
      const [source, target] = direction === 'fromDevice' ? [own, there] : [there, own];
      const arrived = this.#runOne(client, segment, source, target, complaints);
      if (arrived) this.#expect(client, places, done, segment.length, direction);
      else deadEnds++;
      done += segment.length;
    }
    return deadEnds;
  }

  /** One segment. Returns whether it arrived; complains of what may not be. */
  #runOne(client: number, segment: DmaSegment, source: DmaSide, target: DmaSide, complaints: string[]): boolean {
    const { fabric } = this.#bed;
    const { requestsAtRootComplex, completionsAtRootComplex } = fabric.counters;
    const before = tlpsOf(this.#bed);
    fabric.errors.take();
    const { ok } = this.#bed.engine(client).run({ source, target, length: segment.length });
    const errors = fabric.errors.take();
    if (segment.space === 'bar' && tlpsOf(this.#bed) !== before) complaints.push('(c): a TLP was sent');
    const atRoot =
      fabric.counters.requestsAtRootComplex !== requestsAtRootComplex ||
      fabric.counters.completionsAtRootComplex !== completionsAtRootComplex;
    if (segment.space === 'bus' && atRoot) complaints.push('E65: a bus-address segment reached the root complex');
    if (ok && errors.length === 0) return true;
    // A lost completion shows twice: where it was lost, and when the requester's timer ends.
    const ends = errors.filter(({ reason }) => reason !== 'timedOut');
    const open = segment.space !== 'bus' && ends.length > 0 && ends.every((error) => isOpenEnd(this.#bed, error));
    if (!open) complaints.push(`a ${segment.space} segment did not arrive: ${errors[0]?.reason ?? 'no error logged'}`);
    return false;
  }

  /** Enters in the ledger that bytes [from, from + length) of the list have moved. */
  #expect(client: number, places: readonly Place[], from: number, length: number, direction: DmaDirection): void {
    const bytes = new Uint8Array(length);
    if (direction === 'fromDevice') {
      this.#ledger.readBar(client, 0, STAGING + from, bytes);
      this.#eachPart(places, from, length, (place, inPlace, at, count) => {
        this.#enter(place, inPlace, bytes.subarray(at, at + count));
      });
      return;
    }
    this.#eachPart(places, from, length, (place, inPlace, at, count) => {
      const part = bytes.subarray(at, at + count);
      if (place.provider < 0) this.#ledger.readRam(place.offset + inPlace, part);
      else this.#ledger.readBar(place.provider, place.position, place.offset + inPlace, part);
    });
    this.#ledger.expectBar(client, 0, STAGING + from, bytes);
  }

  #eachPlace(places: readonly Place[], visit: (place: Place, start: number) => void): void {
    let start = 0;
    for (const place of places) {
      visit(place, start);
      start += place.length;
    }
  }

  /** The parts of the places that bytes [from, from + length) of the list lie in. */
  #eachPart(
    places: readonly Place[],
    from: number,
    length: number,
    visit: (place: Place, inPlace: number, at: number, count: number) => void,
  ): void {
    this.#eachPlace(places, (place, start) => {
      const first = Math.max(start, from);
      const end = Math.min(start + place.length, from + length);
      if (first < end) visit(place, first - start, first - from, end - first);
    });
  }

  /** Bytes put into a memory by its owner, past the fabric. */
  #put(index: number, position: number, offset: number, bytes: Uint8Array): void {
    const bar = this.#bed.fabric.function(index).bars[position]?.index as number;
    this.#bed.fabric.barMemory(index, bar).write(offset, bytes);
    this.#ledger.expectBar(index, position, offset, bytes);
  }

  #putAt(place: Place, bytes: Uint8Array): void {
    if (place.provider >= 0) this.#put(place.provider, place.position, place.offset, bytes);
    else {
      this.#bed.fabric.ram.write(place.offset, bytes);
      this.#ledger.expectRam(place.offset, bytes);
    }
  }

  #enter(place: Place, inPlace: number, bytes: Uint8Array): void {
    if (place.provider < 0) this.#ledger.expectRam(place.offset + inPlace, bytes);
    else this.#ledger.expectBar(place.provider, place.position, place.offset + inPlace, bytes);
  }
}

function tlpsOf(bed: Bed): number {
  const { memoryReads, memoryWrites, completions } = bed.fabric.counters;
  return memoryReads + memoryWrites + completions;
}
