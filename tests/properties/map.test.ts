/** Properties of `dmaMapBvec`, 10,000 lists each, by chance from a printed seed: `P2PDMA_SEED=n` replays. */

import { expect, test } from 'vitest';
import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from '../../src/block/bio-vec.ts';
import type { Iova } from '../../src/core/address.ts';
import { Prng } from '../../src/core/prng.ts';
import { rangesOverlap } from '../../src/core/range.ts';
import type { Classifier } from '../../src/dma/classifier.ts';
import { TrustingFlags } from '../../src/dma/classify-flags.ts';
import { Lookup } from '../../src/dma/classify-lookup.ts';
import { PageDescriptors } from '../../src/dma/classify-page.ts';
import { VerifiedFlags } from '../../src/dma/classify-verified.ts';
import type { DmaDevice } from '../../src/dma/device.ts';
import { MapError } from '../../src/dma/errors.ts';
import { dmaMapBvec, dmaUnmapBvec } from '../../src/dma/map-bvec.ts';
import { DmaMapping } from '../../src/dma/mapping.ts';
import { resolveOwnBar } from '../../src/dma/own-bar.ts';
import { IommuDomain } from '../../src/iommu/domain.ts';
import { HOTPLUG_GRANULE } from '../../src/p2p/resource.ts';
import { allLands, type Case, type Land, newDomain, randomDevice, randomList, seedOf, snapshotOf } from './lands.ts';

const CASES = 10_000;
const lands = await allLands(true);

/** Runs a property over the cases; a failure names seed and case. */
function forCases(name: string, seed: number, body: (prng: Prng, land: Land) => void): void {
  const prng = new Prng(seedOf(seed, name));
  for (let index = 0; index < CASES; index++) {
    const land = prng.pick(lands);
    try {
      body(prng, land);
    } catch (error) {
      throw new Error(
        `seed ${prng.seed}, case ${index}, ${land.name}: ${error instanceof Error ? error.message : error}`,
        {
          cause: error,
        },
      );
    }
  }
}

// Plain comparisons: expect() costs too much for some million checks.
function must(condition: boolean, what: () => string): void {
  if (!condition) throw new Error(what());
}

function targetOf(domain: IommuDomain | null, at: number): number {
  for (const access of ['read', 'write'] as const) {
    const found = domain?.translate(at as Iova, access);
    if (found && 'phys' in found) return found.phys;
  }
  throw new Error(`nothing is mapped at ${at}`);
}

/** The CPU address of a byte of an output, by asking page table and bus offset; null for a bounced one. */
function physOf(device: DmaDevice, mapping: DmaMapping, index: number, offset: number): number | null {
  const segment = mapping.at(index);
  const at = (segment.address ?? 0) + offset;
  switch (segment.space) {
    case 'iova':
      return targetOf(device.domain, at);
    case 'phys':
      return at;
    case 'bus':
      return at - device.fn.busOffset;
    case 'bar':
      return (device.fn.bars.find((own) => own.index === segment.bar)?.cpuAddress as number) + segment.offset + offset;
    case 'bounce':
      return null;
  }
}

/** Every byte of the list appears once in the outputs, in order, at its own address. */
function checkCoverage(device: DmaDevice, mapping: DmaMapping, { plain, reach }: Case): void {
  let output = 0;
  let inOutput = 0;
  for (let input = 0; input < plain.count; input++) {
    const length = plain.length[input] as number;
    for (let done = 0; done < length; ) {
      must(output < mapping.count, () => `outputs end before input ${input}`);
      const address = (plain.address[input] as number) + done;
      const left = (mapping.length[output] as number) - inOutput;
      // To the end of the granule, the input or the output: within these the address cannot jump.
      const step = Math.min(length - done, left, 4096 - (address & 4095));
      const { space } = mapping.at(output);
      const kind = reach[input]?.kind;
      const spaces = kind === 'bus' ? ['bus'] : kind === 'own' ? ['bar'] : ['iova', 'phys', 'bounce'];
      must(spaces.includes(space), () => `input ${input} of kind ${kind} is in space ${space}`);
      const first = physOf(device, mapping, output, inOutput);
      const last = physOf(device, mapping, output, inOutput + step - 1);
      must(first === null || first === address, () => `byte ${done} of input ${input} is at ${first}, not ${address}`);
      must(last === null || last === address + step - 1, () => `a run in input ${input} is torn`);
      must(
        mapping.firstInputOf(output) <= input && mapping.lastInputOf(output) >= input,
        () =>
          `output ${output} says inputs ${mapping.firstInputOf(output)} to ${mapping.lastInputOf(output)}, holds ${input}`,
      );
      done += step;
      inOutput += step;
      if (inOutput === mapping.length[output]) {
        must(mapping.lastInputOf(output) === input, () => `output ${output} ends in input ${input}, says another`);
        output++;
        inOutput = 0;
      }
    }
  }
  must(output === mapping.count && inOutput === 0, () => `outputs go on behind the last input`);
}

test('every byte is mapped exactly once, and the outputs cover the inputs in order', () => {
  forCases('coverage', 1, (prng, land) => {
    const device = randomDevice(prng, land);
    const item = randomList(prng, land);
    const mapping = dmaMapBvec(device, item.flagged, item.direction, new TrustingFlags(), new DmaMapping(1), {
      noMerge: prng.chance(0.2),
    });
    resolveOwnBar(device.fn, mapping);
    checkCoverage(device, mapping, item);
    dmaUnmapBvec(device, mapping);
  });
});

test('one contiguous IOVA in rising order, apart from every live one and every reserved window, and only for RAM and resources', () => {
  const domains = new Map<Land, { domain: IommuDomain; live: [DmaDevice, DmaMapping][] }>();
  forCases('one IOVA', 2, (prng, land) => {
    let at = domains.get(land);
    if (at === undefined) {
      at = { domain: newDomain(land), live: [] };
      domains.set(land, at);
    }
    const { domain, live } = at;
    const device = randomDevice(prng, land, { iommu: 'on', domain });
    const item = randomList(prng, land);
    const before = { count: domain.allocator.liveCount, bytes: domain.mappedBytes, generation: domain.generation };
    const mapping = dmaMapBvec(device, item.flagged, item.direction, new TrustingFlags(), new DmaMapping());
    const meets = item.reach.filter(({ kind }) => kind === 'ram' || kind === 'resource').length;
    must(mapping.iommuVectors === meets, () => `${mapping.iommuVectors} vectors meet the IOMMU, not ${meets}`);
    if (meets === 0) {
      must(
        mapping.iovaSize === 0 && domain.generation === before.generation,
        () => 'the page table was touched for nothing',
      );
    } else {
      const range = { start: mapping.iovaBase, end: mapping.iovaBase + mapping.iovaSize };
      must(domain.allocator.liveCount === before.count + 1, () => 'not one allocation');
      must(
        domain.allocator.liveRangeAt(range.start)?.start === range.start,
        () => 'the base is not the start of a live range',
      );
      must((domain.allocator.liveRangeAt(range.start)?.end ?? 0) >= range.end, () => 'the range leaves its allocation');
      for (const window of land.reserved) must(!rangesOverlap(window, range), () => `IOVA in reserved ${window.start}`);
      for (const [, other] of live) {
        const taken = { start: other.iovaBase as number, end: other.iovaBase + other.iovaSize };
        must(other.iovaSize === 0 || !rangesOverlap(taken, range), () => `IOVA of a live mapping at ${taken.start}`);
      }
      let position = range.start as number;
      for (const segment of mapping.segments()) {
        if (segment.space !== 'iova' || segment.address === null) continue;
        must(segment.address >= position, () => `IOVA goes back to ${segment.address}`);
        position = segment.address + segment.length;
        must(position <= range.end, () => 'an output leaves the range');
      }
    }
    // The granules of RAM and resources and nothing else came into the page table.
    let slots = 0;
    item.reach.forEach(({ kind }, index) => {
      if (kind === 'bus' || kind === 'own') return;
      const start = item.plain.address[index] as number;
      slots += Math.ceil(((start & 4095) + (item.plain.length[index] as number)) / 4096) * 4096;
    });
    must(
      domain.mappedBytes === before.bytes + slots,
      () => `${domain.mappedBytes - before.bytes} bytes mapped, not ${slots}`,
    );
    for (let page = mapping.iovaBase as number; page < mapping.iovaBase + mapping.iovaSize; page += 4096) {
      const found = domain.translate(page as Iova, item.direction === 'fromDevice' ? 'write' : 'read');
      if (!('phys' in found)) continue;
      const reached = land.reach.find(({ start, end }) => found.phys >= start && found.phys < end);
      must(
        reached?.kind === 'ram' || reached?.kind === 'resource',
        () => `${found.phys} is in the page table: ${reached?.kind}`,
      );
      must(found.mmio === (reached?.kind === 'resource'), () => `${found.phys} is mapped with the wrong attribute`);
    }
    live.push([device, mapping]);
    if (live.length > 20) {
      const [gone] = live.splice(prng.below(live.length), 1);
      if (gone) dmaUnmapBvec(...gone);
    }
  });
  for (const { domain, live } of domains.values()) {
    for (const [device, mapping] of live) dmaUnmapBvec(device, mapping);
    expect(domain.mappedBytes).toBe(0);
    expect(domain.allocator.liveBytes).toBe(0);
    domain.allocator.check();
  }
});

/** Whether a vector alone keeps the limits where it lands. */
function withinLimits(device: DmaDevice, { flagged, reach }: Case, index: number): boolean {
  const { maxSegmentSize, segmentBoundaryMask } = device.limits;
  const window = segmentBoundaryMask + 1;
  const start = flagged.address[index] as number;
  const length = flagged.length[index] as number;
  if (length > maxSegmentSize) return false;
  const kind = reach[index]?.kind;
  if (device.domain !== null && (kind === 'ram' || kind === 'resource')) return (start & 4095) + length <= window;
  return Math.floor(start / window) === Math.floor((start + length - 1) / window);
}

test('no output crosses a boundary or exceeds the size: in Linux where the inputs keep the limits, by our own rules always', () => {
  let kept = 0;
  forCases('limits', 3, (prng, land) => {
    const device = randomDevice(prng, land);
    const all = randomList(prng, land, { length: 70_000 });
    const item: Case = device.rules === 'own' ? all : filtered(all, (index) => withinLimits(device, all, index));
    if (item.flagged.count === 0) return;
    kept++;
    const mapping = dmaMapBvec(device, item.flagged, item.direction, new TrustingFlags(), new DmaMapping());
    const { maxSegmentSize, segmentBoundaryMask, dmaMask } = device.limits;
    const window = segmentBoundaryMask + 1;
    for (const { address, length } of mapping.segments()) {
      must(length > 0 && length <= maxSegmentSize, () => `an output of ${length} bytes, at most ${maxSegmentSize}`);
      const first = address as number;
      must(
        Math.floor(first / window) === Math.floor((first + length - 1) / window),
        () => `${first} + ${length} crosses a boundary of ${segmentBoundaryMask}`,
      );
      must(first + length - 1 <= dmaMask, () => `${first} is above the mask`);
    }
    resolveOwnBar(device.fn, mapping);
    checkCoverage(device, mapping, item);
    dmaUnmapBvec(device, mapping);
  });
  expect(kept).toBeGreaterThan(CASES * 0.9);
});

function filtered(item: Case, keep: (index: number) => boolean): Case {
  const flagged = new BvecList();
  const plain = new BvecList();
  const reach = item.reach.filter((_, index) => keep(index));
  for (let index = 0; index < item.plain.count; index++) {
    if (!keep(index)) continue;
    flagged.push(
      item.flagged.address[index] as number,
      item.flagged.length[index] as number,
      item.flagged.flags[index] as number,
    );
    plain.push(item.plain.address[index] as number, item.plain.length[index] as number, 0);
  }
  return { ...item, flagged, plain, reach };
}

test('an unmap restores allocator and page table exactly, whatever else is mapped', () => {
  const domains = new Map<Land, { domain: IommuDomain; live: [DmaDevice, DmaMapping][] }>();
  forCases('unmap restores', 4, (prng, land) => {
    let at = domains.get(land);
    if (at === undefined) {
      at = { domain: newDomain(land), live: [] };
      domains.set(land, at);
    }
    const { domain, live } = at;
    const map = (): [DmaDevice, DmaMapping] => {
      const device = randomDevice(prng, land, { domain, iommu: 'on' });
      const item = randomList(prng, land, { count: 6, length: prng.chance(0.02) ? 2 ** 22 : 20_000 });
      return [device, dmaMapBvec(device, item.flagged, item.direction, new TrustingFlags(), new DmaMapping())];
    };
    if (live.length < 4 && prng.chance(0.2)) live.push(map());
    const before = snapshotOf(domain);
    // Up to three at once, unmapped in any order.
    const held = Array.from({ length: prng.between(1, 3) }, map);
    while (held.length > 0) {
      const [gone] = held.splice(prng.below(held.length), 1);
      if (gone) dmaUnmapBvec(...gone);
    }
    must(JSON.stringify(snapshotOf(domain)) === JSON.stringify(before), () => 'something is left, or missing');
    if (live.length > 0 && prng.chance(0.1)) dmaUnmapBvec(...(live.pop() as [DmaDevice, DmaMapping]));
  });
});

/** Refuses at the k-th page table call, having done some of its work or none. */
class FailingDomain extends IommuDomain {
  /** Calls until the failure; at 0 and below none fails. */
  failAt = 0;

  override mapRun(...args: Parameters<IommuDomain['mapRun']>): number {
    if (--this.failAt === 0) throw new Error('injected: the page table refuses');
    return super.mapRun(...args);
  }
}

test('a failure injected at any step leaves nothing behind, and the same list is mapped after it', () => {
  const steps = { allocator: 0, table: 0, tables: 0, classifier: 0 };
  forCases('injected failures', 5, (prng, land) => {
    const step = prng.pick(['allocator', 'table', 'tables', 'classifier'] as const);
    // Four tables are one of each level: whatever needs a second one of the lowest is refused half-way.
    const room = step === 'tables' ? { tableLimit: 4, largePages: false } : {};
    const domain = new FailingDomain({ allocator: newDomain(land).allocator, ...room });
    const device = randomDevice(prng, land, { domain, iommu: 'on' });
    const item = randomList(prng, land, { count: 8, length: step === 'tables' ? 2 ** 22 : 20_000 });
    const other = randomList(prng, land, { count: 3 });
    const held = dmaMapBvec(device, other.flagged, other.direction, new TrustingFlags(), new DmaMapping());
    const before = JSON.stringify(snapshotOf(domain));
    const mapping = new DmaMapping();
    let classifier: Classifier = new TrustingFlags();
    const { allocator } = domain;
    if (step === 'allocator') allocator.allocate = () => null;
    if (step === 'table') domain.failAt = prng.between(1, 4);
    if (step === 'classifier') classifier = refusingAt(prng.below(item.flagged.count));
    let failed: unknown = null;
    try {
      dmaMapBvec(device, item.flagged, item.direction, classifier, mapping);
    } catch (error) {
      failed = error;
    }
    if (step === 'allocator') Reflect.deleteProperty(allocator, 'allocate');
    domain.failAt = 0;
    if (failed === null) {
      must(step !== 'classifier', () => 'the classifier refused, and the list was mapped');
      must(step !== 'allocator' || mapping.iovaSize === 0, () => 'mapped without an allocation');
      dmaUnmapBvec(device, mapping);
    } else {
      must(failed instanceof MapError, () => `not a MapError: ${failed}`);
      steps[step]++;
      must(!mapping.live && mapping.count === 0 && mapping.iovaSize === 0, () => 'the mapping is not empty');
    }
    must(JSON.stringify(snapshotOf(domain)) === before, () => `a failure of the ${step} left something behind`);
    if (step !== 'tables') {
      dmaMapBvec(device, item.flagged, item.direction, new TrustingFlags(), mapping);
      dmaUnmapBvec(device, mapping);
    }
    dmaUnmapBvec(device, held);
    must(domain.mappedBytes === 0 && domain.allocator.liveBytes === 0, () => 'not all is given back');
  });
  console.log(`failures that happened: ${JSON.stringify(steps)}`);
  for (const count of Object.values(steps)) expect(count).toBeGreaterThan(CASES / 20);
});

function refusingAt(index: number): Classifier {
  return {
    name: 'flags',
    counters: { lookups: 0, lastHits: 0, pages: 0 },
    classify: () => {
      throw new MapError('UNOWNED_ADDRESS', `vectors[${index}]`, 'injected', 'none');
    },
  };
}

test('where the flags are honest, trusting and verified flags, lookup and page give the same mapping', () => {
  const designs = new Map<Land, { lookup: Lookup; page: PageDescriptors; verified: VerifiedFlags }>();
  let pages = 0;
  forCases('designs agree', 6, (prng, land) => {
    let at = designs.get(land);
    if (at === undefined) {
      const { table, pairs } = land;
      at = {
        lookup: new Lookup(table, pairs),
        page: new PageDescriptors(table, pairs),
        verified: new VerifiedFlags(table, pairs),
      };
      designs.set(land, at);
    }
    const device = randomDevice(prng, land);
    const item = randomList(prng, land, { count: 20 });
    const options = { noMerge: prng.chance(0.2) };
    const shown = (list: BvecList, classifier: Classifier): string => {
      const mapping = dmaMapBvec(device, list, item.direction, classifier, new DmaMapping(1), options);
      resolveOwnBar(device.fn, mapping);
      const { iovaBase, iovaSize, iommuVectors } = mapping;
      const table: unknown[] = [];
      for (let page = iovaBase as number; page < iovaBase + iovaSize; page += 4096) {
        const found = device.domain?.translate(page as Iova, item.direction === 'fromDevice' ? 'write' : 'read');
        table.push(found && 'phys' in found ? [found.phys, found.mmio] : null);
      }
      dmaUnmapBvec(device, mapping);
      // Freed ranges are used again, so the base is the same too.
      return JSON.stringify([mapping.segments(), iovaBase, iovaSize, iommuVectors, table]);
    };
    const wanted = shown(item.flagged, new TrustingFlags());
    must(shown(item.flagged, at.verified) === wanted, () => 'verified flags map otherwise');
    must(shown(item.plain, at.lookup) === wanted, () => 'lookup maps otherwise');
    const large = item.reach.every(({ kind, start, end }) => kind === 'ram' || end - start >= HOTPLUG_GRANULE);
    if (large) {
      must(shown(item.plain, at.page) === wanted, () => 'page maps otherwise');
      pages++;
    }
  });
  expect(pages).toBeGreaterThan(CASES / 5);
});

/** What the machine says of a vector, the slow way: the flag that it should have, or null where nothing owns it whole. */
function honestFlag(land: Land, address: number, length: number, flags: number): number | null {
  const cpu = flags === BVEC_MAP_BUS_ADDR ? address - land.fn.busOffset : address;
  const range = land.reach.find(({ start, end }) => cpu >= start && cpu + length <= end);
  if (range === undefined) return null;
  return range.kind === 'ram' ? 0 : range.kind === 'resource' ? BVEC_MAP_RESOURCE : BVEC_MAP_BUS_ADDR;
}

test('verified flags refuse every dishonest vector, at its place, with nothing mapped', () => {
  const codes = new Map<string, number>();
  forCases('dishonest flags', 7, (prng, land) => {
    const device = randomDevice(prng, land);
    const item = randomList(prng, land);
    const at = prng.below(item.flagged.count);
    const list = new BvecList();
    for (let index = 0; index < item.flagged.count; index++) {
      let address = item.flagged.address[index] as number;
      let length = item.flagged.length[index] as number;
      let flags = item.flagged.flags[index] as number;
      if (index === at) {
        const range = item.reach[index];
        const how = prng.below(4);
        if (how === 0) flags = prng.pick([0, BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE].filter((other) => other !== flags));
        if (how === 1)
          address = (range?.end ?? 0) + (flags === BVEC_MAP_BUS_ADDR ? land.fn.busOffset : 0) - prng.below(length);
        if (how === 2) address = prng.below(2 ** 32 - 1) + 2 ** 51;
        if (how === 3) flags = BVEC_MAP_BUS_ADDR | BVEC_MAP_RESOURCE;
        if (length > 1 && prng.chance(0.1)) length--;
      }
      list.push(address, length, flags);
    }
    const address = list.address[at] as number;
    const flags = list.flags[at] as number;
    const honest = flags !== 3 && honestFlag(land, address, list.length[at] as number, flags) === flags;
    const before = JSON.stringify(snapshotOf(device.domain));
    const mapping = new DmaMapping();
    try {
      dmaMapBvec(device, list, item.direction, new VerifiedFlags(land.table, land.pairs), mapping);
      must(honest, () => `${address} with flags ${flags} was mapped`);
      dmaUnmapBvec(device, mapping);
    } catch (error) {
      if (!(error instanceof MapError)) throw error;
      must(!honest, () => `an honest vector was refused: ${error.message}`);
      must(error.path === `vectors[${at}]`, () => `${error.path} was refused, not vectors[${at}]`);
      codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
    }
    must(JSON.stringify(snapshotOf(device.domain)) === before, () => 'something is mapped');
  });
  console.log(`refusals: ${JSON.stringify(Object.fromEntries(codes))}`);
  expect([...codes.keys()].sort()).toEqual(
    expect.arrayContaining(['FLAGS_CONFLICT', 'FLAG_MISMATCH', 'RANGE_STRADDLES', 'UNOWNED_ADDRESS']),
  );
});
