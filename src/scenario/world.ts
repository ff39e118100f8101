/** The running world of a scenario: names, pools of provider memory, RAM, mapping devices with their domains. */

import { joinRanges, type Range } from '../core/range.ts';
import { nearest } from '../core/text.ts';
import { DmaDevice } from '../dma/device.ts';
import { PairTypes } from '../dma/pair-types.ts';
import { RangeTable } from '../dma/range-table.ts';
import { reservedWindows } from '../dma/reserved-windows.ts';
import type { Hop } from '../fabric/hop.ts';
import { ROOT_COMPLEX } from '../fabric/outcome.ts';
import { IommuDomain } from '../iommu/domain.ts';
import { IovaAllocator } from '../iommu/iova-allocator.ts';
import { type IommuMode, iommuModeOf, type Machine } from '../machine/machine.ts';
import { RamAllocator } from '../machine/ram-allocator.ts';
import { swiotlbOf } from '../machine/swiotlb.ts';
import { JudgeContext } from '../p2p/judge.ts';
import type { Policy } from '../p2p/policy.ts';
import type { P2pMemory } from '../p2p/provider.ts';
import { Providers } from '../p2p/registry.ts';
import { parseBdf } from '../pcie/bdf.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { type Place, refuseField } from './errors.ts';
import { fieldPath } from './field-path.ts';
import type { ScenarioHost } from './host.ts';
import { MOVERS, moverOf } from './movers.ts';
import { RegisterTransfers } from './register-transfers.ts';
import type { HopPhase } from './report.ts';
import type { MoverName, ScenarioFile } from './scenario-types.ts';
import type { SubmittedVector } from './submitted-vector.ts';

export interface WorldOptions {
  readonly host: ScenarioHost;
  readonly names: ReadonlyMap<string, PciFunction>;
  readonly policy: Policy;
  readonly scenario: ScenarioFile;
  readonly place: Place;
}

export class World {
  readonly host: ScenarioHost;
  readonly machine: Machine;
  readonly policy: Policy;
  readonly context: JudgeContext;
  readonly table: RangeTable;
  readonly ram: RamAllocator;
  readonly providers: Providers = new Providers();
  readonly #options: WorldOptions;
  readonly #domains = new Map<number, IommuDomain>();
  readonly #gone = new Set<PciFunction>();
  readonly #engines = new Map<MoverName, RegisterTransfers>();

  constructor(options: WorldOptions) {
    this.#options = options;
    this.host = options.host;
    this.machine = options.host.machine;
    this.policy = options.policy;
    this.context = new JudgeContext(this.machine, options.policy);
    this.table = RangeTable.ofMachine(this.machine);
    this.ram = new RamAllocator(this.machine.ram);
  }

  /** Vectors and number of the transfers so far, by name. */
  readonly submitted: Map<string, { readonly vectors: readonly SubmittedVector[]; readonly number: number }> =
    new Map();
  /** What `prepare` switched on so far. */
  readonly prepared: string[] = [];

  /** Where in the file the transfer stands that runs now: `transfers[2]`. */
  here = '';

  /** What the hops of now are part of. */
  phase: HopPhase = 'aside';

  /** What runs transfers for a function. `name`: by the mover that the scenario names, else by the function's own. */
  transferEngine(fn: PciFunction, name: MoverName | undefined): RegisterTransfers {
    const kind = name === undefined ? moverOf(fn, this.host.controller(fn)) : MOVERS[name];
    let engine = this.#engines.get(kind.name);
    if (engine === undefined) {
      engine = new RegisterTransfers(kind.name, kind.create(this), this.host);
      this.#engines.set(kind.name, engine);
    }
    return engine;
  }

  /** Does a part of a transfer whose hops are of another phase. */
  async during<T>(phase: HopPhase, work: () => T | Promise<T>): Promise<T> {
    const before = this.phase;
    this.phase = phase;
    try {
      return await work();
    } finally {
      this.phase = before;
    }
  }

  /** Where a hop was, in the scenario's words. */
  hopName(hop: Hop): string {
    const fn = this.machine.hierarchy.functions[hop.at];
    return hop.at === ROOT_COMPLEX ? 'root complex' : fn === undefined ? 'nowhere' : this.nameOf(fn);
  }

  /** Refuses a field of the transfer that runs now. */
  refuse(field: string, message: string, hint: string): never {
    const full = `${this.here}.${field}`;
    return refuseField(this.#options.place, full, fieldPath(full), message, hint);
  }

  /** Does the drivers' part for these functions, unless the scenario leaves the registers as they are. */
  async prepare(functions: readonly PciFunction[]): Promise<void> {
    if (this.#options.scenario.prepare === false) return;
    this.prepared.push(...(await this.host.prepare(functions)));
  }

  /** A function by its name in the scenario or its address, as `field` has it. Throws `ScenarioError` with the nearest names. */
  function(name: string, field: string): PciFunction {
    const named = this.#options.names.get(name);
    if (named !== undefined) return named;
    const bdf = parseBdf(name);
    const fn = bdf === null ? undefined : this.machine.hierarchy.at(bdf);
    if (fn !== undefined) return fn;
    const known = [...this.#options.names.keys(), ...this.machine.hierarchy.functions.map((one) => one.name)];
    const message = `'${name}' is no device of this machine`;
    this.refuse(field, message, `nearest: ${nearest(name, known).join(', ')}`);
  }

  /** As `function`, for whoever does DMA: a bridge passes on and starts nothing. */
  endpoint(name: string, field: string): PciFunction {
    const fn = this.function(name, field);
    if (!fn.isBridge) return fn;
    const message = `'${name}' is a bridge (${fn.portType ?? 'of a kind that the capture does not tell'}): it passes requests on and does no DMA`;
    this.refuse(field, message, 'name an endpoint: a device or a controller below it');
  }

  /**
   * Tells the software that a function was unplugged: the hot-plug driver unbinds whoever drives it and what is below. Their ranges
   * are of nobody any more, their pools are void, and certificates of before are stale.
   */
  forget(fn: PciFunction): void {
    const { functions, parent } = this.machine.hierarchy;
    const isUnplugged = (index: number): boolean => {
      const one = functions[index];
      return one !== undefined && (isOfDevice(one, fn) || isUnplugged(parent[index] as number));
    };
    for (const [index, one] of functions.entries()) {
      if (!isUnplugged(index)) continue;
      this.#gone.add(one);
      this.providers.of(one)?.revoke();
      this.table.removeProvider(index);
    }
    this.table.bump();
  }

  /** Whether a fault unplugged the function. */
  isGone(fn: PciFunction): boolean {
    return this.#gone.has(fn);
  }

  /** The scenario's name of a function, else its address. */
  nameOf(fn: PciFunction): string {
    for (const [name, other] of this.#options.names) if (other === fn) return name;
    return fn.name;
  }

  pairs(client: PciFunction): PairTypes {
    return new PairTypes(this.context, this.machine.hierarchy.indexOf(client.bdf));
  }

  /**
   * The provider memory of a function: its largest memory BAR but the registers that a driver has there. Throws `ScenarioError`
   * where it has none.
   */
  memoryOf(fn: PciFunction): P2pMemory {
    const known = this.providers.of(fn);
    if (known !== null) return known;
    const { registerBars } = moverOf(fn, this.host.controller(fn));
    const [bar] = fn.bars
      .filter(
        (one) =>
          one.space === 'memory' && one.size !== null && one.busAddress !== null && !registerBars.includes(one.index),
      )
      .sort((a, b) => (b.size ?? 0) - (a.size ?? 0));
    if (bar === undefined || (bar.size ?? 0) < 4096) {
      const message = `${this.nameOf(fn)} has no memory to give`;
      this.refuse('vectors', message, 'give it memory (device) or a cmb (nvme), or name another provider');
    }
    const memory = this.providers.provide(fn);
    memory.addResource({ bar: bar.index });
    memory.publish(true);
    return memory;
  }

  /** Every function that could give memory, published, so that `find` has something to find. */
  publishAll(): void {
    for (const fn of this.machine.hierarchy.functions) {
      const usable = fn.bars.some(
        (bar) => bar.space === 'memory' && (bar.size ?? 0) >= 2 ** 20 && bar.busAddress !== null,
      );
      if (!fn.isBridge && usable && !this.isGone(fn)) this.memoryOf(fn);
    }
  }

  /** How a function's DMA meets the IOMMU: what the scenario says, else the machine. */
  iommuMode(fn: PciFunction): IommuMode {
    return this.#options.scenario.iommu ?? iommuModeOf(this.machine, fn) ?? 'off';
  }

  /** The mapping device of a function, its DMA attached to the engine's IOMMU. */
  async mappingDevice(fn: PciFunction): Promise<DmaDevice> {
    const iommu = this.iommuMode(fn);
    const domain = iommu === 'on' ? this.#domainOf(fn) : null;
    if (iommu !== 'off') await this.host.attachIommu(fn, domain ?? 'passthrough');
    return new DmaDevice({
      fn,
      iommu,
      domain,
      rules: this.policy.acsRule === 'divergence' ? 'own' : 'linux',
      swiotlb: swiotlbOf(this.machine),
    });
  }

  /** Where no IOVA of a function may be: what somebody answers to before the IOMMU is asked. */
  #reserved(fn: PciFunction): readonly Range[] {
    if (this.#options.scenario.reserveWindows === false) return [];
    const windows = reservedWindows(this.machine, fn);
    const node = this.host.controller(fn);
    return joinRanges([...windows, ...moverOf(fn, node).ownAddresses(node)]);
  }

  #domainOf(fn: PciFunction): IommuDomain {
    const index = this.machine.hierarchy.indexOf(fn.bdf);
    let domain = this.#domains.get(index);
    if (domain === undefined) {
      const allocator = new IovaAllocator({ reserved: this.#reserved(fn) });
      domain = new IommuDomain({ allocator, lazy: this.#options.scenario.lazy === true });
      this.#domains.set(index, domain);
    }
    return domain;
  }
}

/** Functions with one device number on one bus are one device. */
function isOfDevice({ bdf: a }: PciFunction, { bdf: b }: PciFunction): boolean {
  return a.domain === b.domain && a.bus === b.bus && a.device === b.device;
}
