/**
 * The tree of one machine: functions sorted, each with the bridge above it, and the root buses.
 *
 *   root bus 0000:00 ── 00:01.0 root port ── 01:00.0 switch upstream ─┬─ 02:00.0 downstream ── 03:00.0 endpoint
 *                                                                     └─ 02:01.0 downstream ── 04:00.0 endpoint
 *
 * Nesting comes from sysfs where there is a path, otherwise from the bridges' secondary bus numbers; where both tell, they
 * are compared. A bus that no bridge leads to is a root bus only if something proves it; otherwise its functions are
 * orphans of a partial dump, and what stands above them is not known.
 */

import { type Bdf, type BdfKey, bdfKey, busKey, formatBdf } from './bdf.ts';
import type { PciFunction } from './pci-function.ts';
import { CLASS_HOST_BRIDGE } from './registers.ts';

export interface RootBus {
  /** Position in `Hierarchy.rootBuses`. */
  readonly id: number;
  readonly domain: number;
  readonly bus: number;
  /** Index of the first function on it, in enumeration order. */
  readonly first: number;
  /** What shows that this is a root bus, or null: then its functions are orphans. */
  readonly evidence: 'sysfs' | 'path' | 'busZero' | 'hostBridge' | 'rootPort' | 'integrated' | null;
}

/** Something about the tree that does not fit together. */
export interface HierarchyProblem {
  readonly code: 'NESTING_DISAGREES' | 'BUS_NUMBERS_LOOP' | 'BUS_NUMBERS_OVERLAP' | 'ORPHAN_BUS' | 'DUPLICATE_FUNCTION';
  readonly at: readonly string[];
  readonly message: string;
}

export class Hierarchy {
  /** Sorted by (domain, bus, device, function). */
  readonly functions: readonly PciFunction[];
  /** For each function the index of the bridge above it, -1 on a root bus and for orphans. */
  readonly parent: Int32Array;
  /** For each function the id of its root bus. */
  readonly rootBusOf: Int32Array;
  /** For each function the number of bridges above it. */
  readonly depth: Int32Array;
  readonly rootBuses: readonly RootBus[];
  readonly problems: readonly HierarchyProblem[];
  readonly #byKey: Map<BdfKey, number>;
  /** Made when it is first asked for: most readers only look up. */
  #children: Map<number, number[]> | undefined;

  /** `functions` in any order, each address once. */
  constructor(functions: readonly PciFunction[]) {
    this.functions = [...functions].sort((a, b) => a.key - b.key);
    this.#byKey = new Map(this.functions.map((fn, index) => [fn.key, index]));
    const problems: HierarchyProblem[] = [];
    this.parent = findParents(this.functions, this.#byKey, problems);
    breakLoops(this.functions, this.parent, problems);
    this.depth = new Int32Array(this.functions.length).fill(-1);
    this.rootBusOf = new Int32Array(this.functions.length).fill(-1);
    this.rootBuses = this.#placeRootBuses(problems);
    this.problems = problems;
  }

  /** Index of the function at `bdf`, or -1. */
  indexOf(bdf: Bdf): number {
    return this.#byKey.get(bdfKey(bdf)) ?? -1;
  }

  /** The function at `bdf`, or undefined. */
  at(bdf: Bdf): PciFunction | undefined {
    return this.functions[this.indexOf(bdf)];
  }

  /** Indices from a function up to the last bridge below the root bus, itself first. */
  chainOf(index: number): number[] {
    const chain: number[] = [];
    for (let at = index; at >= 0; at = this.parent[at] as number) chain.push(at);
    return chain;
  }

  /** Indices of the functions directly below a bridge. */
  childrenOf(index: number): readonly number[] {
    this.#children ??= childrenByParent(this.parent);
    return this.#children.get(index) ?? [];
  }

  /** Whether it is known that nothing stands above this function's chain but a host bridge. */
  isRooted(index: number): boolean {
    return (this.rootBuses[this.rootBusOf[index] as number] as RootBus).evidence !== null;
  }

  #placeRootBuses(problems: HierarchyProblem[]): RootBus[] {
    const roots: RootBus[] = [];
    const idByBus = new Map<number, number>();
    for (let index = 0; index < this.functions.length; index++) {
      let top = index;
      let depth = 0;
      while ((this.parent[top] as number) >= 0) {
        top = this.parent[top] as number;
        depth++;
      }
      this.depth[index] = depth;
      const fn = this.functions[top] as PciFunction;
      const key = busKey(fn.bdf.domain, fn.bdf.bus);
      let id = idByBus.get(key);
      if (id === undefined) {
        id = roots.length;
        idByBus.set(key, id);
        const members = this.#membersOf(top);
        roots.push({
          id,
          domain: fn.bdf.domain,
          bus: fn.bdf.bus,
          first: members[0] as number,
          evidence: rootEvidence(members.map((at) => this.functions[at] as PciFunction)),
        });
      }
      this.rootBusOf[index] = id;
    }
    for (const root of roots) {
      if (root.evidence !== null) continue;
      const first = this.functions[root.first] as PciFunction;
      problems.push({
        code: 'ORPHAN_BUS',
        at: [first.name],
        message: `no bridge in this capture leads to bus ${formatBdf({ ...first.bdf, device: 0, function: 0 }).slice(0, -5)}, and nothing shows that it is a root bus`,
      });
    }
    return roots;
  }

  /** Parentless functions on the bus of `top`, in order. */
  #membersOf(top: number): number[] {
    const fn = this.functions[top] as PciFunction;
    const members: number[] = [];
    let at = top;
    while (at > 0 && sameBus((this.functions[at - 1] as PciFunction).bdf, fn.bdf)) at--;
    for (; at < this.functions.length && sameBus((this.functions[at] as PciFunction).bdf, fn.bdf); at++) {
      if (this.parent[at] === -1) members.push(at);
    }
    return members;
  }
}

function childrenByParent(parent: Int32Array): Map<number, number[]> {
  const children = new Map<number, number[]>();
  parent.forEach((above, index) => {
    const siblings = children.get(above);
    if (siblings === undefined) children.set(above, [index]);
    else siblings.push(index);
  });
  return children;
}

function sameBus(a: Bdf, b: Bdf): boolean {
  return a.bus === b.bus && a.domain === b.domain;
}

function rootEvidence(members: readonly PciFunction[]): RootBus['evidence'] {
  if (members.some((fn) => fn.facts.sysfs?.parent === null)) return 'sysfs';
  if (members.some((fn) => fn.facts.pathParent === null)) return 'path';
  if (members.some((fn) => fn.bdf.bus === 0)) return 'busZero';
  if (members.some((fn) => fn.portType === 'rootPort')) return 'rootPort';
  if (members.some((fn) => fn.classCode === CLASS_HOST_BRIDGE)) return 'hostBridge';
  if (members.some((fn) => fn.portType === 'rcIntegratedEndpoint' || fn.portType === 'rcEventCollector')) {
    return 'integrated';
  }
  return null;
}

function findParents(
  functions: readonly PciFunction[],
  byKey: ReadonlyMap<BdfKey, number>,
  problems: HierarchyProblem[],
): Int32Array {
  const parent = new Int32Array(functions.length).fill(-1);
  const bridgeOfBus = bridgesBySecondary(functions, problems);
  const physicalFunctionOf = virtualFunctions(functions, byKey);
  for (let index = 0; index < functions.length; index++) {
    const fn = functions[index] as PciFunction;
    // A Virtual Function has its Physical Function's bridge above it, even on a bus of its own (pci_upstream_bridge()).
    const owner = functions[physicalFunctionOf.get(index) ?? index] as PciFunction;
    const byRegisters = bridgeOfBus.get(busKey(owner.bdf.domain, owner.bdf.bus)) ?? -1;
    const told = toldParent(owner, byKey);
    parent[index] = told ?? byRegisters;
    if (told !== undefined && fn === owner && told !== byRegisters && registersTell(functions, told, byRegisters)) {
      const name = (at: number): string => (at < 0 ? 'a root bus' : (functions[at] as PciFunction).name);
      problems.push({
        code: 'NESTING_DISAGREES',
        at: [fn.name],
        message: `${fn.name} is below ${name(told)} by its path, but below ${name(byRegisters)} by the bridges' bus numbers`,
      });
    }
  }
  return parent;
}

/** Whether the bridge registers say enough to contradict a path. */
function registersTell(functions: readonly PciFunction[], told: number, byRegisters: number): boolean {
  if (byRegisters >= 0) return true;
  return told >= 0 && (functions[told] as PciFunction).busNumbers !== null;
}

/** The bridge above as a path tells it: index, -1 for a root bus, undefined where no path tells. */
function toldParent(fn: PciFunction, byKey: ReadonlyMap<BdfKey, number>): number | undefined {
  const told = fn.facts.sysfs?.parent;
  if (told === null) return -1;
  const bdf = told ?? fn.facts.pathParent;
  if (bdf === null) return -1;
  return bdf === undefined ? undefined : byKey.get(bdfKey(bdf));
}

function bridgesBySecondary(functions: readonly PciFunction[], problems: HierarchyProblem[]): Map<number, number> {
  const bridgeOfBus = new Map<number, number>();
  for (let index = 0; index < functions.length; index++) {
    const fn = functions[index] as PciFunction;
    const buses = fn.isBridge ? fn.busNumbers : null;
    // Secondary bus 0 is a bridge that nobody has configured.
    if (buses === null || buses.secondary === 0) continue;
    if (buses.secondary === fn.bdf.bus) {
      problems.push({
        code: 'BUS_NUMBERS_LOOP',
        at: [fn.name],
        message: `${fn.name} says that bus ${buses.secondary.toString(16).padStart(2, '0')}, on which it stands, is below it`,
      });
      continue;
    }
    const key = busKey(fn.bdf.domain, buses.secondary);
    const other = bridgeOfBus.get(key);
    if (other !== undefined) {
      problems.push({
        code: 'BUS_NUMBERS_OVERLAP',
        at: [(functions[other] as PciFunction).name, fn.name],
        message: `both ${(functions[other] as PciFunction).name} and ${fn.name} lead to bus ${buses.secondary.toString(16).padStart(2, '0')}; the first is believed`,
      });
      continue;
    }
    bridgeOfBus.set(key, index);
  }
  return bridgeOfBus;
}

/** Steps that the search for Virtual Functions may take, in all and for each function. */
const VF_STEPS_FREE = 0x10000;
const VF_STEPS_EACH = 16;

/** Index of the Physical Function of each Virtual Function that the evidence shows. PCIe 9.2.1.2. */
function virtualFunctions(functions: readonly PciFunction[], byKey: ReadonlyMap<BdfKey, number>): Map<number, number> {
  const owners = new Map<number, number>();
  // Every Virtual Function has one owner, so the steps of an honest machine are few; a damaged one claims 65,535 each.
  let budget = VF_STEPS_FREE + VF_STEPS_EACH * functions.length;
  for (let index = 0; index < functions.length; index++) {
    const fn = functions[index] as PciFunction;
    const told = fn.facts.sysfs?.physicalFunction;
    if (told !== undefined) {
      const owner = byKey.get(bdfKey(told));
      if (owner !== undefined) owners.set(index, owner);
    }
    if (fn.isBridge) continue;
    const sriov = fn.sriov;
    if (sriov === null || sriov.numVfs === 0 || sriov.vfOffset === 0) continue;
    for (let vf = 0; vf < sriov.numVfs && budget > 0; vf++, budget--) {
      const key = fn.key + sriov.vfOffset + vf * sriov.vfStride;
      const at = byKey.get(key);
      if (at !== undefined && at !== index) owners.set(at, index);
    }
  }
  return owners;
}

/** Cuts every cycle in the parent links where it is first seen, so that all later walks end. */
function breakLoops(functions: readonly PciFunction[], parent: Int32Array, problems: HierarchyProblem[]): void {
  const state = new Uint8Array(functions.length); // 0 not seen, 1 on the current walk, 2 known to end
  for (let index = 0; index < functions.length; index++) {
    const walk: number[] = [];
    let at = index;
    while (at >= 0 && state[at] === 0) {
      state[at] = 1;
      walk.push(at);
      const above = parent[at] as number;
      if (above >= 0 && state[above] === 1) {
        const fn = functions[at] as PciFunction;
        problems.push({
          code: 'BUS_NUMBERS_LOOP',
          at: [fn.name],
          message: `the bridges above ${fn.name} lead back to it by their bus numbers; it is taken as a root`,
        });
        parent[at] = -1;
        break;
      }
      at = above;
    }
    for (const seen of walk) state[seen] = 2;
  }
}
