/** QEMU as the host of a scenario: the machine's shape rebuilt there, the same driver, the same mapping. */

import { QEMU_CASES } from '../engine/qemu/cases.ts';
import { QemuEngine } from '../engine/qemu/qemu-engine.ts';
import { type RebuiltMachine, rebuildMachine } from '../engine/qemu/rebuild.ts';
import type { IommuDomain } from '../iommu/domain.ts';
import type { Machine } from '../machine/machine.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { COMMAND, COMMAND_BUS_MASTER, COMMAND_MEMORY_SPACE } from '../pcie/registers.ts';
import type { NamedMachine } from '../scenario/described-machine.ts';
import type { HostChange, ScenarioHost } from '../scenario/host.ts';
import type { DeviceNode, ScenarioFile } from '../scenario/scenario-types.ts';
import { qemuNotes } from './qemu-notes.ts';

/** Bytes of RAM that the rebuilt machine has. */
const RAM_BYTES = 256 * 2 ** 20;

export interface QemuHostOptions {
  readonly named: NamedMachine;
  /** Whether an IOMMU stands in front of all. */
  readonly iommu: boolean;
  /**
   * What else is asked for. With `iommu: passthrough` every function's DMA goes through the IOMMU untranslated, as Linux has it with
   * iommu=pt.
   */
  readonly scenario: ScenarioFile;
}

export class QemuHost implements ScenarioHost {
  readonly engine: QemuEngine;
  readonly machine: Machine;
  /** The machine with names and controllers as the scenario has them. */
  readonly named: NamedMachine;
  /** What QEMU cannot be of the machine, in words. */
  readonly notes: readonly string[];
  /** QEMU has no generic DMA engine that runs without a guest. */
  readonly dma = null;
  readonly cases: ScenarioHost['cases'] = QEMU_CASES;
  /** Its own registers tell all. */
  readonly assumptions: ScenarioHost['assumptions'] = [];
  readonly showsHops = false;
  readonly #hasIommu: boolean;
  /** Names of the parts that QEMU was built of, by the names of the functions that they became. */
  readonly #parts: ReadonlyMap<string, string>;

  private constructor(
    engine: QemuEngine,
    named: NamedMachine,
    notes: readonly string[],
    hasIommu: boolean,
    parts: ReadonlyMap<string, string>,
  ) {
    this.engine = engine;
    this.machine = named.machine;
    this.named = named;
    this.notes = notes;
    this.#hasIommu = hasIommu;
    this.#parts = parts;
  }

  /** Starts QEMU with the shape of a machine. Throws `QemuError`. */
  static async start(options: QemuHostOptions): Promise<QemuHost> {
    const { named, iommu } = options;
    const rebuilt = rebuildMachine(named.machine, { iommuLevels: iommu ? 4 : null, ramBytes: RAM_BYTES });
    const engine = await QemuEngine.start({ machine: rebuilt.description });
    try {
      return await QemuHost.#named(options, rebuilt, engine);
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  /** The machine that runs, with the names of the one that was asked for. */
  static async #named(
    { named, iommu, scenario }: QemuHostOptions,
    rebuilt: RebuiltMachine,
    engine: QemuEngine,
  ): Promise<QemuHost> {
    const isPassthrough = iommu && scenario.iommu === 'passthrough';
    if (isPassthrough) for (const { bdf } of engine.functions) engine.attachIommu(bdf, 'passthrough');
    const { source, cpu, kernel } = named.machine;
    const machine: Machine = { ...(await engine.machine(source)), cpu, kernel };
    const names = new Map<string, PciFunction>();
    const controllers = new Map<string, DeviceNode>();
    const parts = new Map<string, string>();
    const place = (name: string, original: PciFunction): void => {
      if (rebuilt.leftOut.includes(original.name)) return;
      const fn = machine.hierarchy.at(engine.locate(original.name));
      if (fn === undefined) return;
      names.set(name, fn);
      parts.set(fn.name, original.name);
      const node = named.controllers.get(original.name);
      if (node !== undefined) controllers.set(fn.name, node);
    };
    for (const [name, fn] of named.names) place(name, fn);
    // A captured machine has no names of its own: its addresses stand for the functions that took their place.
    if (named.names.size === 0)
      for (const fn of named.machine.hierarchy.functions) if (!fn.isBridge) placeIfThere(place, fn);
    const losses = engine.envelope.silentLosses.map((loss) => `lost without a word: ${loss}`);
    const notes = [...qemuNotes(rebuilt, named, scenario, machine.ram), ...engine.notes, ...losses];
    return new QemuHost(engine, { machine, names, controllers }, notes, iommu, parts);
  }

  get driverLimits(): ScenarioHost['driverLimits'] {
    return this.engine.envelope.limits;
  }

  attachIommu(fn: PciFunction, context: IommuDomain | 'passthrough'): void {
    if (this.#hasIommu) this.engine.attachIommu(fn.bdf, context);
  }

  syncIommu(): void {
    // The engine copies what changed before it lets the machine run.
  }

  prepare(): readonly string[] {
    // Enumeration enabled every function.
    return [];
  }

  watch(): () => void {
    return () => {};
  }

  async inject(change: HostChange): Promise<boolean> {
    const { fn } = change;
    switch (change.kind) {
      case 'busMasterOff':
      case 'memorySpaceOff': {
        const bit = change.kind === 'busMasterOff' ? COMMAND_BUS_MASTER : COMMAND_MEMORY_SPACE;
        const command = await this.engine.readConfig(fn.bdf, COMMAND, 2);
        await this.engine.writeConfig(fn.bdf, COMMAND, 2, command & ~bit);
        return true;
      }
      case 'unplug': {
        const part = this.#parts.get(fn.name);
        if (part !== undefined) await this.engine.unplug(part);
        return part !== undefined;
      }
      case 'acs':
        // Nowhere enforced: it would change nothing.
        return false;
    }
  }

  controller(fn: PciFunction): DeviceNode | null {
    return this.named.controllers.get(fn.name) ?? null;
  }
}

/** Functions that QEMU left out have no place: they are simply not there. */
function placeIfThere(place: (name: string, fn: PciFunction) => void, fn: PciFunction): void {
  try {
    place(fn.name, fn);
  } catch {
    // Asked for by a transfer, the name is refused with those that are there.
  }
}
