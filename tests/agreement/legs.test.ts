/** The enumerated part: every two lengths of legs, every word of ACS at the places that could matter. */

import { expect, test } from 'vitest';
import { formatCase, PLAIN, parseCase } from './case.ts';
import { enumerateForTests, LegRunner, replayOf, representatives } from './legs.ts';
import { Tally } from './sample.ts';
import { allShapes, formatShape, parseShape } from './shape.ts';

test('the shapes: every pair of lengths from 0 to 4 below every common node that allows it, each written and read again', () => {
  const shapes = allShapes(4);
  for (const shape of shapes) expect(parseShape(formatShape(shape))).toEqual(shape);
  expect(new Set(shapes.map(formatShape)).size).toBe(shapes.length);
  const lengths = (common: string): string[] =>
    representatives()
      .filter((shape) => shape.common === common)
      .map(({ client, provider }) => `${client.length}-${provider.length}`);
  const all = [0, 1, 2, 3, 4].flatMap((c) => [0, 1, 2, 3, 4].map((p) => `${c}-${p}`));
  expect(lengths('switch')).toEqual(all.filter((pair) => pair !== '0-0'));
  expect(lengths('function')).toEqual(['0-0']);
  expect(lengths('hostBridges')).toEqual(all.filter((pair) => !pair.includes('0')));
  // One device below one port: either end is the port, or both are functions of the device.
  expect(lengths('rootPort')).toEqual(all.filter((pair) => (pair.includes('0') && pair !== '0-0') || pair === '1-1'));
});

test('a case is a line, and the line is the case', () => {
  const line = 'switch dude/de c1=RR+UF c3=EC+EV p1=CR iommu=on translated offset';
  expect(formatCase(parseCase(line))).toBe(line);
  expect(parseCase('rootPort f/f').conditions).toEqual(PLAIN);
  for (const wrong of ['switch de', 'switch ed/de', 'switch de/de c9=RR', 'switch de/de c1=XX', 'rootPort f/f c1=RR']) {
    expect(() => parseCase(wrong), wrong).toThrow();
  }
});

test('E65: on every shape, whatever ACS holds: busAddr never reaches a root port, thruHostBridge arrives, nothing else is touched', () => {
  const tally = new Tally();
  const failures: string[] = [];
  const fail = (complaint: string): void => {
    if (failures.length < 20) failures.push(complaint);
  };
  const runner = new LegRunner(fail);
  enumerateForTests(runner, (one, examined) => {
    tally.add(examined);
    for (const complaint of examined.complaints) fail(`${complaint}: ${replayOf(one)}`);
  });
  runner.putAway();
  console.log(['enumerated:', ...tally.lines(), `${tally.cases} cases`].join('\n'));
  expect(failures).toEqual([]);
  expect(tally.cases).toBeGreaterThan(500_000);
  // All that can be said is said of something that happened, and each of it in both ways.
  const rows = new Set([...tally.rows.keys()].map((key) => key.split('|').slice(0, 2).join(' ')));
  for (const row of ['busAddr direct', 'thruHostBridge through', 'thruHostBridge dies', 'notSupported dies']) {
    expect(rows).toContain(row);
  }
  expect(rows).not.toContain('busAddr through');
  expect(rows).not.toContain('busAddr dies');
}, 240_000);
