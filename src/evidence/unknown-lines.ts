/** Lines that no recogniser claimed, as runs: neighbours, with at most blank lines between, are one. */

/** A line: its 1-based number, and where it lies among the bytes. */
export interface LinePlace {
  readonly number: number;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

interface Run {
  readonly first: LinePlace;
  last: LinePlace;
  /** The line before the last; null where the run has one only. */
  before: LinePlace | null;
}

/** As many runs are kept apart; what comes behind is joined to the last. */
const RUNS_MAX = 1000;

export class UnknownLines {
  readonly #runs: Run[] = [];
  #claimed = 0;

  /** Notes that a block has this line: no run goes on over it. */
  claim(line: number): void {
    this.#claimed = line;
  }

  add(place: LinePlace): void {
    const run = this.#runs.at(-1);
    if (run !== undefined && place.number > run.last.number) {
      if (this.#claimed < run.last.number || this.#runs.length === RUNS_MAX) {
        run.before = run.last;
        run.last = place;
        return;
      }
    }
    if (this.#runs.length < RUNS_MAX) this.#runs.push({ first: place, last: place, before: null });
  }

  /** Takes the last line back, which turned out to belong to the block below it. */
  takeBack(line: number): void {
    const run = this.#runs.at(-1);
    if (run === undefined || run.last.number !== line) return;
    if (run.before === null) this.#runs.pop();
    else run.last = run.before;
  }

  /** First and last line of each run, in order. */
  runs(): readonly { readonly first: LinePlace; readonly last: LinePlace }[] {
    const joined: { first: LinePlace; last: LinePlace }[] = [];
    for (const { first, last } of [...this.#runs].sort((a, b) => a.first.number - b.first.number)) {
      const above = joined.at(-1);
      if (above === undefined || first.number > above.last.number + 1) joined.push({ first, last });
      else if (last.number > above.last.number) above.last = last;
    }
    return joined;
  }
}
