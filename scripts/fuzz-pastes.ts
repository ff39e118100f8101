/**
 * The long run over pastes: `npm run fuzz:pastes [lines] [seed]`, ten million damaged lines if not said otherwise. A failure names the seed of its
 * paste; `npm run fuzz:pastes 1 SEED` replays it.
 */

import { spawnSync } from 'node:child_process';

const [lines = '10000000', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
console.log(`${lines} lines from seed ${seed}`);
const { status } = spawnSync(
  'node_modules/.bin/vitest',
  ['run', 'tests/evidence/fuzz.test.ts', '-t', 'damaged lines'],
  {
    stdio: 'inherit',
    env: { ...process.env, P2PDMA_FUZZ_LINES: lines, P2PDMA_FUZZ_SEED: seed },
  },
);
process.exitCode = status ?? 1;
