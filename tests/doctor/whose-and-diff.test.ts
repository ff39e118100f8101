/** Whose an address is, over every place of a described machine; and what differs between two captures of one. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RangeTable } from '../../src/dma/range-table.ts';
import { withAcsControls, withFunctionMoved } from '../../src/doctor/change/changed-machine.ts';
import { machineDifference } from '../../src/doctor/change/machine-difference.ts';
import { type AddressOwner, addressOwner, busAddressOwner } from '../../src/doctor/facts/address-owner.ts';
import { buildMachine } from '../../src/machine/build.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { POLICIES } from '../../src/p2p/policy.ts';
import { EXT_CAP_AER, findCapability, findExtendedCapability } from '../../src/pcie/capability.ts';
import type { RootPortDescription } from '../../src/pcie/describe.ts';
import type { PciFunction } from '../../src/pcie/pci-function.ts';
import { textDump } from '../readers/sample-dumps.ts';
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

async function example(name: string): Promise<Machine> {
  const file = new URL(`../../examples/machines/${name}.tar.gz`, import.meta.url);
  return readMachine(readFileSync(file), name);
}

test('behind a host bridge with an offset, the CPU’s address and the bus address of a BAR mean the same place', async () => {
  const machine = await example('bus-offset');
  let checked = 0;
  for (const fn of machine.hierarchy.functions) {
    for (const { index, cpuAddress, busAddress, size, space } of fn.bars) {
      if (space !== 'memory' || cpuAddress === null || busAddress === null || size === null) continue;
      if (cpuAddress - busAddress === 0) continue;
      checked++;
      const wanted = { kind: 'bar', fn, bar: index, offset: size - 1 };
      expect(owner(machine, cpuAddress + size - 1, fn)).toMatchObject({ ...wanted, space: 'phys' });
      expect(owner(machine, busAddress + size - 1, fn)).toMatchObject({ ...wanted, space: 'bus' });
      expect(busAddressOwner(machine, busAddress, fn)).toMatchObject({ fn, bar: index, offset: 0 });
      expect(busAddressOwner(machine, cpuAddress, fn)).toBeNull();
      // The same bus address is nothing to a function behind another host bridge.
      const other = machine.hierarchy.functions.find(({ bdf }) => bdf.domain !== fn.bdf.domain) as PciFunction;
      expect(busAddressOwner(machine, busAddress, other)).toBeNull();
    }
  }
  expect(checked).toBeGreaterThan(5);
});

test('an address in the range of a root bus and in no BAR is no I/O virtual address', async () => {
  const machine = await example('bus-offset');
  expect(owner(machine, 0xfe800000)).toMatchObject({ kind: 'aperture', name: 'PCI Bus 0000:00' });
});

test('an I/O virtual address is only guessed for a device that is translated, or may be', async () => {
  const machine = await example('iommu-lazy-switch4-acs-off2');
  const by = machine.hierarchy.functions.find(({ name }) => name === '0000:03:00.0') as PciFunction;
  expect(owner(machine, 0x7fff_f000_0000, by)).toMatchObject({ kind: 'iova' });
  const without = await example('one-switch');
  const fn = without.hierarchy.functions.find(({ isBridge }) => !isBridge) as PciFunction;
  expect(owner(without, 0x7fff_f000_0000, fn)).toEqual({ kind: 'nothing' });
  expect(owner(without, 0xfffe_0000_0000)).toEqual({ kind: 'nothing' });
});

test('without a memory map nothing is claimed of RAM, and x86 has its I/O APIC where it always is', () => {
  const { machine } = named();
  expect(machine.ram).toEqual([]);
  for (const address of [0x1000, 0x1_0000_0000, 0xff00_0000])
    expect(owner(machine, address)).toEqual({ kind: 'unknown' });
  expect(owner(machine, 0xfec0_0000)).toMatchObject({ kind: 'reserved', name: 'I/O APIC (on x86)' });
  expect(owner(machine, 0xfed0_0000)).toMatchObject({ kind: 'reserved', name: 'HPET (on x86)' });
  const arm: Machine = { ...machine, cpu: { vendor: 'ARM', family: 8 } };
  expect(owner(arm, 0xfec0_0000)).toEqual({ kind: 'unknown' });
  const mapped: Machine = { ...machine, ram: [{ start: 0x100000, end: 0x80000000 }] };
  expect(owner(mapped, 0x1000)).toEqual({ kind: 'nothing' });
});

/** Two functions whose memory begins at the same place; `rows` are what follows each head. */
const twoAtOnePlace = (rows: string): Promise<Machine> =>
  readMachine(
    Buffer.from(['00:02.0', '00:03.0'].map((name) => `${name} 0300: 10de:1234\n${rows}\n`).join('\n')),
    'host.txt',
  );

test.each([
  ['whose sizes are known', '\tMemory at e0000000 (32-bit, prefetchable) [size=16M]', 0xe000_0010],
  [
    'of registers alone',
    ['00: de 10 34 12 06 00 00 00 00 00 00 03 00 00 00 00', '10: 08 00 00 e0 00 00 00 00 00 00 00 00 00 00 00 00']
      .concat(['20', '30'].map((row) => `${row}:${' 00'.repeat(16)}`))
      .join('\n'),
    0xe000_0000,
  ],
])('two BARs %s that claim one address are both told', async (_, rows, address) => {
  const machine = await twoAtOnePlace(rows);
  const found = owner(machine, address);
  if (found.kind !== 'bar') throw new Error(`${found.kind} is no BAR`);
  const told = [found.fn.name, ...found.others.map(({ fn }) => fn.name)];
  expect(told.sort()).toEqual(['0000:00:02.0', '0000:00:03.0']);
});

const policies = { before: POLICIES['linux-6.12'], after: POLICIES['linux-6.12'] };

test('a machine does not differ from itself', () => {
  const { machine } = named();
  expect(machineDifference(machine, machine, policies)).toMatchObject({ gone: [], come: [], changes: [], flipped: [] });
});

test('ACS that is switched on is one fact, and flips the verdicts of the pairs below', () => {
  const { machine, at, fn } = named();
  const changed = withAcsControls(machine, new Map([[fn('x').key, 0x1d]]));
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
  const { machine, fn } = named();
  const moved = withFunctionMoved(machine, fn('a'), fn('z'));
  const { changes, gone, come } = machineDifference(machine, moved?.machine as Machine, policies);
  expect([gone.length, come.length]).toEqual([0, 0]);
  expect(changes.map(({ fact }) => fact)).toContain('place');
});

test('a flip says what came and what went, and the other way round the same the other way round', () => {
  const { machine, at, fn } = named();
  const changed = withAcsControls(machine, new Map([[fn('x').key, 0x1d]]));
  const there = machineDifference(machine, changed, policies);
  const back = machineDifference(changed, machine, policies);
  expect(there.flipped.map(({ why }) => why.join(' '))).toEqual(
    there.flipped.map(() => expect.stringContaining(at('x'))),
  );
  expect(back.flipped.map(({ why }) => why.join(' '))).toEqual(
    back.flipped.map(() => expect.stringMatching(new RegExp(`no longer: .*${at('x')}`))),
  );
  expect(back.flipped.map(({ before, after }) => [after, before])).toEqual(
    there.flipped.map(({ before, after }) => [before, after]),
  );
});

test('a switch that was put in before all others moves every bus number, and nothing else', () => {
  const build = (first: RootPortDescription): NamedMachine =>
    machineOf([
      {
        hostBridge: UNLISTED,
        children: [
          first,
          switchBelow('rp', [
            { name: 'x', below: [card('a')] },
            { name: 'y', below: [card('b')] },
          ]),
        ],
      },
    ]);
  const before = build({ kind: 'rootPort', name: 'new', acs: 'clear' });
  const after = build(switchBelow('new', [{ name: 'slot', below: [card('extra')] }]));
  expect(before.at('a')).not.toBe(after.at('a'));
  const { gone, come, changes, flipped } = machineDifference(before.machine, after.machine, policies);
  expect(gone).toEqual([]);
  expect(come).toEqual([after.at('new-usp'), after.at('slot'), after.at('extra')]);
  expect(flipped).toEqual([]);
  const names = changes.filter(({ fact }) => fact === 'address').map((change) => [change.before, change.after]);
  for (const name of ['a', 'b', 'x', 'y', 'rp-usp']) expect(names).toContainEqual([before.at(name), after.at(name)]);
  expect(changes.filter(({ fact }) => !['address', 'bar', 'window'].includes(fact))).toEqual([]);
});

test('a card behind a switch that was not there has moved, and is the same card', () => {
  const build = (child: RootPortDescription): NamedMachine => machineOf([{ hostBridge: UNLISTED, children: [child] }]);
  const before = build({ kind: 'rootPort', name: 'rp', acs: 'clear', below: [card('a')] });
  const after = build(switchBelow('rp', [{ name: 'x', below: [card('a')] }]));
  const { gone, come, changes } = machineDifference(before.machine, after.machine, policies);
  expect([gone, come]).toEqual([[], [after.at('rp-usp'), after.at('x')]]);
  expect(changes.filter(({ fact }) => fact === 'place').map((change) => change.function)).toEqual([after.at('a')]);
});

test('a second socket whose root bus has another number is matched by the way below it', () => {
  const build = (bus: number): NamedMachine =>
    machineOf([
      { hostBridge: UNLISTED, children: [switchBelow('rp', [{ name: 'x', below: [card('a')] }])] },
      { hostBridge: UNLISTED, bus, children: [{ kind: 'rootPort', name: 'far', below: [card('c')] }] },
    ]);
  const [before, after] = [build(0x80), build(0xc0)];
  const { gone, come, changes } = machineDifference(before.machine, after.machine, policies);
  expect([gone, come]).toEqual([[], []]);
  expect(changes.filter(({ fact }) => fact === 'place').map((change) => change.function)).toContain(after.at('far'));
});

/** An edit of the listing, and the one fact that it makes. */
const EDITS: readonly (readonly [rule: string, from: string | RegExp, to: string, fact: object])[] = [
  [
    'an ACS bit',
    'ReqRedir+ CmpltRedir+ UpstreamFwd- EgressCtrl- DirectTrans-',
    'ReqRedir- CmpltRedir+ UpstreamFwd- EgressCtrl- DirectTrans-',
    { function: '0000:02:00.0', fact: 'acs', before: '0x000c (RR CR)', after: '0x0008 (CR)' },
  ],
  [
    'a BAR at another place',
    'Memory at e0100000 (64-bit',
    'Memory at e0140000 (64-bit',
    {
      function: '0000:04:00.0',
      fact: 'bar',
      before: 'BAR0 at 0xe0100000, 0x4000 bytes',
      after: 'BAR0 at 0xe0140000, 0x4000 bytes',
    },
  ],
  [
    'a link that trained to fewer lanes',
    /(04:00\.0[\s\S]*LnkSta:\tSpeed 16GT\/s \(ok\), Width) x8 \(ok\)/,
    '$1 x4 (downgraded)',
    { function: '0000:04:00.0', fact: 'link', before: 'x8 16 GT/s', after: 'x4 16 GT/s' },
  ],
  [
    'a driver that is not bound',
    /(04:00\.0[\s\S]*)\tKernel driver in use: nvme\n/,
    '$1',
    { function: '0000:04:00.0', fact: 'driver', before: 'nvme', after: 'none, or not known' },
  ],
  [
    'memory decoding that was switched off',
    /(04:00\.0[\s\S]*Control: I\/O-) Mem\+/,
    '$1 Mem-',
    { function: '0000:04:00.0', fact: 'decoding', before: 'memory on', after: 'memory off' },
  ],
];

test.each(EDITS)('%s is one fact, and back again the other way round', async (_, from, to, fact) => {
  const text = textDump();
  const edited = text.replace(from, to);
  expect(edited).not.toBe(text);
  const [before, after] = await Promise.all(
    [text, edited].map((listing) => readMachine(Buffer.from(listing), 'host.txt')),
  );
  const difference = machineDifference(before as Machine, after as Machine, policies);
  expect(difference).toMatchObject({ gone: [], come: [], changes: [fact] });
  const back = machineDifference(after as Machine, before as Machine, policies);
  expect(back.changes.map((change) => [change.after, change.before])).toEqual(
    difference.changes.map((change) => [change.before, change.after]),
  );
});

/** A register that sets how a function works, where it is, and the fact that another value of it makes. */
const STATES: readonly (readonly [fact: string, offsetOf: (fn: PciFunction) => number | undefined, flip: number])[] = [
  ['busMaster', () => 0x04, 0x0004],
  ['powerState', (fn) => behind(findCapability(fn.config, 0x01), 4), 0x0003],
  ['payload', (fn) => behind(fn.expressOffset, 8), 0x0020],
  ['payload', (fn) => behind(fn.expressOffset, 8), 0x1000],
  ['linkTarget', (fn) => (fn.link === null ? undefined : behind(fn.expressOffset, 0x30)), 0x0001],
  ['errors', (fn) => behind(findExtendedCapability(fn.config, EXT_CAP_AER), 0x04), 0x4000],
  ['errors', (fn) => behind(findExtendedCapability(fn.config, EXT_CAP_AER), 0x10), 0x0001],
];

const behind = (start: number | null | undefined, offset: number): number | undefined =>
  start ? start + offset : undefined;

test.each(STATES)('%s: a register that sets how a function works is a fact', async (fact, offsetOf, flip) => {
  const before = await example('one-switch');
  const changed = before.hierarchy.functions.find(
    (fn) => fn.config.u16(offsetOf(fn) ?? 4096) !== undefined,
  ) as PciFunction;
  const offset = offsetOf(changed) as number;
  const functions = before.hierarchy.functions.map(({ facts, config }) =>
    facts.bdf === changed.bdf
      ? { ...facts, config: config.withU16(offset, (config.u16(offset) as number) ^ flip) }
      : facts,
  );
  const after = buildMachine({
    source: 'after',
    functions,
    cpu: before.cpu,
    kernel: before.kernel,
    cmdline: before.cmdline,
  });
  const { changes } = machineDifference(before, after, policies);
  expect(changes.filter((change) => change.fact === fact)).toMatchObject([{ function: changed.name, fact }]);
});

test('a NUMA node is a fact, and a capture that tells none is not', async () => {
  const before = await example('one-switch');
  const onNode = (node: number | undefined): Machine =>
    buildMachine({
      source: 'after',
      functions: before.hierarchy.functions.map(({ facts }) => {
        const { sysfs } = facts;
        return sysfs === null ? facts : { ...facts, sysfs: { ...sysfs, numaNode: node } };
      }),
    });
  const nodes = (earlier: Machine, later: Machine): unknown[] =>
    machineDifference(earlier, later, policies).changes.filter(({ fact }) => fact === 'numaNode');
  expect(nodes(onNode(0), onNode(1)).length).toBeGreaterThan(1);
  expect(nodes(onNode(0), onNode(undefined))).toEqual([]);
});

test('numbers of IOMMU groups may move: only who is in a group together counts', async () => {
  const grouped = (groups: readonly (number | null)[]): Promise<Machine> => {
    let at = 0;
    const lines = textDump()
      .replaceAll(/\tIOMMU group: \d+\n/g, '')
      .replaceAll(/^(\d\d:\d\d\.\d .*\n)/gm, (header) => {
        const group = groups[at++];
        return group === null || group === undefined ? header : `${header}\tIOMMU group: ${group}\n`;
      });
    return readMachine(Buffer.from(lines), 'host.txt');
  };
  const facts = async (was: readonly (number | null)[], is: readonly (number | null)[]): Promise<unknown[]> =>
    machineDifference(await grouped(was), await grouped(is), policies).changes.map((change) => [
      change.function,
      change.fact,
      change.before,
      change.after,
    ]);
  expect(await facts([0, 1, 2, 3, 4, 5, 6], [0, 11, 12, 13, 14, 15, 16])).toEqual([]);
  expect(await facts([0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 5])).toEqual([
    ['0000:03:00.0', 'iommuGroup', '5, alone', '5, with 0000:04:00.0'],
    ['0000:04:00.0', 'iommuGroup', '6, alone', '5, with 0000:03:00.0'],
  ]);
  expect(await facts([0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, null])).toEqual([
    ['0000:04:00.0', 'iommuGroup', '6, alone', 'none, or not known'],
  ]);
});

test('kernel, command line, CPU and the type of a group are facts of their own; a newer kernel may flip verdicts by its list', async () => {
  const machine = await example('iommu-lazy-switch4-acs-off2');
  const later: Machine = {
    ...machine,
    kernel: '6.19.3',
    cmdline: `${machine.cmdline} iommu=pt`,
    cpu: { vendor: 'AuthenticAMD', family: 25 },
    iommuGroupTypes: new Map([...machine.iommuGroupTypes].map(([group]) => [group, 'identity'])),
  };
  const { changes } = machineDifference(machine, later, policies);
  const facts = new Set(changes.map(({ fact }) => fact));
  expect([...facts].sort()).toEqual(['cmdline', 'cpu', 'groupType', 'kernel']);
  const types = changes.filter(({ fact }) => fact === 'groupType');
  expect(types.length).toBe(machine.hierarchy.functions.filter((fn) => fn.iommuGroup !== null).length);
});
