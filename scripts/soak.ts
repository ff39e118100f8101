/**
 * The long run of every test that draws by chance: `npm run soak`, or `npm run soak -- src/block` for those of a folder. The tests are
 * those that ask tests/soak.ts for their rounds.
 */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const wanted = process.argv.slice(2);
const files = ['src', 'tests']
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`))
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.test.ts') && /\/soak\.ts'/.test(readFileSync(path, 'utf8')))
  .filter((path) => wanted.length === 0 || wanted.some((prefix) => path.startsWith(prefix)));
if (files.length === 0) {
  console.log(`no test draws by chance in ${wanted.join(', ')}`);
  process.exitCode = 1;
} else {
  console.log(files.join('\n'));
  const { status } = spawnSync('node_modules/.bin/vitest', ['run', '--testTimeout=3600000', ...files], {
    stdio: 'inherit',
    env: { ...process.env, P2PDMA_SOAK: '1' },
  });
  process.exitCode = status ?? 1;
}
