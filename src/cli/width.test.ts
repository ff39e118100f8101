import { expect, test } from 'vitest';
import { outputWidth } from './width.ts';

test('a terminal that claims no columns tells nothing: the next one that knows is believed', () => {
  expect(outputWidth(0, '', 0)).toBe(100);
  expect(outputWidth(0, '90', undefined)).toBe(90);
  expect(outputWidth(undefined, '0', 120)).toBe(120);
});

test('the terminal comes before COLUMNS, COLUMNS before the terminal of stderr, and 100 is the last word', () => {
  expect(outputWidth(80, '90', 120)).toBe(80);
  expect(outputWidth(undefined, '90', 120)).toBe(90);
  expect(outputWidth(undefined, undefined, 120)).toBe(120);
  expect(outputWidth(undefined, 'wide', undefined)).toBe(100);
});

test('below 40 columns lines are not broken further', () => {
  expect(outputWidth(20, undefined, undefined)).toBe(40);
});
