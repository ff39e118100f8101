import { expect, test } from 'vitest';
import type { VectorReport } from '../../scenario/report.ts';
import { vectorLines } from './vectors.ts';

function vectors(count: number, change: Partial<VectorReport> = {}, at = -1): VectorReport[] {
  return Array.from({ length: count }, (_, input): VectorReport => {
    const isRam = input % 2 === 0;
    return {
      input,
      case: isRam ? 'a' : 'b1',
      owner: isRam ? null : 'peer',
      distance: isRam ? null : 4,
      address: 0x1000 * (input + 1),
      length: 4096,
      flags: 0,
      certificate: null,
      why: 'by the distance',
      bytesEqual: 4096,
      ...(input === at ? change : {}),
    };
  });
}

const numbers = (lines: readonly string[]): string[] =>
  lines.slice(1).flatMap((line) => /^ {2}(\d+)/.exec(line)?.[1] ?? []);

test('up to eight vectors are shown, each in its row', () => {
  for (const count of [1, 2, 8]) {
    const lines = vectorLines(vectors(count));
    expect(numbers(lines).length).toBe(count);
    expect(lines.at(-1)).not.toContain('more');
  }
});

test('of more that are right two of each memory are shown, and the others are counted', () => {
  const lines = vectorLines(vectors(16));
  expect(numbers(lines)).toEqual(['0', '1', '2', '3']);
  expect(lines.at(-1)).toBe('  and 12 vectors more, every byte right: 6 of ram (a), 6 of peer (b1)');
});

test('a vector whose bytes are wrong, or that got other memory, is shown wherever it is', () => {
  expect(numbers(vectorLines(vectors(16, { bytesEqual: 4095 }, 11)))).toEqual(['0', '1', '2', '3', '11']);
  const instead = vectorLines(vectors(16, { why: 'peer is not supported: RAM instead' }, 12));
  expect(numbers(instead)).toEqual(['0', '1', '2', '3', '12']);
  expect(instead.at(-1)).toContain('and 11 vectors more');
});
