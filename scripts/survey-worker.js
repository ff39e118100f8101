/** A worker of the survey: answers the name of each file with its row. */

import { readFileSync, statSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { checkMachine } from '../dist/doctor/index.js';
import { readMachine } from '../dist/machine/index.js';
import { readDirectory } from '../dist/machine/read/live/read-live.js';
import { policyForKernel } from '../dist/p2p/index.js';

parentPort.on('message', async (file) => parentPort.postMessage(await rowOf(file)));

async function rowOf(file) {
  let machine;
  try {
    machine = statSync(file).isDirectory() ? readDirectory(file) : await readMachine(readFileSync(file), file);
  } catch (error) {
    // What is no refusal is a mistake of ours, and ends the worker.
    if (typeof error.code !== 'string') throw error;
    return { file, refused: error.code };
  }
  const start = performance.now();
  const { findings } = checkMachine(machine, policyForKernel(machine.kernel));
  return {
    file,
    functions: machine.hierarchy.functions.length,
    milliseconds: performance.now() - start,
    findings: findings.map(({ id, severity, sure }) => ({ id, severity, sure })),
  };
}
