import { expect, test } from 'vitest';
import { type FileResult, summarise, type TestResult } from '../../scripts/skips.ts';

const result = (status: string, title: string, group = ''): TestResult => ({
  status,
  title,
  fullName: `${group} ${title}`.trim(),
});

const file = (...assertionResults: TestResult[]): FileResult => ({
  name: 'a.test.ts',
  status: 'passed',
  message: '',
  assertionResults,
});

test('skips are tolerated where the title, or that of its group, begins with a word that is named', () => {
  const files = [
    file(
      result('passed', 'a rule'),
      result('skipped', 'corpus: a dump'),
      result('skipped', 'a paste', 'scraps of a forum'),
      result('pending', 'Measured: a table'),
    ),
  ];
  expect(summarise(files, ['corpus', 'scraps', 'measured'])).toMatchObject({ passed: 1, failed: 0 });
  const { failed, lines } = summarise(files, ['corpus']);
  expect(failed).toBe(2);
  expect(lines.filter((line) => line.startsWith('must not be skipped here'))).toEqual([
    'must not be skipped here: scraps of a forum a paste',
    'must not be skipped here: Measured: a table',
  ]);
});

test('a word inside a title, or one that only begins like it, tolerates nothing', () => {
  const files = [file(result('skipped', 'the corpus is read'), result('skipped', 'corpuscles'))];
  expect(summarise(files, ['corpus']).failed).toBe(2);
});

test('where nothing is said of skips they are listed and no failure', () => {
  expect(summarise([file(result('skipped', 'QEMU is missing'))], null)).toEqual({
    passed: 0,
    failed: 0,
    lines: ['skipped: QEMU is missing'],
  });
});

test('a file that could not be loaded is a failure', () => {
  const broken = { name: 'b.test.ts', status: 'failed', message: 'no such module', assertionResults: [] };
  expect(summarise([broken], null)).toEqual({
    passed: 0,
    failed: 1,
    lines: ['could not be run: b.test.ts: no such module'],
  });
});
