/** `p2pdma capture` of this computer, with privileges and without: what it takes along, and that it says what it could not. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hostEvidenceOf } from '../../src/machine/machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { jsonOf, p2pdma } from '../cli/run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'p2pdma-capture-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Report {
  readonly functions: number;
  readonly collected: readonly string[];
  readonly missing: readonly { readonly what: string; readonly why: string; readonly command: string }[];
}

const isRoot = process.getuid?.() === 0;
const isHere = existsSync('/sys/bus/pci/devices');

test('without privileges each part that may not be read is named, with what would show it', ({ skip }) => {
  if (!isHere) skip('this computer shows no PCI');
  const file = join(folder, 'user.tar.gz');
  const run = p2pdma(['capture', '-o', file, '--json'], { withoutPrivileges: isRoot });
  expect(run.status).toBe(0);
  const { missing, collected } = jsonOf(run) as unknown as Report;
  const named = missing.map(({ what }) => what);
  expect(named).toContain('ACS and every other capability');
  expect(named).toContain('the memory map');
  expect(collected).not.toContain('memory map');
  for (const { what, why, command } of missing) {
    expect(run.stderr, what).toContain(`not in the capture: ${what}: ${why}`);
    expect(run.stderr).toContain(command);
  }
  const log = /^1/.test(readFileSync('/proc/sys/kernel/dmesg_restrict', 'latin1'));
  expect(named.includes('the kernel’s log')).toBe(log);
  if (!log) return;
  const live = jsonOf(p2pdma(['topo', 'live', '--json'], { withoutPrivileges: isRoot }));
  expect((live['notes'] as { code: string }[]).map(({ code }) => code)).toContain('KERNEL_LOG_UNREADABLE');
});

test('as root everything that this kernel shows is in the capture, and the host is not named in what is text', async ({
  skip,
}) => {
  if (!isHere || !isRoot) skip('this computer shows no PCI, or this is not root');
  const file = join(folder, 'root.tar.gz');
  const { missing, functions } = jsonOf(p2pdma(['capture', '-o', file, '--json'])) as unknown as Report;
  const named = missing.map(({ what }) => what);
  const archive = readFileSync(file);
  const host = hostEvidenceOf(await readMachine(archive, file));
  expect(host.kernelConfig === null).toBe(named.includes('the kernel’s configuration'));
  expect(host.kernelLog === null).toBe(named.includes('the kernel’s log'));
  expect(host.dmaMaskBits.size).toBe(functions);
  if (hostname().length > 3) expect(gunzipSync(archive).toString('latin1')).not.toContain(`=${hostname()} `);
});
