/** The simulator as the host of a scenario. */

import type { EngineTarget } from '../dma/segment.ts';
import type { DeviceOptions } from '../engine/sim/device-model.ts';
import type { NvmeOptions } from '../engine/sim/nvme-options.ts';
import { SimEngine } from '../engine/sim/sim-engine.ts';
import { DELIVERED } from '../engine/transfer.ts';
import { DmaEngine } from '../fabric/dma-engine.ts';
import type { Hop } from '../fabric/hop.ts';
import { IommuPort } from '../fabric/iommu-port.ts';
import { NOWHERE, ROOT_COMPLEX } from '../fabric/outcome.ts';
import { prepare } from '../fabric/prepare.ts';
import type { FabricRules } from '../fabric/rules.ts';
import type { Assumption } from '../fabric/topology.ts';
import type { IommuDomain } from '../iommu/domain.ts';
import type { Machine } from '../machine/machine.ts';
import { ACS_BITS } from '../pcie/acs.ts';
import { EXT_CAP_ACS, findExtendedCapability } from '../pcie/capability.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { COMMAND, COMMAND_BUS_MASTER, COMMAND_MEMORY_SPACE } from '../pcie/registers.ts';
import type { EngineOutcome, HostChange, ScenarioHost } from './host.ts';
import type { DeviceNode, ScenarioFile } from './scenario-types.ts';

export interface SimHostOptions {
  readonly machine: Machine;
  readonly controllers: ReadonlyMap<string, DeviceNode>;
  readonly scenario: ScenarioFile;
  /** Whether an IOMMU stands in front of the root complex. */
  readonly iommu: boolean;
}

export class SimHost implements ScenarioHost {
  readonly engine: SimEngine;
  readonly machine: Machine;
  readonly dma: NonNullable<ScenarioHost['dma']>;
  readonly cases: ScenarioHost['cases'] = [];
  readonly showsHops = true;
  readonly assumptions: readonly Assumption[];
  readonly driverLimits: ScenarioHost['driverLimits'] = {};
  readonly #port: IommuPort | null;
  readonly #controllers: ReadonlyMap<string, DeviceNode>;

  constructor(options: SimHostOptions) {
    const { machine, controllers, scenario } = options;
    this.machine = machine;
    this.#controllers = controllers;
    // Functions that no transfer names keep working as if nobody had translated for them.
    this.#port = options.iommu ? new IommuPort({ otherwise: 'passthrough' }) : null;
    const devices: Record<string, DeviceOptions> = {};
    for (const [name, node] of controllers) devices[name] = { nvme: controllerOptions(node) };
    this.engine = new SimEngine({
      machine,
      iommu: this.#port,
      devices,
      ...(scenario.rootComplex === undefined ? {} : { rootComplex: scenario.rootComplex }),
      rules: fabricRules(scenario),
    });
    this.assumptions = this.engine.fabric.assumptions;
    this.dma = (fn, side, bytes, direction) => this.#runDma(fn, side, bytes, direction);
  }

  attachIommu(fn: PciFunction, context: IommuDomain | 'passthrough'): void {
    this.#port?.attach(fn.key, context);
  }

  syncIommu(): void {
    // The port walks the domain's own tables.
  }

  prepare(functions: readonly PciFunction[]): string[] {
    const indices = functions.map((fn) => this.machine.hierarchy.indexOf(fn.bdf));
    return prepare(this.engine.fabric, indices).map(({ index, memorySpace, busMaster }) => {
      const what = [...(memorySpace ? ['Memory Space'] : []), ...(busMaster ? ['Bus Master'] : [])];
      return `${this.#name(index)}: ${what.join(' and ')} Enable`;
    });
  }

  watch(watcher: (hop: Hop) => void): () => void {
    return this.engine.fabric.watch(watcher);
  }

  inject(change: HostChange): boolean {
    const node = this.engine.fabric.function(this.machine.hierarchy.indexOf(change.fn.bdf));
    switch (change.kind) {
      case 'unplug':
        this.engine.unplug(change.fn.bdf);
        return true;
      case 'busMasterOff':
        node.writeConfig(COMMAND, 2, node.readConfig(COMMAND, 2) & ~COMMAND_BUS_MASTER);
        return true;
      case 'memorySpaceOff':
        node.writeConfig(COMMAND, 2, node.readConfig(COMMAND, 2) & ~COMMAND_MEMORY_SPACE);
        return true;
      case 'acs': {
        const offset = findExtendedCapability(change.fn.config, EXT_CAP_ACS);
        if (!offset) return false;
        const bits = typeof change.set === 'string' ? [] : change.set;
        const control = ACS_BITS.filter((bit) => bits.includes(bit.short as never)).reduce(
          (sum, bit) => sum | bit.mask,
          0,
        );
        node.writeConfig(offset + 6, 2, control);
        return true;
      }
    }
  }

  controller(fn: PciFunction): DeviceNode | null {
    return this.#controllers.get(fn.name) ?? null;
  }

  #runDma(fn: PciFunction, side: EngineTarget, bytes: Uint8Array, direction: 'toDevice' | 'fromDevice'): EngineOutcome {
    const engine = new DmaEngine(this.engine.fabric, this.machine.hierarchy.indexOf(fn.bdf));
    const { fate, reason, at } = direction === 'toDevice' ? engine.fetch(side, bytes) : engine.send(side, bytes);
    if (fate === 'delivered') return { sent: true, fate: DELIVERED, at: null };
    return { sent: fate !== 'notSent', fate: `${fate} (${reason})`, at: at === NOWHERE ? null : this.#name(at) };
  }

  #name(index: number): string {
    return index === ROOT_COMPLEX ? 'root complex' : (this.machine.hierarchy.functions[index]?.name ?? 'nobody');
  }
}

/** What the scenario says of the questions that the specification leaves open. */
function fabricRules({ internalPeerRoute = true, samePort }: ScenarioFile): Partial<FabricRules> {
  const atPorts = samePort === undefined ? {} : { samePortAtRootPort: samePort, samePortAtDownstreamPort: samePort };
  return { internalPeerRoute, ...atPorts };
}

function controllerOptions(node: DeviceNode): NvmeOptions {
  return {
    cmb: node.cmb === undefined ? false : { cdpmls: node.cdpmls === true },
    sgl: { relative: node.relativeSgl === true },
  };
}
