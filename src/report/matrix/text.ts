/**
 * The matrix for people. It reads like `nvidia-smi topo -m`: a word for where two devices stand to each other, and beside
 * it the case that P2PDMA would take. Columns that do not fit the terminal follow in blocks of their own.
 */

import { plural } from '../../core/words.ts';
import type { JudgeContext } from '../../p2p/judge.ts';
import { LINK_LEGEND } from '../../p2p/link-word.ts';
import type { MailCase } from '../../p2p/verdict.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { cpuWords } from '../words/cpu-text.ts';
import { fullName, type Names } from '../words/names.ts';
import { type Style, shorten, wrap } from '../words/style.ts';
import { MatrixCells, type MatrixQuestion } from './cells.ts';
import { type FunctionGroup, groupsOf, joinNames, splitName } from './groups.ts';

export interface MatrixView {
  /** Width to fit, characters. */
  readonly columns: number;
  readonly style: Style;
  readonly names: Names;
  /** Every row, however many. */
  readonly full: boolean;
}

/** A matrix of more lines or of more blocks of columns than this is shown by groups first. */
const LINES_MAX = 64;
const BLOCKS_MAX = 4;
/** More reasons than this for one case are counted, not listed. */
const REASONS_MAX = 6;

/** What each case means for a mapping. */
export const CASE_LEGEND: readonly (readonly [mailCase: MailCase, meaning: string])[] = [
  ['c', 'its own BAR: nothing goes on the wire'],
  ['b2', 'by bus address, below one switch: the IOMMU never sees it'],
  ['b1', 'through the host bridge, mapped as MMIO'],
  ['a', 'not supported: only ordinary RAM will do'],
  ['?', 'not known: the capture lacks the evidence'],
];

/** The lines of the screen, one by one. */
export function* matrixLines(question: MatrixQuestion, view: MatrixView): Generator<string> {
  const { judge, providers, clients } = question;
  yield* wrap(machineLine(judge), view.columns, '  ');
  if (providers.length === 0 || clients.length === 0) {
    yield '';
    const text =
      providers.length === 0
        ? 'No provider: no endpoint shows a memory BAR of 1 MiB or more. Name some with --providers: endpoints, all, or addresses.'
        : 'No client: this machine shows no endpoint. Name some with --clients: all, or addresses.';
    yield* wrap(text, view.columns);
    return;
  }
  yield 'Rows: providers (whose memory). Columns: clients (who does the DMA).';
  yield '';
  const cells = new MatrixCells(question);
  if (!view.full && isLarge(question, view)) yield* groupedTable(cells, view);
  else yield* fullTable(cells, view);
  yield* reasons(cells, view);
  yield* legend(cells, view);
}

/** `host.tar.gz: 18 functions, CPU GenuineIntel:6, Linux 6.12.117; rules of linux-6.12`. */
export function machineLine({ machine, policy }: JudgeContext): string {
  const kernel = machine.kernel === null ? 'kernel not known' : `Linux ${machine.kernel}`;
  const functions = plural(machine.hierarchy.functions.length, 'function');
  return `${machine.source}: ${functions}, CPU ${cpuWords(machine)}, ${kernel}; rules of ${policy.name}`;
}

interface Column {
  readonly head: readonly [string, string];
}

interface Row {
  readonly label: string;
  readonly cells: readonly { readonly text: string; readonly mailCase: MailCase }[];
}

function* fullTable(cells: MatrixCells, view: MatrixView): Generator<string> {
  const { judge, providers, clients } = cells.question;
  const fn = (index: number): PciFunction => judge.functions[index] as PciFunction;
  const columns = clients.map((index): Column => ({ head: splitName(fn(index).name) }));
  function* rows(): Generator<Row> {
    for (const [row, provider] of providers.entries()) {
      yield {
        label: fn(provider).name,
        cells: clients.map((_, column) => {
          const { word, mailCase } = cells.at(row, column);
          return { text: `${word.padEnd(4)} ${mailCase}`, mailCase };
        }),
      };
    }
  }
  yield* table(columns, rows, { label: fn(providers[0] as number).name.length, cell: 7 }, view);
  yield '';
  yield view.style.bold('Devices');
  for (const index of [...new Set([...providers, ...clients])].sort((a, b) => a - b)) {
    yield shorten(`  ${deviceLine(fn(index), view.names)}`, view.columns);
  }
}

/** `0000:03:00.0  Non-Volatile memory controller: Samsung ..., node 0, group 12`. */
function deviceLine(fn: PciFunction, names: Names): string {
  const node = fn.numaNode === null ? '' : `, NUMA node ${fn.numaNode}`;
  return `${fn.name}  ${fullName(fn, names)}${node}`;
}

function* groupedTable(cells: MatrixCells, view: MatrixView): Generator<string> {
  const { judge, providers, clients } = cells.question;
  const groups = groupsOf(judge, providers, clients);
  const rows = groups.rows.map(
    (row): Row => ({
      label: row.label,
      cells: groups.columns.map((column) => {
        const { words, cases } = cells.blockOf(row.members, column.members);
        const span = words.length > 1 ? `${words[0]}-${words[words.length - 1]}` : `${words[0]}`;
        return { text: `${span} ${cases.join('/')}`, mailCase: cases[cases.length - 1] as MailCase };
      }),
    }),
  );
  const widths = {
    label: Math.max(...rows.map((row) => row.label.length)),
    cell: Math.max(...rows.flatMap((row) => row.cells.map((cell) => cell.text.length))),
  };
  yield* table(groups.columns, () => rows, widths, view);
  yield '';
  yield view.style.bold('Groups');
  const byLabel = new Map<string, { place: string; lists: string[] }>();
  const describe = (group: FunctionGroup, list: readonly number[], noun: string): void => {
    const members = group.members.map((position) => judge.functions[list[position] as number] as PciFunction);
    const known = byLabel.get(group.label) ?? { place: group.place, lists: [] };
    known.lists.push(`${plural(members.length, noun)}: ${joinNames(members).join(' ')}`);
    byLabel.set(group.label, known);
  };
  for (const group of groups.rows) describe(group, providers, 'provider');
  for (const group of groups.columns) describe(group, clients, 'client');
  for (const [, { place, lists }] of [...byLabel].sort(([a], [b]) => (a < b ? -1 : 1))) {
    yield `  ${place}`;
    for (const list of lists) yield* wrap(`    ${list}`, view.columns, '      ');
  }
  yield '';
  yield* wrap(
    `Shown by groups, since ${providers.length} providers by ${clients.length} clients are ${providers.length * clients.length} pairs. All rows: --full. Some: --providers and --clients. For a program: --json.`,
    view.columns,
  );
}

function isLarge({ providers, clients, judge }: MatrixQuestion, view: MatrixView): boolean {
  const label = (judge.functions[providers[0] as number] as PciFunction).name.length;
  const blocks = Math.ceil(clients.length / columnsPerBlock({ label, cell: 8 }, view));
  return blocks > BLOCKS_MAX || blocks * (providers.length + 3) > LINES_MAX;
}

interface Widths {
  readonly label: number;
  readonly cell: number;
}

function columnsPerBlock(widths: Widths, view: MatrixView): number {
  return Math.max(1, Math.floor((view.columns - widths.label - 1) / (widths.cell + 1)));
}

/** A table in blocks of columns that fit; a block says which part it is. */
function* table(
  columns: readonly Column[],
  rows: () => Iterable<Row>,
  given: Widths,
  view: MatrixView,
): Generator<string> {
  const widths = { label: given.label, cell: Math.max(given.cell, ...columns.map((column) => headWidth(column))) };
  const perBlock = columnsPerBlock(widths, view);
  const { style } = view;
  for (let from = 0; from < columns.length; from += perBlock) {
    const to = Math.min(from + perBlock, columns.length);
    if (from > 0) yield '';
    if (columns.length > perBlock) yield style.dim(`columns ${from + 1} to ${to} of ${columns.length}`);
    for (const line of [0, 1] as const) {
      const heads = columns.slice(from, to).map((column) => ` ${column.head[line].padEnd(widths.cell)}`);
      yield style.bold(`${' '.repeat(widths.label)}${heads.join('')}`.trimEnd());
    }
    for (const row of rows()) {
      const shown = row.cells.slice(from, to);
      const painted = shown.map((cell, index) => {
        const padded = index === shown.length - 1 ? cell.text : cell.text.padEnd(widths.cell);
        return ` ${style.ofCase(padded, cell.mailCase)}`;
      });
      yield style.bold(row.label.padEnd(widths.label)) + painted.join('');
    }
  }
}

function headWidth(column: Column): number {
  return Math.max(column.head[0].length, column.head[1].length);
}

function* reasons(cells: MatrixCells, view: MatrixView): Generator<string> {
  if (cells.tallies.length === 0) return;
  yield '';
  yield view.style.bold('Why');
  for (const [mailCase] of CASE_LEGEND) {
    const all = cells.tallies.filter((tally) => tally.mailCase === mailCase);
    for (const { pairs, message } of all.slice(0, REASONS_MAX)) {
      yield* wrap(`  ${mailCase.padEnd(2)} ${plural(pairs, 'pair')}: ${message}`, view.columns, '     ');
    }
    const rest = all.slice(REASONS_MAX);
    if (rest.length > 0) {
      const pairs = rest.reduce((sum, tally) => sum + tally.pairs, 0);
      yield `  ${mailCase.padEnd(2)} ${plural(pairs, 'pair')} for ${plural(rest.length, 'other reason')}`;
    }
  }
  if (cells.differing > 0) {
    const pairs = plural(cells.differing, 'pair');
    yield* wrap(`  The fabric itself would treat ${pairs} otherwise: see --policy directional`, view.columns, '     ');
  }
  yield '  One pair, and what would change it: p2pdma explain MACHINE PROVIDER CLIENT';
}

function* legend(cells: MatrixCells, view: MatrixView): Generator<string> {
  yield '';
  yield view.style.bold('Legend');
  for (const [word, meaning] of LINK_LEGEND) yield* wrap(`  ${word.padEnd(4)} ${meaning}`, view.columns, '       ');
  if (usesUnknownNode(cells)) yield '  SYS? different host bridges, NUMA nodes not known: NODE or SYS';
  for (const [mailCase, meaning] of CASE_LEGEND) yield `  ${mailCase.padEnd(4)} ${meaning}`;
}

function usesUnknownNode(cells: MatrixCells): boolean {
  const { providers, clients } = cells.question;
  return providers.some((_, row) => clients.some((__, column) => cells.at(row, column).word === 'SYS?'));
}
