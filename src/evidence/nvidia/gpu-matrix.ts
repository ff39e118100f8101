/**
 * The matrices of `nvidia-smi topo`: `-m` and `-mp` show how far two devices stand from each other, `-p2p` what the driver grants. Both have
 * the same shape and different words.
 *
 *           GPU0    GPU1    NIC0    CPU Affinity    NUMA Affinity   GPU NUMA ID
 *   GPU0     X      PHB     PIX     0-31            0               N/A
 *
 *   Legend:
 *     PIX  = Connection traversing at most a single PCIe bridge
 *   NIC Legend:
 *     NIC0: mlx5_0
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { type DeviceLabel, deviceLabel } from '../measured/device-label.ts';
import { isTail, type MatrixRow, matrixRows, wordsOf } from '../measured/text-matrix.ts';
import type { Taken } from '../recogniser.ts';

/** What the words of a matrix are. */
export type IsWord = (word: string) => boolean;

export interface GpuMatrix {
  readonly columns: readonly DeviceLabel[];
  readonly rows: readonly MatrixRow[];
  /** Whether each column has a row, and each row all its cells. */
  readonly isComplete: boolean;
  /** Pairs of which the two cells differ. */
  readonly unequal: readonly string[];
}

const GPU = /^GPU(\d{1,3})$/;
const LABEL = /^(?:GPU|NIC)\d{1,3}$|^[A-Za-z][A-Za-z0-9]{1,15}(?:[_-][A-Za-z0-9]{1,15}){0,3}\d{0,3}$/;
const AFFINITY: ReadonlySet<string> = new Set(['CPU', 'NUMA', 'GPU', 'Affinity', 'ID', 'CPUAffinity']);
const LEGEND = /^\s*(?:NIC )?Legend:$|^\s*(?:X|[A-Z]{1,5}#?)\s+= \S|^\s*NIC\d{1,3}\s?:\s+\S+$/;
const NIC_NAME = /^\s*(NIC\d{1,3})\s?:\s+(\S+)$/;
/** Last words of the legend's lines; a line that ends otherwise was broken. */
const LEGEND_END =
  /(?:Self|UPI\)|[Nn]ode|CPU\)|Bridge\)|bridge|NVLinks?|Ok|supported|regkey|Unknown|switch|PLX|bridges|Legend:)$/;

/** Whether a line is the row of labels above a matrix. */
export function isHeader(line: CleanLine): boolean {
  const words = wordsOf(line);
  return (
    words[0] === 'GPU0' && words.length > 1 && columnsOf(words).length > 0 && rest(words).every((w) => AFFINITY.has(w))
  );
}

/** Whether a line is the first row of a matrix whose labels above were not pasted. */
export function isFirstRow(line: CleanLine, isCell: IsWord): boolean {
  const words = wordsOf(line);
  return words[0] === 'GPU0' && words[1] === 'X' && words.length > 2 && isCell(words[2] as string);
}

/** The labels of a header, without those of the columns of affinity. */
function columnsOf(words: readonly string[]): string[] {
  const end = words.findIndex((word) => AFFINITY.has(word) || !LABEL.test(word));
  return words.slice(0, end < 0 ? words.length : end);
}

const rest = (words: readonly string[]): readonly string[] => words.slice(columnsOf(words).length);

/** Whether the block goes on with this line. */
export function matrixGoesOn(line: CleanLine, lines: readonly CleanLine[], isCell: IsWord): Taken {
  if (line.isBlank) return 'passed';
  const { text } = line;
  if (LEGEND.test(text)) return 'taken';
  const above = (lines.at(-1) as CleanLine).text;
  if (LEGEND.test(above)) return NIC_NAME.test(above) || LEGEND_END.test(above) || isHeader(line) ? 'ended' : 'taken';
  if (/^[|:\s-]+$/.test(text)) return 'taken';
  const words = wordsOf(line);
  const [label, first] = words as [string, string?];
  if (lines.length === 1 && words.every((word) => AFFINITY.has(word) || LABEL.test(word))) {
    // A header that was broken.
    return isHeader(line) || isCell(first ?? '') ? 'ended' : 'taken';
  }
  if (isHeader(line)) return 'ended';
  const isRow = first === undefined ? /^(?:GPU|NIC)\d{1,3}$/.test(label) : LABEL.test(label) && isCell(first);
  // A row that was broken goes on with cells, or with its affinity.
  return isRow || words.every((word) => isCell(word) || isTail(word)) ? 'taken' : 'ended';
}

/** Reads a matrix; null where no row has one of its words. */
export function readGpuMatrix(lines: readonly CleanLine[], isCell: IsWord): GpuMatrix | null {
  const names = new Map<string, string>();
  for (const { text } of lines) {
    const match = NIC_NAME.exec(text);
    if (match !== null) names.set(match[1] as string, match[2] as string);
  }
  const [first] = lines;
  const hasHeader = first !== undefined && isHeader(first);
  let body = (hasHeader ? lines.slice(1) : lines).filter(({ text }) => !LEGEND.test(text));
  let columns = hasHeader ? columnsOf(wordsOf(first)) : labelsAtLeft(body);
  const [next] = body;
  if (hasHeader && next !== undefined && isBrokenHeader(next, isCell)) {
    const words = wordsOf(next);
    if (rest(wordsOf(first)).length === 0) columns = [...columns, ...columnsOf(words)];
    body = body.slice(1);
  }
  const known = new Set(columns);
  const rows = matrixRows(body, columns.length, (word) => known.has(word), isCell).filter(
    ({ cells }) => cells.length > 0,
  );
  if (rows.length === 0) return null;
  const whole = rows.filter(({ cells }) => cells.length === columns.length);
  return {
    columns: columns.map((column) => labelOf(column, names.get(column) ?? null)),
    rows,
    isComplete: new Set(whole.map(({ label }) => label)).size === columns.length,
    unequal: unequalPairs(columns, rows),
  };
}

function isBrokenHeader(line: CleanLine, isCell: IsWord): boolean {
  const words = wordsOf(line);
  return words.every((word) => AFFINITY.has(word) || LABEL.test(word)) && !isCell(words[1] ?? '');
}

/** Labels of rows that have no labels above, where the place of `X` says that they are all there from the first. */
function labelsAtLeft(lines: readonly CleanLine[]): string[] {
  const labels: string[] = [];
  for (const line of lines) {
    const words = wordsOf(line);
    if (words[labels.length + 1] !== 'X' || !LABEL.test(words[0] as string)) break;
    labels.push(words[0] as string);
  }
  return labels;
}

/** A device as nvidia-smi labels it. */
export function labelOf(label: string, name: string | null): DeviceLabel {
  const gpu = GPU.exec(label);
  if (gpu !== null) return deviceLabel(label, 'gpu', { index: Number(gpu[1]), numbering: 'nvml' });
  const nic = /^NIC(\d{1,3})$/.exec(label);
  if (nic !== null) return deviceLabel(label, 'nic', { index: Number(nic[1]), numbering: 'nic', name });
  return deviceLabel(label, 'nic', { name: label });
}

function unequalPairs(columns: readonly string[], rows: readonly MatrixRow[]): string[] {
  const cells = new Map<string, string>();
  for (const { label, cells: row } of rows) {
    for (const [at, cell] of row.entries()) cells.set(`${label} ${columns[at]}`, cell);
  }
  const unequal: string[] = [];
  for (const [at, a] of columns.entries()) {
    for (const b of columns.slice(at + 1)) {
      const [there, back] = [cells.get(`${a} ${b}`), cells.get(`${b} ${a}`)];
      if (there !== undefined && back !== undefined && there !== back) unequal.push(`${a} and ${b}: ${there}, ${back}`);
    }
  }
  return unequal;
}
