import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandTree } from './command-tree.ts';
import { COMMANDS } from './commands.ts';
import { bash, fish, zsh } from './completion.ts';
import { valuesOf } from './completion-words.ts';
import { manPage } from './man.ts';

const tree = commandTree(COMMANDS);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'p2pdma-completion-'));
  writeFileSync(join(folder, 'script.bash'), bash(tree));
  writeFileSync(join(folder, 'script.zsh'), zsh(tree));
  writeFileSync(join(folder, 'script.fish'), fish(tree));
  writeFileSync(join(folder, 'p2pdma.1'), manPage(tree, '1.0'));
  writeFileSync(join(folder, 'a host.txt'), '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const has = (tool: string): boolean => spawnSync(tool, ['--version']).error === undefined;

const run = (program: string, ...args: string[]): string => {
  const { stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8', timeout: 20_000 });
  expect(stderr).toBe('');
  return stdout;
};

test('every command and every long option is in each completion and in the manual page', () => {
  const texts = [bash(tree), zsh(tree), fish(tree), manPage(tree, '1.0').replaceAll('\\-', '-')];
  for (const { name, options } of tree) {
    for (const text of texts) expect(text).toContain(name);
    for (const { long } of options) for (const text of texts) expect(text).toContain(long.slice(2));
  }
});

test('the values that are offered are those that the help of the option names', () => {
  let checked = 0;
  for (const { options } of tree) {
    for (const { long, description, flags } of options) {
      if (flags.includes('<ids>') || flags.includes('<id>') || /^--(providers|clients)$/.test(long)) continue;
      for (const value of valuesOf(long)) {
        checked++;
        expect(description, long).toContain(value);
      }
    }
  }
  expect(checked).toBeGreaterThan(10);
});

/** A line as it stands, and what is offered to go on with. */
const LINES: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['p2pdma mat', ['matrix']],
  ['p2pdma check --fail', ['--fail-on']],
  ['p2pdma check --fail-on ', ['error', 'never', 'note', 'warning']],
  ['p2pdma map host.txt --classify p', ['page', 'premapped']],
  ['p2pdma check host.txt --fail-on w', ['warning']],
  ['p2pdma check --explain HB', ['HB-NOT-LISTED', 'HB-SPLIT']],
  ['p2pdma matrix example:o', ['example:one-switch']],
  ['p2pdma run example:the', ['example:the-mail']],
  ['p2pdma completion ', ['bash', 'fish', 'zsh']],
];

test.each(LINES)('bash: %s', (line, offered) => {
  const script = `source script.bash; COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; _p2pdma; printf '%s\\n' "\${COMPREPLY[@]}"`;
  // Bash takes a word apart at its colons, and wants only what is behind the last.
  const wanted = offered.map((word) => word.slice(word.lastIndexOf(':') + 1));
  expect(run('bash', '-c', script).trimEnd().split('\n').sort()).toEqual(wanted);
});

test('bash: a file name with a blank is one word; an option that takes a file is followed by files alone', () => {
  const ask = (line: string): string =>
    run(
      'bash',
      '-c',
      `source script.bash; COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; _p2pdma; printf '<%s>' "\${COMPREPLY[@]}"`,
    );
  expect(ask('p2pdma topo a')).toBe('<a host.txt>');
  expect(ask('p2pdma capture -o a')).toBe('<a host.txt>');
  expect(ask('p2pdma completion a')).not.toContain('host');
});

const hasFish = has('fish');
test.skipIf(!hasFish).each(LINES)(`fish: %s${hasFish ? '' : ' (fish is not installed)'}`, (line, offered) => {
  const answer = run('fish', '--no-config', '-c', `source script.fish; complete -C '${line}'`);
  const words = answer.trimEnd().split('\n');
  expect(words.map((word) => word.split('\t')[0]).sort()).toEqual(offered);
});

const hasZsh = has('zsh');
test.skipIf(!hasZsh)(`zsh: takes its script, and completes each line${hasZsh ? '' : ' (zsh is not installed)'}`, () => {
  expect(run('zsh', '-n', 'script.zsh')).toBe('');
  // One word is put into the line; of several the list is shown.
  const asks = LINES.map(([line]) => `ask '${line}'`).join('\n');
  writeFileSync(
    join(folder, 'ask.zsh'),
    `zmodload zsh/zpty
zpty z 'PS1= COLUMNS=200 TERM=dumb zsh -f -i'
drain() { local chunk; seen=; while zpty -r -t z chunk; do seen+=$chunk; done }
until_seen() { local all=; repeat 100; do drain; all+=$seen; [[ $all == *$1* ]] && break; sleep 0.05; done; seen=$all }
ask() {
  zpty -w -n z "$1"$'\\t\\t'; sleep 0.4; drain
  print -r -- "== $1"; print -r -- "$seen"
  zpty -w -n z $'\\C-u'; sleep 0.1; drain
}
zpty -w z 'autoload -Uz compinit; compinit -u -D; source script.zsh; echo REA""DY'
until_seen READY
${asks}
`,
  );
  const answers = run('zsh', '-f', 'ask.zsh').split('== ').slice(1);
  expect(answers).toHaveLength(LINES.length);
  for (const [index, [line, offered]] of LINES.entries()) {
    for (const word of offered) expect(answers[index], line).toContain(word);
  }
  expect(answers[4]).not.toContain('MPS');
});

test('no line of the manual page but a macro begins as one', () => {
  for (const line of manPage(tree, '1.0').split('\n')) {
    if (/^[.']/.test(line)) expect(line).toMatch(/^\.(TH|SH|SS|PP|TP|B|I|nf|fi)\b/);
  }
});

const hasMandoc = spawnSync('mandoc', ['-Tlint', '/dev/null']).error === undefined;
test.skipIf(!hasMandoc)(
  `mandoc finds nothing wrong with the manual page, and shows it${hasMandoc ? '' : ' (mandoc is not installed)'}`,
  () => {
    const lint = spawnSync('mandoc', ['-Tlint', '-Wwarning', 'p2pdma.1'], { cwd: folder, encoding: 'utf8' });
    // Without a date the page is the same whenever it is made.
    expect(lint.stdout.split('\n').filter((line) => line !== '' && !line.includes('missing date'))).toEqual([]);
    const page = run('mandoc', '-Tascii', 'p2pdma.1').replace(new RegExp(`.${String.fromCharCode(8)}`, 'g'), '');
    for (const { name, usage } of tree) expect(page).toContain(`p2pdma ${name} ${usage}`.trim().slice(0, 60));
    for (const word of ['EXIT STATUS', 'NO_COLOR', 'example:NAME']) expect(page).toContain(word);
  },
);
