/** A block while the walk over the text reads it, and what surrounds it. */

import { CleanLine } from './clean/clean-line.ts';
import type { EvidenceItem } from './items.ts';
import { commandOf } from './prompt.ts';
import type { BlockContext, Reading } from './recogniser.ts';
import type { LinePlace } from './unknown-lines.ts';

export interface OpenBlock {
  readonly owner: number;
  readonly context: Context;
  /** Null while a log has lines with its stamp alone. */
  reading: Reading<EvidenceItem> | null;
  first: LinePlace;
  last: LinePlace;
  /** Of a table: its lines and those that nobody else claimed, to be shown to others if it was none; a bounded number. */
  readonly seen: LinePlace[];
  /** Those of them that are not its own. */
  readonly unclaimed: LinePlace[];
  readonly peel: RegExp | null;
  /** Lines in a row that were not its own. */
  strangers: number;
  leftOut: number;
  hasGap: boolean;
}

/** Lines of a block that turned out to be something else, which are shown to the others. */
const REPLAY_MAX = 400;

/** Notes a line of a table; false where it has too many. */
export function see({ seen }: OpenBlock, place: LinePlace): boolean {
  if (seen.length === REPLAY_MAX) return false;
  seen.push(place);
  return true;
}

/** What surrounds a block; the line above it is read when a recogniser asks. */
export class Context implements BlockContext {
  readonly file: string;
  readonly #bytes: Uint8Array;
  /** The line above, that is not blank. */
  readonly line: LinePlace | null;
  #text: string | null | undefined;

  constructor(file: string, bytes: Uint8Array, above: LinePlace | null) {
    this.file = file;
    this.#bytes = bytes;
    this.line = above;
  }

  get above(): string | null {
    if (this.#text === undefined) {
      const { number, start, end } = this.line ?? { number: 0, start: 0, end: 0 };
      this.#text = number === 0 ? null : new CleanLine(this.#bytes, start, end, number).text;
    }
    return this.#text;
  }

  get command(): string | null {
    return this.above === null ? null : commandOf(this.above);
  }
}
