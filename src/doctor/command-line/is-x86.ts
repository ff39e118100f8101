/** Some words of the command line are those of one architecture. Linux arch/x86/kernel/pci-dma.c: iommu_setup(). */

import { processorOf } from '../../machine/infer/processor.ts';
import type { Machine } from '../../machine/machine.ts';

/** Whether a machine is x86, or nothing shows what else it is. */
export function mayBeX86(machine: Machine): boolean {
  const { architecture } = processorOf(machine);
  return architecture === null || architecture === 'x86';
}
