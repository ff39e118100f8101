/** Whose an address is, over every place of a described machine; and what differs between two captures of one. */

import { expect, test } from 'vitest';
import { RangeTable } from '../../src/dma/range-table.ts';
import { type AddressOwner, addressOwner } from '../../src/doctor/address-owner.ts';
import { withAcsControls, withFunctionMoved } from '../../src/doctor/changed-machine.ts';
import { machineDifference } from '../../src/doctor/machine-difference.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { POLICIES } from '../../src/p2p/policy.ts';
import type { PciFunction } from '../../src/pcie/pci-function.ts';
import { card, machineOf, type NamedMachine, switchBelow, UNLISTED } from './machines.ts';

function named(): NamedMachine {
  return machineOf([
    {
      hostBridge: UNLISTED,
      children: [
        switchBelow('rp', [
          { name: 'x', acs: ['SV', 'UF'], below: [card('a')] },
          { name: 'y', below: [card('b')] },
          { name: 'z' },
        ]),
      ],
    },
  ]);
}

function owner(machine: Machine, address: number, by: PciFunction | null = null): AddressOwner {
  const table = RangeTable.ofMachine(machine);
  return addressOwner(
    machine,
    address,
    (at) => {
      const index = table.find(at);
      if (index < 0 || table.at(index).kind !== 'bar') return null;
      return { fn: machine.hierarchy.functions[table.at(index).provider] as PciFunction, bar: table.at(index).bar };
    },
    by,
  );
}

test('the first and last byte of every BAR belong to it, and the byte behind does not', () => {
  const { machine } = named();
  let bars = 0;
  for (const fn of machine.hierarchy.functions) {
    for (const bar of fn.bars) {
      if (bar.cpuAddress === null || bar.size === null) continue;
      bars++;
      for (const offset of [0, bar.size - 1]) {
        expect(owner(machine, bar.cpuAddress + offset)).toMatchObject({ kind: 'bar', bar: bar.index, offset });
      }
      const behind = owner(machine, bar.cpuAddress + bar.size);
      expect(behind.kind === 'bar' && behind.fn === fn && behind.bar === bar.index).toBe(false);
    }
  }
  expect(bars).toBeGreaterThan(1);
});

test('RAM, interrupts, reserved memory, a window without a BAR, and nothing are told apart', () => {
  const plain = named().machine;
  const entry = (start: number, end: number, name: string) => ({ start, end, name, depth: 0 });
  const ram = { start: 0x100000, end: 0x80000000 };
  const machine: Machine = { ...plain, ram: [ram], iomem: [entry(0xf0000, 0x100000, 'System ROM')] };
  expect(owner(machine, 0x100000).kind).toBe('ram');
  expect(owner(machine, 0x7fffffff).kind).toBe('ram');
  expect(owner(machine, 0xfee00000).kind).toBe('reserved');
  expect(owner(machine, 0xf0000)).toMatchObject({ kind: 'reserved', name: 'System ROM' });
  expect(owner(machine, 0x90000000).kind).toBe('nothing');
  const bridge = machine.hierarchy.functions.find((fn) => fn.prefetchableWindow) as PciFunction;
  const window = bridge.prefetchableWindow as { start: number; end: number };
  const last = owner(machine, window.end - 1);
  expect(['window', 'bar']).toContain(last.kind);
});

const policies = { before: POLICIES['linux-6.12'], after: POLICIES['linux-6.12'] };

test('a machine does not differ from itself', () => {
  const { machine } = named();
  expect(machineDifference(machine, machine, policies)).toMatchObject({ gone: [], come: [], changes: [], flipped: [] });
});

test('ACS that is switched on is one fact, and flips the verdicts of the pairs below', () => {
  const { machine, at } = named();
  const changed = withAcsControls(machine, new Map([[at('x'), 0x1d]]));
  const { changes, flipped } = machineDifference(machine, changed, policies);
  expect(changes).toMatchObject([
    { function: at('x'), fact: 'acs', before: '0x0011 (SV UF)', after: '0x001d (SV RR CR UF)' },
  ]);
  expect(flipped).toHaveLength(2);
  for (const flip of flipped) expect(flip).toMatchObject({ before: 'busAddr', after: 'notSupported' });
  // Back again the other way round.
  expect(machineDifference(changed, machine, policies).flipped).toHaveLength(2);
});

test('a card that went to another slot is gone and new, or moved where its identity is unique', () => {
  const { machine, at } = named();
  const port = machine.hierarchy.functions.find((fn) => fn.name === at('z')) as PciFunction;
  const moved = withFunctionMoved(machine, at('a'), port);
  const { changes, gone, come } = machineDifference(machine, moved?.machine as Machine, policies);
  expect([gone.length, come.length]).toEqual([0, 0]);
  expect(changes.map(({ fact }) => fact)).toContain('place');
});
