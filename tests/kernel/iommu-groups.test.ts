/** IOMMU groups computed from the ACS registers, against those of a real kernel, number by number. */

import { expect, test } from 'vitest';
import { iommuGroups } from '../../src/iommu/groups.ts';
import { readTruth } from './truth.ts';

const cases = await readTruth();

test('every function of every machine with an IOMMU is in the group that the kernel gave it', () => {
  let functions = 0;
  let shared = 0;
  for (const { truth, machine } of cases) {
    const told = truth.functions.filter((fn) => typeof fn.iommu_group === 'number');
    if (told.length === 0) continue;
    const { groups, groupOf } = iommuGroups(machine.hierarchy);
    const ours = machine.hierarchy.functions.map((fn, index) => [fn.name, groupOf[index]]);
    expect([truth.name, ours]).toEqual([truth.name, told.map((fn) => [fn.bdf, fn.iommu_group])]);
    expect(groups.flatMap((group) => group.missing)).toEqual([]);
    functions += told.length;
    shared += groups.filter((group) => group.functions.length > 1).length;
  }
  console.log(`IOMMU groups: ${functions} functions compared, ${shared} groups with more than one`);
  expect(functions).toBeGreaterThan(40);
  expect(shared).toBeGreaterThan(4);
});
