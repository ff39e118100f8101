/** What `p2pdma run` takes for a scenario, and where it looks for the machine in it. */

import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { jsonOf, p2pdma, ROOT } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'p2pdma-run-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TRANSFER =
  'transfers: [{ name: it, device: "03:00.0", direction: fromDevice, vectors: [{ memory: ram, length: 4KiB }] }]';

test('a scenario that ships with the package is example:NAME, and p2pdma examples lists it', () => {
  expect(p2pdma(['run', 'example:hazards']).status).toBe(0);
  const { scenarios } = jsonOf(p2pdma(['examples', '--json'])) as { scenarios: { name: string; about: string }[] };
  expect(scenarios.map(({ name }) => name)).toContain('hazards');
  for (const { about } of scenarios) expect(about).not.toBe('');
  expect(p2pdma(['examples']).stdout).toContain('Run one: p2pdma run example:');
});

test('an example that there is not is a usage error with the nearest names', () => {
  const { status, stderr } = p2pdma(['run', 'example:hazard']);
  expect(status).toBe(2);
  expect(stderr).toContain('did you mean hazards? The list: p2pdma examples');
});

test('a file that there is not is answered with the nearest names of its folder', () => {
  const { status, stderr } = p2pdma(['run', 'examples/hazard.yaml']);
  expect(status).toBe(3);
  expect(stderr).toContain('there is no such file');
  expect(stderr).toContain('hazards.yaml');
  expect(p2pdma(['run', 'no-such-folder/hazard.yaml']).stderr).toContain('- for standard input');
});

test('the machine of a scenario is found beside its file', () => {
  mkdirSync(join(folder, 'deep'));
  copyFileSync(join(ROOT, 'examples/machines/one-switch.tar.gz'), join(folder, 'deep', 'host.tar.gz'));
  const file = join(folder, 'deep', 'it.yaml');
  writeFileSync(file, `machine: host.tar.gz\n${TRANSFER}\n`);
  expect(p2pdma(['run', file])).toMatchObject({ status: 0, stderr: '' });
  writeFileSync(file, `machine: other.tar.gz\n${TRANSFER}\n`);
  expect(p2pdma(['run', file])).toMatchObject({ status: 3, stderr: expect.stringContaining('other.tar.gz') });
});

test('p2pdma demo shows the mail’s five vectors, with the machine’s CPU or another one', () => {
  const { status, stdout } = p2pdma(['demo']);
  expect(status).toBe(0);
  expect(stdout).toContain('bytes: 20480 of 20480 equal');
  expect(p2pdma(['demo', '--cpu', 'GenuineIntel:6']).stdout).toContain('Intel family 6');
  expect(p2pdma(['demo', '--cpu', 'nonsense'])).toMatchObject({ status: 2, stdout: '' });
});
