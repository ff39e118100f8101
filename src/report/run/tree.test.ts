import { expect, test } from 'vitest';
import type { SegmentReport, TransferReport, TreePlace } from '../../scenario/report.ts';
import { wayLines } from './tree.ts';

const TREE: readonly TreePlace[] = [
  { name: 'root complex', depth: 0 },
  { name: 'rp0', depth: 1 },
  { name: 'up', depth: 2 },
  { name: 'dn0', depth: 3 },
  { name: 'disk', depth: 4 },
  { name: 'dn1', depth: 3 },
  { name: 'gpu', depth: 4 },
  { name: 'rp1', depth: 1 },
  { name: 'nic', depth: 2 },
];

function segment(input: number, way: readonly string[], more: Partial<SegmentReport> = {}): SegmentReport {
  const place = { space: 'iova', address: 0, length: 4096, fate: 'delivered', at: null, road: [], tlps: 1 };
  const ways = way.length === 0 ? [] : [{ inputs: [input], places: way, stopped: more.fate !== undefined }];
  return { ...place, inputs: [input], ways, ...more };
}

function draw(segments: readonly SegmentReport[], tree = TREE): string[] {
  return wayLines({ device: 'disk', segments, tree } as unknown as TransferReport);
}

test('each way has a column: its ends, where it climbs, turns and descends, and what it passes twice', () => {
  expect(
    draw([
      segment(0, ['disk', 'dn0', 'up', 'rp0', 'root complex']),
      segment(1, ['disk', 'dn0', 'dn1', 'gpu']),
      segment(2, ['disk', 'dn0', 'up', 'rp0', 'root complex', 'rp0', 'up', 'dn1', 'gpu']),
      segment(3, ['disk', 'dn0', 'up', 'rp0', 'root complex', 'rp1', 'nic']),
      segment(4, [], { space: 'bar' }),
    ]),
  ).toEqual([
    '          vector  0  1  2  3  4',
    'root complex      ●     ╮  ╮',
    '├─ rp0            ↑     ↕  ↑',
    '│  └─ up          ↑     ↕  ↑',
    '│     ├─ dn0      ↑  ╮  ↑  ↑',
    '│     │  └─ disk  ●  ●  ●  ●  ○',
    '│     └─ dn1         ↓  ↓',
    '│        └─ gpu      ●  ●',
    '└─ rp1                     ↓',
    '   └─ nic                  ●',
  ]);
});

test('a segment that joins memories has a column for each of their ways', () => {
  const ways = [
    { inputs: [0, 2], places: ['disk', 'dn0', 'up', 'rp0', 'root complex'], stopped: false },
    { inputs: [1], places: ['disk', 'dn0', 'up', 'rp0', 'root complex', 'rp1', 'nic'], stopped: false },
  ];
  const lines = draw([segment(0, [], { inputs: [0, 1, 2], ways })]);
  expect(lines[0]?.trim()).toBe('vector  0,2  1');
  expect(lines.find((line) => line.includes('nic'))).toMatch(/nic +●$/);
});

test('vectors that go one way share a column', () => {
  const up = ['disk', 'dn0', 'up', 'rp0', 'root complex'];
  const lines = draw([segment(0, up), segment(1, ['disk', 'dn0', 'dn1', 'gpu']), segment(2, up), segment(3, up)]);
  expect(lines[0]?.trim()).toBe('vector  0,2-3  1');
});

test('where a request was stopped stands a cross', () => {
  const stopped = { fate: 'unsupportedRequest (samePort)', at: 'rp0' };
  const lines = draw([segment(0, ['disk', 'dn0', 'up', 'rp0'], stopped)]);
  expect(lines.find((line) => line.includes('rp0'))).toMatch(/✗$/);
});

test('of more than twelve ways the rest are counted', () => {
  const names = Array.from({ length: 14 }, (_, at) => `f${at}`);
  const tree = [{ name: 'rp', depth: 0 }, ...names.map((name) => ({ name, depth: 1 }))];
  const lines = draw(
    names.map((name, at) => segment(at, [name, 'rp'])),
    tree,
  );
  expect(lines[0]?.trim()).toBe('vector  0  1  2  3  4  5  6  7  8  9  10  11');
  expect(lines.at(-1)).toBe('and 2 more ways');
});

test('an engine that shows no hops has no drawing', () => {
  expect(draw([segment(0, [])], [])).toEqual([]);
});
