/** What went over each link, by direction. */

import type { Road } from './road.ts';

export interface LinkTraffic {
  /** Index of the port above the link. */
  readonly port: number;
  readonly upTlps: number;
  readonly upBytes: number;
  readonly downTlps: number;
  readonly downBytes: number;
}

export class LinkCounters {
  /** By port index * 2 + direction: TLPs, and bytes on the wire (payload, headers, framing). */
  readonly #counts: Float64Array;

  constructor(functionCount: number) {
    this.#counts = new Float64Array(functionCount * 4);
  }

  /** Adds `count` TLPs with `payload` bytes in all to every link of the road. */
  add(road: Road, count: number, payload: number): void {
    const counts = this.#counts;
    for (let at = 0; at < road.linkCount; at++) {
      const link = (road.links[at] as number) * 2;
      counts[link] = (counts[link] as number) + count;
      counts[link + 1] = (counts[link + 1] as number) + count * (road.linkOverhead[at] as number) + payload;
    }
  }

  /** Traffic on the link below a port. */
  of(port: number): LinkTraffic {
    return {
      port,
      upTlps: this.#counts[port * 4] ?? 0,
      upBytes: this.#counts[port * 4 + 1] ?? 0,
      downTlps: this.#counts[port * 4 + 2] ?? 0,
      downBytes: this.#counts[port * 4 + 3] ?? 0,
    };
  }

  /** Links that carried anything. */
  busy(): LinkTraffic[] {
    const ports: LinkTraffic[] = [];
    for (let port = 0; port * 4 < this.#counts.length; port++) {
      const traffic = this.of(port);
      if (traffic.upTlps > 0 || traffic.downTlps > 0) ports.push(traffic);
    }
    return ports;
  }
}
