/**
 * Runs all tests: installs the tools they need where it can, builds, runs vitest, lists what was skipped, and ends with
 * the line `N passed, N failed`. With P2PDMA_SKIPS=corpus a skipped test that is no corpus test is a failure.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installTools } from './tools.js';

const missing = installTools();
const folder = mkdtempSync(join(tmpdir(), 'p2pdma-test-'));
const report = join(folder, 'report.json');
let passed = 0;
let failed = 0;
try {
  const build = spawnSync('node_modules/.bin/tsc', ['-b'], { stdio: 'inherit' });
  if (build.status !== 0) failed++;
  else {
    const args = [
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...process.argv.slice(2),
    ];
    spawnSync('node_modules/.bin/vitest', args, {
      stdio: 'inherit',
      env: { ...process.env, P2PDMA_MISSING_TOOLS: missing.map((tool) => tool.command).join(',') },
    });
    ({ passed, failed } = summarise(JSON.parse(readFileSync(report, 'utf8'))));
  }
} catch (error) {
  console.log(`the test run itself failed: ${error instanceof Error ? error.message : error}`);
  failed++;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function summarise(results) {
  const tests = results.testResults.flatMap((file) =>
    file.assertionResults.map((result) => ({ ...result, file: file.name })),
  );
  // A file that could not be loaded has no tests, and is a failure all the same.
  const broken = results.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  for (const file of broken) console.log(`could not be run: ${file.name}: ${file.message}`);
  const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
  for (const test of skipped) console.log(`skipped: ${test.fullName}`);
  const forbidden =
    process.env.P2PDMA_SKIPS === 'corpus'
      ? skipped.filter((test) => ![test.title, test.fullName].some((name) => /^corpus\b/i.test(name)))
      : [];
  for (const test of forbidden) console.log(`must not be skipped here: ${test.fullName}`);
  const bad = tests.filter((test) => test.status === 'failed').length + broken.length + forbidden.length;
  return { passed: tests.filter((test) => test.status === 'passed').length, failed: bad };
}
