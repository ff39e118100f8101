/**
 * How the benchmarks measure: what is compared runs in turns, round by round, so that all see the same machine; after a
 * warm-up the median counts, and a ratio is the median of the ratios within each round. Noise of neighbours then cancels out.
 */

import { cpus } from 'node:os';

/** Something to measure. */
export interface Candidate {
  readonly name: string;
  /** One run; `turn` counts up, for those that rotate over several inputs. */
  readonly run: (turn: number) => void;
  /** What one run handles: vectors, bytes, commands. */
  readonly units: number;
}

/** What a candidate took, nanoseconds for one unit. */
export interface Figure {
  readonly name: string;
  readonly medianNs: number;
  readonly bestNs: number;
  /** Between the rounds at 10 % and at 90 %. */
  readonly spreadNs: number;
  /** Of each round, in order: to pair with another's. */
  readonly roundsNs: readonly number[];
}

export interface MeasureOptions {
  /** Rounds that count. Default 200. */
  readonly rounds?: number;
  /** Rounds before them. Default 60: enough for the optimising compiler to have seen everything. */
  readonly warmUp?: number;
  /** Nanoseconds that one candidate runs in one round, about. Default 400,000. */
  readonly roundNs?: number;
}

/** One line that says what the figures were measured on. */
export function platformLine(): string {
  return `node ${process.version} (V8 ${process.versions.v8}), ${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores`;
}

/** Measures all candidates in turns. */
export function measure(candidates: readonly Candidate[], options: MeasureOptions = {}): Figure[] {
  const { rounds = 200, warmUp = 60, roundNs = 400_000 } = options;
  const runs = candidates.map((candidate) => runsFor(candidate, roundNs));
  const taken = candidates.map(() => new Float64Array(rounds));
  for (let round = -warmUp; round < rounds; round++) {
    candidates.forEach((candidate, index) => {
      const count = runs[index] as number;
      const ns = timed(candidate, count) / (count * candidate.units);
      if (round >= 0) (taken[index] as Float64Array)[round] = ns;
    });
  }
  return candidates.map(({ name }, index) => figureOf(name, taken[index] as Float64Array));
}

function timed({ run }: Candidate, count: number): number {
  const start = process.hrtime.bigint();
  for (let turn = 0; turn < count; turn++) run(turn);
  return Number(process.hrtime.bigint() - start);
}

/** How often a candidate runs to fill a round. */
function runsFor(candidate: Candidate, roundNs: number): number {
  let count = 4;
  for (;;) {
    const ns = Math.max(1, Math.min(timed(candidate, count), timed(candidate, count)));
    if (ns > roundNs / 8) return Math.max(4, Math.round((count * roundNs) / ns));
    count *= 4;
  }
}

function figureOf(name: string, roundsNs: Float64Array): Figure {
  const sorted = Float64Array.from(roundsNs).sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
  return { name, medianNs: at(0.5), bestNs: at(0), spreadNs: at(0.9) - at(0.1), roundsNs: [...roundsNs] };
}

/** How many times longer `figure` takes than `base`: the median over the rounds that both ran in. */
export function ratioOf(figure: Figure, base: Figure): number {
  const ratios = figure.roundsNs.map((ns, round) => ns / (base.roundsNs[round] as number)).sort((a, b) => a - b);
  return ratios[Math.floor(ratios.length / 2)] as number;
}

/** Bounds that were kept and those that were not. */
export class Bounds {
  #failed = 0;

  /** Says whether `value` keeps the bound, in words; remembers if not. */
  check(value: number, most: number): string {
    if (value <= most) return `at most ${most}: kept`;
    this.#failed++;
    return `at most ${most}: NOT KEPT`;
  }

  /** As `check`, for a value that must reach a bound. */
  checkLeast(value: number, least: number): string {
    if (value >= least) return `at least ${least}: kept`;
    this.#failed++;
    return `at least ${least}: NOT KEPT`;
  }

  /** Sets the exit code of the process. */
  end(): void {
    if (this.#failed === 0) return;
    console.log(`${this.#failed} bounds not kept`);
    process.exitCode = 1;
  }
}

/** Columns, the first to the left and the rest to the right. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, at) => Math.max(cell.length, all[at] ?? 0)), []);
  for (const row of rows) {
    console.log(
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    );
  }
}
