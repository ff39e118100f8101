export type { ControllerBar } from './controller.ts';
export { NvmeController } from './controller.ts';
export type { NvmeDeviceErrorCode } from './errors.ts';
export { NvmeDeviceError } from './errors.ts';
export { MemoryBlockStore } from './memory-store.ts';
export type { CmbOptions, NamespaceOptions, NvmeControllerOptions, SglOptions } from './options.ts';
export type { BarPort, BlockStatus, BlockStore, UpstreamPort, UpstreamStatus } from './ports.ts';
