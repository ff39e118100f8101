/** The sampled part: legs with any bits anywhere, and whole trees with mixed lists of vectors, from printed seeds. */

import { expect, test } from 'vitest';
import { LegRunner, replayOf } from './legs.ts';
import { sampleLegs, Tally } from './sample.ts';
import { replayOfTree, runTree } from './trees.ts';

/** `P2PDMA_SEED` runs another one. */
const SEED = Number(process.env['P2PDMA_SEED'] ?? 20190627);
const LEG_CASES = 60_000;
const TREES = 500;

test(`E65: random ACS on random legs, every condition (seed ${SEED})`, () => {
  const tally = new Tally();
  const failures: string[] = [];
  const runner = new LegRunner((complaint) => failures.push(complaint));
  sampleLegs(runner, SEED, LEG_CASES, (one, examined) => {
    tally.add(examined);
    for (const complaint of examined.complaints) failures.push(`${complaint}: ${replayOf(one)}`);
  });
  runner.putAway();
  console.log([`legs, seed ${SEED}:`, ...tally.lines(), `${tally.cases} cases`].join('\n'));
  expect(failures.slice(0, 20)).toEqual([]);
  expect(tally.cases).toBe(LEG_CASES);
}, 240_000);

test(`E65, E66: whole trees: pairs as judged, lists moved to the byte, refused lists without a TLP (seed ${SEED})`, () => {
  const tally = new Tally();
  const failures: string[] = [];
  const lists = { moved: 0, refused: 0 };
  let bytes = 0;
  let deadEnds = 0;
  let functions = 0;
  for (let index = 0; index < TREES; index++) {
    const run = runTree(SEED, index);
    for (const examined of run.pairs) tally.add(examined);
    for (const complaint of run.complaints) failures.push(`${complaint}: ${replayOfTree(SEED, index)}`);
    for (const bio of run.bios) {
      lists[bio.outcome]++;
      bytes += bio.bytes;
      deadEnds += bio.deadEnds;
    }
    functions += run.functions;
  }
  const average = (functions / TREES).toFixed(1);
  console.log([`trees, seed ${SEED}:`, ...tally.lines()].join('\n'));
  console.log(
    `${TREES} trees of ${average} functions, ${tally.cases} pairs, ${lists.moved} lists moved, ${lists.refused} refused, ${bytes} bytes, ${deadEnds} dead ends`,
  );
  expect(failures.slice(0, 20)).toEqual([]);
  expect(tally.cases).toBeGreaterThan(5000);
  expect(lists.moved).toBeGreaterThan(1000);
  expect(lists.refused).toBeGreaterThan(50);
}, 240_000);

test('one seed, one run: the same tree gives the same cases and the same bytes', () => {
  expect(runTree(SEED, 3)).toEqual(runTree(SEED, 3));
});
