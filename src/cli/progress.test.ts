import { expect, test } from 'vitest';
import { progressOn } from './progress.ts';

function drawn(isTTY: boolean | undefined, all: number): string[] {
  const lines: string[] = [];
  const progress = progressOn({ isTTY, write: (text) => lines.push(text) });
  for (let done = 1; done <= all; done++) progress(done, all, 'transfers');
  return lines;
}

test('on a terminal a long run has one line, written over, and none when it is over', () => {
  const lines = drawn(true, 72);
  expect(lines).toHaveLength(72);
  expect(lines[11]).toBe('\r\x1b[K12 of 72 transfers');
  expect(lines[71]).toBe('\r\x1b[K');
});

test('a short run, a pipe and a file get none', () => {
  expect(drawn(true, 20)).toEqual([]);
  expect(drawn(false, 72)).toEqual([]);
  expect(drawn(undefined, 72)).toEqual([]);
});
