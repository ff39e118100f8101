import { expect, test } from 'vitest';
import { shorten, styleOf, wrap } from './style.ts';

test('lines are broken at blanks and no word is lost', () => {
  const text = '  one two three four five six seven';
  for (let width = 5; width < 50; width++) {
    const lines = wrap(text, width, '    ');
    expect(lines.map((line) => line.trim()).join(' ')).toBe(text.trim());
    for (const line of lines) if (line.trim().includes(' ')) expect(line.length).toBeLessThanOrEqual(width);
  }
});

test('a cut is shown', () => {
  expect(shorten('abcdef', 6)).toBe('abcdef');
  expect(shorten('abcdefg', 6)).toBe('abcde…');
});

test('without colour text is itself; with colour it is still in there', () => {
  expect(styleOf(false).ofCase('b2', 'b2')).toBe('b2');
  expect(styleOf(true).ofCase('b2', 'b2')).toBe('\u001b[32mb2\u001b[0m');
});
