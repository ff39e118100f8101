/** Whether a capture was taken inside a virtual machine: by the devices that only hypervisors make. */

import type { Machine } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

/** Vendors that exist in hypervisors only: Red Hat (QEMU; virtio by device, too), Xen, VMware, VirtualBox, Microsoft. */
const HYPERVISORS: ReadonlyMap<number, string> = new Map([
  [0x1b36, 'QEMU'],
  [0x5853, 'Xen'],
  [0x15ad, 'VMware'],
  [0x80ee, 'VirtualBox'],
  [0x1414, 'Hyper-V'],
]);

/** The same makers as a listing without numbers prints them. */
const PRINTED: readonly (readonly [RegExp, string])[] = [
  [/^Red Hat/, 'QEMU or KVM'],
  [/^XenSource/, 'Xen'],
  [/^VMware/, 'VMware'],
  [/^InnoTek/, 'VirtualBox'],
  [/^Microsoft/, 'Hyper-V'],
];

/** A device that shows that this is a guest, and whose; null on real hardware. */
export function guestEvidence(machine: Machine): { readonly fn: PciFunction; readonly hypervisor: string } | null {
  for (const fn of machine.hierarchy.functions) {
    const vendor = fn.vendorId;
    if (vendor === null) {
      const name = fn.facts.text?.deviceName ?? '';
      const printed = PRINTED.find(([maker]) => maker.test(name));
      if (printed !== undefined) return { fn, hypervisor: printed[1] };
      continue;
    }
    const hypervisor = isVirtio(fn) || isStandardVga(fn) ? 'QEMU or KVM' : HYPERVISORS.get(vendor);
    if (hypervisor !== undefined) return { fn, hypervisor };
  }
  return oldChipset(machine);
}

/** A chipset of 1996 with a PCI Express device beside it: KVM and Xen, and clouds built on them, draw that one. */
function oldChipset({
  hierarchy: { functions },
}: Machine): { readonly fn: PciFunction; readonly hypervisor: string } | null {
  const fn = functions.find(({ vendorId, deviceId }) => vendorId === 0x8086 && deviceId === 0x1237);
  const hasExpress = functions.some(({ portType }) => portType !== null && portType !== 'conventional');
  return fn !== undefined && hasExpress ? { fn, hypervisor: 'KVM or Xen' } : null;
}

/** Virtual I/O Device specification, 4.1.2: 1000 to 107f; 1110 is shared memory. Accelerator cards speak virtio, too, and are no bridges. */
function isVirtio({ vendorId, deviceId, isBridge }: PciFunction): boolean {
  if (vendorId !== 0x1af4 || deviceId === null || isBridge) return false;
  return (deviceId >= 0x1000 && deviceId <= 0x107f) || deviceId === 0x1110;
}

function isStandardVga({ vendorId, deviceId }: PciFunction): boolean {
  return vendorId === 0x1234 && deviceId === 0x1111;
}
