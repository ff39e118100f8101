/**
 * IOMMU groups: which functions cannot be kept apart, because one could reach another, or speak in its name, before the
 * IOMMU sees the request. Linux: pci_device_group(), pci_for_each_dma_alias().
 *
 *   root port (isolates) ── switch ─┬─ port with SV RR CR UF ── A      A alone
 *                                   ├─ port without           ── B     B with its port
 *                                   └─ bridge to PCI ── C, D           C and D with the bridge
 *
 * Each function is placed by the first rule that finds it a group, bridges before what is below them:
 * 1. below a bridge to conventional PCI, which sends in its own name: the bridge's group;
 * 2. below a port from which some port up to the root does not isolate: that port's group;
 * 3. in a multi-function device without isolation: the group of another such function of the slot;
 * 4. else a new group.
 *
 * Not modelled: devices that send in another function's name by mistake, or stand behind a VMD controller. The kernel
 * knows them by vendor and device ID; `#aliasOf` is where such a list would be asked.
 */

import type { Hierarchy } from '../pcie/hierarchy.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { isolates } from './isolation.ts';

/** Why a function shares the group of another one. */
export interface GroupJoin {
  /** Index of the function that joined. */
  readonly function: number;
  readonly because: /** A port between the function and the root lets requests turn round. */
    | 'PORT_NOT_ISOLATING'
    /** Another function of the slot, and neither isolates. */
    | 'SLOT_NOT_ISOLATING'
    /** A bridge to conventional PCI sends in its own name. */
    | 'BRIDGE_ALIAS';
  /** Index of the function whose group it joined. */
  readonly at: number;
}

export interface IommuGroup {
  /** Number by order of creation, as the kernel counts. */
  readonly id: number;
  /** Indices into the hierarchy's functions, rising. */
  readonly functions: readonly number[];
  readonly joins: readonly GroupJoin[];
  /** Functions of which we do not know whether they isolate; taken as not. With any, the group may in truth be several. */
  readonly missing: readonly number[];
}

export interface IommuGroups {
  readonly groups: readonly IommuGroup[];
  /** For each function of the hierarchy the id of its group. */
  readonly groupOf: Int32Array;
}

/**
 * The groups that Linux forms on this hierarchy with the ACS registers as they are. A kernel forms them at boot: a change of
 * the registers behind its back changes what is true, not its groups.
 */
export function iommuGroups(hierarchy: Hierarchy): IommuGroups {
  return new Grouping(hierarchy).result();
}

/** One run over a hierarchy. */
class Grouping {
  readonly #hierarchy: Hierarchy;
  readonly #virtual: Set<number>;
  readonly #members: number[][] = [];
  readonly #joins: GroupJoin[][] = [];
  readonly #missing: Set<number>[] = [];
  readonly #groupOf: Int32Array;

  constructor(hierarchy: Hierarchy) {
    this.#hierarchy = hierarchy;
    this.#virtual = virtualFunctions(hierarchy);
    this.#groupOf = new Int32Array(hierarchy.functions.length).fill(-1);
  }

  result(): IommuGroups {
    for (let index = 0; index < this.#groupOf.length; index++) this.#place(index);
    const groups = this.#members.map((functions, id) => ({
      id,
      functions: functions.sort((a, b) => a - b),
      joins: this.#joins[id] as GroupJoin[],
      missing: [...(this.#missing[id] as Set<number>)].sort((a, b) => a - b),
    }));
    return { groups, groupOf: this.#groupOf };
  }

  /** Gives a function its group, and first the bridges above it theirs. */
  #place(index: number): number {
    const known = this.#groupOf[index] as number;
    if (known >= 0) return known;
    const parent = this.#hierarchy.parent[index] as number;
    if (parent >= 0) this.#place(parent);
    const asked = new Set<number>();
    if (!this.#hierarchy.isRooted(index)) asked.add(index);
    const join = this.#aliasOf(index) ?? this.#portAbove(index, asked) ?? this.#slotMate(index, asked);
    const group = join === null ? this.#newGroup() : (this.#groupOf[join.at] as number);
    (this.#members[group] as number[]).push(index);
    if (join !== null) (this.#joins[group] as GroupJoin[]).push(join);
    for (const unknown of asked) (this.#missing[group] as Set<number>).add(unknown);
    this.#groupOf[index] = group;
    return group;
  }

  /** The nearest bridge above in whose name a function's requests may travel on. */
  #aliasOf(index: number): GroupJoin | null {
    for (const at of this.#hierarchy.chainOf(index).slice(1)) {
      const { portType } = this.#functionAt(at);
      const sendsItself = portType === 'conventional' || portType === 'pcieToPci' || portType === 'pciToPcie';
      if (sendsItself) return { function: index, because: 'BRIDGE_ALIAS', at };
    }
    return null;
  }

  /** The port directly above, if not all from it to the root isolate. */
  #portAbove(index: number, asked: Set<number>): GroupJoin | null {
    const chain = this.#hierarchy.chainOf(index).slice(1);
    const port = chain[0];
    if (port === undefined) return null;
    const answers = chain.map((at) => this.#isolates(at));
    if (answers.every((answer) => answer === true)) return null;
    // One port that surely lets requests turn round settles it, whatever the others do.
    if (!answers.includes(false)) for (const at of chain) if (this.#isolates(at) === null) asked.add(at);
    return { function: index, because: 'PORT_NOT_ISOLATING', at: port };
  }

  /** Another function of the slot that has a group already, where neither isolates. */
  #slotMate(index: number, asked: Set<number>): GroupJoin | null {
    if (!this.#isMultiFunction(index)) return null;
    const own = this.#isolates(index);
    if (own === true) return null;
    // Functions are sorted, so those of a slot stand side by side.
    let first = index;
    while (this.#isSameSlot(first - 1, index)) first--;
    for (let at = first; this.#isSameSlot(at, index); at++) {
      if (at === index || (this.#groupOf[at] as number) < 0) continue;
      const its = this.#isolates(at);
      if (its === true) continue;
      if (own === null) asked.add(index);
      if (its === null) asked.add(at);
      return { function: index, because: 'SLOT_NOT_ISOLATING', at };
    }
    return null;
  }

  #isSameSlot(at: number, index: number): boolean {
    const other = this.#hierarchy.functions[at]?.bdf;
    const { bdf } = this.#functionAt(index);
    return other !== undefined && other.device === bdf.device && other.bus === bdf.bus && other.domain === bdf.domain;
  }

  #isolates(index: number): boolean | null {
    return isolates(this.#functionAt(index), this.#isMultiFunction(index));
  }

  /** As the kernel has it: by its own header, or because it is not function 0. Virtual Functions are devices of their own. */
  #isMultiFunction(index: number): boolean {
    if (this.#virtual.has(index)) return false;
    const fn = this.#functionAt(index);
    if (fn.multiFunction === true || fn.bdf.function > 0) return true;
    if (fn.multiFunction === false) return false;
    const next = this.#hierarchy.functions[index + 1]?.bdf;
    return next?.device === fn.bdf.device && next.bus === fn.bdf.bus && next.domain === fn.bdf.domain;
  }

  #functionAt(index: number): PciFunction {
    return this.#hierarchy.functions[index] as PciFunction;
  }

  #newGroup(): number {
    this.#members.push([]);
    this.#joins.push([]);
    this.#missing.push(new Set());
    return this.#members.length - 1;
  }
}

/** Indices of the Virtual Functions, by sysfs or by their Physical Function's SR-IOV registers. PCIe 9.2.1.2. */
function virtualFunctions({ functions }: Hierarchy): Set<number> {
  const indexByKey = new Map(functions.map((fn, index) => [fn.key, index]));
  const found = new Set<number>();
  functions.forEach((fn, index) => {
    if (fn.facts.sysfs?.physicalFunction !== undefined) found.add(index);
    const sriov = fn.isBridge ? null : fn.sriov;
    for (let vf = 0; sriov !== null && sriov.vfOffset > 0 && vf < sriov.numVfs; vf++) {
      const at = indexByKey.get(fn.key + sriov.vfOffset + vf * sriov.vfStride);
      if (at !== undefined && at !== index) found.add(at);
    }
  });
  return found;
}
