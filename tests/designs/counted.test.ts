/** The designs that count decide as the library does: every kind, every address, every lookup, list after list. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CountedDesign, vectorBytes } from '../../claims/counted-designs.ts';
import { CountedMemory, known, made } from '../../claims/counted-memory.ts';
import { countedRows, countedText } from '../../claims/counted-rows.ts';
import { ROADS, type Side } from '../../claims/designs.ts';
import { BvecList } from '../../src/block/bio-vec.ts';
import type { BusAddr } from '../../src/core/address.ts';
import { Prng } from '../../src/core/prng.ts';
import { addressAt, type Classified, KIND_BUS, kindAt } from '../../src/dma/classified.ts';
import type { Classifier } from '../../src/dma/classifier.ts';
import { DmaDevice } from '../../src/dma/device.ts';
import { busAddrInBar } from '../../src/dma/own-bar.ts';
import { HOTPLUG_GRANULE } from '../../src/p2p/resource.ts';
import { allLands, randomList, seedOf } from '../properties/lands.ts';

const LISTS = 2000;

test('DESIGN7: a memory counts bytes, lines, compares and dependent loads of what is read, and only of that', () => {
  const memory = new CountedMemory();
  const table = memory.place(100);
  const other = memory.place(64);
  expect([table % 64, other - table]).toEqual([0, 128]);
  memory.store(table + 60, 8, other);
  memory.store(other, 4, 7);
  expect(memory.take()).toEqual({ bytes: 0, lines: 0, compares: 0, loads: 0, dependentLoads: 0 });
  const pointer = memory.load(known(table + 60), 8); // over the end of a line
  const seven = memory.load(pointer, 4);
  memory.load(made(other, known(1)), 4);
  expect([memory.isEqual(seven, known(7)), memory.isBelow(seven, known(7)), memory.isAbove(seven, known(6))]).toEqual([
    true,
    false,
    true,
  ]);
  expect(memory.take()).toEqual({ bytes: 16, lines: 3, compares: 3, loads: 3, dependentLoads: 1 });
  expect(() => memory.load(known(table), 8)).toThrow('no field of 8 bytes');
  expect(() => memory.load(known(other), 8)).toThrow('no field of 8 bytes');
});

/** As `dmaMapBvec` asks: the vectors' own words first, if they all are kinds. */
function classified(classifier: Classifier, device: DmaDevice, list: BvecList): Classified {
  const claimed = classifier.claims?.(device, list) ?? null;
  const isWhole = (one: Classified): boolean =>
    Array.from({ length: list.count }, (_, index) => kindAt(one, index)).every((kind) => kind <= KIND_BUS);
  return claimed !== null && isWhole(claimed) ? claimed : classifier.classify(device, list);
}

test(`DESIGN8: on ${LISTS} random lists each design that counts finds what the library finds, by as many lookups`, async () => {
  const prng = new Prng(seedOf(8003, 'designs that count'));
  const lands = await allLands(true);
  for (const { table } of lands) for (let change = 0; change < 300; change++) table.bump();
  const pairs = lands.map((land) => {
    const device = new DmaDevice({ fn: land.fn, iommu: 'off' });
    const side: Side = { table: land.table, pairs: land.pairs, device };
    return {
      land,
      side,
      designs: ROADS.map((design) => ({
        design,
        classifier: design.classifier(side),
        counted: new CountedDesign(design.name, side),
      })),
    };
  });
  const seen = { lookups: 0, matched: 0, own: 0 };
  for (let index = 0; index < LISTS; index++) {
    const { land, side, designs } = prng.pick(pairs);
    const { plain, reach, direction } = randomList(prng, land, { count: prng.chance(0.2) ? 60 : 8 });
    if (prng.chance(0.02)) land.table.bump();
    const isSmall = reach.some(({ kind, start, end }) => kind !== 'ram' && end - start < HOTPLUG_GRANULE);
    for (const { design, classifier, counted } of designs) {
      if (design.name === 'page' && isSmall) continue;
      const submitted = design.submit(side, plain, direction);
      const list = BvecList.fromVectors(submitted.list);
      if (design.name === 'certified') spoil(prng, list, land.table.generation);
      const before = { ...classifier.counters };
      const found = classified(classifier, side.device, list);
      const wanted = Array.from({ length: list.count }, (_, at) => [kindAt(found, at), addressAt(found, at)]);
      const { lookups, lastHits, pages } = classifier.counters;
      const run = counted.run(list);
      const label = `seed ${prng.seed}, list ${index}, ${land.name}, ${design.name}`;
      expect(
        run.kinds.map((kind, at) => [kind, run.addresses[at]]),
        label,
      ).toEqual(wanted);
      // Case (c): the library finds it among the outputs, whatever classified them; mapped before, it is not looked for.
      const own = wanted.flatMap(([kind, address], at) => {
        const isOwn =
          kind === KIND_BUS && busAddrInBar(land.fn, address as BusAddr, list.length[at] as number) !== null;
        return isOwn ? [at] : [];
      });
      expect(run.own, label).toEqual(design.name === 'premapped' ? [] : own);
      if (design.name !== 'premapped') seen.own += own.length;
      expect(run.counters, label).toEqual({
        lookups: lookups - before.lookups,
        lastHits: lastHits - before.lastHits,
        pages: pages - before.pages,
      });
      expect(run.counts.bytes).toBeGreaterThanOrEqual(12 * list.count);
      expect(run.counts.lines).toBeGreaterThanOrEqual(Math.ceil((vectorBytes(design.name) * list.count - 4) / 64));
      if (design.name === 'certified') seen[run.counters.lookups > 0 ? 'lookups' : 'matched']++;
      submitted.end();
    }
  }
  console.log(`certified: ${seen.matched} lists matched, ${seen.lookups} were looked up, in part or in whole`);
  expect(Math.min(seen.matched, seen.lookups, seen.own)).toBeGreaterThan(LISTS / 10);
}, 120_000);

/** Takes certificates away, or makes them of an earlier time: none, some or all. */
function spoil(prng: Prng, list: BvecList, generation: number): void {
  const share = prng.pick([0, 0, 0.2, 1]);
  const isNone = prng.chance(0.5);
  const age = prng.between(1, Math.min(300, generation - 1));
  for (let index = 0; index < list.count; index++) {
    if (!prng.chance(share)) continue;
    const word = list.certificateAt(index);
    const earlier = ((((word >>> 2) - age) & 0x3fff) << 2) | (word & 3) | (word & 0xffff0000);
    list.certify(index, isNone ? 0 : earlier >>> 0);
  }
}

test('DESIGN9: what the decision record counts is what is counted, and without an IOMMU or with one it is the same but where mapping comes first', () => {
  const off = countedRows('off');
  const recorded = readFileSync(new URL('../../docs/decisions/counted.csv', import.meta.url), 'utf8');
  expect(recorded, 'npm run bench:designs -- --record').toBe(countedText(off));
  const differing = countedRows('on').filter((row, index) => JSON.stringify(row) !== JSON.stringify(off[index]));
  expect([...new Set(differing.map(({ design }) => design))]).toEqual(['premapped']);
});

test('DESIGN9: certificates that match are read and compared as flags are, two of a list once more', () => {
  const rows = countedRows('off');
  const of = (design: string) => rows.filter((row) => row.design === design);
  of('certified').forEach((row, index) => {
    const flags = of('flags')[index] as (typeof rows)[number];
    expect([row.dependentLoads, row.lookups, row.lines]).toEqual([0, 0, flags.lines]);
    expect(row.compares - flags.compares).toBeCloseTo(2 / row.vectors, 1);
    expect(row.bytes - flags.bytes).toBeCloseTo(8 / row.vectors, 1);
  });
});
