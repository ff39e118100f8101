export type { DeviceKind, DeviceModel, DeviceOptions, ModelPlace } from './device-model.ts';
export { DEVICE_KINDS } from './device-models.ts';
export type { NvmeOptions } from './nvme-options.ts';
export type { SimEngineOptions } from './sim-engine.ts';
export { SimEngine } from './sim-engine.ts';
