import { expect, test } from 'vitest';
import { agree } from './command.ts';
import { FINDINGS } from './findings.ts';

function run(...args: string[]): { code: number; text: string } {
  const lines: string[] = [];
  const code = agree(args, (line) => lines.push(line));
  return { code, text: lines.join('\n') };
}

test('a run prints what was met how often, and ends with 0; the same seed gives the same counts', () => {
  const first = run('--cases', '400', '--seed', '5');
  expect(first.code).toBe(0);
  expect(first.text).toMatch(/^busAddr +direct +\d+$/m);
  expect(first.text).toMatch(/^\d+ trees, \d+ lists mapped, \d+ bytes moved and compared$/m);
  expect(first.text).toMatch(/^4\d\d cases in [\d.]+ s \(\d+ a second\), 0 failures$/m);
  const withoutTime = (text: string): string => text.replace(/ in [\d.]+ s \(\d+ a second\)/, '');
  expect(withoutTime(run('--cases', '400', '--seed', '5').text)).toBe(withoutTime(first.text));
  expect(withoutTime(run('--cases', '400', '--seed', '6').text)).not.toBe(withoutTime(first.text));
});

test.each(FINDINGS)('finding $name is told by one command', ({ name, cases }) => {
  const { code, text } = run('--finding', name);
  expect(code).toBe(0);
  for (const line of cases) expect(text).toContain(`${line}\n`);
});

test('one random tree is told with all that is in it', () => {
  const { code, text } = run('--seed', '5', '--tree', '3');
  expect(code).toBe(0);
  expect(text).toContain('"rootBuses"');
  expect(text).toMatch(/^\d+ functions, \d+ pairs, \d+ lists$/m);
});

test.each([
  ['--cases', 'many'],
  ['--cases', '-4'],
  ['--finding', 'nothing'],
  ['--case', 'switch de/dx'],
  ['--unknown'],
])('%s %s is refused with 2', (...args) => {
  const { code, text } = run(...args);
  expect(code).toBe(2);
  expect(text).not.toBe('');
});
