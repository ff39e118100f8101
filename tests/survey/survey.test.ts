/** `npm run survey` as a user runs it, over a small folder; and its worker threads, with workers that crash. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { surveyRows } from '../../src/survey/rows.ts';
import { ROOT } from '../cli/run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'p2pdma-survey-'));
  mkdirSync(join(folder, 'dumps/inner'), { recursive: true });
  mkdirSync(join(folder, 'empty'));
  // A captured folder is one dump, whatever is in it; this one holds no PCI.
  mkdirSync(join(folder, 'dumps/root/sys/bus/pci/devices'), { recursive: true });
  copyFileSync(`${ROOT}tests/truth/zen-pxb.tar.gz`, join(folder, 'dumps/b.tar.gz'));
  copyFileSync(`${ROOT}tests/truth/acs-sw4-one.tar.gz`, join(folder, 'dumps/inner/a.tar.gz'));
  writeFileSync(join(folder, 'dumps/notes.txt'), 'milk\n');
  writeFileSync(join(folder, 'dumps/INDEX.json'), '{}');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function survey(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${ROOT}dist/survey/main.js`, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('a row a file, those in folders below too, refusals by their code, then the sums; nothing on stderr but a terminal', () => {
  const { status, stdout, stderr } = survey(join(folder, 'dumps'));
  expect([status, stderr]).toEqual([0, '']);
  const lines = stdout.split('\n');
  expect(lines[0]).toMatch(/^file +functions +ms +findings$/);
  expect(lines.slice(1, 5).map((line) => line.split(' ')[0])).toEqual([
    'b.tar.gz',
    'inner/a.tar.gz',
    'notes.txt',
    'root',
  ]);
  expect(lines[1]).toMatch(/^b\.tar\.gz +11 +\d+ {2}\S/);
  expect(lines[2]).toMatch(/^inner\/a\.tar\.gz +16 +\d+ {2}.*ACS-REDIR-SWITCH/);
  expect(lines[3]).toMatch(/^notes\.txt +- +- {2}refused: INPUT_/);
  expect(lines[4]).toMatch(/^root +- +- {2}refused: INPUT_NO_PCI$/);
  expect(stdout).toContain('4 files, 2 refused, 27 functions, 1 left out by name');
  expect(stdout).toMatch(/ {2}VM-TOPOLOGY! +2 in 2 files/);
});

test('exit 2 without a folder, 3 where it is not there, is a file, or holds no dump: one line and a hint', () => {
  expect(survey()).toMatchObject({ status: 2, stdout: '' });
  for (const path of [join(folder, 'nothing'), join(folder, 'dumps/notes.txt'), join(folder, 'empty')]) {
    const run = survey(path);
    expect([run.status, run.stdout], path).toEqual([3, '']);
    expect(run.stderr, path).toMatch(/^.+: .+\nhint: .+\n$/);
  }
});

test.each([
  ['throws', "throw new Error('out of luck')", 'Error: out of luck'],
  ['ends', 'process.exit(9)', 'the worker ended with 9'],
])('a worker that %s costs its own file, and the rest is done by another', async (_, crash, words) => {
  const worker = join(folder, `worker-${words.length}.mjs`);
  writeFileSync(
    worker,
    `import { parentPort } from 'node:worker_threads';
parentPort.on('message', (file) => {
  if (file.startsWith('bad')) { ${crash}; }
  parentPort.postMessage({ kind: 'refused', file, code: 'FINE' });
});`,
  );
  const files = ['1', 'bad 2', '3', 'bad 4', '5', '6'];
  const steps: number[] = [];
  const rows = await surveyRows(files, pathToFileURL(worker), (done) => steps.push(done));
  expect(rows.map(({ file }) => file)).toEqual(files);
  expect(rows.filter((row) => row.kind === 'crashed' && row.words === words).map(({ file }) => file)).toEqual([
    'bad 2',
    'bad 4',
  ]);
  expect(rows.filter(({ kind }) => kind === 'refused')).toHaveLength(4);
  expect(steps).toEqual([1, 2, 3, 4, 5, 6]);
});
