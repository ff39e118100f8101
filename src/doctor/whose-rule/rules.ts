/**
 * The rules that judges other than the kernel go by, as a table: what was read or seen, where and when, for which releases, and what
 * contradicts it. A row with one source makes an opinion likely, never certain.
 */

import type { Certainty } from '../finding.ts';

/** Where a rule was read or seen. */
export interface RuleSource {
  /** Repository and thread, file or page. */
  readonly name: string;
  /** Year and month of the thread; of the reading where it is a file, a page or a thread without a date. */
  readonly date: string;
}

/** One row. */
export type RuleId =
  | 'kernel-asked'
  | 'nvidia-asks-nobody'
  | 'nvidia-one-chip'
  | 'nvidia-geforce-pascal'
  | 'nvidia-geforce-turing'
  | 'nvidia-geforce-ampere'
  | 'nvidia-geforce-ada'
  | 'nvidia-geforce-blackwell'
  | 'nvidia-common-switch'
  | 'nvidia-two-hubs'
  | 'nvidia-chipset-list'
  | 'nvidia-on-zen'
  | 'nvidia-in-guest'
  | 'nvidia-nvswitch'
  | 'nvidia-patched'
  | 'cuda-two-transports'
  | 'gdr-professional-only'
  | 'gdr-two-doors'
  | 'gdr-data-direct'
  | 'nccl-p2p-level'
  | 'nccl-gdr-level'
  | 'gds-p2pdma'
  | 'gds-nvidia-fs'
  | 'amdgpu-peers'
  | 'rocm-fine-grain'
  | 'rocm-xgmi'
  | 'xe-asks-kernel'
  | 'rdma-user-memory'
  | 'user-space-drivers'
  | 'intel-client-writes';

export interface RuleRow {
  /** One sentence. */
  readonly rule: string;
  readonly sources: readonly [RuleSource, ...RuleSource[]];
  /** Drivers, firmware or releases for which it is known. */
  readonly knownFor: string;
  /** Reports that say otherwise. */
  readonly contradictedBy: readonly RuleSource[];
}

/** When files and pages were read. */
const READ = '2026-11';

const OPEN_DRIVER: RuleSource = { name: 'NVIDIA/open-gpu-kernel-modules, p2p_caps.c', date: READ };
const PATCHED_DRIVER: RuleSource = { name: 'aikitoria/open-gpu-kernel-modules, README', date: READ };
const TINYGRAD: RuleSource = { name: 'tinygrad/open-gpu-kernel-modules, README', date: READ };
const NCCL_PATHS: RuleSource = { name: 'NVIDIA/nccl 2.30, src/graph/paths.cc', date: READ };
const GDS_P2PDMA: RuleSource = { name: 'NVIDIA, GDS Support for NVMe Using Linux PCI P2PDMA, release 615', date: READ };
const GDS_GUIDE: RuleSource = { name: 'NVIDIA, GPUDirect Storage Troubleshooting Guide, chapter 14', date: READ };
const GDR_GUIDE: RuleSource = { name: 'NVIDIA, GPUDirect RDMA guide 13', date: READ };
const OPERATOR: RuleSource = { name: 'NVIDIA GPU Operator, GPUDirect RDMA page', date: READ };
const AMDGPU: RuleSource = { name: 'Linux amdgpu, amdgpu_device_is_peer_accessible()', date: READ };
const LINUX_715: RuleSource = { name: 'Linux 7.1.5, read in source', date: READ };

/** All rows by their id. */
export const RULES: Readonly<Record<RuleId, RuleRow>> = {
  'kernel-asked': {
    rule: 'dma-buf between drivers of the kernel, NVMe and RDMA in the kernel ask pci_p2pdma before they map a peer',
    sources: [LINUX_715, { name: 'answers of Linux 6.12, 7.0 and 7.1.5, recorded for this project', date: READ }],
    knownFor: 'Linux 6.1 to 7.3',
    contradictedBy: [],
  },
  'nvidia-asks-nobody': {
    rule: 'NVIDIA’s driver maps peers of its GPUs itself and never asks pci_p2pdma',
    sources: [{ name: 'NVIDIA/open-gpu-kernel-modules, nv-dma.c and nv-dmabuf.c', date: READ }],
    knownFor: 'driver 515 to 610, open kernel modules',
    contradictedBy: [],
  },
  'nvidia-one-chip': {
    rule: 'GPUs of two chips get no peers over PCIe (NS); two models of one chip do',
    sources: [
      OPEN_DRIVER,
      { name: 'tinygrad/open-gpu-kernel-modules#28', date: '2025-01' },
      { name: 'aikitoria/open-gpu-kernel-modules#13', date: '2025-12' },
    ],
    knownFor: 'driver 550 to 610, patched ones too',
    contradictedBy: [],
  },
  'nvidia-geforce-pascal': {
    rule: 'GeForce cards of the Pascal generation have peers where the chipset is accepted',
    sources: [
      { name: 'NVIDIA/nccl#175: 1080 Ti refused in a guest for the chipset, not for the GPU', date: '2019-01' },
    ],
    knownFor: 'drivers of 2019',
    contradictedBy: [],
  },
  'nvidia-geforce-turing': {
    rule: 'GeForce RTX 20 cards have peers over an NVLink bridge only (NS without it)',
    sources: [
      { name: 'tensorflow/tensorflow#24677', date: '2019-01' },
      { name: 'NVIDIA/nccl-tests#117', date: '2022-10' },
    ],
    knownFor: 'driver 410 to 525',
    contradictedBy: [],
  },
  'nvidia-geforce-ampere': {
    rule: 'GeForce RTX 30 cards are refused over PCIe by the stock driver; 3090 pairs with an NVLink bridge have peers',
    sources: [
      { name: 'NVIDIA/nccl#1127', date: '2023-12' },
      { name: 'huggingface/accelerate#2328 (with a bridge)', date: '2024-01' },
    ],
    knownFor: 'driver 470 to 550, not patched',
    contradictedBy: [],
  },
  'nvidia-geforce-ada': {
    rule: 'GeForce RTX 40 cards are refused by the stock driver',
    sources: [TINYGRAD, { name: 'tinygrad/open-gpu-kernel-modules#28', date: '2025-01' }],
    knownFor: 'driver 530 to 610, not patched',
    contradictedBy: [
      { name: 'NVIDIA/nccl-tests#117: the first drivers offered peers, and copies hung', date: '2022-10' },
    ],
  },
  'nvidia-geforce-blackwell': {
    rule: 'GeForce RTX 50 cards are refused by the stock driver (GNS)',
    sources: [
      { name: 'noonghunna/club-3090#1130', date: READ },
      { name: 'noonghunna/club-3090#1124', date: READ },
    ],
    knownFor: 'driver 570 to 610, not patched',
    contradictedBy: [],
  },
  'nvidia-common-switch': {
    rule: 'professional GPUs of one chip below one switch have peers, whatever the chipset',
    sources: [OPEN_DRIVER],
    knownFor: 'driver 515 to 610',
    contradictedBy: [],
  },
  'nvidia-two-hubs': {
    rule: 'below two host bridges of Nehalem to Broadwell-EP the driver refuses (TNS)',
    sources: [OPEN_DRIVER],
    knownFor: 'driver 515 to 610',
    contradictedBy: [],
  },
  'nvidia-chipset-list': {
    rule: 'across root ports the driver asks its own list by the host bridge at 00:00.0, which is not public, and refuses what is not on it (CNS)',
    sources: [{ name: 'a report of two L4 cards: topo -p2p says CNS', date: READ }],
    knownFor: 'driver 515 to 610',
    contradictedBy: [],
  },
  'nvidia-on-zen': {
    rule: 'on AMD EPYC and Threadripper the list accepts the host bridge',
    sources: [
      { name: 'NVIDIA/nccl-tests#74: A40 on EPYC 7302', date: READ },
      { name: 'luigifcruz/stelline: RTX 6000 Ada on EPYC 9374F and 7965WX', date: READ },
    ],
    knownFor: 'Zen 2 and Zen 4',
    contradictedBy: [],
  },
  'nvidia-in-guest': {
    rule: 'the host bridges that QEMU shows are on no list, so a guest sees CNS unless its GPUs are below one switch',
    sources: [{ name: 'NVIDIA/nccl#175', date: '2019-01' }],
    knownFor: 'driver 410 to 610',
    contradictedBy: [],
  },
  'nvidia-nvswitch': {
    rule: 'where NVSwitch connects the GPUs, peers go over NVLink, and the driver falls back to no PCIe path',
    sources: [OPEN_DRIVER],
    knownFor: 'driver 515 to 610',
    contradictedBy: [],
  },
  'nvidia-patched': {
    rule: 'patched drivers give RTX 3090, 4090 and 5090 peers by BAR1: it must show all memory, and the IOMMU must not translate',
    sources: [TINYGRAD, PATCHED_DRIVER],
    knownFor: 'open kernel modules 550 to 610',
    contradictedBy: [],
  },
  'cuda-two-transports': {
    rule: 'CUDA peers use the mailbox, which needs no large BAR1, or BAR1 itself (Hopper and newer, and patched drivers)',
    sources: [TINYGRAD, OPEN_DRIVER],
    knownFor: 'driver 515 to 610',
    contradictedBy: [],
  },
  'gdr-professional-only': {
    rule: 'GPUDirect RDMA is for professional and data centre GPUs, not for GeForce',
    sources: [{ name: 'NVIDIA/gdrcopy#211', date: '2021-08' }, GDR_GUIDE],
    knownFor: 'stock drivers',
    contradictedBy: [],
  },
  'gdr-two-doors': {
    rule: 'a network card takes GPU memory by the module nvidia-peermem, or as a dma-buf: open kernel modules, Linux 5.12, CUDA 11.7 or newer',
    sources: [OPERATOR, GDR_GUIDE],
    knownFor: 'driver 470 and newer for the module, 515 and newer for dma-buf',
    contradictedBy: [],
  },
  'gdr-data-direct': {
    rule: 'with Data Direct the traffic of a ConnectX leaves from another PCI function than the one that RDMA programs see',
    sources: [
      { name: 'linux-rdma/rdma-core, kernel-boot/rdma_topo', date: READ },
      { name: 'NVIDIA/nccl 2.30, src/graph/topo.cc, class 0801', date: READ },
    ],
    knownFor: 'ConnectX-8',
    contradictedBy: [],
  },
  'nccl-p2p-level': {
    rule: 'NCCL uses peers up to PXB by default, and at any distance where an AMD machine has at most two GPUs',
    sources: [NCCL_PATHS],
    knownFor: 'NCCL 2.12 to 2.30',
    contradictedBy: [],
  },
  'nccl-gdr-level': {
    rule: 'NCCL uses GPUDirect RDMA up to PXB by default (P2C on Grace)',
    sources: [NCCL_PATHS],
    knownFor: 'NCCL 2.12 to 2.30',
    contradictedBy: [],
  },
  'gds-p2pdma': {
    rule: 'without nvidia-fs, GPUDirect Storage uses the kernel’s P2PDMA: Linux 6.2, open driver 565, Ampere data centre GPUs or newer',
    sources: [GDS_P2PDMA, GDS_GUIDE],
    knownFor: 'CUDA 12.8 and newer, x86',
    contradictedBy: [],
  },
  'gds-nvidia-fs': {
    rule: 'with nvidia-fs and a patched NVMe driver, NVIDIA’s driver gives the addresses and pci_p2pdma is not asked',
    sources: [{ name: 'NVIDIA/gds-nvidia-fs, README', date: READ }],
    knownFor: 'nvidia-fs 2.30',
    contradictedBy: [],
  },
  'amdgpu-peers': {
    rule: 'amdgpu gives peers over PCIe where pci_p2pdma allows the pair, the BAR shows all memory below the peer’s DMA mask, pcie_p2p is on and HSA_AMD_P2P is built in',
    sources: [AMDGPU, { name: 'Linux drivers/gpu/drm/amd/amdkfd/Kconfig, HSA_AMD_P2P', date: READ }],
    knownFor: 'Linux 6.0 and newer',
    contradictedBy: [],
  },
  'rocm-fine-grain': {
    rule: 'before ROCm 5.7 peers over PCIe also need HSA_FORCE_FINE_GRAIN_PCIE=1; over xGMI they never did',
    sources: [
      { name: 'ROCm/rccl-tests#84', date: '2024-07' },
      { name: 'ROCm/rccl#842', date: '2023-08' },
    ],
    knownFor: 'ROCm 2 to 6',
    contradictedBy: [],
  },
  'rocm-xgmi': {
    rule: 'GPUs with an xGMI link use it, and neither pci_p2pdma nor the BAR decides',
    sources: [{ name: 'ROCm/rccl#92', date: '2019-10' }],
    knownFor: 'Instinct cards',
    contradictedBy: [],
  },
  'xe-asks-kernel': {
    rule: 'i915 and xe export memory as dma-buf, and ask pci_p2pdma when the peer attaches',
    sources: [{ name: 'intel/compute-runtime#935', date: '2026-06' }],
    knownFor: 'Linux 6.8 and newer',
    contradictedBy: [],
  },
  'rdma-user-memory': {
    rule: 'ibv_reg_mr() refuses pages of peer memory; peer memory reaches a card as a dma-buf, or from a target in the kernel',
    sources: [LINUX_715],
    knownFor: 'Linux 6.1 to 7.1',
    contradictedBy: [],
  },
  'user-space-drivers': {
    rule: 'a device that belongs to a user program or a guest is mapped through VFIO or UIO, and pci_p2pdma is not asked',
    sources: [LINUX_715],
    knownFor: 'Linux 6.1 to 7.1',
    contradictedBy: [],
  },
  'intel-client-writes': {
    rule: 'root complexes of Intel’s client processors pass peer writes between root ports, and no reads',
    sources: [{ name: 'NVIDIA/open-gpu-kernel-modules#1253, an engineer of NVIDIA', date: '2026-07' }],
    knownFor: 'Arrow Lake-S; reads of ones on Rocket Lake (intel/compute-runtime#935)',
    contradictedBy: [],
  },
};

/** How sure an opinion on these rows can be: certain only where each has two sources and nothing contradicts it. */
export function sureOfRules(rules: readonly RuleId[]): Certainty {
  return rules.every((id) => {
    const { sources, contradictedBy } = RULES[id];
    return sources.length >= 2 && contradictedBy.length === 0;
  })
    ? 'certain'
    : 'likely';
}
