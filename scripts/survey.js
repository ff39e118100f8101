/**
 * What `p2pdma check` finds in every dump of a folder: a row a file, and the sum. Files are read by worker threads.
 * Use: npm run survey -- FOLDER
 */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const NO_DUMP = /\.(json|json\.gz|md|xml)$|lspci-(nn)?tv?\.txt$/;

if (isMainThread) await survey(process.argv[2]);
else await serve();

/** Answers each file's name with its row. */
async function serve() {
  const { readMachine } = await import('../dist/machine/index.js');
  const { checkMachine } = await import('../dist/doctor/index.js');
  const { policyForKernel } = await import('../dist/p2p/index.js');
  parentPort.on('message', async (file) => {
    try {
      const machine = await readMachine(readFileSync(file), file);
      const start = performance.now();
      const { findings } = checkMachine(machine, policyForKernel(machine.kernel));
      parentPort.postMessage({
        file,
        functions: machine.hierarchy.functions.length,
        milliseconds: performance.now() - start,
        findings: findings.map(({ id, severity, sure }) => ({ id, severity, sure })),
      });
    } catch (error) {
      parentPort.postMessage({ file, refused: error.code ?? error.message });
    }
  });
}

async function survey(folder) {
  if (folder === undefined) {
    process.stderr.write('survey: names no folder\nhint: npm run survey -- FOLDER\n');
    process.exitCode = 2;
    return;
  }
  const files = readdirSync(folder)
    .filter((name) => !NO_DUMP.test(name))
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .sort();
  const rows = await rowsOf(files);
  print(rows.sort((a, b) => (a.file < b.file ? -1 : 1)));
}

function rowsOf(files) {
  return new Promise((resolve, reject) => {
    const rows = [];
    let next = 0;
    if (files.length === 0) resolve(rows);
    const workers = Math.min(availableParallelism(), files.length);
    for (let index = 0; index < workers; index++) {
      const worker = new Worker(new URL(import.meta.url));
      const give = () => {
        if (next < files.length) worker.postMessage(files[next++]);
        else worker.terminate();
      };
      worker.on('message', (row) => {
        rows.push(row);
        progress(rows.length, files.length);
        if (rows.length === files.length) resolve(rows);
        give();
      });
      worker.on('error', reject);
      give();
    }
  });
}

function progress(done, all) {
  if (!process.stderr.isTTY) return;
  const width = 30;
  const full = Math.round((width * done) / all);
  process.stderr.write(`\r[${'#'.repeat(full)}${'.'.repeat(width - full)}] ${done}/${all}${done === all ? '\n' : ''}`);
}

function print(rows) {
  const totals = new Map();
  const name = (path) => path.slice(path.lastIndexOf('/') + 1);
  const width = Math.max(4, ...rows.map(({ file }) => name(file).length));
  console.log(`${'file'.padEnd(width)}  functions    ms  findings`);
  for (const { file, functions, milliseconds, findings, refused } of rows) {
    if (refused !== undefined) {
      console.log(`${name(file).padEnd(width)}  refused: ${refused}`);
      continue;
    }
    const counts = new Map();
    for (const { id, severity, sure } of findings) {
      const mark = sure === 'unknown' && severity === 'note' ? '?' : { error: '!!', warning: '!', note: '' }[severity];
      counts.set(`${id}${mark}`, (counts.get(`${id}${mark}`) ?? 0) + 1);
    }
    for (const [key, count] of counts) totals.set(key, (totals.get(key) ?? 0) + count);
    const words = [...counts].map(([key, count]) => (count === 1 ? key : `${key} x${count}`)).join(', ');
    console.log(
      `${name(file).padEnd(width)}  ${`${functions}`.padStart(9)}  ${milliseconds.toFixed(0).padStart(4)}  ${words}`,
    );
  }
  const read = rows.filter(({ refused }) => refused === undefined);
  console.log(
    `\n${rows.length} files, ${rows.length - read.length} refused, ${read.reduce((sum, row) => sum + row.functions, 0)} functions. !! error, ! warning, ? not in the capture`,
  );
  for (const [key, count] of [...totals].sort((a, b) => b[1] - a[1]))
    console.log(`  ${`${count}`.padStart(4)}  ${key}`);
}
