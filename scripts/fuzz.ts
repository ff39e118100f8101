/**
 * The long run of the fuzzer: `npm run fuzz [inputs] [seed]`. A failure names the seed of its input;
 * `npm run fuzz 1 SEED` replays it.
 */

import { spawnSync } from 'node:child_process';

const [inputs = '100000', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
console.log(`${inputs} inputs from seed ${seed}`);
const { status } = spawnSync(
  'node_modules/.bin/vitest',
  ['run', 'tests/readers/fuzz.test.ts', '-t', 'damaged inputs'],
  {
    stdio: 'inherit',
    env: { ...process.env, P2PDMA_FUZZ_INPUTS: inputs, P2PDMA_FUZZ_SEED: seed },
  },
);
process.exitCode = status ?? 1;
