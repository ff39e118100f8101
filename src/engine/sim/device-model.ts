/** What stands behind the BARs of a function: the shape that the simulator asks of every kind of device. */

import type { Clock } from '../../core/clock.ts';
import type { Fabric } from '../../fabric/fabric.ts';
import type { BarTarget } from '../../fabric/live-function.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { NvmeOptions } from './nvme-options.ts';

/** A device at work. */
export interface DeviceModel {
  /** The memory BARs that it needs; each is attached to the function's BAR of that index. */
  readonly bars: readonly { readonly index: number; readonly sizeBytes: number }[];
  /** What answers in one of its BARs. */
  barTarget(bar: number): BarTarget;
  /** Whether `work` would find something to do. */
  readonly hasWork: boolean;
  /** Does a slice of what waits, at most `budget` pieces. Returns how many it did. */
  work(budget: number): number;
  /** Back to power-on: queues and registers are gone. What a function level reset does, and the loss of power. */
  reset(): void;
}

/** What a scenario may say of one function, by the kind of its model. All of it has defaults. */
export interface DeviceOptions {
  readonly nvme?: NvmeOptions;
}

/** Where a model is put. */
export interface ModelPlace {
  readonly fabric: Fabric;
  /** Index of the function in the hierarchy. */
  readonly index: number;
  readonly fn: PciFunction;
  readonly clock: Clock;
}

/** One entry of the table of models (device-models.ts). */
export interface DeviceKind {
  readonly name: keyof DeviceOptions;
  /** Whether the model can stand in for a function. */
  fits(fn: PciFunction): boolean;
  create(place: ModelPlace, options: DeviceOptions): DeviceModel;
}
