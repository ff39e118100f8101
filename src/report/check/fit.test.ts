import { expect, test } from 'vitest';
import { fitted, type Screen } from './fit.ts';

const at = (rows: number): Screen => ({ rows, columns: 10 });

const block = (name: string, ...heights: number[]): string[][] =>
  heights.map((height) => Array.from({ length: height }, (_, line) => `${name}${height}.${line}`));

const heights = (lines: readonly string[]): string[] => [...new Set(lines.map((line) => line.split('.')[0] as string))];

test('what fits is told at length', () => {
  expect(heights(fitted([block('a', 3, 1), block('b', 2, 1)], at(5), 1))).toEqual(['a3', 'b2']);
});

test('the last is shortened first, and those that are kept only when the others are as short as can be', () => {
  const blocks = [block('a', 5, 3, 1), block('b', 5, 3, 1), block('c', 5, 3, 1)];
  const told = (rows: number, kept: number): string[] => heights(fitted(blocks, at(rows), kept));
  expect(told(15, 0)).toEqual(['a5', 'b5', 'c5']);
  expect(told(14, 0)).toEqual(['a5', 'b5', 'c3']);
  expect(told(11, 0)).toEqual(['a5', 'b3', 'c3']);
  expect(told(9, 0)).toEqual(['a3', 'b3', 'c3']);
  expect(told(9, 1)).toEqual(['a5', 'b3', 'c1']);
  expect(told(8, 0)).toEqual(['a3', 'b3', 'c1']);
  expect(told(7, 1)).toEqual(['a5', 'b1', 'c1']);
  expect(told(6, 1)).toEqual(['a3', 'b1', 'c1']);
  expect(told(3, 1)).toEqual(['a1', 'b1', 'c1']);
});

test('what does not fit at its shortest is longer than the screen, and nothing is lost', () => {
  expect(fitted([block('a', 2), block('b', 2)], at(1), 1)).toEqual(['a2.0', 'a2.1', 'b2.0', 'b2.1']);
});

test('a block that may vanish vanishes', () => {
  expect(fitted([block('a', 2), block('b', 2, 0)], at(3), 1)).toEqual(['a2.0', 'a2.1']);
  expect(fitted([], at(3), 2)).toEqual([]);
});

test('a line that is too long takes several rows, and colours take none', () => {
  const two = [['12345678901'], ['short']];
  expect(fitted([two], at(1), 0)).toEqual(['short']);
  expect(fitted([two], at(2), 0)).toEqual(['12345678901']);
  const painted = [['\u001b[1m1234567890\u001b[0m'], ['short']];
  expect(fitted([painted], at(1), 0)).toEqual(painted[0]);
  // An empty line is a row as well.
  expect(fitted([[['', 'a'], ['b']]], at(1), 0)).toEqual(['b']);
});
