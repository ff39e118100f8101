/**
 * Virtual time of a transfer: what the slowest link of each way takes for all bytes on the wire, and what the headers take over
 * the others. A transfer that goes one way throughout takes the same whether it was routed once or TLP by TLP.
 *
 * Only line rates count. Switch and root complex delays, credits and tags are not modelled: a calibrated model comes on top.
 */

import type { Road } from './road.ts';

export class TransferTime {
  #doneNs = 0;
  #rate = Number.POSITIVE_INFINITY;
  #latencyNs = 0;
  #bytes = 0;
  #backRate = Number.POSITIVE_INFINITY;
  #backLatencyNs = 0;
  #backBytes = 0;

  /** Since the transfer began: when the next TLP of this road leaves. */
  startOf(road: Road): number {
    if (road.rate !== this.#rate || road.latencyNs !== this.#latencyNs) return this.totalNs;
    return this.#doneNs + this.#bytes / this.#rate;
  }

  /** Adds requests on `road` and, of a read, completions on `back`, with all their bytes on the wire. */
  add(road: Road, bytes: number, back: Road | null, backBytes: number): void {
    const backRate = back?.rate ?? Number.POSITIVE_INFINITY;
    const backLatencyNs = back?.latencyNs ?? 0;
    const same =
      road.rate === this.#rate &&
      road.latencyNs === this.#latencyNs &&
      backRate === this.#backRate &&
      backLatencyNs === this.#backLatencyNs;
    if (!same) {
      this.#doneNs = this.totalNs;
      this.#bytes = 0;
      this.#backBytes = 0;
      this.#rate = road.rate;
      this.#latencyNs = road.latencyNs;
      this.#backRate = backRate;
      this.#backLatencyNs = backLatencyNs;
    }
    this.#bytes += bytes;
    this.#backBytes += backBytes;
  }

  /** A requester waits in vain. */
  wait(ns: number): void {
    this.#doneNs = this.totalNs + ns;
    this.#bytes = 0;
    this.#backBytes = 0;
    this.#latencyNs = 0;
    this.#backLatencyNs = 0;
  }

  /** Requests and completions use the two directions of a link: the slower of both counts. */
  get totalNs(): number {
    const busy = Math.max(this.#bytes / this.#rate, this.#backBytes / this.#backRate);
    return this.#doneNs + this.#latencyNs + this.#backLatencyNs + busy;
  }
}
