/** IOMMU groups computed from ACS, against the groups that the kernels of real machines formed. */

import { expect, test } from 'vitest';
import { iommuGroups } from '../../src/iommu/groups.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { bytesOfDump, CORPUS, dumpNames, SKIPPED } from './corpus.ts';

test.skipIf(CORPUS === null)(
  `corpus, groups: two functions share a group exactly where the kernel put them into one${SKIPPED}`,
  async () => {
    let machines = 0;
    let pairs = 0;
    let unknown = 0;
    for (const name of dumpNames().filter((file) => file.endsWith('.txt'))) {
      const machine = await readMachine(bytesOfDump(name), name).catch(() => null);
      const functions = machine?.hierarchy.functions ?? [];
      if (machine === null || !functions.some((fn) => fn.iommuGroup !== null)) continue;
      const { groups, groupOf } = iommuGroups(machine.hierarchy);
      machines++;
      const wrong: string[] = [];
      for (const [index, fn] of functions.entries()) {
        for (let at = index + 1; at < functions.length; at++) {
          const other = functions[at] as typeof fn;
          if (fn.iommuGroup === null || other.iommuGroup === null) continue;
          const together = groupOf[index] === groupOf[at];
          if (together === (fn.iommuGroup === other.iommuGroup)) pairs++;
          // What is not known counts as not isolating: then ours may be one where the kernel's are several.
          else if (together && groups[groupOf[index] as number]?.missing.length) unknown++;
          else wrong.push(`${fn.name} and ${other.name}: kernel ${fn.iommuGroup}, ${other.iommuGroup}`);
        }
      }
      expect([name, wrong]).toEqual([name, []]);
    }
    console.log(`IOMMU groups: ${machines} machines, ${pairs} pairs agree, ${unknown} not known`);
    expect(machines).toBeGreaterThan(5);
    expect(unknown).toBeLessThan(pairs / 20);
  },
);
