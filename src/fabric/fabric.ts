/**
 * The fabric of one machine at transaction level: memory requests and their completions go hop by hop, by the registers as they
 * stand. It knows what PCIe does and nothing of what any kernel would predict.
 *
 *   const fabric = new Fabric({ hierarchy, ram: [{ start: 0, end: 2 ** 30 }] });
 *   prepare(fabric, [nvme, gpu]);
 *   fabric.memoryWrite(nvme, address, bytes);      // { status: 'posted', fate: 'delivered', ... }
 */

import { assert, present } from '../core/assert.ts';
import { Clock } from '../core/clock.ts';
import type { Range } from '../core/range.ts';
import { type Bdf, bdfFromRoutingId, bdfKey } from '../pcie/bdf.ts';
import type { Hierarchy } from '../pcie/hierarchy.ts';
import type { AddressType } from './acs-decision.ts';
import { routeConfig } from './config-access.ts';
import type { Counters } from './counters.ts';
import type { ErrorLog } from './error-log.ts';
import type { HopWatcher } from './hop.ts';
import type { IommuPort } from './iommu-port.ts';
import type { LinkCounters } from './link-traffic.ts';
import type { BarTarget, LiveFunction } from './live-function.ts';
import type { MemoryRequest } from './memory-request.ts';
import type { Completion } from './outcome.ts';
import type { HeaderForm } from './raw-tlp.ts';
import { Recorder } from './recorder.ts';
import { RootComplex, type RootComplexBehaviour } from './root-complex.ts';
import { DEFAULT_RULES, type FabricRules } from './rules.ts';
import { SparseMemory } from './sparse-memory.ts';
import { type Assumption, type ClaimConflict, Topology } from './topology.ts';
import { CACHE_LINE, Transfers } from './transfers.ts';

export interface FabricOptions {
  /** The machine's functions, with the registers that the fabric begins with. */
  readonly hierarchy: Hierarchy;
  /** CPU addresses of RAM. */
  readonly ram: readonly Range[];
  /** What the root complex does with traffic between devices. Default `forward`. */
  readonly rootComplex?: RootComplexBehaviour;
  /** null, the default: no IOMMU. */
  readonly iommu?: IommuPort | null;
  readonly rules?: Partial<FabricRules>;
  /** Advances with every transfer. Default: a clock of its own. */
  readonly clock?: Clock;
}

/** Fields of a request that a requester chooses. */
export interface RequestAttributes {
  /** The AT field. Default `untranslated`. */
  readonly addressType?: AddressType;
  /** Default false. */
  readonly relaxedOrdering?: boolean;
  /** Requester ID in the TLP, 16 bits. Default: the function's own. */
  readonly requesterId?: number;
}

export class Fabric {
  readonly topology: Topology;
  readonly rootComplex: RootComplex;
  readonly rules: FabricRules;
  readonly clock: Clock;
  readonly #transfers: Transfers;
  readonly #recorder: Recorder;

  constructor(options: FabricOptions) {
    this.topology = new Topology(options.hierarchy);
    const behaviour = options.rootComplex ?? 'forward';
    this.rootComplex = new RootComplex(this.topology, options.ram, behaviour, options.iommu ?? null);
    this.rules = { ...DEFAULT_RULES, ...options.rules };
    this.clock = options.clock ?? new Clock();
    const { topology, rootComplex, rules } = this;
    this.#recorder = new Recorder(topology, rootComplex, this.clock);
    this.#transfers = new Transfers({ topology, rootComplex, rules }, this.#recorder, this.clock);
  }

  /** System memory by CPU address. */
  get ram(): SparseMemory {
    return this.rootComplex.ram;
  }

  get iommu(): IommuPort | null {
    return this.rootComplex.iommu;
  }

  get counters(): Counters {
    return this.#recorder.counters;
  }

  /** What AER would have logged, and what nobody would. */
  get errors(): ErrorLog {
    return this.#recorder.errors;
  }

  /** Traffic by link. */
  get links(): LinkCounters {
    return this.#recorder.links;
  }

  /** What the machine's evidence left open, and what is assumed in its place. */
  get assumptions(): readonly Assumption[] {
    return this.topology.assumptions;
  }

  /** Claims that overlap as the registers stand, which no firmware should leave behind. */
  get conflicts(): readonly ClaimConflict[] {
    return this.topology.conflicts;
  }

  /** Carry each TLP on its own even while nobody watches. The results are the same. */
  get tlpByTlp(): boolean {
    return this.#transfers.tlpByTlp;
  }

  set tlpByTlp(value: boolean) {
    this.#transfers.tlpByTlp = value;
  }

  /** The function with an index of the hierarchy: its registers, BARs and place. */
  function(index: number): LiveFunction {
    return present(this.topology.functions[index], `function ${index}`);
  }

  /** The memory behind a BAR. Asserts that there is one, and no device model. */
  barMemory(index: number, bar: number): SparseMemory {
    const { target } = present(this.function(index).bar(bar), `BAR ${bar} of function ${index}`);
    assert(target instanceof SparseMemory, `BAR ${bar} of function ${index} is no plain memory`);
    return target;
  }

  /** Puts a device model behind a BAR in place of plain memory. */
  attachBar(index: number, bar: number, target: BarTarget): void {
    present(this.function(index).bar(bar), `BAR ${bar} of function ${index}`).target = target;
  }

  /** Calls `watcher` for every hop from now on; transfers go TLP by TLP meanwhile. Returns the way to stop it. */
  watch(watcher: HopWatcher): () => void {
    const recorder = this.#recorder;
    recorder.watchers = [...recorder.watchers, watcher];
    return () => {
      recorder.watchers = recorder.watchers.filter((other) => other !== watcher);
    };
  }

  /**
   * A function writes `bytes` to an address: posted, cut at Max_Payload_Size. The status says what the function learns, which
   * is nothing; the fate says what became of the first TLP that did not arrive.
   */
  memoryWrite(requester: number, address: number, bytes: Uint8Array, attributes?: RequestAttributes): Completion {
    const node = this.function(requester);
    return this.#transfers.write(newRequest(node, true, attributes), address, bytes, node.maxPayload);
  }

  /**
   * A function reads into `into`, in requests of Max_Read_Request_Size. Ends at the first request that fails: the bytes from
   * there on are all ones.
   */
  memoryRead(requester: number, address: number, into: Uint8Array, attributes?: RequestAttributes): Completion {
    const node = this.function(requester);
    return this.#transfers.read(newRequest(node, false, attributes), address, into, node.maxReadRequest);
  }

  /** The CPU writes to a CPU address: RAM, or a device. */
  cpuWrite(address: number, bytes: Uint8Array): Completion {
    return this.#transfers.write(newRequest(null, true, undefined), address, bytes, CACHE_LINE);
  }

  /** The CPU reads from a CPU address. All ones where nobody answers. */
  cpuRead(address: number, into: Uint8Array): Completion {
    return this.#transfers.read(newRequest(null, false, undefined), address, into, CACHE_LINE);
  }

  /** A function sends one write exactly as given: not cut, the header in the given form. */
  sendWrite(
    requester: number,
    address: number,
    bytes: Uint8Array,
    form: HeaderForm,
    attributes?: RequestAttributes,
  ): Completion {
    return this.#transfers.sendWrite(newRequest(this.function(requester), true, attributes), address, bytes, form);
  }

  /** A function sends one read request exactly as given. */
  sendRead(
    requester: number,
    address: number,
    into: Uint8Array,
    form: HeaderForm,
    attributes?: RequestAttributes,
  ): Completion {
    return this.#transfers.sendRead(newRequest(this.function(requester), false, attributes), address, into, form);
  }

  /** The CPU reads a configuration register. All ones where no function answers. `offset` is a multiple of `size`. */
  configRead(bdf: Bdf, offset: number, size: 1 | 2 | 4): number {
    const node = this.#configTarget(bdf, false);
    return node === null ? 2 ** (size * 8) - 1 : node.readConfig(offset, size);
  }

  /** The CPU writes a configuration register. Lost where no function answers. */
  configWrite(bdf: Bdf, offset: number, size: 1 | 2 | 4, value: number): void {
    this.#configTarget(bdf, true)?.writeConfig(offset, size, value);
  }

  #configTarget(bdf: Bdf, isWrite: boolean): LiveFunction | null {
    const road = this.#transfers.takeRoad();
    const node = routeConfig(this.topology, bdf, road);
    this.#recorder.configAccess(isWrite, road);
    this.#transfers.dropRoad();
    return node;
  }

  /** Pulls the device with this function, and all that is below it, out of the fabric. Memory behind its BARs keeps its bytes. */
  unplug(index: number): void {
    setPresent(this.function(index), false);
  }

  /** Puts it back, with the registers that it had. */
  replug(index: number): void {
    setPresent(this.function(index), true);
  }
}

/** Functions with one device number on one bus are one device; on a link every function is (ARI). */
function setPresent(one: LiveFunction, value: boolean): void {
  const { bus } = one;
  for (const node of bus.functions) {
    if (bus.kind !== 'link' && node.requesterId >> 3 !== one.requesterId >> 3) continue;
    node.present = value;
    for (const below of node.below?.functions ?? []) setPresent(below, value);
  }
}

function newRequest(requester: LiveFunction | null, isWrite: boolean, attributes?: RequestAttributes): MemoryRequest {
  const requesterId = attributes?.requesterId ?? requester?.requesterId ?? 0;
  return {
    requester,
    isWrite,
    address: 0,
    payload: 0,
    addressType: attributes?.addressType ?? 'untranslated',
    relaxedOrdering: attributes?.relaxedOrdering ?? false,
    requesterId,
    requesterKey: requester === null ? 0 : bdfKey(bdfFromRoutingId(requester.domain, requesterId)),
  };
}
