/**
 * How long `p2pdma check` and `p2pdma matrix` take as processes, beside `node -e 0`: what counts is the time beyond the start of
 * Node. The runs alternate, round by round; the first round warms the disk's cache and does not count.
 *
 *   npm run bench -- check
 *
 * Machines: one of tests/truth again and again under new domain numbers, with and without the pairs of all its endpoints, and a
 * dense one: domains of switches below switches that fill their buses, with ACS redirect on every second port, all endpoints
 * paired with all.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildMachine, type Machine, readMachine } from 'p2pdma/machine';
import { buildTree, type DeviceDescription, type SwitchDescription } from 'p2pdma/pcie';
import { Bounds, platformLine, printTable } from './harness.ts';
import { writeRepeated } from './repeat-machine.ts';

const ROUNDS = 9;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COMMAND = join(ROOT, 'bin/p2pdma.js');
const TRUTH = join(ROOT, 'tests/truth');

/** Seconds beyond the start of Node. */
const BOUND_513 = 0.5;
const BOUND_10000 = 3;
/** The whole process of `matrix` on a small machine, as a multiple of Node's start. */
const BOUND_MATRIX = 2.5;

/** On its way out the process writes what it used behind everything else on stderr. */
const TELL = `process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  process.stderr.write(['', userCPUTime + systemCPUTime, maxRSS].join(' '));
});`;

const folder = mkdtempSync(join(tmpdir(), 'p2pdma-bench-'));
try {
  console.log(platformLine());
  const bounds = new Bounds();
  await checks(bounds);
  smallMatrix(bounds);
  bounds.end();
} finally {
  rmSync(folder, { recursive: true });
}

async function checks(bounds: Bounds): Promise<void> {
  const truth = join(TRUTH, 'acs-sw4-one.tar.gz');
  const shared = await readMachine(readFileSync(truth), truth);
  const dense = denseMachine();
  const rows = [
    ['machine, functions', 'file, MB', 'beyond Node, ms', 'spread', 'CPU beyond, ms', 'Node, ms', 'peak, MB', 'bound'],
  ];
  for (const count of [513, 10_000]) {
    const bound = count === 513 ? BOUND_513 : BOUND_10000;
    const files: readonly (readonly [name: string, machine: Machine, options: readonly string[]])[] = [
      ['truth', shared, []],
      ['truth, all endpoints paired', shared, ['--pairs', 'endpoints']],
      ['dense, all endpoints paired', dense, ['--pairs', 'endpoints']],
    ];
    for (const [name, machine, options] of files) {
      const path = join(folder, 'machine.txt');
      writeRepeated(machine, count, path);
      const { node, ours } = alternate([COMMAND, 'check', path, ...options]);
      const beyond = ours.map(({ ms }, round) => ms - (node[round] as Sample).ms);
      const cpu = ours.map(({ cpuMs }, round) => cpuMs - (node[round] as Sample).cpuMs);
      rows.push([
        `${name}, ${count}`,
        (statSync(path).size / 1e6).toFixed(1),
        median(beyond).toFixed(0),
        (at(beyond, 0.9) - at(beyond, 0.1)).toFixed(0),
        median(cpu).toFixed(0),
        median(node.map(({ ms }) => ms)).toFixed(0),
        (Math.max(...ours.map(({ peakBytes }) => peakBytes)) / 1e6).toFixed(0),
        bounds.check(median(beyond) / 1000, bound),
      ]);
    }
  }
  printTable(rows);
}

function smallMatrix(bounds: Bounds): void {
  const { node, ours } = alternate([COMMAND, 'matrix', join(TRUTH, 'zen-pxb.tar.gz')]);
  const ratios = ours.map(({ ms }, round) => ms / (node[round] as Sample).ms);
  const [mine, base] = [ours, node].map((samples) => median(samples.map(({ ms }) => ms)).toFixed(0));
  const spread = (at(ratios, 0.9) - at(ratios, 0.1)).toFixed(2);
  const words = bounds.check(median(ratios), BOUND_MATRIX);
  console.log(
    `matrix of 11 functions: ${mine} ms, Node ${base} ms: ${median(ratios).toFixed(2)} times, spread ${spread}, ${words}`,
  );
}

/** A domain whose 500 functions fill its buses: switches of eight ports below switches of eight, twice. */
function denseMachine(): Machine {
  const card: DeviceDescription = { kind: 'endpoint', functions: [{ bars: [{ size: 2 ** 16, prefetchable: true }] }] };
  const ports = (below: DeviceDescription): SwitchDescription => ({
    kind: 'switch',
    ports: Array.from({ length: 8 }, (_, port) => ({
      acs: port % 2 === 0 ? ('clear' as const) : ['SV' as const, 'RR' as const, 'CR' as const, 'UF' as const],
      below: [below],
    })),
  });
  const children = [0, 1].map(() => ({
    kind: 'rootPort' as const,
    acs: 'clear' as const,
    below: [ports(ports(card))],
  }));
  const tree = buildTree({ rootBuses: [{ hostBridge: { vendorId: 0x8086, deviceId: 0x2030 }, children }] });
  return buildMachine({ source: 'dense', functions: tree.facts });
}

/** One process: wall clock, time on the processor by all of its threads, and the most memory that it held. */
interface Sample {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
}

/** Each round of Node alone and of the command. */
function alternate(args: readonly string[]): { readonly node: Sample[]; readonly ours: Sample[] } {
  const node: Sample[] = [];
  const ours: Sample[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const [base, mine] = [sample(['-e', '0']), sample(args)];
    if (round === 0) continue;
    node.push(base);
    ours.push(mine);
  }
  return { node, ours };
}

function sample(args: readonly string[]): Sample {
  const tell = `data:text/javascript,${encodeURIComponent(TELL)}`;
  const start = performance.now();
  const run = spawnSync(process.execPath, ['--import', tell, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const ms = performance.now() - start;
  if (run.status !== 0) throw new Error(`${args.join(' ')} ended with ${run.status}: ${run.stderr}`);
  const [cpuUs, peakKib] = run.stderr.split(' ').slice(-2).map(Number) as [number, number];
  return { ms, cpuMs: cpuUs / 1000, peakBytes: peakKib * 1024 };
}

function at(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
}

function median(values: readonly number[]): number {
  return at(values, 0.5);
}
