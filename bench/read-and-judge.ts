/**
 * How long it takes to read a large dump and to judge it, beside lspci reading the same file.
 *
 *   npm run bench:read [-- DUMP]
 *
 * DUMP (an archive or a listing, default: a machine of tests/truth) is repeated under new domain numbers to 10,000 and
 * 20,000 functions. Each measurement is a process of its own; ours and lspci's alternate, one pair warms up, and the median
 * of five counts. Inside ours the clock runs from the bytes of the file to the last verdict: neither start nor output counts.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMachine } from 'p2pdma/machine';
import { JudgeContext, judgePair } from 'p2pdma/p2p';
import { writeRepeated } from './repeat-machine.ts';

const ROUNDS = 5;
const SELF = fileURLToPath(import.meta.url);
const DEFAULT_DUMP = fileURLToPath(new URL('../../tests/truth/acs-sw4-one.tar.gz', import.meta.url));

/** What one process reports. Milliseconds and bytes. */
interface Sample {
  readonly readMs: number;
  readonly judgeMs: number;
  readonly pairs: number;
  readonly peakBytes: number;
}

if (process.argv[2] === '--sample') await sample(process.argv[3] as string, Number(process.argv[4]));
else await compare(process.argv[2] ?? DEFAULT_DUMP);

/** One measurement: parse, then judge `providers` functions, spread over the machine, against all. */
async function sample(path: string, providers: number): Promise<void> {
  const bytes = readFileSync(path);
  const start = performance.now();
  const machine = await readMachine(bytes, path);
  const read = performance.now();
  const judge = new JudgeContext(machine);
  const count = judge.functions.length;
  const types = new Map<string, number>();
  for (let index = 0; index < providers; index++) {
    const provider = Math.floor((index * count) / providers);
    for (let client = 0; client < count; client++) {
      const { type } = judgePair(judge, provider, client);
      types.set(type, (types.get(type) ?? 0) + 1);
    }
  }
  const judged = performance.now();
  const result: Sample = {
    readMs: read - start,
    judgeMs: judged - read,
    pairs: [...types.values()].reduce((sum, pairs) => sum + pairs, 0),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  console.log(JSON.stringify(result));
}

async function compare(dump: string): Promise<void> {
  const machine = await readMachine(readFileSync(dump), dump);
  const folder = mkdtempSync(join(tmpdir(), 'p2pdma-bench-'));
  try {
    console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}; ${dump} repeated`);
    const small = measure(machine, 10_000, join(folder, 'small.txt'));
    const large = measure(machine, 20_000, join(folder, 'large.txt'));
    console.table({ '10,000 functions': small, '20,000 functions': large });
    const total = (row: Row): number => row['read, ms'] + row['judge 100, ms'];
    console.log(`20,000 take ${(total(large) / total(small)).toFixed(2)} times as long as 10,000`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Row {
  'file, MB': number;
  'lspci -vvv, ms': number;
  'read, ms': number;
  'judge 100, ms': number;
  /** Read and judge a million pairs, against lspci. */
  ratio: number;
  'process, 1 provider, ms': number;
  'ratio of the process': number;
  'peak / file': number;
}

function measure(machine: Parameters<typeof writeRepeated>[0], count: number, path: string): Row {
  writeRepeated(machine, count, path);
  const ours: Sample[] = [];
  const one: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const samples = [
      run(process.execPath, [SELF, '--sample', path, '100']),
      run(process.execPath, [SELF, '--sample', path, '1']),
    ] as const;
    const lspci = run('lspci', ['-F', path, '-vvv']);
    if (round === 0) continue;
    ours.push(JSON.parse(samples[0].output) as Sample);
    one.push(samples[1].ms);
    theirs.push(lspci.ms);
  }
  const size = statSync(path).size;
  const readMs = median(ours.map((item) => item.readMs));
  const judgeMs = median(ours.map((item) => item.judgeMs));
  const both = median(ours.map((item) => item.readMs + item.judgeMs));
  const lspciMs = median(theirs);
  return {
    'file, MB': round(size / 1e6, 1),
    'lspci -vvv, ms': round(lspciMs),
    'read, ms': round(readMs),
    'judge 100, ms': round(judgeMs),
    ratio: round(both / lspciMs, 2),
    'process, 1 provider, ms': round(median(one)),
    'ratio of the process': round(median(one) / lspciMs, 2),
    'peak / file': round(median(ours.map((item) => item.peakBytes)) / size, 1),
  };
}

function run(command: string, args: readonly string[]): { ms: number; output: string } {
  const start = performance.now();
  // What lspci prints goes nowhere, as ours does.
  const output = command === 'lspci' ? 'ignore' : 'pipe';
  const { status, stdout, error } = spawnSync(command, args, { stdio: ['ignore', output, 'ignore'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status ?? error?.message}`);
  return { ms: performance.now() - start, output: stdout?.toString() ?? '' };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}
