/** A worker of the survey: answers the name of each file with its row. */

import { readFileSync, statSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { assert } from '../core/assert.ts';
import { P2pError } from '../core/errors.ts';
import { checkMachine } from '../doctor/check-machine.ts';
import type { Machine } from '../machine/machine.ts';
import { readDirectory } from '../machine/read/live/read-live.ts';
import { readMachine } from '../machine/read/read-machine.ts';
import { policyForKernel } from '../p2p/policy.ts';
import type { SurveyRow } from './row.ts';

const port = parentPort;
assert(port !== null, 'this file is loaded as a worker');
port.on('message', async (file: string) => port.postMessage(await rowOf(file)));

async function rowOf(file: string): Promise<SurveyRow> {
  let machine: Machine;
  try {
    machine = statSync(file).isDirectory() ? readDirectory(file) : await readMachine(readFileSync(file), file);
  } catch (error) {
    // What is no refusal is a mistake of ours, and ends the worker.
    if (error instanceof P2pError) return { kind: 'refused', file, code: error.code };
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string') throw error;
    return { kind: 'refused', file, code };
  }
  const start = process.hrtime.bigint();
  const { findings } = checkMachine(machine, policyForKernel(machine.kernel));
  return {
    kind: 'judged',
    file,
    functions: machine.hierarchy.functions.length,
    milliseconds: Number(process.hrtime.bigint() - start) / 1e6,
    findings: findings.map(({ id, severity, sure }) => ({ id, severity, sure })),
  };
}
