/** All recognisers. Where a line has words of several, they are asked in this order, and the first that takes it has it. */

import type { EvidenceItem } from './items.ts';
import { kernelCmdline } from './kernel/kernel-cmdline.ts';
import { MEASURING_TOOLS } from './measured/recognisers.ts';
import { lspciAcsctl } from './pci/lspci-acsctl.ts';
import { lspciTree } from './pci/lspci-tree.ts';
import { setpci } from './pci/setpci.ts';
import type { Recogniser } from './recogniser.ts';

export const RECOGNISERS: readonly Recogniser<EvidenceItem>[] = [
  setpci,
  kernelCmdline,
  lspciAcsctl,
  lspciTree,
  ...MEASURING_TOOLS,
];
