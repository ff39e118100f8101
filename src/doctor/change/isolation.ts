/**
 * What a change of ACS settings costs: which IOMMU groups become one. Found by forming the groups before and after, not by
 * a rule of thumb. The kernel forms them at boot, after it has set the ACS bits that its IOMMU asks for.
 */

import { iommuGroups } from '../../iommu/groups.ts';
import { ISOLATION_BITS } from '../../iommu/isolation.ts';
import type { Machine } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { controlsOf, type PortChange } from '../port-change.ts';
import { withAcsControls } from './changed-machine.ts';

/** Functions of several groups that become one group. */
export interface JoinedGroup {
  /** Sorted by address. */
  readonly functions: readonly PciFunction[];
  /** Numbers of the groups that they are in now, ascending; empty where the machine has or shows none. */
  readonly groups: readonly number[];
}

export interface IsolationCost {
  /**
   * `groups`: the capture shows them. `none`: this machine has none, its IOMMU is off. `notCaptured`: nothing tells. In the
   * two latter the cost is what it would be with the IOMMU on.
   */
  readonly evidence: 'groups' | 'none' | 'notCaptured';
  /** Empty where nothing that is apart now would come together. */
  readonly joined: readonly JoinedGroup[];
}

/** The cost of ACS Control registers being set to `after`. */
export function isolationCost(machine: Machine, changes: readonly Pick<PortChange, 'at' | 'after'>[]): IsolationCost {
  const evidence = evidenceOf(machine);
  if (changes.length === 0) return { evidence, joined: [] };
  const atBoot = joinedBy(machine, withIommuDefaults(machine), changes);
  if (evidence !== 'groups') return { evidence, joined: atBoot };
  // What the registers keep apart now, and what the kernel has in several groups and would keep apart when it boots again.
  const joined = joinedBy(machine, machine, changes);
  const known = new Set(joined.flatMap(({ functions }) => functions));
  const promised = atBoot.filter(
    ({ functions, groups }) => groups.length > 1 && !functions.some((fn) => known.has(fn)),
  );
  return { evidence, joined: [...joined, ...promised] };
}

/** Functions that `before`, a copy of the machine, has in several groups, and the same with the changes made has in one. */
function joinedBy(
  { hierarchy: { functions } }: Machine,
  before: Machine,
  changes: readonly Pick<PortChange, 'at' | 'after'>[],
): JoinedGroup[] {
  const after = withAcsControls(before, controlsOf(changes));
  const old = iommuGroups(before.hierarchy).groupOf;
  return iommuGroups(after.hierarchy).groups.flatMap((group): JoinedGroup[] => {
    if (new Set(group.functions.map((index) => old[index])).size < 2) return [];
    const members = group.functions.map((index) => functions[index] as PciFunction);
    const numbers = members.map((fn) => fn.iommuGroup).filter((number) => number !== null);
    return [{ functions: members, groups: [...new Set(numbers)].sort((a, b) => a - b) }];
  });
}

function evidenceOf({ hierarchy: { functions } }: Machine): IsolationCost['evidence'] {
  if (functions.some((fn) => fn.iommuGroup !== null)) return 'groups';
  return functions.some((fn) => fn.facts.sysfs !== null) ? 'none' : 'notCaptured';
}

/** The machine as a kernel with its IOMMU on sets it up: the isolating services of every function that has them. */
function withIommuDefaults(machine: Machine): Machine {
  const controls = new Map<number, number>();
  for (const { key, acs } of machine.hierarchy.functions) {
    if (acs.state === 'present') controls.set(key, acs.control | (ISOLATION_BITS & acs.capability));
  }
  return withAcsControls(machine, controls);
}
