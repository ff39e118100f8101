import { expect, test } from 'vitest';
import { card, LISTED, machineOf } from '../../../tests/doctor/machines.ts';
import type { Machine } from '../../machine/machine.ts';
import { p2pdmaDistance } from '../../p2p/distance.ts';
import { JudgeContext } from '../../p2p/judge.ts';
import { POLICIES } from '../../p2p/policy.ts';
import { Hierarchy } from '../../pcie/hierarchy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { ownerSentences } from './words.ts';

const port = (name: string) => ({ kind: 'rootPort' as const, below: [card(name)] });
const built = machineOf([{ hostBridge: LISTED, children: [port('a'), port('b')] }]).machine;

/** What is said of b's memory to a, through the host bridge. */
function said(machine: Machine): string {
  const [by, fn] = machine.hierarchy.functions.filter(({ isBridge, bars }) => !isBridge && bars.length > 0) as [
    PciFunction,
    PciFunction,
  ];
  const road = p2pdmaDistance(fn, by, new JudgeContext(machine, POLICIES['linux-6.12']));
  expect(road.type).toBe('thruHostBridge');
  const [bar] = fn.bars;
  const owner = {
    kind: 'bar',
    fn,
    bar: bar?.index ?? 0,
    offset: 0,
    size: 4096,
    space: 'phys',
    decoding: true,
    others: [],
  } as const;
  return ownerSentences(machine, owner, { by, fault: null, road, asBus: null }).join(' ');
}

/** Each function in a group whose type, if any, is the given one. */
function grouped(type: string | null): Machine {
  const functions = built.hierarchy.functions.map((fn) => {
    const { sysfs } = fn.facts;
    return sysfs === null ? fn : fn.withFacts({ ...fn.facts, sysfs: { ...sysfs, iommuGroup: 1 } });
  });
  const iommuGroupTypes = new Map(type === null ? [] : [[1, type] as const]);
  return { ...built, hierarchy: new Hierarchy(functions), iommuGroupTypes };
}

test('through the host bridge an address is given as it is only where that is known to arrive', () => {
  expect(said(built)).toMatch(/by the address 0x[0-9a-f]+ \(case b1\)\. Why/);
  expect(said(grouped('identity'))).toMatch(/by the address 0x[0-9a-f]+ \(case b1\)\. Why/);
  expect(said(grouped('DMA'))).toContain('its IOMMU translates: the address must be mapped first');
  expect(said(grouped(null))).toContain('where no IOMMU translates for it, which is not in this capture');
});
