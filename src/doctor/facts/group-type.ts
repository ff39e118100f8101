/** The lines that set the type of an IOMMU group while the machine runs. Linux iommu_group_store_type(). */

import type { PciFunction } from '../../pcie/pci-function.ts';
import type { DoctorContext } from '../context.ts';

/** The type of a group can be set while no driver holds one of its functions; ports keep theirs. */
export function groupTypeLines({ functions }: DoctorContext, group: number, type: string): string[] {
  const held = functions.filter((fn) => fn.iommuGroup === group && fn.driver !== null && !fn.isBridge);
  const write = (verb: 'bind' | 'unbind') => (fn: PciFunction) =>
    `echo ${fn.name} | sudo tee /sys/bus/pci/drivers/${fn.driver}/${verb}`;
  return [
    ...held.map(write('unbind')),
    `echo ${type} | sudo tee /sys/kernel/iommu_groups/${group}/type`,
    ...held.map(write('bind')),
  ];
}
