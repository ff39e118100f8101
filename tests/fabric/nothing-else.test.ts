/** A write changes the bytes that it names, in one place or page by page in several, and nothing else anywhere. */

import { expect, test } from 'vitest';
import { Prng } from '../../src/core/index.ts';
import { build, randomAccess, randomFabric } from './random-tree.ts';
import type { Bench } from './trees.ts';

const SEED = 77;

/** Every memory of the machine. */
function memories(bench: Bench, endpoints: readonly string[]) {
  return [
    bench.fabric.ram,
    ...endpoints.flatMap((name) => bench.fn(name).bars.map((bar) => bench.memory(name, bar.index))),
  ];
}

test(`what is not delivered changes nothing, what is changes exactly its bytes (seed ${SEED})`, () => {
  let delivered = 0;
  let lost = 0;
  for (let round = 0; round < 150; round++) {
    const prng = new Prng(SEED * 1000 + round);
    const random = randomFabric(prng, { faults: 0.05, depth: 2, fanOut: 3 });
    const bench = build(random, (seed) => new Prng(seed));
    const before = memories(bench, random.endpoints).map((memory) => memory.snapshot());
    for (let step = 0; step < 20; step++) {
      const access = randomAccess(prng, bench, random.endpoints, random.iommuSeed !== null);
      const bytes = Uint8Array.from({ length: Math.min(access.length, 300) }, () => 1 + prng.below(255));
      const where = `seed ${SEED * 1000 + round} step ${step}`;
      const answer = bench.fabric.memoryWrite(bench.index(access.requester), access.address, bytes, access.attributes);
      let changed = 0;
      memories(bench, random.endpoints).forEach((memory, index) => {
        const old = before[index] as (typeof before)[number];
        for (const { start, end } of memory.differences(old)) {
          changed += end - start;
          const now = new Uint8Array(end - start);
          memory.read(start, now);
          old.write(start, now);
        }
      });
      expect(changed, where).toBeLessThanOrEqual(bytes.length);
      if (answer.fate === 'delivered') {
        delivered++;
        const read = new Uint8Array(bytes.length);
        const back = bench.fabric.memoryRead(bench.index(access.requester), access.address, read, access.attributes);
        const plain = random.rootComplex !== 'corrupt' || bench.fabric.counters.requestsAtRootComplex === 0;
        if (back.status === 'SC' && plain)
          expect(
            read.findIndex((byte, at) => byte !== bytes[at]),
            where,
          ).toBe(-1);
      } else if (answer.bytesDelivered === 0 && answer.status === 'notSent') {
        lost++;
        expect(changed, where).toBe(0);
      }
      if (answer.fate !== 'delivered' && bytes.length <= 128 && access.address % 128 === 0)
        expect(changed, where).toBe(0);
    }
  }
  expect(delivered).toBeGreaterThan(300);
  expect(lost).toBeGreaterThan(50);
});
