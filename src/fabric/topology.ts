/**
 * The wiring: which functions stand on which bus. Wires do not change with registers; what goes over them does.
 *
 *   root bus ── root port ──(link)── switch upstream port ──(internal bus)── downstream port ──(link)── endpoint
 */

import type { Range } from '../core/range.ts';
import type { Hierarchy } from '../pcie/hierarchy.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { Bus, type BusKind } from './bus.ts';
import type { Claim } from './decode-table.ts';
import { linkBytesPerNs } from './link-rate.ts';
import { type FunctionKind, LiveFunction } from './live-function.ts';

export interface RootBusWires {
  readonly bus: Bus;
  /** Bus address minus CPU address, bytes, signed. */
  readonly busOffset: number;
  readonly domain: number;
  /** Bus number. */
  readonly number: number;
}

/** Something that a fabric needs and the machine's evidence does not tell, and what is assumed in its place. */
export interface Assumption {
  /** `0000:03:00.0`. */
  readonly at: string;
  readonly message: string;
}

export class Topology {
  /** By index of the hierarchy. */
  readonly functions: readonly LiveFunction[];
  /** By id of the hierarchy's root buses. */
  readonly rootBuses: readonly RootBusWires[];
  readonly assumptions: readonly Assumption[];
  /** Most bridges above a function. */
  readonly depth: number;
  /** Claims on some root bus have changed: the root complex works them out again. */
  rootClaimsStale = true;

  constructor(hierarchy: Hierarchy) {
    const physical = physicalFunctions(hierarchy);
    const functions: LiveFunction[] = [];
    hierarchy.functions.forEach((fn, index) => {
      const owner = physical[index] ?? -1;
      // A Virtual Function has a higher routing ID than its Physical Function, so that one is there already.
      const live = owner >= 0 ? (functions[owner] ?? null) : null;
      functions.push(new LiveFunction(index, fn, kindOf(hierarchy, fn, index), live));
    });
    this.functions = functions;
    this.depth = hierarchy.depth.reduce((most, depth) => Math.max(most, depth), 0);

    const members = hierarchy.rootBuses.map((): LiveFunction[] => []);
    this.rootBuses = hierarchy.rootBuses.map((root) => ({
      bus: new Bus('root', null, root.id, members[root.id] as LiveFunction[], () => {
        this.rootClaimsStale = true;
      }),
      busOffset: busOffsetOf(hierarchy, root.id),
      domain: root.domain,
      number: root.bus,
    }));
    const below = new Map<number, LiveFunction[]>();
    for (const node of functions) {
      if (!node.isBridge) continue;
      const children: LiveFunction[] = [];
      below.set(node.index, children);
      node.below = new Bus(busBelow(node.kind), node, hierarchy.rootBusOf[node.index] as number, children, null);
    }
    for (const node of functions) {
      const parent = hierarchy.parent[node.index] as number;
      const root = hierarchy.rootBusOf[node.index] as number;
      node.bus =
        parent < 0 ? (this.rootBuses[root] as RootBusWires).bus : ((functions[parent] as LiveFunction).below as Bus);
      (parent < 0 ? (members[root] as LiveFunction[]) : (below.get(parent) as LiveFunction[])).push(node);
    }
    for (const node of functions) {
      // A port whose own registers do not tell has the link of the device below it.
      if (node.below?.kind !== 'link' || node.fn.link !== null) continue;
      node.linkBytesPerNs = linkBytesPerNs(node.below.functions[0]?.fn.link ?? null);
    }
    this.assumptions = functions.flatMap((node) => assumptionsOf(node));
  }

  /** Claims that overlap as the registers stand. */
  get conflicts(): readonly ClaimConflict[] {
    const below = this.functions.flatMap((node) => node.below ?? []);
    return [...this.rootBuses.map(({ bus }) => bus), ...below].flatMap((bus) => conflictsOn(bus, this.functions));
  }
}

/** Two claims on one bus that share addresses, which the specification forbids. The first keeps them. */
export interface ClaimConflict {
  /** What claims: `0000:03:00.0/bar2`, or `0000:02:00.0` for a window of a bridge. */
  readonly kept: string;
  readonly lost: string;
  /** Bus addresses that both claim. */
  readonly range: Range;
}

function conflictsOn(bus: Bus, functions: readonly LiveFunction[]): ClaimConflict[] {
  const nameOf = ({ node, bar }: Claim): string => {
    const { name } = functions[node] as LiveFunction;
    return bar < 0 ? name : `${name}/bar${bar}`;
  };
  return bus.table.conflicts.map(([kept, lost]) => ({
    kept: nameOf(kept),
    lost: nameOf(lost),
    range: { start: Math.max(kept.start, lost.start), end: Math.min(kept.end, lost.end) },
  }));
}

function assumptionsOf(node: LiveFunction): Assumption[] {
  const { fn } = node;
  const found: Assumption[] = [];
  const at = fn.name;
  if (fn.poweredDown) return [{ at, message: 'it answers with all ones: taken as absent' }];
  if (fn.acs.state === 'unknown') found.push({ at, message: 'its ACS registers are not known: taken as all off' });
  if (fn.command === null) found.push({ at, message: 'its Command register is not known: taken as all off' });
  for (const bar of fn.bars) {
    if (bar.space === 'memory' && bar.size === null) {
      found.push({ at: `${at}/bar${bar.index}`, message: 'the size of this BAR is not known: it does not decode' });
    }
  }
  if (node.isBridge && fn.memoryWindow === undefined) {
    found.push({ at, message: 'its memory windows are not known: taken as closed' });
  }
  return found;
}

/** What most functions below a root bus say: one whose BAR was captured half-way says something else. */
function busOffsetOf(hierarchy: Hierarchy, rootBus: number): number {
  const votes = new Map<number, number>();
  hierarchy.functions.forEach(({ busOffset }, index) => {
    if (hierarchy.rootBusOf[index] === rootBus) votes.set(busOffset, (votes.get(busOffset) ?? 0) + 1);
  });
  let winner = 0;
  let most = 0;
  for (const [busOffset, count] of votes) {
    if (count <= most) continue;
    winner = busOffset;
    most = count;
  }
  return winner;
}

/** For each Virtual Function the index of its Physical Function, -1 for all others. */
function physicalFunctions(hierarchy: Hierarchy): Int32Array {
  const owners = new Int32Array(hierarchy.functions.length).fill(-1);
  hierarchy.functions.forEach((fn, index) => {
    const told = fn.facts.sysfs?.physicalFunction;
    if (told === undefined) return;
    const owner = hierarchy.indexOf(told);
    if (owner < index) owners[index] = owner;
  });
  return owners;
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
      // Nobody tells: a bridge at the root is taken for a root port, below one for a switch.
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
