/** `p2pdma diff` as a user runs it: exit codes, both orders, what may stand where a machine is asked for. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hexDump, textDump } from '../readers/sample-dumps.ts';
import { jsonOf, p2pdma } from './run.ts';

let folder = '';
let before = '';
let after = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'p2pdma-diff-'));
  [before, after] = ['before.txt', 'after.txt'].map((name) => join(folder, name)) as [string, string];
  // Two compute cards below the switch: a pair that somebody would want.
  const cards = textDump()
    .replaceAll('Non-Volatile memory controller [0108]', '3D controller [0302]')
    .replaceAll('(prog-if 02 [NVM Express])', '')
    .replaceAll(/\[1234:[0-9a-f]{4}\]/g, '[10de:2330]')
    .replaceAll('[size=16K]', '[size=64M]');
  writeFileSync(before, cards);
  writeFileSync(after, cards.replace('ReqRedir+ CmpltRedir+ UpstreamFwd- ', 'ReqRedir- CmpltRedir- UpstreamFwd- '));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('exit 0 and not one fact where the same file stands twice', () => {
  const run = p2pdma(['diff', before, before]);
  expect([run.status, run.stderr]).toEqual([0, '']);
  expect(run.stdout).toBe('0 verdicts flipped, 0 facts changed, 0 gone, 0 new; 7 functions in both\n');
  expect(jsonOf(p2pdma(['diff', before, before, '--json']))).toMatchObject({
    schemaVersion: 1,
    command: 'diff',
    gone: [],
    come: [],
    changes: [],
    flipped: [],
    matched: 7,
  });
});

test('exit 1 where anything differs; the other order tells the same the other way round', () => {
  const there = p2pdma(['diff', before, after, '--json']);
  const back = p2pdma(['diff', after, before, '--json']);
  expect([there.status, back.status]).toEqual([1, 1]);
  const change = { function: '0000:02:00.0', fact: 'acs', before: '0x000c (RR CR)', after: '0x0000' };
  const [first] = jsonOf(there)['changes'] as { before: string; after: string }[];
  expect(first).toMatchObject({ ...change, after: expect.stringContaining('0x0000') });
  expect(jsonOf(back)['changes']).toMatchObject([{ before: first?.after, after: first?.before }]);
});

test('keys of the document stand in one order', () => {
  expect(Object.keys(jsonOf(p2pdma(['diff', before, after, '--json'])))).toEqual([
    'schemaVersion',
    'command',
    'before',
    'after',
    'gone',
    'come',
    'changes',
    'flipped',
    'judged',
    'pairsLeftOut',
    'matched',
  ]);
});

test('a flipped verdict is shown first, with what changed it', () => {
  const { stdout } = p2pdma(['diff', before, after]);
  const lines = stdout.split('\n');
  expect(lines[0]).toBe('2 verdicts flipped, 1 fact changed, 0 gone, 0 new; 7 functions in both');
  expect(lines.indexOf('Verdicts (provider, client):')).toBe(2);
  expect(stdout.replace(/\s+/g, ' ')).toContain('through the host bridge -> by bus address');
  expect(stdout.replace(/\s+/g, ' ')).toMatch(/no longer: .*ACS.*0000:02:00\.0/);
  const { flipped } = jsonOf(p2pdma(['diff', before, after, '--json'])) as { flipped: object[] };
  expect(flipped).toMatchObject([
    { provider: '0000:03:00.0', client: '0000:04:00.0', before: 'thruHostBridge', after: 'busAddr' },
    { provider: '0000:04:00.0', client: '0000:03:00.0', before: 'thruHostBridge', after: 'busAddr' },
  ]);
});

test('--policy judges both machines; a policy that nobody knows is exit 2, with the nearest', () => {
  const run = p2pdma(['diff', before, after, '--policy', 'directional', '--json']);
  expect(jsonOf(run)).toMatchObject({ before: { policy: 'directional' }, after: { policy: 'directional' } });
  const wrong = p2pdma(['diff', before, after, '--policy', 'linux-5.1']);
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('did you mean linux-6.1')]);
});

test('two machines that have little in common are said to be two, on stderr', () => {
  const run = p2pdma(['diff', before, 'example:two-host-bridges']);
  expect(run.status).toBe(1);
  expect(run.stderr).toContain('are these captures of one machine?');
  expect(p2pdma(['diff', before, after]).stderr).toBe('');
});

test('one machine may come from standard input, both may not', () => {
  const run = p2pdma(['diff', before, '-'], { input: textDump() });
  expect(run.status).toBe(1);
  const both = p2pdma(['diff', '-', '-'], { input: textDump() });
  expect([both.status, both.stdout]).toEqual([2, '']);
  expect(both.stderr).toContain('standard input cannot be both machines');
});

test('exit 2 where the second machine is missing or there is a third, 3 where one cannot be read', () => {
  const one = p2pdma(['diff', before]);
  expect([one.status, one.stdout]).toEqual([2, '']);
  expect(one.stderr).toMatch(/missing required argument 'after'/);
  expect(p2pdma(['diff', before, after, before]).status).toBe(2);
  expect(p2pdma(['diff', before, join(folder, 'nothing.txt')]).status).toBe(3);
  const json = p2pdma(['diff', before, join(folder, 'nothing.txt'), '--json']);
  expect(jsonOf(json)).toMatchObject({ error: { code: 'INPUT_NOT_FOUND' } });
});

test('a dump of registers does not differ from itself either', () => {
  const hexFile = join(folder, 'hex.txt');
  writeFileSync(hexFile, hexDump(4096));
  const document = jsonOf(p2pdma(['diff', hexFile, hexFile, '--json']));
  expect(document).toMatchObject({ changes: [], matched: 7 });
});

test('what is the same for many is said once, and no line is wider than the terminal', () => {
  const many = p2pdma(['diff', 'example:acs-on', 'example:bus-offset'], { env: { COLUMNS: '60' } });
  for (const line of many.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
});
