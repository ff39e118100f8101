/** One bus: who stands on it, who claims which address there, who leads to which bus number. */

import { type Claim, DecodeTable } from './decode-table.ts';
import type { LiveFunction } from './live-function.ts';

/** `link`: the two ends of a PCIe link; `internal`: inside a switch; `conventional`: many devices share the wires. */
export type BusKind = 'root' | 'link' | 'internal' | 'conventional';

export class Bus {
  readonly kind: BusKind;
  /** The bridge above; null for a root bus. */
  readonly bridge: LiveFunction | null;
  /** Position in `Topology.rootBuses`. */
  readonly root: number;
  readonly functions: readonly LiveFunction[];
  readonly #onStale: (() => void) | null;
  readonly #ids = new Map<number, LiveFunction>();
  #stale = true;
  #table: DecodeTable = DecodeTable.EMPTY;
  #receiver: LiveFunction | null = null;
  #bridges: readonly (LiveFunction | undefined)[] = [];

  /**
   * @param functions - those on it, filled before the first use
   * @param onStale - called when what they claim may have changed
   */
  constructor(
    kind: BusKind,
    bridge: LiveFunction | null,
    root: number,
    functions: readonly LiveFunction[],
    onStale: (() => void) | null,
  ) {
    this.kind = kind;
    this.bridge = bridge;
    this.root = root;
    this.functions = functions;
    this.#onStale = onStale;
  }

  /** A register of a function on this bus has changed: claims and bus numbers are worked out again before the next use. */
  markStale(): void {
    this.#stale = true;
    this.#onStale?.();
  }

  /** Who claims which address on this bus. */
  get table(): DecodeTable {
    if (this.#stale) this.#refresh();
    return this.#table;
  }

  /** Whether somebody here would claim an address if Memory Space were enabled: why a request found nobody. */
  hasDisabledClaim(address: number): boolean {
    return this.functions.some((node) => {
      if (!node.present || node.decodesMemory) return false;
      if (address >= node.memoryStart && address < node.memoryEnd) return true;
      if (address >= node.prefetchableStart && address < node.prefetchableEnd) return true;
      return node.bars.some(({ start, size }) => start !== null && address >= start && address < start + size);
    });
  }

  /** The function that answers for the device at the end of a link, where no other claims; null where nothing is plugged in. */
  get receiver(): LiveFunction | null {
    if (this.#stale) this.#refresh();
    return this.#receiver;
  }

  /** The bridge on this bus that leads to a bus number, or undefined. PCIe 7.5.1.3: secondary to subordinate. */
  bridgeTo(busNumber: number): LiveFunction | undefined {
    if (this.#stale) this.#refresh();
    return this.#bridges[busNumber];
  }

  /** The function on this bus with a requester ID, present or not; or undefined. */
  functionOf(requesterId: number): LiveFunction | undefined {
    if (this.#ids.size !== this.functions.length) {
      for (const node of this.functions) this.#ids.set(node.requesterId, node);
    }
    return this.#ids.get(requesterId);
  }

  #refresh(): void {
    this.#table = new DecodeTable(claimsOn(this, 0));
    this.#receiver = this.functions.find((node) => node.present) ?? null;
    const bridges: (LiveFunction | undefined)[] = [];
    for (const node of this.functions) {
      // Secondary bus 0 is a bridge that nobody has configured.
      if (!node.isBridge || node.secondary === 0 || !node.present) continue;
      for (let bus = node.secondary; bus <= node.subordinate; bus++) bridges[bus] ??= node;
    }
    this.#bridges = bridges;
    this.#stale = false;
  }
}

/** Claims of the present and enabled functions of a bus, in order of their numbers, moved by `shift` bytes. */
export function claimsOn(bus: Bus, shift: number): Claim[] {
  const claims: Claim[] = [];
  for (const node of bus.functions) {
    if (!node.present || !node.decodesMemory) continue;
    for (const { start, size, index } of node.bars) {
      if (start !== null)
        claims.push({ start: start + shift, end: start + size + shift, node: node.index, bar: index });
    }
    if (!node.isBridge) continue;
    const { memoryStart, memoryEnd, prefetchableStart, prefetchableEnd } = node;
    if (memoryEnd > 0) claims.push({ start: memoryStart + shift, end: memoryEnd + shift, node: node.index, bar: -1 });
    if (prefetchableEnd > 0) {
      claims.push({ start: prefetchableStart + shift, end: prefetchableEnd + shift, node: node.index, bar: -1 });
    }
  }
  return claims;
}
