/** Whether a capture was taken inside a virtual machine: by the devices that only hypervisors make. */

import type { Machine } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

/** Vendors that exist in hypervisors only: Red Hat (virtio, QEMU), Xen, VMware, VirtualBox, Microsoft, Amazon. */
const HYPERVISORS: ReadonlyMap<number, string> = new Map([
  [0x1af4, 'virtio'],
  [0x1b36, 'QEMU'],
  [0x5853, 'Xen'],
  [0x15ad, 'VMware'],
  [0x80ee, 'VirtualBox'],
  [0x1414, 'Hyper-V'],
]);

/** A device that shows that this is a guest, and whose; null on real hardware. */
export function guestEvidence(machine: Machine): { readonly fn: PciFunction; readonly hypervisor: string } | null {
  for (const fn of machine.hierarchy.functions) {
    const vendor = fn.vendorId;
    if (vendor === null) continue;
    const hypervisor = vendor === 0x1234 && fn.deviceId === 0x1111 ? 'QEMU' : HYPERVISORS.get(vendor);
    if (hypervisor !== undefined) return { fn, hypervisor };
  }
  return null;
}
