/** A captured root unpacked in a folder is the machine that its archive is: read alike, judged alike, changed on paper alike. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkMachine } from '../../src/doctor/check-machine.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { readDirectory } from '../../src/machine/read/live/read-live.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { POLICIES } from '../../src/p2p/policy.ts';

const ARCHIVE = fileURLToPath(new URL('../truth/acs-sw4-one.tar.gz', import.meta.url));
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'p2pdma-folder-'));
  expect(spawnSync('tar', ['xzf', ARCHIVE, '-C', folder]).status).toBe(0);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As bytes of a Buffer, which is what a program of Node hands over. */
const unpackedArchive = (): Promise<Machine> => readMachine(gunzipSync(readFileSync(ARCHIVE)), 'one');

test('a register set in a copy of a configuration space leaves the original, from a folder and from an archive', async () => {
  for (const machine of [readDirectory(folder, 'one'), await unpackedArchive()]) {
    for (const { config, name } of machine.hierarchy.functions) {
      const command = config.u16(4) as number;
      expect(config.withU16(4, command ^ 7).u16(4), name).toBe(command ^ 7);
      expect(config.u16(4), name).toBe(command);
    }
  }
});

test('a folder gives the findings and the evidence that its archive gives', async () => {
  const findings = (machine: Machine): unknown => checkMachine(machine, POLICIES['linux-6.12']).findings;
  const found = findings(readDirectory(folder, 'one'));
  expect(found).toEqual(findings(await unpackedArchive()));
  expect(found).not.toEqual([]);
});
