/** The design with pages keeps the provider of the vector before, as Linux does, and answers as a search for each vector does. */

import { expect, test } from 'vitest';
import { Lab, MIB } from '../../claims/lab.ts';
import { BvecList } from '../../src/block/bio-vec.ts';
import { Prng } from '../../src/core/prng.ts';
import {
  addressAt,
  type Classifier,
  kindAt,
  Lookup,
  MapError,
  PageDescriptors,
  RangeTable,
} from '../../src/dma/index.ts';
import { seedOf } from '../properties/lands.ts';

const LISTS = 5000;

/** Kinds and addresses, or the refusal with its vector. */
function answerOf(classifier: Classifier, lab: Lab, list: BvecList): unknown {
  try {
    const found = classifier.classify(lab.device('client'), list);
    return Array.from({ length: list.count }, (_, index) => [kindAt(found, index), addressAt(found, index)]);
  } catch (error) {
    if (error instanceof MapError) return `${error.code} ${error.path}`;
    throw error;
  }
}

test(`DESIGN11: over ${LISTS} lists on ranges that come, go and share a page, pages answer as lookup does, refusals too`, () => {
  const prng = new Prng(seedOf(8011, 'pages and lookup'));
  const lab = new Lab({ busOffset: 2 ** 33 });
  // RAM that ends inside a page, and RAM that begins there: firmware does such things.
  const border = 300 * MIB + 1536;
  const ram = [
    { start: MIB, end: border },
    { start: border, end: 512 * MIB - 777 },
  ];
  const table = RangeTable.ofMachine({ ...lab.machine, ram });
  const pairs = lab.pairs('client');
  const page = new PageDescriptors(table, pairs);
  const lookup = new Lookup(table, pairs);
  const bars = table.records.filter(({ kind }) => kind === 'bar');
  const edges = table.records.flatMap(({ start, end }) => [start, end]);
  const seen = { mapped: 0, refused: 0 };
  for (let index = 0; index < LISTS; index++) {
    if (prng.chance(0.02)) {
      const bar = prng.pick(bars);
      if (table.removeProvider(bar.provider) === 0) table.add(bar);
    }
    page.queuedAt = prng.chance(0.1) ? table.generation - 1 : Number.POSITIVE_INFINITY;
    lookup.queuedAt = page.queuedAt;
    const list = new BvecList();
    const count = prng.between(1, 6);
    for (let vector = 0; vector < count; vector++) {
      const { start, end } = prng.pick(table.records);
      const isInside = prng.chance(0.9);
      const at = isInside ? start + prng.below(end - start - 4096) : prng.pick(edges) - prng.below(5000);
      list.push(at, prng.between(1, 4096), prng.chance(0.01) ? 2 : 0);
    }
    const wanted = answerOf(lookup, lab, list);
    // Lookup looks at the flags of a run at once, pages at each vector's: with two faults another may be named first.
    const got = answerOf(page, lab, list);
    const flaggedAt = list.flags.subarray(0, count).findIndex((flag) => flag !== 0);
    if (typeof wanted === 'string' && flaggedAt >= 0)
      expect(typeof got, `seed ${prng.seed}, list ${index}`).toBe('string');
    else expect(got, `seed ${prng.seed}, list ${index}`).toEqual(wanted);
    seen[typeof wanted === 'string' ? 'refused' : 'mapped']++;
  }
  console.log(`${seen.mapped} mapped, ${seen.refused} refused`);
  expect(Math.min(seen.mapped, seen.refused)).toBeGreaterThan(LISTS / 10);
});
