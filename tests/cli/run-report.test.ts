/** What `p2pdma run` prints of a transfer, and of its steps. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runText } from '../../src/report/run/text.ts';
import { machineText, runFile } from '../scenario/bed.ts';
import { jsonOf, p2pdma } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'p2pdma-run-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const FIELDS =
  'device: a, direction: fromDevice, vectors: [{ memory: b, length: 4KiB }, { memory: ram, length: 4KiB }]';

function textOf(...transfers: readonly string[]): string {
  return `${machineText({ bridge: 'busOffset: -16TiB' })}transfers:\n${transfers.map((line) => `  - { ${line} }\n`).join('')}`;
}

test('lookups are told with the IOMMU off too, with what they were for, in the singular where there is one', async () => {
  const designs = ['flags', 'flags, trust: true', 'lookup', 'page', 'premapped', 'certified'];
  const one =
    'device: gpu, askedFor: a, direction: fromDevice, classify: certified, vectors: [{ memory: ram, length: 4KiB }]';
  const report = await runFile(
    textOf(...designs.map((design, at) => `name: t${at}, classify: ${design}, ${FIELDS}`), `name: one, ${one}`),
  );
  const lines = runText(report, [], 100).split('\n');
  expect(lines.filter((line) => line.startsWith('  no IOVA; '))).toEqual([
    '  no IOVA; 2 lookups, to verify the flags',
    '  no IOVA; 0 lookups: the flags are trusted',
    '  no IOVA; 2 lookups',
    '  no IOVA; 2 page descriptors read',
    '  no IOVA; 2 lookups, by the submitter as he mapped',
    '  no IOVA; 0 lookups: the certificates match',
    '  no IOVA; 1 lookup, where no certificate matches',
  ]);
});

test('the table of vectors has what is in the queue, on the screen and in JSON', () => {
  const file = join(folder, 'queue.yaml');
  writeFileSync(
    file,
    textOf(`name: looked up, classify: lookup, ${FIELDS}`, `name: certified, classify: certified, ${FIELDS}`),
  );
  const { stdout, status } = p2pdma(['run', file]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/ 0 {2}b +4 +0x300001400000 +0 +4096 +\(b2\) +4096/);
  expect(stdout).toMatch(/ 0 {2}b +4 +0x300001401000 +certificate 0x3000005 +4096 +\(b2\) +4096/);
  const { transfers } = jsonOf(p2pdma(['run', file, '--json'])) as { transfers: { vectors: object[] }[] };
  expect(transfers.map(({ vectors }) => vectors[0])).toMatchObject([
    { address: '0x300001400000', flags: 0, certificate: null },
    { address: '0x300001401000', flags: 0, certificate: '0x3000005' },
  ]);
});

test('--step has a heading for each transfer and begins at it: the bring-up is one line with its TLPs', () => {
  const file = join(folder, 'steps.yaml');
  const own = 'device: a, direction: fromDevice, vectors: [{ memory: self, length: 4KiB }]';
  writeFileSync(
    file,
    textOf(
      `name: first, ${FIELDS}`,
      `name: second, ${FIELDS}`,
      `name: refused, ${FIELDS.replace('b,', 'b, flags: [MAP_RESOURCE],')}, expect: refused`,
      `name: own, ${own}`,
    ),
  );
  const { stdout, status } = p2pdma(['run', file, '--step']);
  expect(status).toBe(0);
  const steps = stdout.slice(0, stdout.indexOf(`${file}   rules of`)).split('\n');
  const headings = steps.filter((line) => line.includes('step by step'));
  expect(headings).toEqual(
    ['first', 'second', 'refused', 'own'].map((name) => `${name}: a by nvme, fromDevice, step by step`),
  );
  expect(steps[1]).toMatch(/^ {2}\(bring-up of a: \d{3} TLPs\)$/);
  expect(steps[2]).toMatch(/^ {2}\(memory filled and read by the CPU, .*: \d+ TLPs\)$/);
  expect(steps[3]).toMatch(/^ {2}TLP \d+ /);
  expect(steps.filter((line) => line.includes('bring-up')).length).toBe(1);
  expect(steps[steps.indexOf(headings[2] as string) + 1]).toBe('  no TLP of the transfer itself');
  // Only the steps of the transfers themselves are spelt out: the doorbell, the command, the data.
  const first = steps.slice(0, steps.indexOf(headings[1] as string)).filter((line) => line.includes('  TLP '));
  expect(first.length).toBeLessThan(600);
  expect(first.some((line) => /0x200001400000 /.test(line))).toBe(true);
});

test('what could not be had is told at the vector', async () => {
  const fields =
    'name: it, device: a, direction: fromDevice, clients: [far], vectors: [{ memory: find, length: 4KiB }]';
  const report = await runFile(`${machineText({ bridge: 'id: 1234:5678' })}transfers: [{ ${fields} }]\n`);
  expect(runText(report, [], 100)).toContain('  vector 0: no memory serves all of a, far: RAM instead\n');
});

test('what the unmap noticed is told', async () => {
  const text = runText(
    await runFile(textOf(`name: it, ${FIELDS}, faults: [{ at: afterMap, unplug: b }], expect: damaged`)),
    [],
    100,
  );
  expect(text).toContain('  noticed at the unmap: PROVIDER_GONE: 0000:03:00.0: the memory at ');
  expect(text).toContain('4096 of 8192 bytes equal; expected damaged, as it came');
});

test('how many of those that missed met what the engine cannot show, in words that can be read', async () => {
  const fields = 'device: a, direction: fromDevice, vectors: [{ memory: b, length: 4KiB }]';
  const lost = `${fields}, trust: true, faults: [{ at: afterMap, memorySpaceOff: b }]`;
  const other =
    'device: a, direction: fromDevice, vectors: [{ memory: far, length: 4KiB }], faults: [{ at: afterMap, memorySpaceOff: far }]';
  const fine = 'device: a, direction: fromDevice, vectors: [{ memory: ram, length: 4KiB }]';
  const cases = [{ case: 'b2', iommu: 'off', seen: 'nothing', notProvable: 'a test says so' }] as const;
  const lastLine = async (...lines: readonly string[]): Promise<string | undefined> => {
    const report = await runFile(textOf(...lines.map((line, at) => `name: t${at}, ${line}`)));
    return runText({ ...report, cases }, [], 100)
      .trimEnd()
      .split('\n')
      .at(-1);
  };
  expect(await lastLine(lost)).toBe('0 of 1 transfers as expected; it met what sim cannot show');
  expect(await lastLine(lost, lost)).toBe('0 of 2 transfers as expected; both met what sim cannot show');
  expect(await lastLine(lost, lost, lost)).toBe('0 of 3 transfers as expected; all 3 met what sim cannot show');
  expect(await lastLine(lost, other)).toBe('0 of 2 transfers as expected; 1 of these 2 met what sim cannot show');
  expect(await lastLine(fine, lost)).toBe('1 of 2 transfers as expected; the other met what sim cannot show');
  expect(await lastLine(fine, lost, lost)).toBe('1 of 3 transfers as expected; the other 2 met what sim cannot show');
  expect(await lastLine(fine, lost, other)).toBe(
    '1 of 3 transfers as expected; 1 of the other 2 met what sim cannot show',
  );
  expect(await lastLine(fine, other)).toBe('1 of 2 transfers as expected');
});
