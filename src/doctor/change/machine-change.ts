/** The change of a fix on a copy of the machine, and back: what proves a fix, and that its undo restores everything. */

import { assert } from '../../core/assert.ts';
import { groupedBy } from '../../core/words.ts';
import type { Machine } from '../../machine/machine.ts';
import type { FunctionFacts } from '../../pcie/function-facts.ts';
import { Hierarchy } from '../../pcie/hierarchy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { COMMAND } from '../../pcie/registers.ts';
import type { MachineChange } from '../finding.ts';
import { controlsOf } from '../port-change.ts';
import { withAcsControls } from './changed-machine.ts';

/** A copy of the machine with the change made. */
export function withChange(machine: Machine, change: MachineChange): Machine {
  switch (change.kind) {
    case 'acs':
      return withAcsControls(machine, controlsOf(change.ports));
    case 'groupType': {
      const types = new Map(machine.iommuGroupTypes);
      for (const { group, after } of change.groups) types.set(group, after);
      return { ...machine, iommuGroupTypes: types };
    }
    case 'iommu':
      return withIommu(machine, change);
    case 'maxPayload':
      return withMaxPayloads(machine, new Map(change.functions.map(({ at, after }) => [at.key, after])));
    case 'registers':
      return withWords(machine, change.words);
    case 'boot':
      return { ...change.changes.reduce(withChange, machine), cmdline: change.after };
  }
}

/** The change that takes `change` back. */
export function reversed(change: MachineChange): MachineChange {
  switch (change.kind) {
    case 'acs':
      return { ...change, ports: change.ports.map((port) => ({ ...port, before: port.after, after: port.before })) };
    case 'groupType':
      return {
        ...change,
        groups: change.groups.map((group) => ({ ...group, before: group.after, after: group.before })),
      };
    case 'iommu':
      return { ...change, before: change.after, after: change.before };
    case 'maxPayload':
      return { ...change, functions: change.functions.map((fn) => ({ ...fn, before: fn.after, after: fn.before })) };
    case 'registers':
      return { ...change, words: change.words.map((word) => ({ ...word, before: word.after, after: word.before })) };
    case 'boot':
      return {
        ...change,
        before: change.after,
        after: change.before,
        changes: change.changes.map(reversed).reverse(),
      };
  }
}

function withWords(machine: Machine, words: Extract<MachineChange, { kind: 'registers' }>['words']): Machine {
  const wordsOf = new Map(groupedBy(words, ({ at }) => at.key).map((group) => [group[0]?.at.key, group]));
  const functions = machine.hierarchy.functions.map((fn) =>
    (wordsOf.get(fn.key) ?? []).reduce((changed, word) => changed.withFacts(factsWithWord(changed, word)), fn),
  );
  return { ...machine, hierarchy: new Hierarchy(functions) };
}

/** Of the words that are changed, text tells of Command alone, and of some of its bits. */
function factsWithWord(
  { facts, config }: PciFunction,
  { offset, before, after }: { readonly offset: number; readonly before: number; readonly after: number },
): FunctionFacts {
  const { text } = facts;
  const told = offset === COMMAND ? text?.command : undefined;
  const inConfig = told === undefined || config.knows(offset, 2);
  return {
    ...facts,
    config: inConfig ? config.withU16(offset, after) : config,
    text: text === null || told === undefined ? text : { ...text, command: told ^ before ^ after },
  };
}

/** The IOMMU off: no function has a group. On again: each has the one that it had. */
function withIommu(machine: Machine, change: Extract<MachineChange, { kind: 'iommu' }>): Machine {
  const groupOf = new Map(change.members.map(({ at, group }) => [at.key, change.after === 'on' ? group : undefined]));
  const functions = machine.hierarchy.functions.map((fn) => {
    const { sysfs } = fn.facts;
    if (sysfs === null || !groupOf.has(fn.key)) return fn;
    return fn.withFacts({ ...fn.facts, sysfs: { ...sysfs, iommuGroup: groupOf.get(fn.key) } });
  });
  const iommuGroupTypes = new Map(change.after === 'on' ? change.types : []);
  return { ...machine, hierarchy: new Hierarchy(functions), iommuGroupTypes };
}

/** Device Control, in the Express capability. PCIe 7.5.3.4. */
export const DEVICE_CONTROL = 8;

function withMaxPayloads(machine: Machine, sizes: ReadonlyMap<number, number>): Machine {
  const functions = machine.hierarchy.functions.map((fn) => {
    const size = sizes.get(fn.key);
    return size === undefined ? fn : fn.withFacts(factsWithMaxPayload(fn, size));
  });
  return { ...machine, hierarchy: new Hierarchy(functions) };
}

function factsWithMaxPayload(fn: PciFunction, bytes: number): FunctionFacts {
  const { facts, expressOffset, payload } = fn;
  assert(payload !== null, `the payload size of ${fn.name} is known`);
  const register = expressOffset ? expressOffset + DEVICE_CONTROL : null;
  const control = register === null ? undefined : facts.config.u16(register);
  const field = Math.log2(bytes / 128);
  return {
    ...facts,
    config:
      register === null || control === undefined
        ? facts.config
        : facts.config.withU16(register, (control & ~0xe0) | (field << 5)),
    text:
      facts.text?.payload === undefined
        ? facts.text
        : { ...facts.text, payload: { ...facts.text.payload, maxPayload: bytes } },
  };
}

/** Whether a change and its undo leave every register, group and word as it was. */
export function restores(machine: Machine, change: MachineChange): boolean {
  const back = withChange(withChange(machine, change), reversed(change));
  const now = back.hierarchy.functions;
  return (
    back.cmdline === machine.cmdline &&
    groupsText(back) === groupsText(machine) &&
    now.length === machine.hierarchy.functions.length &&
    machine.hierarchy.functions.every((fn, at) => isSame(fn, now[at] as PciFunction))
  );
}

function groupsText({ iommuGroupTypes }: Machine): string {
  return JSON.stringify([...iommuGroupTypes].sort((a, b) => a[0] - b[0]));
}

/** Everything that a change may touch. */
function isSame(a: PciFunction, b: PciFunction): boolean {
  if (a === b || a.facts === b.facts) return true;
  const [one, other] = [a.facts.config.bytes, b.facts.config.bytes];
  if (a.name !== b.name || one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return JSON.stringify([a.facts.text, a.facts.sysfs]) === JSON.stringify([b.facts.text, b.facts.sysfs]);
}
