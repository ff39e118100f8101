/**
 * Host bridges that hypervisors show. They are drawn, so they say nothing of the processor below; some are the numbers of real chipsets
 * that no machine of today has. Sources: QEMU docs/specs/pci-ids.rst and its machine types, the device models of VMware, VirtualBox,
 * Hyper-V, cloud-hypervisor, bhyve and crosvm as their guests list them; names in pci.ids.
 */

import type { PciFunction } from '../../pcie/pci-function.ts';

interface DrawnBridge {
  readonly vendor: number;
  /** null is every device of the vendor. */
  readonly device: number | null;
  /** A chipset of the last century, never seen beside PCI Express but in a guest. */
  readonly ancient: boolean;
}

const DRAWN: readonly DrawnBridge[] = [
  // 440FX: QEMU's pc, Xen, VirtualBox, most clouds.
  { vendor: 0x8086, device: 0x1237, ancient: true },
  // 440BX: VMware and the first generation of Hyper-V.
  { vendor: 0x8086, device: 0x7190, ancient: true },
  { vendor: 0x8086, device: 0x7191, ancient: true },
  { vendor: 0x8086, device: 0x7192, ancient: true },
  // Q35 of QEMU, and the chipset that Parallels draws: both were made.
  { vendor: 0x8086, device: 0x29c0, ancient: false },
  { vendor: 0x8086, device: 0x29a0, ancient: false },
  { vendor: 0x8086, device: 0x29b0, ancient: false },
  // cloud-hypervisor and Firecracker.
  { vendor: 0x8086, device: 0x0d57, ancient: false },
  // bhyve.
  { vendor: 0x1275, device: 0x1275, ancient: false },
  { vendor: 0x1022, device: 0x7432, ancient: false },
  // QEMU's own, virtio, VMware, Hyper-V, Amazon, Google, VirtualBox, Parallels, bhyve.
  ...[0x1b36, 0x1af4, 0x15ad, 0x1414, 0x1d0f, 0x1ae0, 0x80ee, 0x1ab8, 0xfb5d].map((vendor) => ({
    vendor,
    device: null,
    ancient: false,
  })),
];

/** Whether a function at the top of a tree may be drawn by a hypervisor, so that it says nothing of the processor. */
export function isDrawn(fn: Pick<PciFunction, 'vendorId' | 'deviceId'>): boolean {
  return rowOf(fn) !== undefined;
}

/** Whether it is a chipset that a machine with PCI Express devices cannot have. */
export function isAncient(fn: Pick<PciFunction, 'vendorId' | 'deviceId'>): boolean {
  return rowOf(fn)?.ancient === true;
}

function rowOf({ vendorId, deviceId }: Pick<PciFunction, 'vendorId' | 'deviceId'>): DrawnBridge | undefined {
  return DRAWN.find(({ vendor, device }) => vendor === vendorId && (device === null || device === deviceId));
}
