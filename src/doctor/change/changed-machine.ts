/** Copies of a machine with something changed, to be judged again. The original is never touched. */

import { assert } from '../../core/assert.ts';
import type { Machine } from '../../machine/machine.ts';
import { type Bdf, bdfKey, busKey } from '../../pcie/bdf.ts';
import type { FunctionFacts } from '../../pcie/function-facts.ts';
import { Hierarchy } from '../../pcie/hierarchy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

/** The machine with ACS Control registers replaced: `bdfKey` -> value, 16 bits. Each must have a known register. */
export function withAcsControls(machine: Machine, controls: ReadonlyMap<number, number>): Machine {
  return withFunctions(
    machine,
    machine.hierarchy.functions.map((fn) => {
      const control = controls.get(fn.key);
      return control === undefined ? fn : fn.withFacts(factsWithAcsControl(fn, control));
    }),
  );
}

function factsWithAcsControl(fn: PciFunction, control: number): FunctionFacts {
  const { facts, acs } = fn;
  assert(acs.state === 'present', `ACS of ${fn.name} is known`);
  const register = acs.offset === null ? null : acs.offset + 6;
  const inConfig = register !== null && facts.config.knows(register, 2);
  return {
    ...facts,
    config: inConfig ? facts.config.withU16(register, control) : facts.config,
    text: facts.text === null ? null : { ...facts.text, acs: { ...acs, control } },
  };
}

/**
 * The machine with a function in another slot: on the bus right below the bridge `below`. Null where that bus is not
 * known. Whoever is there already stays; the function takes a device number that is free.
 */
export function withFunctionMoved(
  machine: Machine,
  fn: PciFunction,
  below: PciFunction,
): { readonly machine: Machine; readonly moved: PciFunction } | null {
  const { hierarchy } = machine;
  const buses = below.busNumbers;
  if (buses === null || buses.secondary === 0) return null;
  const bdf = freeAddress(hierarchy, { ...fn.bdf, domain: below.bdf.domain, bus: buses.secondary });
  if (bdf === null) return null;
  const { sysfs } = fn.facts;
  const moved = fn.withFacts({
    ...fn.facts,
    bdf,
    sysfs:
      sysfs === null
        ? null
        : {
            ...sysfs,
            // A flat tree tells no parents: the bus numbers place the function then.
            parent: sysfs.parent === undefined ? undefined : below.bdf,
            rootBus: below.facts.sysfs?.rootBus,
          },
    pathParent: undefined,
  });
  const others = hierarchy.functions.filter(({ key }) => key !== fn.key);
  return { machine: withFunctions(machine, [...others, moved]), moved };
}

function freeAddress(hierarchy: Hierarchy, wanted: Bdf): Bdf | null {
  for (let device = 0; device < 32; device++) {
    const bdf = { ...wanted, device };
    if (hierarchy.indexOf(bdf) < 0) return bdf;
  }
  return null;
}

/**
 * The part of a machine that the verdicts among `indices` depend on: their chains of bridges, the Physical Functions of
 * Virtual ones, and everything that stands on their root buses, since the first device there speaks for the host bridge.
 */
export function relevantPart(machine: Machine, indices: readonly number[]): Machine {
  const { hierarchy } = machine;
  const kept = new Set<number>();
  const roots = new Set<number>();
  const keep = (index: number): void => {
    for (const at of hierarchy.chainOf(index)) kept.add(at);
    roots.add(hierarchy.rootBusOf[index] as number);
  };
  for (const index of indices) {
    keep(index);
    const owner = (hierarchy.functions[index] as PciFunction).facts.sysfs?.physicalFunction;
    const at = owner === undefined ? -1 : hierarchy.indexOf(owner);
    if (at >= 0) keep(at);
  }
  const rootBuses = new Set(
    [...roots].map((id) => {
      const root = hierarchy.rootBuses[id];
      return root === undefined ? -1 : busKey(root.domain, root.bus);
    }),
  );
  const { byBus, owners } = survey(hierarchy);
  for (const bus of rootBuses) for (const index of byBus.get(bus) ?? []) kept.add(index);
  for (const index of owners) {
    const fn = hierarchy.functions[index] as PciFunction;
    // A Virtual Function known by its owner's registers alone hangs where the owner hangs.
    if (indices.some((at) => isVirtualOf(hierarchy, at, fn))) keep(index);
  }
  return withFunctions(
    machine,
    [...kept].map((index) => hierarchy.functions[index] as PciFunction),
  );
}

interface Survey {
  /** Indices of the functions on each bus, by `busKey`. */
  readonly byBus: ReadonlyMap<number, readonly number[]>;
  /** Indices of the functions that have Virtual Functions. */
  readonly owners: readonly number[];
}

/** One look over all functions serves every part that is taken of a machine: a check of ten thousand functions takes hundreds. */
const SURVEYS = new WeakMap<Hierarchy, Survey>();

function survey(hierarchy: Hierarchy): Survey {
  const known = SURVEYS.get(hierarchy);
  if (known !== undefined) return known;
  const byBus = new Map<number, number[]>();
  const owners: number[] = [];
  for (const [index, fn] of hierarchy.functions.entries()) {
    const bus = busKey(fn.bdf.domain, fn.bdf.bus);
    const onBus = byBus.get(bus);
    if (onBus === undefined) byBus.set(bus, [index]);
    else onBus.push(index);
    if ((fn.sriov?.numVfs ?? 0) > 0) owners.push(index);
  }
  const made = { byBus, owners };
  SURVEYS.set(hierarchy, made);
  return made;
}

function isVirtualOf(hierarchy: Hierarchy, index: number, owner: PciFunction): boolean {
  const fn = hierarchy.functions[index] as PciFunction;
  const sriov = owner.sriov;
  if (sriov === null) return false;
  const first = bdfKey(owner.bdf) + sriov.vfOffset;
  return fn.key >= first && fn.key <= first + sriov.vfStride * (sriov.numVfs - 1);
}

function withFunctions(machine: Machine, functions: readonly PciFunction[]): Machine {
  return { ...machine, hierarchy: new Hierarchy(functions) };
}
