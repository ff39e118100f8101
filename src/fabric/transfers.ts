/**
 * Reads and writes of any length, cut into TLPs and carried over the roads that routing finds.
 *
 * TLP by TLP while somebody watches, or where something is out of the ordinary. Otherwise each stretch of addresses that goes
 * one way is routed once and copied at once; bytes, statuses, counters, errors and time are the same, which tests hold.
 */

import type { Clock } from '../core/clock.ts';
import type { BarTarget, LiveFunction } from './live-function.ts';
import type { MemoryRequest, Wiring } from './memory-request.ts';
import { type Completion, type CompletionStatus, NOWHERE } from './outcome.ts';
import { type HeaderForm, malformation, stopAtFirstReceiver } from './raw-tlp.ts';
import type { Recorder } from './recorder.ts';
import { Road } from './road.ts';
import { corrupted } from './root-complex.ts';
import { type CompletionTrip, routeCompletion } from './route-completion.ts';
import { routeRequest } from './route-request.ts';
import { blockCount, blockLength, OVERHEAD_COMPLETION, payloadOnWire, wholeBlocks } from './tlp.ts';
import { TransferTime } from './transfer-time.ts';

/** Payload of a write by the CPU, and length of its read: a cache line. Also the smaller Read Completion Boundary. */
export const CACHE_LINE = 64;

/** No TLP is longer. */
const LARGEST_BLOCK = 4096;

export class Transfers {
  /** Carry each TLP on its own even while nobody watches. */
  tlpByTlp = false;
  readonly #wiring: Wiring;
  readonly #recorder: Recorder;
  readonly #clock: Clock;
  /** Roads of the calls under way: a device model may send while it is being written to. */
  readonly #roads: Road[] = [];
  #depth = 0;

  constructor(wiring: Wiring, recorder: Recorder, clock: Clock) {
    this.#wiring = wiring;
    this.#recorder = recorder;
    this.#clock = clock;
  }

  /** Writes `bytes` to `address` in payloads of at most `block`. Goes on after a loss: nobody tells the requester. */
  write(request: MemoryRequest, address: number, bytes: Uint8Array, block: number): Completion {
    const road = this.takeRoad();
    const time = new TransferTime();
    let bad: Completion | null = null;
    for (let done = 0; done < bytes.length; ) {
      const left = bytes.length - done;
      const single = blockLength(address + done, left, block);
      request.address = address + done;
      request.payload = single;
      routeRequest(this.#wiring, request, road);
      if (road.fate === 'notSent') {
        bad ??= outcome('notSent', road, done);
        break;
      }
      const length = this.#writeStretch(request, road, bytes, done, left, single, block, time);
      if (road.fate !== 'delivered') bad ??= outcome('posted', road, done);
      done += length;
    }
    this.dropRoad();
    this.#clock.advance(time.totalNs);
    return bad ?? success('posted', bytes.length);
  }

  /** Reads into `into` in requests of at most `block`. Ends at the first that fails: the rest is filled with ones. */
  read(request: MemoryRequest, address: number, into: Uint8Array, block: number): Completion {
    const road = this.takeRoad();
    const back = this.takeRoad();
    const time = new TransferTime();
    let bad: Completion | null = null;
    for (let done = 0; done < into.length && bad === null; ) {
      const left = into.length - done;
      request.address = address + done;
      routeRequest(this.#wiring, request, road);
      if (road.fate === 'notSent') bad = outcome('notSent', road, done);
      else {
        const single = blockLength(request.address, left, block);
        const length = this.#readStretch(request, road, back, into, done, left, single, block, time);
        if (length === 0) bad = this.#readFailure(request, road, back, done, time);
        done += length;
      }
    }
    if (bad !== null) into.fill(0xff, bad.bytesDelivered);
    this.dropRoad();
    this.dropRoad();
    this.#clock.advance(time.totalNs);
    return bad ?? success('SC', into.length);
  }

  /** One write exactly as given. */
  sendWrite(request: MemoryRequest, address: number, bytes: Uint8Array, form: HeaderForm): Completion {
    const road = this.takeRoad();
    const time = new TransferTime();
    const size = bytes.length;
    request.address = address;
    request.payload = size;
    const sent = this.#routeAsGiven(request, road, size, form);
    if (sent) this.#writeStretch(request, road, bytes, 0, size, size, LARGEST_BLOCK, time);
    this.dropRoad();
    this.#clock.advance(time.totalNs);
    return outcome(sent ? 'posted' : 'notSent', road, road.fate === 'delivered' ? size : 0);
  }

  /** One read request exactly as given. */
  sendRead(request: MemoryRequest, address: number, into: Uint8Array, form: HeaderForm): Completion {
    const road = this.takeRoad();
    const back = this.takeRoad();
    const time = new TransferTime();
    const size = into.length;
    request.address = address;
    let result: Completion;
    if (!this.#routeAsGiven(request, road, size, form)) result = outcome('notSent', road, 0);
    else if (this.#readStretch(request, road, back, into, 0, size, size, LARGEST_BLOCK, time) > 0) {
      result = success('SC', size);
    } else result = this.#readFailure(request, road, back, 0, time);
    if (result.status !== 'SC') into.fill(0xff);
    this.dropRoad();
    this.dropRoad();
    this.#clock.advance(time.totalNs);
    return result;
  }

  /** Returns whether the request left its requester. */
  #routeAsGiven(request: MemoryRequest, road: Road, length: number, form: HeaderForm): boolean {
    routeRequest(this.#wiring, request, road);
    if (road.fate === 'notSent') return false;
    const wrong = malformation(request.address, length, form);
    if (wrong !== null) stopAtFirstReceiver(request, road, wrong);
    return true;
  }

  /** Carries what the road just found holds for. Returns the bytes of it. */
  #writeStretch(
    request: MemoryRequest,
    road: Road,
    bytes: Uint8Array,
    done: number,
    left: number,
    single: number,
    block: number,
    time: TransferTime,
  ): number {
    const recorder = this.#recorder;
    const { address } = request;
    checkEnd(road, single);
    const target = this.#targetOf(road);
    let length = single;
    if (this.#isPlain(road) && block <= road.maxPayload) {
      length = wholeBlocks(address, left, Math.min(road.extent, target.bulkLength(road.offset)), block, single);
    }
    const count = road.fate === 'malformed' ? 1 : blockCount(address, length, block);
    const payload = payloadOnWire(address, length);
    recorder.counters.memoryWrites += count;
    const tlp = recorder.nextTlp();
    const startNs = time.startOf(road);
    const shown = recorder.show('memoryWrite', tlp, length, road, 0, startNs, 0);
    if (road.fate === 'delivered') {
      const taken = road.corrupted
        ? target.write(road.offset, corrupted(bytes.subarray(done, done + length), road.offset))
        : target.write(road.offset, bytes, done, done + length);
      if (taken) recorder.counters.bytesWritten += length;
      else {
        road.stop(road.at, 'completerAbort', 'deviceRefuses');
        recorder.show('memoryWrite', tlp, length, road, 0, startNs, shown);
      }
    }
    recorder.requests(road, count, payload);
    time.add(road, count * road.overhead + payload, null, 0);
    if (road.fate !== 'delivered') recorder.ended(request, road, time.totalNs);
    return length;
  }

  /** Carries requests and completions of what both roads hold for. Returns the bytes of it, 0 where they did not come. */
  #readStretch(
    request: MemoryRequest,
    road: Road,
    back: Road,
    into: Uint8Array,
    done: number,
    left: number,
    single: number,
    block: number,
    time: TransferTime,
  ): number {
    const recorder = this.#recorder;
    const { address } = request;
    checkEnd(road, single);
    const target = this.#targetOf(road);
    const chunk = Math.min(block, this.#completionPayload(request, road));
    const startNs = time.startOf(road);
    if (road.fate === 'delivered') this.#routeBack(request, road, back, Math.min(chunk, single));
    let length = single;
    if (this.#isPlain(road) && this.#isPlain(back) && chunk <= back.maxPayload) {
      length = wholeBlocks(address, left, Math.min(road.extent, target.bulkLength(road.offset)), block, single);
    }
    const requests = road.fate === 'malformed' ? 1 : blockCount(address, length, block);
    recorder.counters.memoryReads += requests;
    const tlp = recorder.nextTlp();
    const shown = recorder.show('memoryRead', tlp, length, road, 0, startNs, 0);
    if (road.fate === 'delivered') {
      const slice = length === into.length ? into : into.subarray(done, done + length);
      if (!target.read(road.offset, slice)) {
        road.stop(road.at, 'completerAbort', 'deviceRefuses');
        recorder.show('memoryRead', tlp, length, road, 0, startNs, shown);
      } else if (road.corrupted || back.corrupted) slice.set(corrupted(slice, road.offset));
    }
    recorder.requests(road, requests, 0);
    if (road.fate === 'delivered') {
      const completions = blockCount(address, length, chunk);
      const payload = payloadOnWire(address, length);
      recorder.completions(request, back, completions, payload);
      recorder.showCompletions(tlp, address, length, chunk, back, startNs + road.latencyNs);
      time.add(road, requests * road.overhead, back, completions * OVERHEAD_COMPLETION + payload);
      if (back.fate !== 'delivered') return 0;
      recorder.counters.bytesRead += length;
      return length;
    }
    if (isAnswered(road)) {
      // Whoever ends a request answers it without data.
      this.#routeBack(request, road, back, 0);
      recorder.completions(request, back, 1, 0);
      recorder.show('completion', tlp, 0, back, address, startNs + road.latencyNs, 0);
      time.add(road, requests * road.overhead, back, OVERHEAD_COMPLETION);
    } else time.add(road, requests * road.overhead, null, 0);
    return 0;
  }

  /** Logs why a read failed, and says what its requester sees. */
  #readFailure(request: MemoryRequest, road: Road, back: Road, done: number, time: TransferTime): Completion {
    if (road.fate !== 'delivered') this.#recorder.ended(request, road, time.totalNs);
    const lost = isAnswered(road) && back.fate !== 'delivered';
    if (lost) this.#recorder.ended(request, back, time.totalNs);
    if (isAnswered(road) && !lost) {
      const aborted = road.fate === 'acsViolation' || road.fate === 'completerAbort';
      return outcome(aborted ? 'CA' : 'UR', road, done);
    }
    time.wait(this.#wiring.rules.completionTimeoutNs);
    this.#recorder.timedOut(request, time.totalNs);
    return outcome('timeout', road.fate !== 'delivered' ? road : back, done);
  }

  #routeBack(request: MemoryRequest, road: Road, back: Road, payload: number): void {
    const trip: CompletionTrip = {
      request,
      from: road.at,
      payload,
      expectedByRootComplex: road.reachedRootComplex,
      stayedInside: road.stayedInside,
    };
    routeCompletion(this.#wiring, trip, back);
  }

  /** Bytes of the largest completion that the completer sends. */
  #completionPayload(request: MemoryRequest, road: Road): number {
    if (road.completer !== null) return road.completer.maxPayload;
    if (this.#wiring.rules.rootComplexCutsAtRcb) return CACHE_LINE;
    // The root complex knows what the requester's root port takes.
    let top: LiveFunction | null = request.requester;
    while (top !== null && top.bus.bridge !== null) top = top.bus.bridge;
    return top?.maxPayload ?? CACHE_LINE;
  }

  /** Whether a road may carry more than one TLP at once. */
  #isPlain(road: Road): boolean {
    return road.fate === 'delivered' && !road.corrupted && !this.tlpByTlp && !this.#recorder.watched;
  }

  #targetOf(road: Road): BarTarget {
    return road.bar === null ? this.#wiring.rootComplex.ram : road.bar.target;
  }

  /** A road for one call; give it back with `dropRoad`. */
  takeRoad(): Road {
    const road = this.#roads[this.#depth] ?? new Road(this.#wiring.topology.depth);
    this.#roads[this.#depth++] = road;
    return road;
  }

  dropRoad(): void {
    this.#depth--;
  }
}

/** A request that vanished, or that no receiver could read, is never answered. */
function isAnswered(road: Road): boolean {
  return road.fate !== 'dropped' && road.fate !== 'malformed';
}

/** A TLP that begins in its target and ends behind it. */
function checkEnd(road: Road, single: number): void {
  if (road.fate !== 'delivered' || single <= road.extent) return;
  road.stop(road.at, road.bar === null ? 'unsupportedRequest' : 'completerAbort', 'endOfTarget');
}

function outcome(status: CompletionStatus, road: Road, bytesDelivered: number): Completion {
  const at = road.fate === 'delivered' ? NOWHERE : road.at;
  return { status, fate: road.fate, reason: road.reason, at, bytesDelivered };
}

function success(status: CompletionStatus, bytesDelivered: number): Completion {
  return { status, fate: 'delivered', reason: 'none', at: NOWHERE, bytesDelivered };
}
