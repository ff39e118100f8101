/** All that recognisers read, told apart by `kind`. */

import type { CpuItem } from './kernel/cpuinfo.ts';
import type { IomemItem } from './kernel/iomem.ts';
import type { CommandLineItem } from './kernel/kernel-cmdline.ts';
import type { KernelSymbolItem } from './kernel/kernel-config.ts';
import type { KernelLogItem } from './kernel/log/items.ts';
import type { SysfsItem } from './kernel/sysfs.ts';
import type { MeasuredItem } from './measured/items.ts';
import type { IommuGroupItem } from './pci/iommu-groups.ts';
import type { LspciItem } from './pci/lspci.ts';
import type { AcsControlItem } from './pci/lspci-acsctl.ts';
import type { TreeItem } from './pci/lspci-tree.ts';
import type { SetpciItem } from './pci/setpci.ts';
import type { CufileItem } from './storage/cufile-log.ts';
import type { GdscheckItem } from './storage/gdscheck.ts';
import type { SpdkItem } from './storage/spdk-log.ts';
import type { VfioItem } from './virtual/vfio-log.ts';

export type EvidenceItem =
  | AcsControlItem
  | CommandLineItem
  | CpuItem
  | CufileItem
  | GdscheckItem
  | IomemItem
  | IommuGroupItem
  | KernelLogItem
  | KernelSymbolItem
  | LspciItem
  | MeasuredItem
  | SetpciItem
  | SpdkItem
  | SysfsItem
  | TreeItem
  | VfioItem;
