import { expect, test } from 'vitest';
import { Prng } from '../core/prng.ts';
import { type Claim, DecodeTable } from './decode-table.ts';

function claim(start: number, end: number, node: number): Claim {
  return { start, end, node, bar: -1 };
}

test('an address is found in the claim that holds it, and in none beside it', () => {
  const table = new DecodeTable([claim(0x5000, 0x6000, 2), claim(0x1000, 0x2000, 1)]);
  for (const [address, node] of [
    [0x1000, 1],
    [0x1fff, 1],
    [0x5000, 2],
    [0x5fff, 2],
  ] as const) {
    const at = table.find(address);
    expect(table.nodeOf(at)).toBe(node);
    expect(table.endOf(at)).toBe(node === 1 ? 0x2000 : 0x6000);
  }
  for (const address of [0, 0xfff, 0x2000, 0x4fff, 0x6000, 2 ** 52]) expect(table.find(address)).toBe(-1);
  expect(table.nextStart(0)).toBe(0x1000);
  expect(table.nextStart(0x2000)).toBe(0x5000);
  expect(table.nextStart(0x6000)).toBe(Number.POSITIVE_INFINITY);
});

test('where claims overlap the first in rank keeps the bytes, and the conflict is told', () => {
  const table = new DecodeTable([claim(100, 200, 1), claim(50, 300, 2), claim(190, 210, 3), claim(400, 400, 4)]);
  const owner = (address: number): number => {
    const at = table.find(address);
    return at < 0 ? -1 : table.nodeOf(at);
  };
  expect([50, 99, 100, 199, 200, 299, 300].map(owner)).toEqual([2, 2, 1, 1, 2, 2, -1]);
  expect(table.conflicts.map(([first, second]) => [first.node, second.node])).toEqual([
    [1, 2],
    [1, 3],
    [2, 3],
  ]);
});

test('random tables agree with a search through all claims', () => {
  const prng = new Prng(11);
  for (let round = 0; round < 200; round++) {
    const claims = Array.from({ length: prng.between(0, 12) }, (_, node) => {
      const start = prng.below(200);
      return claim(start, start + prng.below(60), node);
    });
    const table = new DecodeTable(claims);
    for (let address = 0; address < 270; address++) {
      const at = table.find(address);
      const first = claims.find((one) => address >= one.start && address < one.end);
      expect(at < 0 ? -1 : table.nodeOf(at)).toBe(first?.node ?? -1);
      if (at >= 0) expect(table.endOf(at)).toBeGreaterThan(address);
      else expect(table.nextStart(address)).toBeGreaterThan(address);
    }
  }
});

test('a look-up compares with no more claims in a table of 4,096 than in one of 16', () => {
  const MIB = 2 ** 20;
  const layouts: readonly (readonly [string, (at: number) => number])[] = [
    ['side by side', (at) => 2 ** 31 + at * MIB],
    ['with gaps', (at) => 2 ** 31 + at * 16 * MIB],
    ['half at 3 GiB, half above 32 TiB', (at) => (at % 2 === 0 ? 3 * 2 ** 30 : 2 ** 45) + at * MIB],
    ['a cluster for each of eight host bridges', (at) => (1 + (at % 8)) * 2 ** 42 + at * MIB],
  ];
  for (const [layout, startOf] of layouts) {
    for (const count of [16, 4096]) {
      const claims = Array.from({ length: count }, (_, node) => claim(startOf(node), startOf(node) + MIB, node));
      const table = new DecodeTable(claims);
      let most = 0;
      for (const { start, end, node } of claims) {
        for (const address of [start, start + 4096, end - 1]) {
          expect(table.nodeOf(table.find(address))).toBe(node);
          most = Math.max(most, table.comparisons(address));
        }
      }
      expect(most, `${layout}, ${count} claims`).toBeLessThanOrEqual(4);
    }
  }
});

test('claims of very different sizes that touch are found as well', () => {
  const prng = new Prng(12);
  for (let round = 0; round < 100; round++) {
    const claims: Claim[] = [];
    let next = 2 ** prng.between(20, 46);
    for (let node = 0; node < 40; node++) {
      if (prng.below(3) === 0) next += 2 ** prng.between(4, 40);
      const start = next;
      next += 2 ** prng.between(4, 40);
      claims.push(claim(start, next, node));
    }
    const table = new DecodeTable(claims);
    for (const { start, end, node } of claims) {
      for (const address of [start, Math.floor((start + end) / 2), end - 1]) {
        expect(table.nodeOf(table.find(address))).toBe(node);
      }
      const next = claims.find((one) => one.start > end)?.start ?? Number.POSITIVE_INFINITY;
      if (!claims.some((one) => one.start === end)) {
        expect(table.find(end)).toBe(-1);
        expect(table.nextStart(end)).toBe(next);
      }
    }
  }
});
