import { expect, test } from 'vitest';
import { card, machineOf, switchBelow } from '../../tests/doctor/machines.ts';
import { buildMachine } from '../machine/build.ts';
import { JudgeContext } from './judge.ts';
import { linkWord } from './link-word.ts';

const named = machineOf([
  {
    children: [
      switchBelow('rp', [
        { name: 'x', below: [{ kind: 'endpoint', name: 'a', functions: [{}, { name: 'a1' }] }] },
        { name: 'y', below: [card('b')] },
        { name: 'z', below: [{ kind: 'switch', ports: [{ below: [card('c')] }, { below: [card('d')] }] }] },
      ]),
      { kind: 'rootPort', name: 'rq', below: [card('e')] },
    ],
  },
  { children: [{ kind: 'rootPort', below: [card('f')] }] },
]);

test.each([
  ['a', 'a', 'X'],
  ['a', 'a1', 'PIX'],
  ['a', 'b', 'PIX'],
  ['c', 'd', 'PIX'],
  ['a', 'c', 'PXB'],
  ['a', 'e', 'PHB'],
  ['a', 'f', 'SYS?'],
  ['rp', 'a', 'PXB'],
  ['rp-usp', 'a', 'PIX'],
])('%s and %s: %s', (a, b, word) => {
  const judge = named.judge();
  expect(linkWord(judge, named.index(a), named.index(b))).toBe(word);
  expect(linkWord(judge, named.index(b), named.index(a))).toBe(word);
});

test.each([
  [0, 0, 'NODE'],
  [0, 1, 'SYS'],
  [0, -1, 'SYS?'],
])('below two host bridges, NUMA nodes %i and %i: %s', (first, second, word) => {
  const { hierarchy } = named.machine;
  const functions = hierarchy.functions.map(({ facts }, index) => ({
    ...facts,
    sysfs:
      facts.sysfs === null ? null : { ...facts.sysfs, numaNode: hierarchy.rootBusOf[index] === 0 ? first : second },
  }));
  const judge = new JudgeContext(buildMachine({ source: 'with nodes', functions }));
  expect(linkWord(judge, named.index('a'), named.index('f'))).toBe(word);
});

test('orphans stand nowhere', () => {
  const functions = named.machine.hierarchy.functions
    .filter((fn) => fn.bdf.bus > 1)
    .map(({ facts }) => ({ ...facts, sysfs: null }));
  const judge = new JudgeContext(buildMachine({ source: 'cut', functions }));
  const last = judge.functions.length - 1;
  expect(linkWord(judge, 0, last)).toBe('?');
});
