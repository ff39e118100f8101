import { expect, test } from 'vitest';
import { Prng } from '../core/prng.ts';
import { bytesOf } from '../core/text.ts';
import { AnchorTable } from './anchors.ts';

function found(words: readonly string[], text: string): { readonly words: string[]; readonly end: number } {
  const table = new AnchorTable(words.map((word, owner) => ({ word, owner })));
  const hits: number[] = [];
  const end = table.scanLine(bytesOf(text), 0, 0x0a, hits);
  return { words: [...new Set(hits.map((hit) => words[hit] as string))].sort(), end };
}

test('a word is found within others, behind its own beginning, and at both ends of a line', () => {
  expect(found(['she', 'he', 'hers', 'his'], 'ushers').words).toEqual(['he', 'hers', 'she']);
  expect(found(['aab'], 'aaab').words).toEqual(['aab']);
  expect(found(['GPU0', 'GPU1'], 'GPU0\tGPU1').words).toEqual(['GPU0', 'GPU1']);
});

test('a line ends at its end: nothing behind is found, and no word reaches over it', () => {
  expect(found(['DMAR', 'AER'], 'DM\nAR AER')).toEqual({ words: [], end: 2 });
});

test('random words over two letters, 3000 texts from seed 7: what the automaton finds is what a search finds', () => {
  const prng = new Prng(7);
  const random = (most: number): string =>
    Array.from({ length: prng.between(1, most) }, () => (prng.chance(0.5) ? 'a' : 'b')).join('');
  for (let round = 0; round < 3000; round++) {
    const words = [...new Set(Array.from({ length: prng.between(1, 6) }, () => random(5)))];
    const text = random(40);
    expect(found(words, text).words, `${words} in ${text}`).toEqual(words.filter((word) => text.includes(word)).sort());
  }
});

test('a line of one word a hundred thousand times notes a bounded number of hits', () => {
  const table = new AnchorTable([{ word: 'ab', owner: 0 }]);
  const hits: number[] = [];
  table.scanLine(bytesOf('ab'.repeat(100_000)), 0, 0x0a, hits);
  expect(hits.length).toBeLessThan(100);
});
