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
  /** By port index * 2 + direction. Bytes are those on the wire: payload, headers, framing. */
  readonly #tlps: Float64Array;
  readonly #bytes: Float64Array;

  constructor(functionCount: number) {
    this.#tlps = new Float64Array(functionCount * 2);
    this.#bytes = new Float64Array(functionCount * 2);
  }

  /** Adds `count` TLPs with `payload` bytes in all to every link of the road. */
  add(road: Road, count: number, payload: number): void {
    for (let at = 0; at < road.linkCount; at++) {
      const link = road.links[at] as number;
      this.#tlps[link] = (this.#tlps[link] as number) + count;
      this.#bytes[link] = (this.#bytes[link] as number) + count * (road.linkOverhead[at] as number) + payload;
    }
  }

  /** Traffic on the link below a port. */
  of(port: number): LinkTraffic {
    return {
      port,
      upTlps: this.#tlps[port * 2] ?? 0,
      upBytes: this.#bytes[port * 2] ?? 0,
      downTlps: this.#tlps[port * 2 + 1] ?? 0,
      downBytes: this.#bytes[port * 2 + 1] ?? 0,
    };
  }

  /** Links that carried anything. */
  busy(): LinkTraffic[] {
    const ports: LinkTraffic[] = [];
    for (let port = 0; port * 2 < this.#tlps.length; port++) {
      const traffic = this.of(port);
      if (traffic.upTlps > 0 || traffic.downTlps > 0) ports.push(traffic);
    }
    return ports;
  }
}
