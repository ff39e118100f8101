/**
 * The wiring: which functions stand on which bus, and who claims what there. Wires do not change with registers; claims do.
 *
 *   root bus ── root port ──(link)── switch upstream port ──(internal bus)── downstream port ──(link)── endpoint
 */

import type { Hierarchy } from '../pcie/hierarchy.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { type Claim, DecodeTable } from './decode-table.ts';
import { type FunctionKind, LiveFunction } from './live-function.ts';

/** `link`: the two ends of a PCIe link; `internal`: inside a switch; `conventional`: many devices share the wires. */
export type BusKind = 'root' | 'link' | 'internal' | 'conventional';

export class Bus {
  readonly kind: BusKind;
  /** The bridge above; null for a root bus. */
  readonly bridge: LiveFunction | null;
  /** Position in `Topology.rootBuses`. */
  readonly root: number;
  readonly functions: LiveFunction[] = [];
  /** A register that decides about claims or bus numbers has changed. */
  stale = true;
  #table: DecodeTable = DecodeTable.EMPTY;
  readonly #ids = new Map<number, LiveFunction>();
  #bridges: (LiveFunction | undefined)[] | null = null;

  constructor(kind: BusKind, bridge: LiveFunction | null, root: number) {
    this.kind = kind;
    this.bridge = bridge;
    this.root = root;
  }

  /** The function on this bus with a requester ID, or undefined. */
  functionOf(requesterId: number): LiveFunction | undefined {
    if (this.#ids.size !== this.functions.length) {
      for (const node of this.functions) this.#ids.set(node.requesterId, node);
    }
    return this.#ids.get(requesterId);
  }

  /** The bridge on this bus that leads to a bus number, or undefined. PCIe 7.5.1.3: secondary to subordinate. */
  bridgeTo(busNumber: number): LiveFunction | undefined {
    if (this.#bridges === null) {
      const bridges: (LiveFunction | undefined)[] = new Array(256).fill(undefined);
      for (const node of this.functions) {
        if (!node.isBridge || node.secondary === 0) continue;
        for (let bus = node.secondary; bus <= node.subordinate; bus++) bridges[bus] ??= node;
      }
      this.#bridges = bridges;
    }
    return this.#bridges[busNumber];
  }

  /** Some bridge on this bus has other bus numbers now. */
  forgetBusNumbers(): void {
    this.#bridges = null;
  }

  /** Who claims which address on this bus. */
  get table(): DecodeTable {
    if (this.stale) {
      this.#table = new DecodeTable(claimsOn(this, 0));
      this.stale = false;
    }
    return this.#table;
  }
}

/** Claims of the present and enabled functions of a bus, moved by `shift` bytes. */
export function claimsOn(bus: Bus, shift: number): Claim[] {
  const claims: Claim[] = [];
  for (const node of bus.functions) {
    if (!node.present) continue;
    if (!node.memorySpace) continue;
    for (const bar of node.bars) {
      if (bar.start === null) continue;
      claims.push({ start: bar.start + shift, end: bar.start + bar.size + shift, node: node.index, bar: bar.index });
    }
    if (!node.isBridge) continue;
    claims.push({ start: node.memoryStart + shift, end: node.memoryEnd + shift, node: node.index, bar: -1 });
    claims.push({
      start: node.prefetchableStart + shift,
      end: node.prefetchableEnd + shift,
      node: node.index,
      bar: -1,
    });
  }
  return claims;
}

export interface RootBusWires {
  readonly bus: Bus;
  /** Bus address minus CPU address, bytes, signed. */
  readonly busOffset: number;
  readonly domain: number;
  readonly number: number;
}

export class Topology {
  readonly functions: readonly LiveFunction[];
  readonly rootBuses: readonly RootBusWires[];

  constructor(hierarchy: Hierarchy) {
    const functions: LiveFunction[] = [];
    hierarchy.functions.forEach((fn, index) => {
      functions.push(new LiveFunction(index, fn, kindOf(hierarchy, fn, index)));
    });
    this.functions = functions;
    this.rootBuses = hierarchy.rootBuses.map((root) => ({
      bus: new Bus('root', null, root.id),
      busOffset: (hierarchy.functions[root.first] as PciFunction).busOffset,
      domain: root.domain,
      number: root.bus,
    }));
    for (const node of functions) {
      if (node.isBridge) node.below = new Bus(busBelow(node.kind), node, hierarchy.rootBusOf[node.index] as number);
    }
    for (const node of functions) {
      const parent = hierarchy.parent[node.index] as number;
      const root = this.rootBuses[hierarchy.rootBusOf[node.index] as number] as RootBusWires;
      node.bus = parent < 0 ? root.bus : ((functions[parent] as LiveFunction).below as Bus);
      node.bus.functions.push(node);
    }
  }
}

function kindOf(hierarchy: Hierarchy, fn: PciFunction, index: number): FunctionKind {
  if (!fn.isBridge) return 'endpoint';
  switch (fn.portType) {
    case 'rootPort':
    case 'upstreamPort':
    case 'downstreamPort':
      return fn.portType;
    case 'pciToPcie':
      return 'downstreamPort';
    case null: {
      // Nobody tells: a PCIe bridge at the root is a root port, below one a switch.
      const parent = hierarchy.parent[index] as number;
      if (parent < 0) return 'rootPort';
      const above = kindOf(hierarchy, hierarchy.functions[parent] as PciFunction, parent);
      return above === 'upstreamPort' ? 'downstreamPort' : above === 'pciBridge' ? 'pciBridge' : 'upstreamPort';
    }
    default:
      return 'pciBridge';
  }
}

function busBelow(kind: FunctionKind): BusKind {
  if (kind === 'upstreamPort') return 'internal';
  return kind === 'pciBridge' ? 'conventional' : 'link';
}
