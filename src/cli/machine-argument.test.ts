import { expect, test } from 'vitest';
import type { ReadNote } from '../machine/machine.ts';
import { noteLines } from './machine-argument.ts';

const note = (code: string, line: number | null): ReadNote => ({
  code,
  file: 'host.txt',
  line,
  message: `${code} ${line}`,
});

test('notes: each is a line with file and line number', () => {
  expect(noteLines([note('A', 3), note('B', null)])).toEqual(['note: host.txt:3: A 3', 'note: host.txt: B null']);
  expect(noteLines([])).toEqual([]);
});

test('notes: of many that are alike the first three are shown, and the rest is counted; one more is no reason to hide it', () => {
  const many = (count: number): ReadNote[] => Array.from({ length: count }, (_, line) => note('A', line));
  expect(noteLines(many(4))).toHaveLength(4);
  expect(noteLines([...many(5), note('B', 1)])).toEqual([
    'note: host.txt:0: A 0',
    'note: host.txt:1: A 1',
    'note: host.txt:2: A 2',
    'note: and 2 more like these',
    'note: host.txt:1: B 1',
  ]);
});
