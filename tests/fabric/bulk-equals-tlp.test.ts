/** A stretch that is routed once and copied at once must be what its TLPs would have been, one by one. */

import { expect, test } from 'vitest';
import { Prng } from '../../src/core/index.ts';
import type { Completion } from '../../src/fabric/index.ts';
import { build, type RandomAccess, randomAccess, randomFabric } from './random-tree.ts';
import { type Bench, pattern } from './trees.ts';

const makePrng = (seed: number): Prng => new Prng(seed);

function run(bench: Bench, access: RandomAccess, seed: number): { answer: Completion; bytes: Uint8Array } {
  const bytes = access.isWrite ? pattern(access.length, seed) : new Uint8Array(access.length);
  const { fabric } = bench;
  const requester = bench.index(access.requester);
  const answer = access.isWrite
    ? fabric.memoryWrite(requester, access.address, bytes, access.attributes)
    : fabric.memoryRead(requester, access.address, bytes, access.attributes);
  return { answer, bytes };
}

/** What two fabrics can be told apart by, memories aside. */
function visible(bench: Bench): unknown {
  const { fabric } = bench;
  return {
    counters: { ...fabric.counters },
    errors: fabric.errors.take(),
    errorCount: fabric.errors.count,
    links: fabric.links.busy(),
    nowNs: fabric.clock.nowNs,
    faults: fabric.iommu?.takeFaults(),
    cached: fabric.iommu?.iotlb.size,
  };
}

function expectSameMemories(a: Bench, b: Bench, endpoints: readonly string[]): void {
  expect(a.fabric.ram.firstDifference(b.fabric.ram)).toBeNull();
  for (const name of endpoints) {
    for (const { index } of a.fn(name).bars) {
      expect(a.memory(name, index).firstDifference(b.memory(name, index)), `${name} BAR ${index}`).toBeNull();
    }
  }
}

test.each([
  ['sound registers', 0, 101, 60],
  ['faulty registers', 0.1, 202, 60],
])(
  'bulk, TLP by TLP and watched give the same bytes, statuses, counters, errors, traffic and time: %s',
  (_, faults, seed, rounds) => {
    const fates = new Map<string, number>();
    let bulkTlps = 0;
    let hops = 0;
    for (let round = 0; round < rounds; round++) {
      const prng = new Prng(seed * 1000 + round);
      const random = randomFabric(prng, { faults, depth: 2, fanOut: 3 });
      const benches = [0, 1, 2].map(() => build(random, makePrng)) as [Bench, Bench, Bench];
      const [bulk, single, watched] = benches;
      single.fabric.tlpByTlp = true;
      watched.fabric.watch(() => hops++);
      for (let step = 0; step < 25; step++) {
        const access = randomAccess(prng, bulk, random.endpoints, random.iommuSeed !== null);
        const where = `seed ${seed * 1000 + round} step ${step} ${JSON.stringify(access)}`;
        const first = run(bulk, access, step);
        const second = run(single, access, step);
        const third = run(watched, access, step);
        expect(second.answer, where).toEqual(first.answer);
        expect(third.answer, where).toEqual(first.answer);
        expect(
          second.bytes.findIndex((byte, at) => byte !== first.bytes[at]),
          where,
        ).toBe(-1);
        expect(
          third.bytes.findIndex((byte, at) => byte !== first.bytes[at]),
          where,
        ).toBe(-1);
        const { fate, reason } = first.answer;
        fates.set(`${fate}/${reason}`, (fates.get(`${fate}/${reason}`) ?? 0) + 1);
        const seen = visible(bulk);
        expect(visible(single), where).toEqual(seen);
        expect(visible(watched), where).toEqual(seen);
      }
      bulkTlps += bulk.fabric.counters.memoryWrites + bulk.fabric.counters.memoryReads;
      expectSameMemories(bulk, single, random.endpoints);
      expectSameMemories(bulk, watched, random.endpoints);
    }
    // The runs were worth something: many TLPs, and many ways to go wrong were met.
    expect(bulkTlps).toBeGreaterThan(10_000);
    expect(hops).toBeGreaterThan(bulkTlps);
    expect(fates.get('delivered/none')).toBeGreaterThan(100);
    expect(fates.size).toBeGreaterThan(8);
  },
);
