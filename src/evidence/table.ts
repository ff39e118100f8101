/** All recognisers. Where a line has words of several, they are asked in this order, and the first that takes it has it. */

import type { EvidenceItem } from './items.ts';
import { cpuinfo } from './kernel/cpuinfo.ts';
import { iomem } from './kernel/iomem.ts';
import { kernelCmdline } from './kernel/kernel-cmdline.ts';
import { kernelConfig } from './kernel/kernel-config.ts';
import { kernelLog } from './kernel/log/kernel-log.ts';
import { sysfs } from './kernel/sysfs.ts';
import { MEASURING_TOOLS } from './measured/recognisers.ts';
import { iommuGroups } from './pci/iommu-groups.ts';
import { lspci } from './pci/lspci.ts';
import { lspciAcsctl } from './pci/lspci-acsctl.ts';
import { lspciTree, lspciTreeExcerpt } from './pci/lspci-tree.ts';
import { setpci } from './pci/setpci.ts';
import type { Recogniser } from './recogniser.ts';
import { cufileLog } from './storage/cufile-log.ts';
import { gdscheck } from './storage/gdscheck.ts';
import { spdkLog } from './storage/spdk-log.ts';
import { vfioLog } from './virtual/vfio-log.ts';

export const RECOGNISERS: readonly Recogniser<EvidenceItem>[] = [
  // Logs: their lines may stand within the blocks of all others.
  vfioLog,
  spdkLog,
  cufileLog,
  kernelLog,
  // Blocks.
  setpci,
  kernelCmdline,
  iommuGroups,
  lspciTree,
  lspciTreeExcerpt,
  lspci,
  lspciAcsctl,
  ...MEASURING_TOOLS,
  gdscheck,
  iomem,
  kernelConfig,
  cpuinfo,
  sysfs,
];
