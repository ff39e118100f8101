/** What an observer of the fabric sees: every place that every TLP comes to. */

import type { Fate, FateReason } from './outcome.ts';
import type { StepName } from './road.ts';

export type TlpKind = 'memoryWrite' | 'memoryRead' | 'completion' | 'configRead' | 'configWrite';

/** One place on the way of one TLP. */
export interface Hop {
  /** Virtual time. */
  readonly timeNs: number;
  /** Number of the request, from 1 on; its completions carry the same. */
  readonly tlp: number;
  readonly kind: TlpKind;
  /** Index of the function, or ROOT_COMPLEX. */
  readonly at: number;
  readonly action: StepName;
  /** As the TLP carries it here. Of a completion: where its first byte was asked for. */
  readonly address: number;
  /** Payload bytes; of a read request the bytes asked for. */
  readonly length: number;
  /** `delivered` and `none` but where the action is `stop`. */
  readonly fate: Fate;
  readonly reason: FateReason;
}

export type HopWatcher = (hop: Hop) => void;

/** Keeps the hops of a run, the first `limit` of them. Hand `record` to `Fabric.watch`. */
export class Trace {
  readonly #hops: Hop[] = [];
  readonly #limit: number;
  #count = 0;
  readonly record: HopWatcher = (hop) => {
    this.#count++;
    if (this.#hops.length < this.#limit) this.#hops.push(hop);
  };

  /** @param limit - hops kept; default 100,000 */
  constructor(limit = 100_000) {
    this.#limit = limit;
  }

  get hops(): readonly Hop[] {
    return this.#hops;
  }

  /** Hops that there was no room for. */
  get dropped(): number {
    return this.#count - this.#hops.length;
  }

  clear(): void {
    this.#hops.length = 0;
    this.#count = 0;
  }
}
