import { expect, test } from 'vitest';
import { card, machineOf, switchBelow, UNLISTED } from '../../../tests/doctor/machines.ts';
import { bytesOf } from '../../core/text.ts';
import { readMachine } from '../../machine/read/read-machine.ts';
import { JudgeContext } from '../../p2p/judge.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { MatrixCells } from './cells.ts';
import { groupsOf, joinNames, splitName } from './groups.ts';

const named = machineOf([
  {
    hostBridge: UNLISTED,
    children: [
      switchBelow('rp', [
        { name: 'x', below: [card('a')] },
        { name: 'y', acs: ['RR'], below: [card('b')] },
        { name: 'z', below: [card('c')] },
      ]),
      { kind: 'rootPort', name: 'rq', below: [card('d')] },
    ],
  },
]);
const all = named.machine.hierarchy.functions.map((_, index) => index);

test('each cell is the pair’s word and case; each pair without a direct road is counted under one reason', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(named.index) as [number, number, number, number];
  const cells = new MatrixCells({ judge: named.judge(), providers: [a, b, c, d], clients: [a, b, c, d] });
  const text = (row: number, column: number): string =>
    `${cells.at(row, column).word} ${cells.at(row, column).mailCase}`;
  expect([0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((column) => text(row, column)))).toEqual([
    ['X c', 'PIX a', 'PIX b2', 'PHB a'],
    ['PIX a', 'X c', 'PIX a', 'PHB a'],
    ['PIX b2', 'PIX a', 'X c', 'PHB a'],
    ['PHB a', 'PHB a', 'PHB a', 'X c'],
  ]);
  expect(cells.tallies.map((tally) => [tally.mailCase, tally.pairs])).toEqual([
    ['a', 6],
    ['a', 4],
  ]);
  expect(cells.blockOf([0, 1, 2], [0, 1, 2])).toEqual({ words: ['PIX'], cases: ['b2', 'a'] });
  expect(cells.blockOf([0], [0])).toEqual({ words: ['X'], cases: ['c'] });
});

test('what is missing of many functions is told once, with the names gathered', async () => {
  const port = (bus: string, device: string): string =>
    `00:${device}.0 PCI bridge: P (prog-if 00 [Normal decode])\n\tBus: primary=00, secondary=${bus}, subordinate=${bus}, sec-latency=0\n\n`;
  const twins = (bus: string): string =>
    [0, 1].map((fn) => `${bus}:00.${fn} RAM memory: R\n\tCapabilities: <access denied>\n\n`).join('');
  const dump = port('01', '01') + port('02', '02') + twins('01') + twins('02');
  const machine = await readMachine(bytesOf(dump), 'host.txt');
  const judge = new JudgeContext(machine);
  const endpoints = judge.functions.flatMap((fn, index) => (fn.isBridge ? [] : [index]));
  const { tallies } = new MatrixCells({ judge, providers: endpoints, clients: endpoints });
  const acs = tallies.filter((tally) => tally.message.startsWith('ACS of'));
  expect(acs).toHaveLength(1);
  expect(acs[0]).toMatchObject({ mailCase: '?', pairs: 8 });
  expect(acs[0]?.message).toMatch(/^ACS of 0000:00:01\.0, 0000:00:02\.0, 0000:01:00\.0 and 3 more is not known; /);
});

test('groups hold every row and every column once, whatever the level', () => {
  const judge = named.judge();
  for (const list of [all, all.slice(3), [all[0] as number]]) {
    const { rows, columns } = groupsOf(judge, list, all);
    expect(rows.flatMap((group) => group.members).sort((a, b) => a - b)).toEqual(list.map((_, position) => position));
    expect(columns.flatMap((group) => group.members).sort((a, b) => a - b)).toEqual(all.map((_, position) => position));
  }
});

test('more than sixteen bridges are grouped higher up', () => {
  const ports = Array.from({ length: 20 }, (_, port) => ({ name: `p${port}`, below: [card(`card${port}`)] }));
  const wide = machineOf([{ children: [switchBelow('rp', ports)] }, { children: [switchBelow('rq', [])] }]);
  const cards = ports.map((_, port) => wide.index(`card${port}`));
  expect(groupsOf(wide.judge(), cards, cards).rows.map((group) => group.place)).toEqual([`below ${wide.at('rp')}`]);
});

test('names: the functions of one device are joined, a column’s head is the address in two lines', () => {
  const fn = (name: string): PciFunction => {
    const { functions } = machineOf([
      { hostBridge: null, children: [{ kind: 'endpoint', functions: [{}, {}, {}, {}] }, card('single')] },
    ]).machine.hierarchy;
    return functions.find((candidate) => candidate.name === name) as PciFunction;
  };
  const list = ['0000:00:00.0', '0000:00:00.1', '0000:00:00.3', '0000:00:01.0'].map(fn);
  expect(joinNames(list)).toEqual(['0000:00:00.0-1', '0000:00:00.3', '0000:00:01.0']);
  expect(joinNames([])).toEqual([]);
  expect(splitName('10000:03:1f.7')).toEqual(['10000:03:', '1f.7']);
});
