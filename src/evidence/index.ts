export { CleanLine, LINE_MAX, plainText } from './clean/clean-line.ts';
export type { NcclHead } from './clean/prefixes.ts';
export type { EvidenceItem } from './items.ts';
export type { CommandLineItem } from './kernel/kernel-cmdline.ts';
export type { SourceKind } from './kinds.ts';
export { SOURCE_KINDS } from './kinds.ts';
export type { AddressGap, DeviceLabel, DeviceSort, Numbering } from './measured/device-label.ts';
export type {
  CollectiveItem,
  DeviceItem,
  DeviceLink,
  MeasuredItem,
  MeasuredKind,
  MeasurementItem,
  PairItem,
  PairRelation,
  SettingItem,
  Statement,
  StatementItem,
} from './measured/items.ts';
export type { AcsControlItem } from './pci/lspci-acsctl.ts';
export type { SetpciItem } from './pci/setpci.ts';
export type { Recognition } from './recognise.ts';
export { recognise } from './recognise.ts';
export type { ItemPlace } from './recogniser.ts';
export type { SourceBlock } from './source-block.ts';
export type { FunctionItem, FunctionLink, ProcessorItem, SkeletonKind } from './topology/skeleton.ts';
