/**
 * What the kernel of a machine says beside PCI: how it was built, what it logged, its modules and their parameters, the masks that
 * drivers set. Evidence for findings; no verdict rests on it.
 */

import type { LogLine } from '../evidence/kernel/log/telling.ts';

/** A value as it stands, and where. */
export interface Setting {
  readonly value: string;
  readonly file: string;
  /** 1-based; null where the file has one line only. */
  readonly line: number | null;
}

/** The configuration that a kernel was built with, as far as it is read. */
export interface KernelConfig {
  readonly file: string;
  /** Release in the file's head, `6.12.117`; null where it has none. */
  readonly release: string | null;
  /** By symbol without `CONFIG_`; `n` where the file says "is not set". */
  readonly options: ReadonlyMap<string, Setting>;
}

/** A module, loaded or built in. */
export interface ModuleFacts {
  readonly version: Setting | null;
  readonly parameters: ReadonlyMap<string, Setting>;
}

export interface ModuleList {
  readonly byName: ReadonlyMap<string, ModuleFacts>;
  /** Whether /proc/modules was captured, so that what is not in the list is not loaded. */
  readonly complete: boolean;
  readonly file: string;
}

/** An IOMMU unit of /sys/class/iommu. */
export interface IommuUnit {
  readonly name: string;
  /** Width of the addresses that it takes; null where its registers are not shown. */
  readonly addressBits: number | null;
  readonly file: string;
}

/** Each part is null where it was not captured. */
export interface HostEvidence {
  readonly kernelConfig: KernelConfig | null;
  /** Lines that tell of PCI, IOMMU or peer-to-peer DMA, in order. */
  readonly kernelLog: readonly LogLine[] | null;
  readonly modules: ModuleList | null;
  /** Bits of the addresses that a function's driver said it can use, by `bdfKey`: `dma_mask_bits` of sysfs. */
  readonly dmaMaskBits: ReadonlyMap<number, Setting>;
  readonly iommuUnits: readonly IommuUnit[] | null;
  /** Properties of cufile.json, of GPUDirect Storage. */
  readonly cufile: ReadonlyMap<string, Setting> | null;
  /** RAID arrays of NVMe drives in /proc/mdstat: `raid0 nvme0n1 nvme1n1` by the array's name. */
  readonly nvmeRaids: ReadonlyMap<string, Setting> | null;
  /** The hypervisor that the firmware's names or the processor's flags tell of; null where they tell of none. */
  readonly hypervisor: Setting | null;
}

/** Of a machine that was described, or listed without a word about its kernel. */
export const NO_HOST_EVIDENCE: HostEvidence = {
  kernelConfig: null,
  kernelLog: null,
  modules: null,
  dmaMaskBits: new Map(),
  iommuUnits: null,
  cufile: null,
  nvmeRaids: null,
  hypervisor: null,
};

/** Modules that take part in peer-to-peer DMA, and the parameters of /sys/module/NAME/parameters that a diagnosis reads. */
export const MODULE_PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  amdgpu: ['pcie_p2p'],
  nvidia: [],
  nvidia_fs: [],
  nvidia_peermem: [],
  nvme: ['use_cmb_sqs'],
  nvme_core: ['multipath'],
  nvmet: [],
  p2pmem_pci: [],
  vfio_pci: [],
  vmd: [],
};

/** Lines of /proc/driver/nvidia/params that count: what /sys/module/nvidia shows of them is empty. */
export const NVIDIA_PARAMETERS: readonly string[] = [
  'RegistryDwords',
  'RegistryDwordsPerDevice',
  'EnableResizableBar',
  'DmaRemapPeerMmio',
  'GrdmaPciTopoCheckOverride',
];

/** Properties of cufile.json that count. */
export const CUFILE_PROPERTIES: readonly string[] = ['use_pci_p2pdma', 'allow_compat_mode', 'force_compat_mode'];
