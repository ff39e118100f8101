export type { AcsMissing, AcsState } from './acs.ts';
export {
  ACS_BITS,
  ACS_COMPLETION_REDIRECT,
  ACS_DIRECT_TRANSLATED,
  ACS_EGRESS_CONTROL,
  ACS_REQUEST_REDIRECT,
  ACS_SOURCE_VALIDATION,
  ACS_TRANSLATION_BLOCKING,
  ACS_UPSTREAM_FORWARDING,
  acsBitNames,
} from './acs.ts';
export type { Bar, BarRegister } from './bar.ts';
export { barRegisters } from './bar.ts';
export type { Bdf, BdfKey } from './bdf.ts';
export { bdfFromRoutingId, bdfKey, busKey, compareBdf, formatBdf, parseBdf, requesterId } from './bdf.ts';
export type { BridgeWindow, WindowFact } from './bridge-window.ts';
export { ioWindow, memoryWindow, prefetchableWindow, windowOf } from './bridge-window.ts';
export type { BuiltTree } from './build-tree.ts';
export { buildTree } from './build-tree.ts';
export type { Capability, CapabilityList, WalkEnd } from './capability.ts';
export {
  CAP_PCI_EXPRESS,
  capabilityName,
  conventionalCapabilities,
  EXT_CAP_ACS,
  EXT_CAP_AER,
  EXT_CAP_ATS,
  EXT_CAP_REBAR,
  EXT_CAP_SRIOV,
  EXT_CAP_VF_REBAR,
  extendedCapabilities,
  findExtendedCapability,
} from './capability.ts';
export { ConfigSpace } from './config-space.ts';
export type {
  AcsBitName,
  AcsDescription,
  BarDescription,
  DescribeErrorCode,
  DeviceDescription,
  EndpointDescription,
  EndpointFunctionDescription,
  FunctionOptions,
  LinkDescription,
  PciBridgeDescription,
  PortDescription,
  RootBusDescription,
  RootPortDescription,
  SwitchDescription,
  TreeDescription,
} from './describe.ts';
export { DescribeError } from './describe.ts';
export type { LinkFacts, PayloadFacts, PortType, TagFacts } from './express.ts';
export type {
  BusNumbers,
  FactName,
  FunctionFacts,
  P2pmemFacts,
  Source,
  SriovFacts,
  SysfsFacts,
  SysfsResource,
  TextFacts,
} from './function-facts.ts';
export type { HierarchyProblem, RootBus } from './hierarchy.ts';
export { Hierarchy } from './hierarchy.ts';
export type { FunctionContext } from './pci-function.ts';
export { busAddressOf, observedBusOffset, PciFunction } from './pci-function.ts';
export {
  CLASS_HOST_BRIDGE,
  CLASS_NVM_EXPRESS,
  CLASS_PCI_BRIDGE,
  COMMAND_BUS_MASTER,
  COMMAND_MEMORY_SPACE,
} from './registers.ts';
export { isMemoryResource, resourceBar } from './sysfs-resource.ts';
