/** All that recognisers read, told apart by `kind`. */

import type { CommandLineItem } from './kernel/kernel-cmdline.ts';
import type { MeasuredItem } from './measured/items.ts';
import type { AcsControlItem } from './pci/lspci-acsctl.ts';
import type { TreeItem } from './pci/lspci-tree.ts';
import type { SetpciItem } from './pci/setpci.ts';

export type EvidenceItem = AcsControlItem | CommandLineItem | MeasuredItem | SetpciItem | TreeItem;
