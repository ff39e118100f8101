import { expect, test } from 'vitest';
import { card, machineOf, switchBelow, UNLISTED } from '../../../tests/doctor/machines.ts';
import { readTruth } from '../../../tests/kernel/truth.ts';
import { present } from '../../core/assert.ts';
import { buildMachine } from '../../machine/build.ts';
import type { Machine } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { withAcsControls } from './changed-machine.ts';
import { isolationCost, type JoinedGroup } from './isolation.ts';

const namesOf = (group: JoinedGroup): string[] => group.functions.map(({ name }) => name);

const functionAt = (machine: Machine, name: string): PciFunction =>
  present(
    machine.hierarchy.functions.find((fn) => fn.name === name),
    `the machine has ${name}`,
  );

const ISOLATING = ['SV', 'RR', 'CR', 'UF'] as const;

test('a port that no longer redirects becomes one group with everything below it', () => {
  const { machine, fn } = machineOf([
    {
      hostBridge: UNLISTED,
      children: [
        switchBelow('rp', [
          {
            name: 'x',
            acs: ISOLATING,
            below: [{ kind: 'switch', name: 'inner', ports: [{ acs: ISOLATING, below: [card('a')] }] }],
          },
          { name: 'y', acs: ISOLATING, below: [card('b')] },
        ]),
      ],
    },
  ]);
  const { joined } = isolationCost(machine, [{ at: fn('x'), after: 0 }]);
  expect(joined).toHaveLength(1);
  expect(joined[0]?.functions).toContain(fn('a'));
  expect(joined[0]?.functions).not.toContain(fn('b'));
});

test('two ports with nothing below both cost two groups', () => {
  const { machine, at, fn } = machineOf([
    {
      hostBridge: UNLISTED,
      children: [
        switchBelow('rp', [
          { name: 'x', acs: ISOLATING, below: [card('a')] },
          { name: 'y', acs: ISOLATING, below: [card('b')] },
        ]),
      ],
    },
  ]);
  expect(
    isolationCost(machine, [
      { at: fn('x'), after: 0 },
      { at: fn('y'), after: 0 },
    ]).joined.map(namesOf),
  ).toEqual([
    [at('x'), at('a')],
    [at('y'), at('b')],
  ]);
});

test('the groups that would join are named from the capture', async () => {
  const truth = (await readTruth()).find((item) => item.truth.name === 'iommu-lazy-switch4-acs-off2');
  if (truth === undefined) throw new Error('the truth machine is missing');
  const cost = isolationCost(truth.machine, [{ at: functionAt(truth.machine, '0000:02:01.0'), after: 0x11 }]);
  expect(cost).toMatchObject({ evidence: 'groups', joined: [{ groups: [6, 9] }] });
  expect(cost.joined.map(namesOf)).toEqual([['0000:02:01.0', '0000:04:00.0']]);
});

test('groups: where a real kernel left redirect off on a port, its group is the one that clearing the port predicts', async () => {
  let ports = 0;
  for (const { machine, truth } of await readTruth()) {
    const { functions } = machine.hierarchy;
    if (!functions.some((fn) => fn.iommuGroup !== null)) continue;
    for (const fn of functions) {
      if (fn.portType !== 'downstreamPort' || fn.acs.state !== 'present' || (fn.acs.control & 0x2c) !== 0) continue;
      const isolating = withAcsControls(machine, new Map([[fn.key, 0x1d]]));
      const group = functions.filter((other) => other.iommuGroup === fn.iommuGroup);
      const predicted = isolationCost(isolating, [{ at: fn, after: fn.acs.control }]).joined;
      expect(predicted.map(namesOf), `${truth.name} ${fn.name}`).toEqual([group.map(({ name }) => name)]);
      expect(predicted[0]?.groups, `${truth.name} ${fn.name}`).toEqual([fn.iommuGroup]);
      ports++;
    }
  }
  console.log(`${ports} ports with redirect off on machines with groups`);
  expect(ports).toBeGreaterThan(0);
});

test('clearing a port that does not isolate anyway costs nothing', async () => {
  const truth = (await readTruth()).find((item) => item.truth.name === 'iommu-lazy-switch4-acs-off2');
  if (truth === undefined) throw new Error('the truth machine is missing');
  expect(isolationCost(truth.machine, [{ at: functionAt(truth.machine, '0000:02:00.0'), after: 0 }]).joined).toEqual(
    [],
  );
});

test('without groups the cost says whether the IOMMU is off or the capture silent', () => {
  const { machine, at, fn } = machineOf([
    { hostBridge: UNLISTED, children: [switchBelow('rp', [{ name: 'x', below: [card('a')] }])] },
  ]);
  expect(isolationCost(machine, [{ at: fn('x'), after: 0 }]).evidence).toBe('none');
  const functions = machine.hierarchy.functions.map((fn) => ({ ...fn.facts, sysfs: null }));
  const dump = buildMachine({ source: 'registers alone', functions });
  const silent = isolationCost(dump, [{ at: fn('x'), after: 0 }]);
  expect(silent).toMatchObject({ evidence: 'notCaptured', joined: [{ groups: [] }] });
  expect(silent.joined.map(namesOf)).toEqual([[at('x'), at('a')]]);
});
