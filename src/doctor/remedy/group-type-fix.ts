/** The type of IOMMU groups, set while the machine runs. Linux iommu_group_store_type(). */

import type { Machine } from '../../machine/machine.ts';
import type { Fix, MachineChange } from '../finding.ts';
import { driverLine } from './sysfs.ts';

type GroupTypes = Extract<MachineChange, { kind: 'groupType' }>['groups'];

/** As many groups the commands of one fix set. */
export const GROUPS_MAX = 8;

/** The parts of a fix that sets each group from its present type to another. */
export function groupTypeFix(
  machine: Machine,
  groups: GroupTypes,
): Pick<Fix, 'kind' | 'commands' | 'undo' | 'reboot' | 'change'> {
  const shown = groups.slice(0, GROUPS_MAX);
  return {
    kind: 'groupType',
    commands: shown.flatMap(({ group, after }) => groupTypeLines(machine, group, after)),
    undo: shown.flatMap(({ group, before }) => groupTypeLines(machine, group, before)),
    reboot: false,
    change: { kind: 'groupType', groups },
  };
}

/** The type of a group can be set while no driver holds one of its functions; ports keep theirs. */
function groupTypeLines({ hierarchy }: Machine, group: number, type: string): string[] {
  const held = hierarchy.functions.filter((fn) => fn.iommuGroup === group && fn.driver !== null && !fn.isBridge);
  return [
    ...held.map((fn) => driverLine(fn.name, fn.driver as string, 'unbind')),
    `echo ${type} | sudo tee /sys/kernel/iommu_groups/${group}/type`,
    ...held.map((fn) => driverLine(fn.name, fn.driver as string, 'bind')),
  ];
}
