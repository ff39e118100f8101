/**
 * The fabric of one machine at transaction level: memory requests and their completions, hop by hop, by the registers as they
 * stand. It knows what PCIe does and nothing of what any kernel would predict.
 *
 * A transfer goes TLP by TLP while somebody watches. Otherwise each stretch of addresses that goes the same way is routed once
 * and copied at once; bytes, statuses and counters are the same.
 */

import { assert, present } from '../core/assert.ts';
import type { Range } from '../core/range.ts';
import { type BdfKey, bdfFromRoutingId, bdfKey } from '../pcie/bdf.ts';
import type { Hierarchy } from '../pcie/hierarchy.ts';
import type { AddressType } from './acs-decision.ts';
import { ErrorLog } from './error-log.ts';
import type { IommuPort } from './iommu-port.ts';
import type { BarTarget, LiveFunction } from './live-function.ts';
import { type Completion, type CompletionStatus, type Fate, NOWHERE } from './outcome.ts';
import { Road, STEP_NAMES, type StepName } from './road.ts';
import { RootComplex, type RootComplexBehaviour } from './root-complex.ts';
import { type CompletionTrip, routeCompletion } from './route-completion.ts';
import { type MemoryRequest, routeRequest, type Wiring } from './route-request.ts';
import { DEFAULT_RULES, type FabricRules } from './rules.ts';
import { SparseMemory } from './sparse-memory.ts';
import { Topology } from './topology.ts';

export interface FabricOptions {
  readonly hierarchy: Hierarchy;
  /** CPU addresses of RAM. */
  readonly ram: readonly Range[];
  /** Default `forward`. */
  readonly rootComplex?: RootComplexBehaviour;
  /** null, the default: no IOMMU. */
  readonly iommu?: IommuPort | null;
  readonly rules?: Partial<FabricRules>;
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

/** One place on the way of one TLP. */
export interface Hop {
  /** Number of the TLP, from 1 on. A completion has the number of its request. */
  readonly tlp: number;
  readonly kind: 'memoryWrite' | 'memoryRead' | 'completion';
  /** Index of the function, or ROOT_COMPLEX. */
  readonly at: number;
  readonly action: StepName;
  readonly address: number;
  /** Payload bytes; of a read request the bytes asked for. */
  readonly length: number;
  /** Where the way ends badly, what happened. */
  readonly fate: Fate;
}

export class Counters {
  memoryWrites = 0;
  memoryReads = 0;
  completions = 0;
  bytesWritten = 0;
  bytesRead = 0;
  /** Requests that came to the root complex from a device. */
  requestsAtRootComplex = 0;
  completionsAtRootComplex = 0;
  translations = 0;
  /** Translations that the page table no longer backed. */
  staleTranslations = 0;
  errors = 0;
}

/** Payload of a write by the CPU, and length of its read: a cache line. */
const CPU_BLOCK = 64;

export class Fabric {
  readonly topology: Topology;
  readonly rootComplex: RootComplex;
  readonly rules: FabricRules;
  readonly counters: Counters = new Counters();
  readonly errors: ErrorLog = new ErrorLog();
  readonly #wiring: Wiring;
  readonly #roads: Road[] = [];
  #depth = 0;
  #watchers: ((hop: Hop) => void)[] = [];
  #tlp = 0;

  constructor(options: FabricOptions) {
    this.topology = new Topology(options.hierarchy);
    this.rootComplex = new RootComplex(
      this.topology,
      options.ram,
      options.rootComplex ?? 'forward',
      options.iommu ?? null,
    );
    this.rules = { ...DEFAULT_RULES, ...options.rules };
    this.#wiring = { topology: this.topology, rootComplex: this.rootComplex, rules: this.rules };
  }

  /** System memory by CPU address. */
  get ram(): SparseMemory {
    return this.rootComplex.ram;
  }

  /** The memory behind a BAR. Asserts that there is one. */
  barMemory(index: number, bar: number): SparseMemory {
    const { target } = present(this.function(index).bar(bar), `BAR ${bar} of function ${index}`);
    assert(target instanceof SparseMemory, `BAR ${bar} of function ${index} is no plain memory`);
    return target;
  }

  /** Puts a device model behind a BAR in place of plain memory. */
  attachBar(index: number, bar: number, target: BarTarget): void {
    present(this.function(index).bar(bar), `BAR ${bar} of function ${index}`).target = target;
  }

  /** The function with an index of the hierarchy. */
  function(index: number): LiveFunction {
    return present(this.topology.functions[index], `function ${index}`);
  }

  /** Calls `watcher` for every hop from now on. Returns the way to stop it. */
  watch(watcher: (hop: Hop) => void): () => void {
    this.#watchers.push(watcher);
    return () => {
      this.#watchers = this.#watchers.filter((other) => other !== watcher);
    };
  }

  /** A function writes `bytes` to an address, as it was programmed to: posted. */
  memoryWrite(requester: number, address: number, bytes: Uint8Array, attributes?: RequestAttributes): Completion {
    const node = this.function(requester);
    return this.#write(newRequest(node, true, attributes), address, bytes, node.maxPayload);
  }

  /**
   * A function reads into `into`. Ends at the first request that fails: the bytes from there on are all ones.
   */
  memoryRead(requester: number, address: number, into: Uint8Array, attributes?: RequestAttributes): Completion {
    const node = this.function(requester);
    return this.#read(newRequest(node, false, attributes), address, into, node.maxReadRequest);
  }

  /** The CPU writes to an address of its own: RAM, or a device. */
  cpuWrite(address: number, bytes: Uint8Array): Completion {
    return this.#write(newRequest(null, true, undefined), address, bytes, CPU_BLOCK);
  }

  /** The CPU reads. */
  cpuRead(address: number, into: Uint8Array): Completion {
    return this.#read(newRequest(null, false, undefined), address, into, CPU_BLOCK);
  }

  #write(request: MemoryRequest, address: number, bytes: Uint8Array, block: number): Completion {
    const road = this.#takeRoad();
    const { counters } = this;
    let result: Completion | null = null;
    for (let done = 0; done < bytes.length; ) {
      const at = address + done;
      const left = bytes.length - done;
      const single = Math.min(block - (at & (block - 1)), left);
      request.address = at;
      request.payload = single;
      routeRequest(this.#wiring, request, road);
      let length = single;
      if (road.fate === 'delivered' && single > road.extent) {
        const fate = road.bar === null ? 'unsupportedRequest' : 'completerAbort';
        road.stop(road.at, fate, 'endOfTarget');
      }
      const target = road.bar === null ? this.ram : road.bar.target;
      if (this.#watchers.length === 0 && road.fate === 'delivered' && !road.corrupted && block <= road.maxPayload) {
        length = stretch(at, left, Math.min(road.extent, target.bulkLength(road.offset)), block, single);
      }
      const count = blocksOf(at, length, block);
      if (road.fate !== 'notSent') {
        counters.memoryWrites += count;
        this.#account(road, count);
        if (this.#watchers.length > 0) this.#show('memoryWrite', ++this.#tlp, at, length, road);
      }
      if (road.fate === 'delivered') {
        const { offset } = road;
        const taken = road.corrupted
          ? target.write(offset, corrupted(bytes.subarray(done, done + length), offset))
          : target.write(offset, bytes, done, done + length);
        if (taken) counters.bytesWritten += length;
        else road.stop(road.at, 'completerAbort', 'deviceRefuses');
      }
      if (road.fate !== 'delivered') {
        this.#log(request, road);
        const status: CompletionStatus = road.fate === 'notSent' ? 'notSent' : 'posted';
        result ??= { status, fate: road.fate, reason: road.reason, at: road.at, bytesDelivered: done };
        if (status === 'notSent') break;
      }
      done += length;
    }
    this.#depth--;
    return result ?? { status: 'posted', fate: 'delivered', reason: 'none', at: NOWHERE, bytesDelivered: bytes.length };
  }

  #read(request: MemoryRequest, address: number, into: Uint8Array, block: number): Completion {
    const road = this.#takeRoad();
    const back = this.#takeRoad();
    const { counters } = this;
    let result: Completion | null = null;
    for (let done = 0; done < into.length && result === null; ) {
      const at = address + done;
      const left = into.length - done;
      const single = Math.min(block - (at & (block - 1)), left);
      request.address = at;
      request.payload = 0;
      routeRequest(this.#wiring, request, road);
      if (road.fate === 'delivered' && single > road.extent) {
        road.stop(road.at, road.bar === null ? 'unsupportedRequest' : 'completerAbort', 'endOfTarget');
      }
      if (road.fate === 'notSent') {
        result = { status: 'notSent', fate: 'notSent', reason: road.reason, at: road.at, bytesDelivered: done };
        break;
      }
      const target = road.bar === null ? this.ram : road.bar.target;
      const chunk = Math.min(block, road.completer?.maxPayload ?? this.#rootComplexPayload(request.requester));
      const delivered = road.fate === 'delivered';
      // A request that vanished, or that no receiver could read, is never answered.
      const answered = road.fate !== 'dropped' && road.fate !== 'malformed';
      if (answered) {
        const trip: CompletionTrip = {
          request,
          from: road.at,
          payload: delivered ? Math.min(single, chunk) : 0,
          expectedByRootComplex: road.reachedRootComplex,
          stayedInside: road.linkCount === 0,
        };
        routeCompletion(this.#wiring, trip, back);
      }
      let length = single;
      const plain = delivered && back.fate === 'delivered' && !road.corrupted && !back.corrupted;
      if (this.#watchers.length === 0 && plain) {
        length = stretch(at, left, Math.min(road.extent, target.bulkLength(road.offset)), block, single);
      }
      counters.memoryReads += blocksOf(at, length, block);
      this.#account(road, blocksOf(at, length, block));
      if (this.#watchers.length > 0) this.#show('memoryRead', ++this.#tlp, at, length, road);
      if (delivered) {
        const slice = length === into.length ? into : into.subarray(done, done + length);
        if (!target.read(road.offset, slice)) road.stop(road.at, 'completerAbort', 'deviceRefuses');
        else if (road.corrupted || back.corrupted) slice.set(corrupted(slice, road.offset));
      }
      if (answered) {
        const count = road.fate === 'delivered' ? blocksOf(at, length, chunk) : 1;
        counters.completions += count;
        if (back.reachedRootComplex) counters.completionsAtRootComplex += count;
        if (this.#watchers.length > 0) this.#show('completion', this.#tlp, at, length, back);
      }
      if (road.fate !== 'delivered' || back.fate !== 'delivered') {
        if (road.fate !== 'delivered') this.#log(request, road);
        if (answered && back.fate !== 'delivered') this.#log(request, back);
        const status = !answered || back.fate !== 'delivered' ? 'timeout' : statusOf(road.fate);
        const bad = road.fate !== 'delivered' ? road : back;
        into.fill(0xff, done);
        result = { status, fate: bad.fate, reason: bad.reason, at: bad.at, bytesDelivered: done };
      } else counters.bytesRead += length;
      done += length;
    }
    this.#depth -= 2;
    return result ?? { status: 'SC', fate: 'delivered', reason: 'none', at: NOWHERE, bytesDelivered: into.length };
  }

  /** Largest completion of the root complex: what the requester's root port takes. */
  #rootComplexPayload(requester: LiveFunction | null): number {
    let top = requester;
    while (top !== null && top.bus.bridge !== null) top = top.bus.bridge;
    return top?.maxPayload ?? CPU_BLOCK;
  }

  #account(road: Road, count: number): void {
    const { counters } = this;
    if (road.reachedRootComplex) counters.requestsAtRootComplex += count;
    if (road.translated) counters.translations += count;
    if (road.stale) counters.staleTranslations += count;
  }

  #log(request: MemoryRequest, road: Road): void {
    this.counters.errors++;
    this.errors.add({
      at: road.at,
      fate: road.fate,
      reason: road.reason,
      isWrite: request.isWrite,
      requesterId: request.requesterId,
      address: road.address,
    });
  }

  #show(kind: Hop['kind'], tlp: number, address: number, length: number, road: Road): void {
    for (let index = 0; index < road.stepCount; index++) {
      const action = STEP_NAMES[road.stepAction[index] as number] as StepName;
      const fate = action === 'stop' ? road.fate : 'delivered';
      const hop: Hop = { tlp, kind, at: road.stepAt[index] as number, action, address, length, fate };
      for (const watcher of this.#watchers) watcher(hop);
    }
  }

  /** A road of this call's own: a device model may send while it is being written to. */
  #takeRoad(): Road {
    const road = this.#roads[this.#depth] ?? new Road();
    this.#roads[this.#depth++] = road;
    return road;
  }
}

function newRequest(
  requester: LiveFunction | null,
  isWrite: boolean,
  attributes: RequestAttributes | undefined,
): MemoryRequest {
  const requesterId = attributes?.requesterId ?? requester?.requesterId ?? 0;
  const domain = requester?.fn.bdf.domain ?? 0;
  const requesterKey: BdfKey = requester === null ? 0 : bdfKey(bdfFromRoutingId(domain, requesterId));
  return {
    requester,
    isWrite,
    address: 0,
    payload: 0,
    addressType: attributes?.addressType ?? 'untranslated',
    relaxedOrdering: attributes?.relaxedOrdering ?? false,
    requesterId,
    requesterKey,
  };
}

/** Naturally aligned blocks that [address, address + length) touches: the number of its TLPs. */
function blocksOf(address: number, length: number, block: number): number {
  return (
    ((address & (block - 1)) + length + block - 1 - (((address & (block - 1)) + length - 1) & (block - 1))) / block
  );
}

/** Bytes of one copy: as far as the way holds, in whole TLPs; at least one TLP. */
function stretch(address: number, left: number, extent: number, block: number, single: number): number {
  if (extent >= left) return left;
  const length = extent - ((address + extent) & (block - 1));
  return Math.max(length, single);
}

function statusOf(fate: Fate): CompletionStatus {
  return fate === 'acsViolation' || fate === 'completerAbort' ? 'CA' : 'UR';
}

/** What a broken root complex makes of the bytes: one bit of every 64 flips, by place and not by chance. */
function corrupted(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = bytes.slice();
  for (let at = (64 - (offset & 63)) & 63; at < copy.length; at += 64) copy[at] = (copy[at] as number) ^ 1;
  return copy;
}
