/**
 * The ways of a transfer's segments, drawn on the tree: a column for each way.
 *
 *                            0  1  2  3
 *   root complex             ●     ╮
 *   └─ 0000:00:02.0          ↑     ↕
 *      └─ 0000:01:00.0       ↑     ↕
 *         ├─ 0000:02:00.0    ↑  ╮  ↑
 *         │  └─ 0000:03:00.0 ●  ●  ●  ○
 */

import type { SegmentReport, TransferReport, TreePlace, Way } from '../../scenario/report.ts';

const ENDS = '●';
const INSIDE = '○';
const STOPPED = '✗';
const UP = '↑';
const DOWN = '↓';
const BOTH = '↕';
const TURN = '╮';

/** More do not fit beside a tree. */
const MOST_COLUMNS = 12;

interface Column {
  readonly title: string;
  /** Mark by place, ' ' where the way does not pass. */
  readonly marks: readonly string[];
}

/** Lines of the drawing and its legend; none where the engine shows no hops. */
export function wayLines(transfer: TransferReport): string[] {
  const { tree, segments, device } = transfer;
  if (tree.length === 0) return [];
  const columns = columnsOf(tree, segments, device);
  const shown = columns.slice(0, MOST_COLUMNS);
  const names = treeNames(tree);
  const width = Math.max(...names.map((name) => name.length));
  const row = (name: string, cells: readonly string[]): string =>
    `${name.padEnd(width)}  ${cells.map((cell, at) => cell.padEnd(shown[at]?.title.length ?? 1)).join('  ')}`.trimEnd();
  const left = columns.length - shown.length;
  return [
    row(
      'vector'.padStart(width),
      shown.map(({ title }) => title),
    ),
    ...names.map((name, at) =>
      row(
        name,
        shown.map(({ marks }) => marks[at] as string),
      ),
    ),
    ...(left > 0 ? [`and ${left} more ways`] : []),
  ];
}

/** One for each different way, titled with the vectors that took it. */
function columnsOf(tree: readonly TreePlace[], segments: readonly SegmentReport[], device: string): Column[] {
  const byMarks = new Map<string, { inputs: number[]; marks: readonly string[] }>();
  const add = (inputs: readonly number[], marks: readonly string[]): void => {
    const known = byMarks.get(marks.join());
    if (known === undefined) byMarks.set(marks.join(), { inputs: [...inputs], marks });
    else known.inputs.push(...inputs);
  };
  for (const segment of segments) {
    const { ways, inputs } = segment;
    if (segment.space === 'bar')
      add(
        inputs,
        tree.map(({ name }) => (name === device ? INSIDE : ' ')),
      );
    for (const way of ways)
      add(
        way.inputs,
        tree.map(({ name }) => markOf(name, way, tree)),
      );
  }
  return [...byMarks.values()].map(({ inputs, marks }) => ({ title: numbers(inputs), marks }));
}

function markOf(name: string, { places: way, stopped }: Way, tree: readonly TreePlace[]): string {
  const first = way.indexOf(name);
  if (first < 0) return ' ';
  const last = way.lastIndexOf(name);
  if (stopped && last === way.length - 1) return STOPPED;
  if (last !== first) return BOTH;
  if (first === 0 || last === way.length - 1) return ENDS;
  const depth = (place: string | undefined): number => tree.find((one) => one.name === place)?.depth ?? 0;
  if (depth(way[first + 1]) < depth(name)) return UP;
  return depth(way[first - 1]) > depth(name) ? TURN : DOWN;
}

/** `0`, `0-3`, `0,2`. */
function numbers(inputs: readonly number[]): string {
  const sorted = [...new Set(inputs)].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const input of sorted) {
    const run = runs[runs.length - 1];
    if (run !== undefined && run[1] === input - 1) run[1] = input;
    else runs.push([input, input]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/** The names with the branches before them. */
function treeNames(tree: readonly TreePlace[]): string[] {
  return tree.map(({ name, depth }, at) => {
    const rest = tree.slice(at + 1);
    const hasNext = (level: number): boolean => {
      const next = rest.find((place) => place.depth <= level);
      return next?.depth === level;
    };
    const top = tree[0]?.depth ?? 0;
    if (depth === top) return name;
    const before = Array.from({ length: depth - top - 1 }, (_, level) => (hasNext(top + level + 1) ? '│  ' : '   '));
    return `${before.join('')}${hasNext(depth) ? '├─ ' : '└─ '}${name}`;
  });
}
