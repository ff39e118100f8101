/**
 * Input that is too large, or that never ends, is refused before it costs more than 2 s of processor time and 256 MB above what was
 * given. The figures are the process's own: how busy the computer is otherwise does not count.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesOf } from '../../src/core/text.ts';
import { tarOf } from '../readers/tar.ts';
import { ROOT } from './run.ts';

const MIB = 2 ** 20;
const SECONDS_MAX = 2;
const BYTES_MAX = 256 * MIB;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'p2pdma-bounds-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** On its way out the process writes what it used behind everything else on stderr. */
const TELL = `process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  process.stderr.write(['', (userCPUTime + systemCPUTime) / 1e6, maxRSS * 1024].join(' '));
});`;

interface Cost {
  readonly status: number | null;
  readonly stderr: string;
  readonly seconds: number;
  readonly bytes: number;
}

/** Runs the command; `before` is a shell command whose output goes to its standard input. */
function cost(args: string, before = 'true'): Cost {
  const tell = `data:text/javascript,${encodeURIComponent(TELL)}`;
  const line = `${before} | "${process.execPath}" --import "${tell}" "${ROOT}bin/p2pdma.js" ${args}`;
  const { status, stderr } = spawnSync('bash', ['-c', line], { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * MIB });
  const words = stderr.split(' ');
  const [seconds, bytes] = words.slice(-2).map(Number) as [number, number];
  return { status, stderr: words.slice(0, -2).join(' '), seconds, bytes };
}

function expectRefused(found: Cost, words: string, input = 0): void {
  expect([found.status, found.stderr]).toEqual([3, expect.stringContaining(words)]);
  expect(found.stderr).toContain('\nhint: ');
  expect(found.seconds, 'seconds of processor time').toBeLessThan(SECONDS_MAX);
  expect(found.bytes - input, 'bytes').toBeLessThan(BYTES_MAX);
}

/** gzip of `count` times `piece`, member behind member. */
function manyMembers(piece: Uint8Array, count: number): Buffer {
  return Buffer.concat(new Array(count).fill(gzipSync(piece)));
}

/** A piece of text that repeats. */
function repeated(text: string, length: number): Uint8Array {
  return Buffer.alloc(length, text);
}

const BLOCK = `00:01.0 VGA compatible controller [0300]: Vendor Device [10de:2204]\n${'00: de 10 04 22 07 04 10 00 a1 00 00 03 00 00 80 00\n'}\n`;

test.each([
  ['zeros', new Uint8Array(64 * MIB), 'name no PCI function'],
  ['text that names nothing', repeated('y\n', 64 * MIB), 'name no PCI function'],
  [
    'headers without end',
    repeated('00:00.0 VGA compatible controller: x\n', 64 * MIB),
    'lists more than 262144 functions',
  ],
  ['one function again and again', repeated(BLOCK, 64 * MIB), 'lists more than 262144 functions'],
  ['registers without end', repeated(`${BLOCK}${'00: 00\n'.repeat(500)}`, 64 * MIB), 'unpacks to more than'],
])('a small gzip that unpacks to gigabytes is refused: %s', (name, piece, words) => {
  const file = join(folder, `${name.replaceAll(' ', '-')}.gz`);
  const packed = manyMembers(piece, 32);
  writeFileSync(file, packed);
  expectRefused(cost(`check ${file}`), words, packed.length);
});

test('an archive that unpacks to gigabytes is refused', () => {
  const device = 'sys/bus/pci/devices/0000:00:01.0';
  const tar = tarOf([
    { path: `${device}/config`, bytes: new Uint8Array(64 * MIB) },
    { path: `${device}/vendor`, bytes: bytesOf('0x1234\n') },
  ]);
  const packed = Buffer.concat([gzipSync(tar), manyMembers(new Uint8Array(64 * MIB), 16)]);
  const file = join(folder, 'bomb.tar.gz');
  writeFileSync(file, packed);
  expectRefused(cost(`check ${file}`), 'unpacks to more than', packed.length);
});

test.each([
  ['yes', 'name no PCI function'],
  ['cat /dev/zero', 'name no PCI function'],
  ['cat /dev/urandom', 'name no PCI function'],
  ['yes 00:00.0 VGA compatible controller: x', 'lists more than 262144 functions'],
  ['(head -c 2000 README.md; yes)', 'name no PCI function'],
])('standard input without end is refused: %s', (before, words) => {
  expectRefused(cost('check -', before), words);
});

test('a device that never ends is refused as a file is', () => {
  expectRefused(cost('check /dev/zero'), 'name no PCI function');
});

/** A scenario of 200,000 transfers; `spoil` is what differs in transfer `at`. */
function longScenario(at: number, spoil: object): string {
  const good = { name: 't', device: 'a', direction: 'fromDevice', vectors: [{ memory: 'ram', length: '4KiB' }] };
  const transfers = Array.from({ length: 200_000 }, (_, index) => ({
    ...good,
    name: `t${index}`,
    ...(index === at ? spoil : {}),
  }));
  const machine = { hostBridges: [{ rootPorts: [{ port: 'rp', below: [{ nvme: 'a', cmb: '1MiB' }] }] }] };
  return JSON.stringify({ machine, transfers });
}

test.each([
  [0, { vectors: [] }, 'transfers[0].vectors: has no vector'],
  [150_000, { device: 7 }, 'transfers[150000].device: names no mapping device'],
  [0, { device: 'nobody' }, "transfers[0].device: 'nobody' is no device of this machine"],
])(
  'a scenario of 200,000 transfers that fails at transfer %i says so in bounded time and memory',
  (at, spoil, words) => {
    const file = join(folder, 'long.json');
    const text = longScenario(at, spoil);
    writeFileSync(file, text);
    const found = cost(`run ${file}`);
    expect([found.status, found.stderr]).toEqual([3, expect.stringContaining(words)]);
    expect(found.seconds).toBeLessThan(5);
    expect(found.bytes - text.length, 'bytes').toBeLessThan(BYTES_MAX);
  },
);

test.each([
  ['brackets of JSON', `{"machine": ${'['.repeat(100_000)}`, 'is nested too deep'],
  ['whole JSON', `${'[['.repeat(50_000)}${']]'.repeat(50_000)}`, 'is nested too deep'],
  ['flow of YAML', `machine: ${'{a: '.repeat(20_000)}1${'}'.repeat(20_000)}`, 'is nested too deep'],
  ['lists of YAML', `machine:\n  ${'- '.repeat(50_000)}1`, 'is nested too deep'],
  [
    'maps of YAML',
    `machine:\n${Array.from({ length: 1300 }, (_, depth) => `${' '.repeat(depth + 1)}a:\n`).join('')}`,
    'is nested too deep',
  ],
  ['much YAML', `about: a\n${'# comment\n'.repeat(200_000)}`, 'MiB of YAML'],
])('a file that is too deep or too large for its format is refused in words: %s', (name, text, words) => {
  const file = join(folder, `${name.replaceAll(' ', '-')}.yaml`);
  writeFileSync(file, text);
  for (const args of [`run ${file}`, `map example:acs-on --bio ${file}`]) {
    const found = cost(args);
    expectRefused(found, words, text.length);
    expect(found.stderr).not.toContain('call stack');
  }
});

test.each([
  ['run -', 'is larger than'],
  ['map example:acs-on --bio -', 'is larger than'],
  ['whose example:acs-on', 'is larger than'],
])('%s: standard input without end is refused', (args, words) => {
  expectRefused(cost(args, 'yes'), words);
});
