export type { NvmeOptions } from './nvme-function.ts';
export { attachNvme, isNvme } from './nvme-function.ts';
export type { SimEngineOptions } from './sim-engine.ts';
export { SimEngine } from './sim-engine.ts';
