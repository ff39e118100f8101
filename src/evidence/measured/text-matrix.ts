/**
 * A matrix of words with labels above and at the left, however it was pasted: with tabs, with blanks, as a table of Markdown, with rows
 * that a narrow terminal broke, or cut.
 *
 *           GPU0    GPU1    NIC0    CPU Affinity
 *   GPU0     X      PHB     PIX     0-31
 *   GPU1    PHB      X      SYS
 *
 * Cells have no blanks within. A row that is too short goes on in the next line, unless that begins with a label.
 */

import type { CleanLine } from '../clean/clean-line.ts';

export interface MatrixRow {
  readonly label: string;
  readonly line: number;
  /** At most as many as there are columns; fewer where the row was cut. */
  readonly cells: readonly string[];
  /** What stands after the cells. */
  readonly tail: readonly string[];
}

/** What stands after the cells: lists of CPUs and nodes. */
export const isTail = (word: string): boolean => /^[\d,-]{1,120}$|^N\/A$/.test(word);

/** Words of a line; bars of Markdown are blanks. */
export function wordsOf({ text }: Pick<CleanLine, 'text'>): string[] {
  const plain = text.includes('|') ? text.replaceAll('|', ' ') : text;
  const trimmed = plain.trim();
  return trimmed === '' ? [] : trimmed.split(/\s+/);
}

/**
 * Reads rows.
 *
 * @param columns how many cells a row has
 * @param isLabel whether a word begins a row after the row of `above`, which is null for the first
 * @param isCell whether a word can be a cell
 */
export function matrixRows(
  lines: readonly CleanLine[],
  columns: number,
  isLabel: (word: string, above: string | null) => boolean,
  isCell: (word: string) => boolean,
): MatrixRow[] {
  const rows: { label: string; line: number; cells: string[]; tail: string[] }[] = [];
  for (const line of lines) {
    const words = wordsOf(line);
    const [label] = words;
    if (label === undefined) continue;
    const last = rows.at(-1);
    const begins = isLabel(label, last?.label ?? null);
    const isShort = last !== undefined && last.cells.length < columns;
    if (last !== undefined && !begins && (isShort ? isCell(label) : words.every(isTail))) {
      let at = 0;
      while (at < words.length && last.cells.length < columns && isCell(words[at] as string)) {
        last.cells.push(words[at++] as string);
      }
      last.tail.push(...words.slice(at));
    } else if (begins) {
      const row = { label, line: line.number, cells: [] as string[], tail: [] as string[] };
      let at = 1;
      while (at < words.length && row.cells.length < columns && isCell(words[at] as string)) {
        row.cells.push(words[at++] as string);
      }
      row.tail.push(...words.slice(at));
      rows.push(row);
    }
  }
  return rows;
}

/** Labels that are numbers which go up: whether a number begins a row, or is a cell of a row that was broken. */
export function isNextNumber(word: string, above: string | null): boolean {
  return /^\d{1,4}$/.test(word) && (above === null || Number(word) > Number(above));
}
