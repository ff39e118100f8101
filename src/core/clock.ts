/** Time, handed in. Virtual: it moves only when somebody advances it. */
export class Clock {
  #nowNs = 0;

  /** Nanoseconds since the start of the run. */
  get nowNs(): number {
    return this.#nowNs;
  }

  /** Moves time forward by `ns` >= 0 nanoseconds. */
  advance(ns: number): void {
    this.#nowNs += ns;
  }
}
