export { CleanLine, LINE_MAX, plainText } from './clean/clean-line.ts';
export type { NcclHead } from './clean/prefixes.ts';
export type { EvidenceItem } from './items.ts';
export type { CpuItem } from './kernel/cpuinfo.ts';
export type { IomemItem } from './kernel/iomem.ts';
export type { CommandLineItem } from './kernel/kernel-cmdline.ts';
export type { KernelSymbolItem } from './kernel/kernel-config.ts';
export type { FaultLine } from './kernel/log/fault-line.ts';
export type { KernelLogItem, KernelSays, NvidiaSays } from './kernel/log/items.ts';
export { readMessages } from './kernel/log/kernel-log.ts';
export type { LogMessage } from './kernel/log/log-reader.ts';
export type { SysfsItem } from './kernel/sysfs.ts';
export type { SourceKind } from './kinds.ts';
export { SOURCE_KINDS } from './kinds.ts';
export type { AddressGap, DeviceLabel, DeviceSort, Numbering } from './measured/device-label.ts';
export type {
  CollectiveItem,
  DeviceItem,
  DeviceLink,
  GraphItem,
  MeasuredItem,
  MeasuredKind,
  MeasurementItem,
  PairItem,
  PairRelation,
  SettingItem,
  Statement,
  StatementItem,
} from './measured/items.ts';
export type { IommuGroupItem } from './pci/iommu-groups.ts';
export type { LspciItem } from './pci/lspci.ts';
export type { AcsControlItem } from './pci/lspci-acsctl.ts';
export type { SetpciItem } from './pci/setpci.ts';
export type { Recognition } from './recognise.ts';
export { recognise } from './recognise.ts';
export type { ItemPlace } from './recogniser.ts';
export type { SourceBlock } from './source-block.ts';
export type { CufileItem } from './storage/cufile-log.ts';
export type { GdscheckItem } from './storage/gdscheck.ts';
export type { SpdkItem } from './storage/spdk-log.ts';
export type { FunctionItem, FunctionLink, ProcessorItem, SkeletonKind } from './topology/skeleton.ts';
export type { VfioItem } from './virtual/vfio-log.ts';
