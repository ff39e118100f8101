/**
 * Runs all tests: installs the tools that they need where it can, builds, runs vitest, lists what was skipped, and ends with the line
 * `N passed, N failed`. With P2PDMA_SKIPS=corpus,scraps a skipped test whose title begins with another word is a failure.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FileResult, summarise } from './skips.ts';
import { installTools } from './tools.ts';

const missing = installTools();
const folder = mkdtempSync(join(tmpdir(), 'p2pdma-test-'));
const report = join(folder, 'report.json');
const tolerated = process.env['P2PDMA_SKIPS']?.split(',') ?? null;
let passed = 0;
let failed = 0;
try {
  const build = spawnSync('node_modules/.bin/tsc', ['-b'], { stdio: 'inherit' });
  if (build.status !== 0) failed++;
  else {
    const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    spawnSync('node_modules/.bin/vitest', [...args, ...process.argv.slice(2)], {
      stdio: 'inherit',
      env: { ...process.env, P2PDMA_MISSING_TOOLS: missing.map((tool) => tool.command).join(',') },
    });
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as { testResults: FileResult[] };
    const summary = summarise(testResults, tolerated);
    for (const line of summary.lines) console.log(line);
    ({ passed, failed } = summary);
  }
} catch (error) {
  console.log(`the test run itself failed: ${error instanceof Error ? error.message : String(error)}`);
  failed++;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
