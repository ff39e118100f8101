/**
 * What a recogniser is. A kind of evidence is one small file with one recogniser: words that its blocks begin with, a function that opens
 * a block, and one that reads the block into items. Where in a file a block stands says nothing, nor does the file's name.
 *
 * To add a kind: write its file with the type of its items and a recogniser from `tableOf` or `linesOf`; add the type to `items.ts` and
 * the recogniser to `table.ts`, one line each; add a test with lines of your own beside it.
 */

import type { CleanLine } from './clean/clean-line.ts';
import type { SourceKind } from './kinds.ts';

/** What all items have: where they were read. */
export interface ItemPlace {
  readonly kind: SourceKind;
  /** As the caller named it. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

/**
 * What a block makes of the next line. `taken`: it is the block's. `more`: so, and the next line shall come whatever it holds (logs are
 * shown only lines with one of their words). `passed`: it is another's, and the block goes on. `ended`: the block ended above it.
 */
export type Taken = 'taken' | 'more' | 'passed' | 'ended';

/** What a block holds. */
export interface BlockResult<Item extends ItemPlace = ItemPlace> {
  /** Where one recogniser reads several kinds, which it is. */
  readonly kind?: SourceKind;
  readonly items: readonly Item[];
  /** Items that were not kept, for their number. */
  readonly leftOut?: number;
  /** Nothing is missing at its end or within; left out: nothing is. */
  readonly isComplete?: boolean;
  /** What the block is about, where a later one about the same replaces it: the devices of a table. Left out or null: never replaced. */
  readonly subject?: string | null;
  /** What makes it doubtful that this is what it looks like. */
  readonly doubt?: string | null;
}

/** A block that is being read. */
export interface Reading<Item extends ItemPlace = ItemPlace> {
  take(line: CleanLine): Taken;
  /** Of a table: takes a line without cleaning it, where its bytes alone say that it goes on; false where it must be looked at. */
  skim?(bytes: Uint8Array, start: number, end: number): boolean;
  /** What it held; null where it was something else: its lines are then shown to the other recognisers. */
  close(): BlockResult<Item> | null;
}

/** What surrounds a block. */
export interface BlockContext {
  readonly file: string;
  /** The line right above the block that is not blank; null where the block is the first. */
  readonly above: string | null;
  /** The command in that line, without the prompt; null where there is none. */
  readonly command: string | null;
}

export interface Recogniser<Item extends ItemPlace = ItemPlace> {
  readonly kind: SourceKind;
  /**
   * `table`: a block with a beginning and an end, which owns all lines between. `log`: lines that stand for themselves, among whatever
   * others; it is shown only lines with one of its words.
   */
  readonly manner: 'table' | 'log';
  /** Every first line of a table, and every line of a log that says something, has one of these words. ASCII. */
  readonly words: readonly string[];
  /**
   * Opens a block at this line. Of a table: it has taken the line then, or is null where the line begins none. Of a log: it is empty, and
   * asked about the line next; where it passes, it is dropped.
   */
  open(line: CleanLine, context: BlockContext): Reading<Item> | null;
  /**
   * Of a log: whether bytes without any of its words belong to it all the same, by their time stamp (`own`), or may stand among its lines
   * (`along`). Called for every line: it must be cheap.
   */
  bears?(bytes: Uint8Array, start: number, end: number): 'own' | 'along' | null;
}

/** Lines that a table keeps; what is longer is cut and incomplete. */
const TABLE_LINES_MAX = 20_000;

/** How a table is recognised and read. */
export interface TableForm<Item extends ItemPlace> {
  readonly kind: SourceKind;
  readonly words: readonly string[];
  begins(line: CleanLine, context: BlockContext): boolean;
  /** Whether the line goes on with the block. `lines` are those taken so far; blank lines are asked about as well. */
  continues(line: CleanLine, lines: readonly CleanLine[]): Taken;
  /** Reads the block; null where it turns out to be something else. Blank lines are among the lines. */
  read(lines: readonly CleanLine[], context: BlockContext): BlockResult<Item> | null;
}

/** A recogniser of blocks that are read when they are whole. */
export function tableOf<Item extends ItemPlace>(form: TableForm<Item>): Recogniser<Item> {
  const { kind, words } = form;
  return {
    kind,
    manner: 'table',
    words,
    open(first, context) {
      if (!form.begins(first, context)) return null;
      const lines: CleanLine[] = [first];
      let isCut = false;
      return {
        take(line) {
          const taken = form.continues(line, lines);
          if (taken !== 'taken' && taken !== 'more') return taken;
          if (lines.length < TABLE_LINES_MAX) lines.push(line);
          else isCut = true;
          return taken;
        },
        close() {
          const result = form.read(lines, context);
          return result === null || !isCut ? result : { ...result, isComplete: false };
        },
      };
    },
  };
}

/** How lines of a log are read. */
export interface LinesForm<Item extends ItemPlace> {
  readonly kind: SourceKind;
  readonly words: readonly string[];
  /** What a line says: items, or null where it is none of this log's. An empty list: it is the log's and says nothing. */
  readLine(line: CleanLine, context: BlockContext): readonly Item[] | null;
}

/** Items that a block of lines keeps. */
export const LINE_ITEMS_MAX = 5000;

/** A recogniser of lines that stand for themselves. */
export function linesOf<Item extends ItemPlace>(form: LinesForm<Item>): Recogniser<Item> {
  const { kind, words } = form;
  return {
    kind,
    manner: 'log',
    words,
    open(_line, context) {
      const items: Item[] = [];
      let leftOut = 0;
      return {
        take(line) {
          const more = form.readLine(line, context);
          if (more === null) return 'passed';
          if (items.length + more.length <= LINE_ITEMS_MAX) items.push(...more);
          else leftOut += more.length;
          return 'taken';
        },
        close: () => ({ items, leftOut }),
      };
    },
  };
}
