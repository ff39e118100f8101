import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { commandTree } from './command-tree.ts';
import { COMMANDS } from './commands.ts';
import { bash, fish, zsh } from './completion.ts';
import { manPage } from './man.ts';

const tree = commandTree(COMMANDS);

test('every command and every long option is in each completion and in the manual page', () => {
  const texts = [bash(tree), zsh(tree), fish(tree), manPage(tree, '1.0').replaceAll('\\-', '-')];
  for (const { name, options } of tree) {
    for (const text of texts) expect(text).toContain(name);
    for (const { long } of options) for (const text of texts) expect(text).toContain(long.slice(2));
  }
});

test('bash takes its script, and completes a command and an option', () => {
  const ask = (words: string, index: number): string =>
    spawnSync(
      'bash',
      ['-c', `${bash(tree)}\nCOMP_WORDS=(${words}); COMP_CWORD=${index}; _p2pdma; echo "\${COMPREPLY[@]}"`],
      {
        encoding: 'utf8',
      },
    ).stdout.trim();
  expect(ask('p2pdma mat', 1)).toBe('matrix');
  expect(ask('p2pdma check --fail', 2)).toBe('--fail-on');
});

test('no line of the manual page but a macro begins as one', () => {
  for (const line of manPage(tree, '1.0').split('\n')) {
    if (/^[.']/.test(line)) expect(line).toMatch(/^\.(TH|SH|SS|PP|TP|B|I|nf|fi)\b/);
  }
});
