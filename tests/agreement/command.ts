/**
 * The long run: prediction against fabric, over as many cases as asked for.
 *
 *     npm run agree -- --cases 5000000 --seed 7     random legs, and whole trees
 *     npm run agree -- --enumerate                  every two registers of every shape
 *     npm run agree -- --case 'switch de/de c1=RR'  one case, told in words
 *     npm run agree -- --finding leaf-port          the same for a finding of docs/FINDINGS.md
 *     npm run agree -- --seed 7 --tree 12           one random tree
 *     npm run -s agree -- --findings                docs/FINDINGS.md, from a search
 *
 * Ends with 0 where all agree, 5 where not, 2 where it was called wrongly.
 */

import { parseArgs } from 'node:util';
import { type Case, parseCase } from './case.ts';
import { FINDINGS, findingOf, renderFindings, search } from './findings.ts';
import { enumerateAll, LegRunner, replayOf, type Visit } from './legs.ts';
import { reportCase } from './report.ts';
import { sampleLegs, Tally } from './sample.ts';
import { replayOfTree, runTree } from './trees.ts';

/** Of the cases asked for, the part that comes from whole trees: they cost most. */
const TREE_PART = 0.1;
/** Failures that are printed; all are counted. */
const PRINTED = 20;

const OPTIONS = {
  cases: { type: 'string', default: '1000000' },
  seed: { type: 'string', default: '1' },
  tree: { type: 'string' },
  case: { type: 'string' },
  finding: { type: 'string' },
  findings: { type: 'boolean', default: false },
  enumerate: { type: 'boolean', default: false },
} as const;

/** The command was called wrongly. */
class UsageError extends Error {}

class Run {
  readonly tally = new Tally();
  failures = 0;
  readonly #started = Date.now();
  #shown = 0;
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  fail(replay: string, complaint: string): void {
    if (this.failures++ < PRINTED) this.#print(`${complaint}\n  ${replay}`);
  }

  /** Shows how far it is, on a terminal once a second. */
  progress(of: number | null): void {
    if (!process.stderr.isTTY || Date.now() - this.#shown < 1000) return;
    this.#shown = Date.now();
    const part = of === null ? '' : ` of ${of}`;
    process.stderr.write(`\r${this.tally.cases}${part} cases, ${this.failures} failures `);
  }

  finish(extra: readonly string[]): number {
    const seconds = (Date.now() - this.#started) / 1000;
    if (process.stderr.isTTY) process.stderr.write('\r');
    for (const line of [...this.tally.lines(), ...extra]) this.#print(line);
    const rate = Math.round(this.tally.cases / Math.max(seconds, 0.001));
    this.#print(`${this.tally.cases} cases in ${seconds.toFixed(1)} s (${rate} a second), ${this.failures} failures`);
    return this.failures === 0 ? 0 : 5;
  }
}

function runCases(cases: number, seed: number, print: (line: string) => void): number {
  const run = new Run(print);
  const trees = Math.floor(cases * TREE_PART);
  const again = `npm run agree -- --cases ${cases} --seed ${seed}`;
  withRunner(run, cases, again, (runner, visit) => sampleLegs(runner, seed, cases - trees, visit));
  const wanted = run.tally.cases + trees;
  let index = 0;
  let lists = 0;
  let bytes = 0;
  for (; run.tally.cases < wanted; index++) {
    const tree = runTree(seed, index);
    for (const examined of tree.pairs) run.tally.add(examined);
    for (const complaint of tree.complaints) run.fail(replayOfTree(seed, index), complaint);
    lists += tree.bios.length;
    for (const bio of tree.bios) bytes += bio.bytes;
    run.progress(cases);
  }
  return run.finish([`${index} trees, ${lists} lists mapped, ${bytes} bytes moved and compared`]);
}

function runEnumeration(print: (line: string) => void): number {
  const run = new Run(print);
  withRunner(run, null, 'npm run agree -- --enumerate', enumerateAll);
  return run.finish([]);
}

/** @param again - the command that finds again what only the audit of a bed shows */
function withRunner(run: Run, of: number | null, again: string, work: (runner: LegRunner, visit: Visit) => void): void {
  const runner = new LegRunner((complaint) => run.fail(again, complaint));
  work(runner, (one, examined) => {
    run.tally.add(examined);
    for (const complaint of examined.complaints) run.fail(replayOf(one), complaint);
    run.progress(of);
  });
  runner.putAway();
}

function runOneTree(seed: number, index: number, print: (line: string) => void): number {
  const { tree, functions, pairs, bios, complaints } = runTree(seed, index);
  print(JSON.stringify(tree, null, 1));
  print(`${functions} functions, ${pairs.length} pairs, ${bios.length} lists`);
  for (const complaint of complaints) print(complaint);
  return complaints.length === 0 ? 0 : 5;
}

function caseOf(line: string): Case {
  try {
    return parseCase(line);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function tell(cases: readonly Case[], print: (line: string) => void): number {
  let agrees = true;
  for (const one of cases) {
    const report = reportCase(one);
    agrees &&= report.agrees;
    print(`${report.lines.join('\n')}\n`);
  }
  return agrees ? 0 : 5;
}

/**
 * Runs the command. Returns its exit code.
 * @param print - told every line of the answer
 */
export function agree(args: readonly string[], print: (line: string) => void): number {
  try {
    return runCommand(args, print);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const isUsage = error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS');
    if (!isUsage) throw error;
    print((error as Error).message);
    return 2;
  }
}

function runCommand(args: readonly string[], print: (line: string) => void): number {
  const { values } = parseArgs({ options: OPTIONS, args: [...args] });
  const number = (name: string, text: string): number => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 0)
      throw new UsageError(`--${name} ${text} is no whole number from 0 on`);
    return value;
  };
  if (values.finding !== undefined) {
    const finding = findingOf(values.finding);
    if (finding === null) {
      throw new UsageError(
        `no finding is named ${values.finding}; there are ${FINDINGS.map(({ name }) => name).join(', ')}`,
      );
    }
    print(`${finding.name}: ${finding.title}\n`);
    return tell([...finding.cases, ...(finding.further ?? [])].map(parseCase), print);
  }
  if (values.case !== undefined) return tell([caseOf(values.case)], print);
  if (values.findings) {
    print(renderFindings(search()).trimEnd());
    return 0;
  }
  if (values.enumerate) return runEnumeration(print);
  const seed = number('seed', values.seed);
  if (values.tree !== undefined) return runOneTree(seed, number('tree', values.tree), print);
  return runCases(number('cases', values.cases), seed, print);
}
