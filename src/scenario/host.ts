/** What a scenario needs of an engine beyond the contract of drivers: set-up, evidence, and things that go wrong. */

import type { EngineTarget } from '../dma/segment.ts';
import type { Answer, CaseShown, RegisterEngine } from '../engine/register.ts';
import type { Hop } from '../fabric/hop.ts';
import type { Assumption } from '../fabric/topology.ts';
import type { IommuDomain } from '../iommu/domain.ts';
import type { Machine } from '../machine/machine.ts';
import type { DriverLimits } from '../nvme/driver/limits.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import type { AcsSetting, DeviceNode } from './scenario-types.ts';

/** What one descriptor of the generic DMA engine did. */
export interface EngineOutcome {
  /** It could ask for something: the function is there, and may be bus master. */
  readonly sent: boolean;
  /** What really happened, in words of the fabric. */
  readonly fate: string;
  /** Name of the function where it ended badly, or null. */
  readonly at: string | null;
}

export interface ScenarioHost {
  readonly engine: RegisterEngine;
  readonly machine: Machine;
  /** Says how the DMA of a function is treated: through a domain's tables, or untranslated. */
  attachIommu(fn: PciFunction, context: IommuDomain | 'passthrough'): Answer<void>;
  /** Tells the IOMMU that mappings of a domain changed; engines whose tables are copies copy them. */
  syncIommu(domain: IommuDomain): Answer<void>;
  /** Does the drivers' part for these functions; lists what was switched on. */
  prepare(functions: readonly PciFunction[]): Answer<readonly string[]>;
  /** Whether `watch` shows anything. */
  readonly showsHops: boolean;
  /** Every hop of every TLP from now on, where the engine shows them. Returns the way to stop. */
  watch(watcher: (hop: Hop) => void): () => void;
  /**
   * Moves `bytes` between the inside of a function and one side of a descriptor: `toDevice` fills them. Null: this engine has no
   * generic DMA engine.
   */
  readonly dma:
    | ((fn: PciFunction, side: EngineTarget, bytes: Uint8Array, direction: 'toDevice' | 'fromDevice') => EngineOutcome)
    | null;
  /** Changes the machine as it runs. False: this engine cannot. */
  inject(change: HostChange): Answer<boolean>;
  /** What the engine took for granted of functions whose registers do not tell. */
  readonly assumptions: readonly Assumption[];
  /** What the engine shows of each case of the mail; empty where it shows all of them. */
  readonly cases: readonly CaseShown[];
  /** What the driver must know of this engine's machines. */
  readonly driverLimits: Partial<DriverLimits>;
  /** What the author of a described machine said of a controller. */
  controller(fn: PciFunction): DeviceNode | null;
}

export type HostChange =
  | { readonly kind: 'unplug'; readonly fn: PciFunction }
  | { readonly kind: 'acs'; readonly fn: PciFunction; readonly set: AcsSetting }
  | { readonly kind: 'busMasterOff'; readonly fn: PciFunction }
  | { readonly kind: 'memorySpaceOff'; readonly fn: PciFunction };
