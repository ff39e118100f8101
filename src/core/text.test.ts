import { expect, test } from 'vitest';
import { alike, nearest } from './text.ts';

const NAMES = ['ACS-REDIR-SWITCH', 'MPS', 'HB-SPLIT', 'HB-NOT-LISTED'];

test('nearest: always names something, the nearest first', () => {
  expect(nearest('HB-SPLT', NAMES, 2)).toEqual(['HB-SPLIT', expect.any(String)]);
  expect(nearest('frobnicate', NAMES)).toHaveLength(3);
});

test.each([
  ['ACS-REDIR-SWTCH', ['ACS-REDIR-SWITCH']],
  ['MSP', ['MPS']],
  ['SPLIT', ['HB-SPLIT']],
  ['frobnicate', []],
  ['', []],
  ['XX', []],
])('alike: %j may have meant %j', (text, wanted) => {
  expect(alike(text, NAMES)).toEqual(wanted);
});

test('alike: a third of the letters may differ, and not one more', () => {
  expect(alike('abcdefghi', ['abcdef123'])).toEqual(['abcdef123']);
  expect(alike('abcdefghi', ['abcde1234'])).toEqual([]);
});
