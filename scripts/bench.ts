/**
 * Runs the benchmarks one after the other, each in a process of its own: all of them, or those that are named. Exit 1 where one
 * did not keep a bound.
 *
 *   npm run bench
 *   npm run bench -- map nvme
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const ALL = ['map', 'designs', 'fabric', 'nvme', 'read-and-judge', 'check', 'qemu'];
/** The designs are compiled with the claims, whose machine they share. */
const fileOf = (name: string): string =>
  name === 'designs' ? 'dist/claims/bench/designs.js' : `dist/bench/${name}.js`;
const wanted = process.argv.length > 2 ? process.argv.slice(2) : ALL.filter((name) => existsSync(fileOf(name)));

let failed = 0;
for (const name of wanted) {
  const file = fileOf(name);
  if (!existsSync(file)) {
    console.log(`there is no benchmark ${name}; there are: ${ALL.join(', ')}`);
    failed++;
    continue;
  }
  console.log(`\n== ${name}`);
  const run = spawnSync(process.execPath, ['--expose-gc', '--max-semi-space-size=64', file], { stdio: 'inherit' });
  if (run.status !== 0) failed++;
}
process.exitCode = failed === 0 ? 0 : 1;
