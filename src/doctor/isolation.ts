/**
 * What a change of ACS settings costs: which functions would share an IOMMU group. A port that redirects no longer keeps
 * what is below it apart, so the port and everything below it become one group. Linux: pci_device_group() and
 * pci_acs_enabled().
 */

import type { Machine } from '../machine/machine.ts';
import {
  ACS_COMPLETION_REDIRECT,
  ACS_REQUEST_REDIRECT,
  ACS_SOURCE_VALIDATION,
  ACS_UPSTREAM_FORWARDING,
} from '../pcie/acs.ts';
import type { PciFunction } from '../pcie/pci-function.ts';

/** Functions that become one group. */
export interface JoinedGroup {
  /** Full names, sorted. */
  readonly functions: readonly string[];
  /** Groups that they are in now, ascending; empty where the machine has or shows none. */
  readonly groups: readonly number[];
}

export interface IsolationCost {
  /** `groups`: the capture shows them. `none`: this machine has none, its IOMMU is off. `notCaptured`: nothing tells. */
  readonly evidence: 'groups' | 'none' | 'notCaptured';
  readonly joined: readonly JoinedGroup[];
}

/** The cost of clearing the redirect bits of the functions named. */
export function isolationCost(machine: Machine, cleared: readonly string[]): IsolationCost {
  const { functions } = machine.hierarchy;
  const sets = cleared.map((name) => withAllBelow(machine, name, new Set(cleared)));
  const joined = joinSets(sets).map((set) => {
    const groups = new Set<number>();
    for (const index of set) {
      const group = (functions[index] as PciFunction).iommuGroup;
      if (group !== null) groups.add(group);
    }
    // Whoever shares a group with one of them comes along.
    const members = functions.filter((fn, index) => set.has(index) || groups.has(fn.iommuGroup ?? -1));
    return { functions: members.map((fn) => fn.name), groups: [...groups].sort((a, b) => a - b) };
  });
  return { evidence: evidenceOf(functions), joined };
}

function evidenceOf(functions: readonly PciFunction[]): IsolationCost['evidence'] {
  if (functions.some((fn) => fn.iommuGroup !== null)) return 'groups';
  return functions.some((fn) => fn.facts.sysfs !== null) ? 'none' : 'notCaptured';
}

/** Indices of a function, of all functions below it, and of those of its own device that are not kept apart either. */
function withAllBelow(machine: Machine, name: string, cleared: ReadonlySet<string>): Set<number> {
  const { functions, parent } = machine.hierarchy;
  const start = functions.findIndex((fn) => fn.name === name);
  const { bdf } = functions[start] as PciFunction;
  const set = new Set<number>([start]);
  for (const [index, fn] of functions.entries()) {
    const sibling = fn.bdf.domain === bdf.domain && fn.bdf.bus === bdf.bus && fn.bdf.device === bdf.device;
    if (sibling && (cleared.has(fn.name) || !isolates(fn))) set.add(index);
  }
  let before = 0;
  while (before < set.size) {
    before = set.size;
    for (let index = 0; index < functions.length; index++) if (set.has(parent[index] as number)) set.add(index);
  }
  return set;
}

/** What Linux asks of a function before it trusts its isolation (REQ_ACS_FLAGS), as far as the function can do it. */
const ISOLATION_BITS = ACS_SOURCE_VALIDATION | ACS_REQUEST_REDIRECT | ACS_COMPLETION_REDIRECT | ACS_UPSTREAM_FORWARDING;

function isolates({ acs }: PciFunction): boolean {
  if (acs.state !== 'present') return false;
  const wanted = ISOLATION_BITS & acs.capability;
  return (acs.control & wanted) === wanted;
}

function joinSets(sets: readonly Set<number>[]): Set<number>[] {
  const joined: Set<number>[] = [];
  for (const set of sets) {
    const touching = joined.filter((other) => [...set].some((index) => other.has(index)));
    for (const other of touching) joined.splice(joined.indexOf(other), 1);
    joined.push(new Set([...set, ...touching.flatMap((other) => [...other])]));
  }
  return joined;
}
