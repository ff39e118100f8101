/** What a reader noticed on its way, bounded: a bug report of a million lines must not make a million notes. */

import type { ReadNote } from './machine.ts';

/** Code of the note about a listing that was cut: what stood behind its end is not known. */
export const DUMP_CUT = 'DUMP_CUT';

/** Code of the note about functions that are there, and of which nothing could be read. */
export const FUNCTIONS_UNREAD = 'FUNCTIONS_UNREAD';

/** As many notes as one file may leave; the rest is counted. */
const NOTES_MAX = 100;

export class NoteList {
  /** What the notes are about. */
  readonly file: string;
  readonly #notes: ReadNote[] = [];
  #leftOut = 0;
  #strayFirst = 0;
  #strayLast = 0;
  #strayMessage = '';

  constructor(file: string) {
    this.file = file;
  }

  /** Adds a note; from the hundredth on it is only counted. `line` is 1-based, null where there is none. */
  add(code: string, line: number | null, message: string): void {
    this.#flush();
    this.#push(code, line, message);
  }

  /** A line that was skipped. Lines in a row with the same message become one note. */
  stray(line: number, message: string): void {
    if (this.#strayLast === line - 1 && this.#strayMessage === message) {
      this.#strayLast = line;
      return;
    }
    this.#flush();
    this.#strayFirst = line;
    this.#strayLast = line;
    this.#strayMessage = message;
  }

  /** All notes, in the order in which they came; a last one tells how many were left out. */
  finish(): ReadNote[] {
    this.#flush();
    if (this.#leftOut === 0) return [...this.#notes];
    const message = `${this.#leftOut} more notes like these are left out`;
    return [...this.#notes, { code: 'NOTES_LEFT_OUT', file: this.file, line: null, message }];
  }

  #flush(): void {
    if (this.#strayFirst === 0) return;
    const first = this.#strayFirst;
    this.#strayFirst = 0;
    const count = this.#strayLast - first + 1;
    const lines = count === 1 ? 'the line' : `the ${count} lines up to ${this.#strayLast}`;
    this.#push('STRAY_LINE', first, `${this.#strayMessage}: ${lines} skipped`);
  }

  #push(code: string, line: number | null, message: string): void {
    if (this.#notes.length < NOTES_MAX) this.#notes.push({ code, file: this.file, line, message });
    else this.#leftOut++;
  }
}
