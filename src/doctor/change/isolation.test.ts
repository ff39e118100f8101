import { expect, test } from 'vitest';
import { card, machineOf, switchBelow, UNLISTED } from '../../../tests/doctor/machines.ts';
import { readTruth } from '../../../tests/kernel/truth.ts';
import { buildMachine } from '../../machine/build.ts';
import { withAcsControls } from './changed-machine.ts';
import { isolationCost } from './isolation.ts';

const ISOLATING = ['SV', 'RR', 'CR', 'UF'] as const;

test('a port that no longer redirects becomes one group with everything below it', () => {
  const { machine, at } = machineOf([
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
  const { joined } = isolationCost(machine, [{ at: at('x'), after: 0 }]);
  expect(joined).toHaveLength(1);
  expect(joined[0]?.functions).toContain(at('a'));
  expect(joined[0]?.functions).not.toContain(at('b'));
});

test('two ports with nothing below both cost two groups', () => {
  const { machine, at } = machineOf([
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
      { at: at('x'), after: 0 },
      { at: at('y'), after: 0 },
    ]).joined.map((group) => group.functions),
  ).toEqual([
    [at('x'), at('a')],
    [at('y'), at('b')],
  ]);
});

test('the groups that would join are named from the capture', async () => {
  const truth = (await readTruth()).find((item) => item.truth.name === 'iommu-lazy-switch4-acs-off2');
  if (truth === undefined) throw new Error('the truth machine is missing');
  expect(isolationCost(truth.machine, [{ at: '0000:02:01.0', after: 0x11 }])).toEqual({
    evidence: 'groups',
    joined: [{ functions: ['0000:02:01.0', '0000:04:00.0'], groups: [6, 9] }],
  });
});

test('groups: where a real kernel left redirect off on a port, its group is the one that clearing the port predicts', async () => {
  let ports = 0;
  for (const { machine, truth } of await readTruth()) {
    const { functions } = machine.hierarchy;
    if (!functions.some((fn) => fn.iommuGroup !== null)) continue;
    for (const fn of functions) {
      if (fn.portType !== 'downstreamPort' || fn.acs.state !== 'present' || (fn.acs.control & 0x2c) !== 0) continue;
      const isolating = withAcsControls(machine, new Map([[fn.name, 0x1d]]));
      const group = functions.filter((other) => other.iommuGroup === fn.iommuGroup).map((other) => other.name);
      const predicted = isolationCost(isolating, [{ at: fn.name, after: fn.acs.control }]).joined;
      expect(predicted, `${truth.name} ${fn.name}`).toEqual([{ functions: group, groups: [fn.iommuGroup] }]);
      ports++;
    }
  }
  console.log(`${ports} ports with redirect off on machines with groups`);
  expect(ports).toBeGreaterThan(0);
});

test('clearing a port that does not isolate anyway costs nothing', async () => {
  const truth = (await readTruth()).find((item) => item.truth.name === 'iommu-lazy-switch4-acs-off2');
  if (truth === undefined) throw new Error('the truth machine is missing');
  expect(isolationCost(truth.machine, [{ at: '0000:02:00.0', after: 0 }]).joined).toEqual([]);
});

test('without groups the cost says whether the IOMMU is off or the capture silent', () => {
  const { machine, at } = machineOf([
    { hostBridge: UNLISTED, children: [switchBelow('rp', [{ name: 'x', below: [card('a')] }])] },
  ]);
  expect(isolationCost(machine, [{ at: at('x'), after: 0 }]).evidence).toBe('none');
  const functions = machine.hierarchy.functions.map((fn) => ({ ...fn.facts, sysfs: null }));
  const dump = buildMachine({ source: 'registers alone', functions });
  expect(isolationCost(dump, [{ at: at('x'), after: 0 }])).toEqual({
    evidence: 'notCaptured',
    joined: [{ functions: [at('x'), at('a')], groups: [] }],
  });
});
