/** Slips of a newcomer, and what the command says to them. */

import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { p2pdma, ROOT } from './run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'p2pdma-slips-'));
  mkdirSync(join(folder, 'host/sys/bus/pci'), { recursive: true });
  copyFileSync(`${ROOT}tests/truth/zen-pxb.tar.gz`, join(folder, 'before.tar.gz'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  [[], 'takes two functions, PROVIDER and CLIENT'],
  [['03:00.0'], 'one of them is missing'],
  [['example:acs-on'], "'example:acs-on' is the machine, and both functions are missing"],
  [['example:acs-on', '05:00.0'], "'example:acs-on' is the machine, and one function is missing"],
  [['a', 'b', 'c', 'd'], '4 arguments are too many'],
])('explain %j: says what is missing', (args, words) => {
  const run = p2pdma(['explain', ...args]);
  expect([run.status, run.stdout]).toEqual([2, '']);
  expect(run.stderr).toContain(words);
});

test.each(['sys', 'sys/', 'sys/bus/pci'])(
  'MACHINE %s inside a captured root: the root is meant, and named',
  (inside) => {
    const run = p2pdma(['topo', join(folder, 'host', inside)]);
    expect(run.status).toBe(3);
    expect(run.stderr).toContain(`name the folder that holds sys, not one inside it: ${join(folder, 'host')}\n`);
  },
);

test('a folder without PCI that is inside no root is told how to capture one', () => {
  const run = p2pdma(['topo', folder]);
  expect(run.status).toBe(3);
  expect(run.stderr).not.toContain('inside it');
});

test('files that are alike are named, those that are not are not', () => {
  expect(p2pdma(['topo', join(folder, 'befor.tar.gz')]).stderr).toContain('nearest in that folder: before.tar.gz');
  expect(p2pdma(['topo', join(folder, 'zzzzzzzzzzzz.txt')]).stderr).not.toContain('nearest');
  expect(p2pdma(['topo', 'example:acs-onn']).stderr).toContain('did you mean acs-on?');
  expect(p2pdma(['topo', 'example:qwertyuiop']).stderr).not.toContain('did you mean');
  expect(p2pdma(['chekc', 'x']).stderr).toContain('did you mean check?');
  expect(p2pdma(['qwertyuiop']).stderr).not.toContain('did you mean');
});

test.each(['.json', '.jsonl'])('a byte order mark before a %s file is no part of it', (extension) => {
  const file = join(folder, `bom${extension}`);
  const bio = { device: '0001:05:00.0', direction: 'fromDevice', vectors: [{ address: '0x100000', length: 4096 }] };
  writeFileSync(file, `\ufeff${JSON.stringify(bio)}\n`);
  const run = p2pdma(['map', 'example:acs-on', '--bio', file, '--json']);
  expect([run.status, run.stderr]).toEqual([0, '']);
});

test.each([
  ['chekc', 'did you mean check?'],
  ['qwertyuiop', 'commands: '],
  ['mtrix', 'did you mean matrix?'],
])(
  'help %s: an unknown command is refused as the command itself is, not answered with all of the help',
  (topic, hint) => {
    for (const args of [['help', topic], [topic]]) {
      const run = p2pdma(args);
      expect([run.status, run.stdout]).toEqual([2, '']);
      expect(run.stderr).toMatch(new RegExp(`^p2pdma: unknown command '${topic}'\\nhint: ${hint.replace('?', '\\?')}`));
    }
    expect(p2pdma(['help', 'check']).stdout).toContain('p2pdma check');
    expect(p2pdma(['help']).status).toBe(0);
  },
);

test.skipIf(process.getuid?.() !== 0)(
  'a domain whose folder may not be read is named, and never becomes "there is no GPU"',
  () => {
    const root = join(folder, 'closed');
    for (const domain of ['0000', '0001']) {
      const device = `sys/devices/pci${domain}:00/${domain}:00:01.0`;
      mkdirSync(join(root, device), { recursive: true });
      writeFileSync(join(root, device, 'class'), '0x020000\n');
      writeFileSync(join(root, device, 'config'), new Uint8Array(64));
    }
    const closed = join(root, 'sys/devices/pci0001:00');
    chmodSync(closed, 0);
    const check = (): ReturnType<typeof p2pdma> => p2pdma(['check', root], { withoutPrivileges: true });
    const walked = check();
    expect(walked.stderr).toContain('pci0001:00 may not be read, so the devices below are missing');
    expect(walked.stdout).toContain('devices are');
    expect(walked.stdout).not.toContain('No device here offers memory');
    // The links of the bus name the functions of the closed domain.
    mkdirSync(join(root, 'sys/bus/pci/devices'), { recursive: true });
    for (const domain of ['0000', '0001']) {
      const name = `${domain}:00:01.0`;
      symlinkSync(`../../../devices/pci${domain}:00/${name}`, join(root, 'sys/bus/pci/devices', name));
    }
    const listed = check();
    chmodSync(closed, 0o755);
    expect(listed.stderr).toContain('0001:00:01.0 is listed, and nothing of it could be read');
    expect(listed.stdout).not.toContain('No device here offers memory');
  },
);
