/** The captured machines in this repository: the examples, and those that a kernel judged. */

import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Machine, readMachine } from '../../src/machine/index.ts';

const FOLDERS = ['examples/machines/', 'tests/truth/'].map((path) => new URL(`../../${path}`, import.meta.url));

/** All of them, read. */
export async function bundledMachines(): Promise<Machine[]> {
  const machines: Machine[] = [];
  for (const folder of FOLDERS) {
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.tar.gz'))) {
      machines.push(await readMachine(gunzipSync(readFileSync(new URL(name, folder))), name));
    }
  }
  return machines;
}
