#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(main)) {
  const { runProcess } = await import(main.href);
  await runProcess();
} else {
  process.stderr.write('p2pdma: dist/ is not built\nhint: run npm ci, or npm run build\n');
  process.exitCode = 70;
}
