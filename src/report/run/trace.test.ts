import { expect, test } from 'vitest';
import type { TracedHop } from '../../scenario/report.ts';
import { traceJson } from './trace.ts';

interface Event {
  readonly name: string;
  readonly ph: string;
  readonly ts: number;
  readonly tid: number;
  readonly id?: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

function hop(timeNs: number, tlp: number, kind: string, action: string, name: string, fate = 'delivered'): TracedHop {
  const rest = { at: 0, address: 0x1000, length: 64, reason: 'none', transfer: 'it' };
  return { timeNs, tlp, kind, action, name, fate, ...rest } as TracedHop;
}

function eventsOf(hops: readonly TracedHop[]): Event[] {
  return (JSON.parse(traceJson(hops)) as { traceEvents: Event[] }).traceEvents;
}

const READ = [
  hop(0, 1, 'memoryRead', 'issue', 'disk'),
  hop(10, 1, 'memoryRead', 'accept', 'gpu'),
  hop(10, 1, 'completion', 'issue', 'gpu'),
  hop(30, 1, 'completion', 'accept', 'disk'),
  hop(20, 1, 'completion', 'issue', 'gpu'),
  hop(40, 1, 'completion', 'stop', 'disk', 'completionLost'),
];

test('each hop is an instant on the track of its place, in microseconds', () => {
  const events = eventsOf(READ);
  const tracks = new Map(events.filter(({ ph }) => ph === 'M').map(({ tid, args }) => [args?.['name'], tid]));
  expect([...tracks.keys()]).toEqual(['disk', 'gpu']);
  const instants = events.filter(({ ph }) => ph === 'i');
  expect(instants.map(({ ts }) => ts)).toEqual([0, 0.01, 0.01, 0.03, 0.02, 0.04]);
  expect(instants.map(({ tid }) => tid)).toEqual(READ.map(({ name }) => tracks.get(name)));
});

test('each TLP is a span of its own, a request and every completion of it', () => {
  const spans = eventsOf(READ).filter(({ ph }) => ph === 'b' || ph === 'e');
  expect(spans.map(({ ph, name, id, ts }) => [ph, name, id, ts])).toEqual([
    ['b', 'memoryRead', 0, 0],
    ['e', 'memoryRead', 0, 0.01],
    ['b', 'completion', 1, 0.01],
    ['e', 'completion', 1, 0.03],
    ['b', 'completion', 2, 0.02],
    ['e', 'completion', 2, 0.04],
  ]);
  expect(spans.filter(({ ph }) => ph === 'b').map(({ args }) => args?.['fate'])).toEqual([
    'delivered',
    'delivered',
    'completionLost',
  ]);
});

test('no event lasts on a track: what overlaps there would have to nest', () => {
  expect(eventsOf(READ).filter(({ ph }) => ph === 'X')).toEqual([]);
});
