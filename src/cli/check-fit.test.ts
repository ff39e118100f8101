import { expect, test } from 'vitest';
import { fitted } from './check-fit.ts';

const block = (name: string, ...heights: number[]): string[][] =>
  heights.map((height) => Array.from({ length: height }, (_, line) => `${name}${height}.${line}`));

const heights = (lines: readonly string[]): string[] => [...new Set(lines.map((line) => line.split('.')[0] as string))];

test('what fits is told at length', () => {
  expect(heights(fitted([block('a', 3, 1), block('b', 2, 1)], 5, 1))).toEqual(['a3', 'b2']);
});

test('the last is shortened first, and those that are kept only when the others are as short as can be', () => {
  const blocks = [block('a', 5, 3, 1), block('b', 5, 3, 1), block('c', 5, 3, 1)];
  const at = (rows: number, kept: number): string[] => heights(fitted(blocks, rows, kept));
  expect(at(15, 0)).toEqual(['a5', 'b5', 'c5']);
  expect(at(14, 0)).toEqual(['a5', 'b5', 'c3']);
  expect(at(11, 0)).toEqual(['a5', 'b3', 'c3']);
  expect(at(9, 0)).toEqual(['a3', 'b3', 'c3']);
  expect(at(9, 1)).toEqual(['a5', 'b3', 'c1']);
  expect(at(8, 0)).toEqual(['a3', 'b3', 'c1']);
  expect(at(7, 1)).toEqual(['a5', 'b1', 'c1']);
  expect(at(6, 1)).toEqual(['a3', 'b1', 'c1']);
  expect(at(3, 1)).toEqual(['a1', 'b1', 'c1']);
});

test('what does not fit at its shortest is longer than the screen, and nothing is lost', () => {
  expect(fitted([block('a', 2), block('b', 2)], 1, 1)).toEqual(['a2.0', 'a2.1', 'b2.0', 'b2.1']);
});

test('a block that may vanish vanishes', () => {
  expect(fitted([block('a', 2), block('b', 2, 0)], 3, 1)).toEqual(['a2.0', 'a2.1']);
  expect(fitted([], 3, 2)).toEqual([]);
});
