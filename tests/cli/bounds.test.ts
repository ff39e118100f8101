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
