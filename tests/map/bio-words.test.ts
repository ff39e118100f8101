/** What is wrong with a field of a bio is said in this project's words, not in those of a library. */

import { expect, test } from 'vitest';
import { readBioFile } from '../../src/scenario/bio-file.ts';
import { ScenarioError } from '../../src/scenario/errors.ts';

const GOOD = { device: '03:00.0', direction: 'fromDevice', vectors: [] };

function wordsFor(value: unknown): string {
  try {
    readBioFile(typeof value === 'string' ? value : JSON.stringify(value), 'bio.yaml');
  } catch (error) {
    if (error instanceof ScenarioError) return error.message;
    throw error;
  }
  throw new Error('not refused');
}

test.each([
  [[], 'is a list, and an object is wanted'],
  ['null', 'is null, and an object is wanted'],
  [{ ...GOOD, queue: false }, 'is true or false, and an object is wanted'],
  [{ ...GOOD, queue: { p2p: 'no' } }, 'is text, and true or false is wanted'],
  [{ ...GOOD, limits: { maxSegmentSize: '64K' } }, 'is text, and a number is wanted'],
  [{ ...GOOD, vectors: [{ address: 0, length: 1, flags: 'MAP_BUS_ADDR' }] }, 'is text, and a list is wanted'],
])('%j: %s', (value, words) => {
  expect(wordsFor(value)).toBe(words);
});

test('two YAML documents in one file are refused in plain words', () => {
  const text = 'device: "03:00.0"\ndirection: fromDevice\nvectors: []\n---\nmore: 1\n';
  expect(wordsFor(text)).toBe('holds more than one YAML document');
});
