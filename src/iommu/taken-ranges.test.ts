import { expect, test } from 'vitest';
import { AssertionError } from '../core/assert.ts';
import { Prng } from '../core/prng.ts';
import { ceilLog2 } from './powers.ts';
import { NODE_LIVE, TakenRanges } from './taken-ranges.ts';

/** Highest place for `size` pages among free ones, looked for page by page. */
function highestPlace(free: readonly boolean[], size: number, limitPage: number, belowPage: number): number {
  const alignment = 2 ** ceilLog2(size);
  for (let base = Math.floor((limitPage - size) / alignment) * alignment; base >= 0; base -= alignment) {
    if (base + size > Math.min(limitPage, belowPage)) continue;
    let fits = true;
    for (let page = base; page < base + size && fits; page++) fits = free[page] === true;
    if (fits) return base;
  }
  return -1;
}

test('the search finds the highest place that fits, as a search page by page does', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const prng = new Prng(seed);
    const pages = prng.between(60, 700);
    const holeStart = prng.between(10, 40);
    const reserved = [
      { start: 0, end: 1 },
      { start: holeStart, end: holeStart + prng.between(1, 9) },
    ];
    const taken = new TakenRanges(reserved, pages);
    const free = Array.from({ length: pages }, (_, page) => !reserved.some((r) => page >= r.start && page < r.end));
    const live: number[] = [];
    for (let step = 0; step < 600; step++) {
      if (live.length > 0 && prng.chance(0.45)) {
        const [node] = live.splice(prng.below(live.length), 1) as [number];
        free.fill(true, taken.start[node], taken.end[node]);
        taken.remove(node);
      } else {
        const size = prng.chance(0.5) ? prng.between(1, 6) : prng.between(1, 90);
        const limitPage = prng.chance(0.3) ? prng.between(2, pages) : pages;
        // From the top of the limit, or from some live node on downwards.
        const from = live.length > 0 && prng.chance(0.5) ? prng.pick(live) : taken.nodeFrom(limitPage);
        const bound = Math.min(limitPage, taken.start[from] as number);
        const expected = highestPlace(free, size, bound, bound);
        const above = taken.search(from, size, ceilLog2(size), limitPage);
        expect([seed, step, above === 0 ? -1 : taken.foundBase]).toEqual([seed, step, expected]);
        if (above !== 0) {
          const base = taken.foundBase;
          live.push(taken.insert(above, base, base + size, NODE_LIVE));
          free.fill(false, base, base + size);
        }
      }
      taken.check();
    }
  }
});

test('large spaces: sizes above 2^32 pages are placed exactly', () => {
  const limit = 2 ** 41;
  const taken = new TakenRanges([{ start: 0, end: 1 }], limit);
  const size = 2 ** 39 + 1;
  const above = taken.search(taken.anchor, size, 40, limit);
  expect(taken.foundBase).toBe(2 ** 40);
  taken.insert(above, 2 ** 40, 2 ** 40 + size, NODE_LIVE);
  taken.check();
  expect(taken.search(taken.anchor, 2 ** 40, 40, limit)).toBe(0);
  // Above the new range one page less than 2^39 is left; below it, page 0 is taken.
  expect(taken.search(taken.anchor, 2 ** 39, 39, limit)).not.toBe(0);
  expect(taken.foundBase).toBe(2 ** 39);
});

test('a node is found by its first page only, through growth and removal', () => {
  const taken = new TakenRanges([{ start: 0, end: 1 }], 2 ** 36);
  const nodes: number[] = [];
  for (let index = 0; index < 3000; index++) {
    const above = taken.search(taken.anchor, 3, 2, 2 ** 36);
    nodes.push(taken.insert(above, taken.foundBase, taken.foundBase + 3, NODE_LIVE));
  }
  expect(taken.count).toBe(3002);
  nodes.forEach((node, index) => {
    const start = taken.start[node] as number;
    expect(taken.nodeAt(start)).toBe(node);
    expect(taken.nodeAt(start + 1)).toBe(0);
    if (index % 2 === 0) taken.remove(node);
    if (index % 2 === 0) expect(taken.nodeAt(start)).toBe(0);
  });
  taken.check();
  expect(taken.count).toBe(1502);
});

test('the checks fire on a structure that is broken', () => {
  const build = () => {
    const taken = new TakenRanges([{ start: 0, end: 1 }], 100);
    const nodes: number[] = [];
    for (let index = 0; index < 4; index++) {
      const above = taken.search(taken.anchor, 4, 2, 100);
      nodes.push(taken.insert(above, taken.foundBase, taken.foundBase + 4, NODE_LIVE));
    }
    taken.check();
    return { taken, nodes };
  };
  const overlap = build();
  overlap.taken.end[overlap.nodes[3] as number] = 97;
  expect(() => overlap.taken.check()).toThrow(AssertionError);
  const moved = build();
  moved.taken.start[moved.nodes[3] as number] = 83;
  expect(() => moved.taken.check()).toThrow(AssertionError);
  const { taken, nodes } = build();
  expect(() => taken.insert(nodes[3] as number, 90, 98, NODE_LIVE)).toThrow('gap is taken');
  taken.remove(nodes[0] as number);
  expect(() => taken.remove(nodes[0] as number)).toThrow('not in the index');
  expect(() => new TakenRanges([{ start: 1, end: 2 }], 100)).toThrow('page 0');
});
