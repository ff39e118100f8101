/**
 * A machine that QEMU can be: root buses, root ports, switches, NVMe controllers, memories that are nothing but a BAR, and an
 * IOMMU in front of all. What QEMU cannot be (ACS on switch ports, routing in switches) has no word here; see `rebuild.ts`.
 *
 *   { rootBuses: [{ children: [
 *     { kind: 'rootPort', below: [{ kind: 'switch', ports: [
 *       { below: [{ kind: 'nvme', name: 'a' }] },
 *       { below: [{ kind: 'nvme', name: 'b', cmbBytes: 64 * 2 ** 20 }] },
 *     ] }] },
 *   ] }] }
 */

/** Place on a bus; the next free device number where it is left out. */
export interface QemuPlace {
  /** 0 to 31. */
  readonly device: number;
  /** 0 to 7; functions 1 to 7 are seen only where function 0 is. */
  readonly function: number;
}

interface QemuNode {
  /** What to find it by; see `QemuEngine.locate`. */
  readonly name?: string;
  readonly place?: QemuPlace;
}

/** pcie-root-port. */
export interface QemuRootPort extends QemuNode {
  readonly kind: 'rootPort';
  /** ACS controls, of those that it has (0x5f). Default 0, all off. `false`: no ACS. */
  readonly acs?: false | number;
  readonly below?: readonly QemuDevice[];
}

/** A downstream port of a switch, xio3130-downstream: no ACS. */
export interface QemuSwitchPort extends QemuNode {
  readonly below?: readonly QemuDevice[];
}

/** x3130-upstream and its ports. */
export interface QemuSwitch extends QemuNode {
  readonly kind: 'switch';
  readonly ports: readonly QemuSwitchPort[];
}

/** A bridge to conventional PCI, pcie-pci-bridge. */
export interface QemuPciBridge extends QemuNode {
  readonly kind: 'pciBridge';
  readonly below: readonly QemuDevice[];
}

/** An NVMe 1.4 controller with one namespace of 512-byte blocks. */
export interface QemuNvme extends QemuNode {
  readonly kind: 'nvme';
  /** Bytes of the namespace, a multiple of 512. Default 64 MiB, sparse. */
  readonly namespaceBytes?: number;
  /** Bytes of the controller memory buffer, whole MiB, a power of two; 0 (the default) for none. */
  readonly cmbBytes?: number;
  /** The kind before 1.4: on from the start, at its BAR's address. */
  readonly legacyCmb?: boolean;
  /** Maximum data transfer size, 4 KiB * 2^mdts. Default 10: 4 MiB. */
  readonly mdts?: number;
}

/** Memory behind a BAR and nothing else, ivshmem-plain: BAR 2, 64 bits, prefetchable, real RAM. */
export interface QemuMemory extends QemuNode {
  readonly kind: 'memory';
  /** A power of two, at least 4096. */
  readonly bytes: number;
}

/** A function that stands for another in the tree, pci-testdev: its BARs hold nothing. */
export interface QemuPlaceholder extends QemuNode {
  readonly kind: 'placeholder';
}

export type QemuDevice = QemuSwitch | QemuPciBridge | QemuNvme | QemuMemory | QemuPlaceholder;

export interface QemuRootBus {
  /** The first is pcie.0 of the q35 board and has number 0; others are pxb-pcie. */
  readonly bus: number;
  /** Its devices use physical addresses whatever the IOMMU does. */
  readonly bypassIommu?: boolean;
  readonly children: readonly (QemuRootPort | QemuDevice)[];
}

export interface QemuMachineDescription {
  /** Whole MiB, at most 2048. Default 128 MiB. */
  readonly ramBytes?: number;
  /** CPU model; it never runs, but Linux's rules ask for its vendor and family. Default qemu64, AuthenticAMD family 15. */
  readonly cpu?: QemuCpu;
  /** Levels of VT-d's page tables; left out: no IOMMU. */
  readonly iommuLevels?: 3 | 4;
  readonly rootBuses: readonly QemuRootBus[];
}

/** CPU models, and what Linux would print of them in /proc/cpuinfo. */
export const QEMU_CPUS = {
  qemu64: { vendor: 'AuthenticAMD', family: 15 },
  EPYC: { vendor: 'AuthenticAMD', family: 23 },
  'EPYC-Milan': { vendor: 'AuthenticAMD', family: 25 },
  'Skylake-Server': { vendor: 'GenuineIntel', family: 6 },
  Dhyana: { vendor: 'HygonGenuine', family: 24 },
} as const;

export type QemuCpu = keyof typeof QEMU_CPUS;

export const DEFAULT_RAM_BYTES: number = 128 * 2 ** 20;
export const DEFAULT_NAMESPACE_BYTES: number = 64 * 2 ** 20;
