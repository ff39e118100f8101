import { expect, test } from 'vitest';
import { same } from '../../tests/p2p/functions.ts';
import { AssertionError } from '../core/assert.ts';
import { Prng } from '../core/prng.ts';
import { GranuleMap } from './granule-map.ts';

/** First run of `count` granules that are free, one by one. */
function slowFirstFit(taken: readonly boolean[], count: number): number {
  for (let start = 0; start + count <= taken.length; start++) {
    if (!taken.slice(start, start + count).includes(true)) return start;
  }
  return -1;
}

test('first fit, take and give agree with a list of booleans, for every size from 1 to 130', () => {
  const seed = 2201;
  const prng = new Prng(seed);
  for (let size = 1; size <= 130; size++) {
    const map = new GranuleMap(size);
    const taken = new Array<boolean>(size).fill(false);
    const runs: [start: number, count: number][] = [];
    for (let step = 0; step < 200; step++) {
      const context = `seed ${seed}, size ${size}, step ${step}`;
      if (runs.length > 0 && prng.chance(0.45)) {
        const [[start, count]] = runs.splice(prng.below(runs.length), 1) as [[number, number]];
        map.give(start, count);
        taken.fill(false, start, start + count);
      } else {
        const count = prng.between(1, prng.chance(0.2) ? size + 1 : Math.ceil(size / 4));
        const start = map.firstFit(count);
        same(start, slowFirstFit(taken, count), context);
        if (start < 0) continue;
        map.take(start, count);
        taken.fill(true, start, start + count);
        runs.push([start, count]);
      }
      same(map.free, taken.filter((bit) => !bit).length, context);
      for (let index = 0; index < size; index++) same(map.isTaken(index), taken[index], context);
    }
  }
});

test('taking what is taken, giving what is free and leaving the range are assertions', () => {
  const map = new GranuleMap(40);
  map.take(30, 4);
  for (const misuse of [
    () => map.take(33, 1),
    () => map.take(0, 40),
    () => map.give(29, 2),
    () => map.give(33, 2),
    () => map.take(39, 2),
    () => map.take(-1, 1),
    () => map.take(5, 0),
  ]) {
    expect(misuse).toThrow(AssertionError);
  }
});
