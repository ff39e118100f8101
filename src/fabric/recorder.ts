/** Remembers what the fabric did: counters, traffic by link, errors, and hops for whoever watches. Decides nothing. */

import { type Iova, storedAddress } from '../core/address.ts';
import type { Clock } from '../core/clock.ts';
import { Counters } from './counters.ts';
import { aerErrorOf, ErrorLog } from './error-log.ts';
import type { HopWatcher, TlpKind } from './hop.ts';
import { LinkCounters } from './link-traffic.ts';
import type { MemoryRequest } from './memory-request.ts';
import type { Fate, FateReason } from './outcome.ts';
import { type Road, STEP_NAMES, STEP_STOP, type StepName } from './road.ts';
import type { RootComplex } from './root-complex.ts';
import { blockLength } from './tlp.ts';
import type { Topology } from './topology.ts';

/** Errors kept in the log. */
const ERRORS_KEPT = 4096;

export class Recorder {
  readonly counters: Counters = new Counters();
  readonly errors: ErrorLog = new ErrorLog(ERRORS_KEPT);
  readonly links: LinkCounters;
  watchers: readonly HopWatcher[] = [];
  readonly #topology: Topology;
  readonly #rootComplex: RootComplex;
  readonly #clock: Clock;
  #tlp = 0;

  constructor(topology: Topology, rootComplex: RootComplex, clock: Clock) {
    this.#topology = topology;
    this.#rootComplex = rootComplex;
    this.#clock = clock;
    this.links = new LinkCounters(topology.functions.length);
  }

  get watched(): boolean {
    return this.watchers.length > 0;
  }

  /** The number of the next request. */
  nextTlp(): number {
    return ++this.#tlp;
  }

  /** Counts requests that took a road, with `payload` bytes in all. */
  requests(road: Road, count: number, payload: number): void {
    const { counters } = this;
    if (road.reachedRootComplex) counters.requestsAtRootComplex += count;
    if (road.translated) counters.translations += count;
    if (road.stale) counters.staleTranslations += count;
    this.links.add(road, count, payload);
  }

  /** Counts completions for a device or the CPU, with `payload` bytes in all. */
  completions(request: MemoryRequest, back: Road, count: number, payload: number): void {
    const { counters } = this;
    counters.completions += count;
    if (back.reachedRootComplex && request.requester !== null) counters.completionsAtRootComplex += count;
    this.links.add(back, count, payload);
  }

  /** Logs how a request or completion ended. `sinceNs` counts from now. */
  ended(request: MemoryRequest, road: Road, sinceNs: number): void {
    if (road.fate === 'iommuFault') this.#reportFault(request, road);
    this.#log(request, road.at, road.fate, road.reason, road.address, sinceNs);
  }

  /** Logs that a requester waited in vain. */
  timedOut(request: MemoryRequest, sinceNs: number): void {
    if (request.requester === null) return;
    this.#log(request, request.requester.index, 'completionLost', 'timedOut', request.address, sinceNs);
  }

  #log(request: MemoryRequest, at: number, fate: Fate, reason: FateReason, address: number, sinceNs: number): void {
    const { requesterId, isWrite } = request;
    const timeNs = this.#clock.nowNs + sinceNs;
    const error = { timeNs, at, aer: aerErrorOf(fate, reason), fate, reason, isWrite, requesterId, address };
    this.errors.add(error, this.#topology.functions[at] ?? null, request);
  }

  #reportFault(request: MemoryRequest, road: Road): void {
    const { reason } = road;
    if (
      reason !== 'notMapped' &&
      reason !== 'readNotAllowed' &&
      reason !== 'writeNotAllowed' &&
      reason !== 'noContext'
    ) {
      return;
    }
    const access = request.isWrite ? 'write' : 'read';
    const address = storedAddress<Iova>(road.address);
    this.#rootComplex.iommu?.report({ requester: request.requesterKey, address, access, reason });
  }

  /**
   * Tells the watchers of a TLP, from step `first` of its road on. A completion's road has no address; it counts from `base`.
   * Returns the number of steps that they know now.
   */
  show(kind: TlpKind, tlp: number, length: number, road: Road, base: number, startNs: number, first: number): number {
    if (!this.watched) return 0;
    const beginNs = this.#clock.nowNs + startNs;
    for (let index = first; index < road.stepCount; index++) {
      const action = STEP_NAMES[road.stepAction[index] as number] as StepName;
      const stopped = road.stepAction[index] === STEP_STOP;
      const hop = {
        timeNs: beginNs + (road.stepLatencyNs[index] as number),
        tlp,
        kind,
        at: road.stepAt[index] as number,
        action,
        address: base + (road.stepAddress[index] as number),
        length,
        fate: stopped ? road.fate : ('delivered' as const),
        reason: stopped ? road.reason : ('none' as const),
      };
      for (const watcher of this.watchers) watcher(hop);
    }
    return road.stepCount;
  }

  /** Tells the watchers of the completions with data for [address, address + length), each of at most `chunk` bytes. */
  showCompletions(tlp: number, address: number, length: number, chunk: number, back: Road, startNs: number): void {
    if (!this.watched) return;
    for (let done = 0; done < length; ) {
      const bytes = blockLength(address + done, length - done, chunk);
      this.show('completion', tlp, bytes, back, address + done, startNs + done / back.rate, 0);
      done += bytes;
    }
  }

  /** Counts and shows a configuration request. */
  configAccess(isWrite: boolean, road: Road): void {
    if (isWrite) this.counters.configWrites++;
    else this.counters.configReads++;
    this.links.add(road, 1, isWrite ? 4 : 0);
    this.show(isWrite ? 'configWrite' : 'configRead', this.nextTlp(), 4, road, 0, 0, 0);
    this.#clock.advance(2 * road.latencyNs);
  }
}
