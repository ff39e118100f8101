/** Which recognisers a line is shown to: those one of whose words stands in it, but for floods and lines that were given back. */

import { AnchorTable } from './anchors.ts';
import type { EvidenceItem } from './items.ts';
import type { Recogniser } from './recogniser.ts';

/** Lines with one word that a log is shown; the rest of a flood is counted. */
const WORD_LINES_MAX = 3000;

const NOBODY: readonly number[] = [];

const ANCHORS = new WeakMap<readonly Recogniser<EvidenceItem>[], AnchorTable>();

/** The words of all recognisers; a list's table is made once, when a text is read. */
function anchorsOf(recognisers: readonly Recogniser<EvidenceItem>[]): AnchorTable {
  const known = ANCHORS.get(recognisers);
  if (known !== undefined) return known;
  const made = new AnchorTable(recognisers.flatMap(({ words }, owner) => words.map((word) => ({ word, owner }))));
  ANCHORS.set(recognisers, made);
  return made;
}

/** Recognisers are named by their index in the list. */
export class WordOwners {
  readonly #anchors: AnchorTable;
  readonly #isLog: readonly boolean[];
  /** Words of the line that was scanned last. */
  #hits: number[] = [];
  /** Lines that a word stood in. */
  readonly #wordLines: Uint32Array;
  /** Up to this line a recogniser has given its lines back. */
  readonly #bannedTo: Uint32Array;

  constructor(recognisers: readonly Recogniser<EvidenceItem>[]) {
    this.#anchors = anchorsOf(recognisers);
    this.#isLog = recognisers.map(({ manner }) => manner === 'log');
    this.#wordLines = new Uint32Array(this.#anchors.owners.length);
    this.#bannedTo = new Uint32Array(recognisers.length);
  }

  /** Scans the line that begins at `start`; returns where it ends. */
  scanLine(bytes: Uint8Array, start: number, lineEnd: number): number {
    this.#hits.length = 0;
    return this.#anchors.scanLine(bytes, start, lineEnd, this.#hits);
  }

  /**
   * Who is shown the line that was scanned, in the order of the list, and the logs of whose flood it is a line that is only counted.
   *
   * @param line its number
   */
  ofLine(line: number): { readonly asked: readonly number[]; readonly flooded: readonly number[] } {
    if (this.#hits.length === 0) return NONE;
    const asked: number[] = [];
    let flooded = NOBODY;
    for (const word of this.#hits) {
      const owner = this.#anchors.owners[word] as number;
      if (asked.includes(owner) || (this.#bannedTo[owner] as number) >= line) continue;
      const lines = (this.#wordLines[word] as number) + 1;
      this.#wordLines[word] = lines;
      if (lines <= WORD_LINES_MAX || !(this.#isLog[owner] as boolean)) asked.push(owner);
      else if (!flooded.includes(owner)) flooded = [...flooded, owner];
    }
    return {
      asked: asked.sort((a, b) => a - b),
      flooded: flooded.length === 0 ? NOBODY : flooded.filter((owner) => !asked.includes(owner)),
    };
  }

  /** A recogniser gives its lines back: it is not asked about them again. */
  ban(owner: number, toLine: number): void {
    this.#bannedTo[owner] = Math.max(this.#bannedTo[owner] as number, toLine);
  }
}

const NONE = { asked: NOBODY, flooded: NOBODY } as const;
