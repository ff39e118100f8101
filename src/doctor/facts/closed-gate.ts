/**
 * What shuts a road on which the kernel's verdict is good: the kernel asks where a device stands, not whether its registers let anything
 * pass. A request must be allowed out of its sender (Bus Master Enable) and up through each bridge (theirs), and down through each bridge
 * (Memory Space Enable, a window that holds the address) into a BAR that decodes. PCIe 7.5.1.1.3, 7.5.1.2.1, 7.5.1.3.
 *
 *   sender: awake, Bus Master ── bridge: Bus Master, link ── … ── bridge: Memory Space, window, link ── receiver: Memory Space, BAR
 */

import type { Bar } from '../../pcie/bar.ts';
import { findCapability } from '../../pcie/capability.ts';
import type { FunctionFacts } from '../../pcie/function-facts.ts';
import type { Hierarchy } from '../../pcie/hierarchy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { powerStateOf } from '../../pcie/power-state.ts';
import { BAR0, COMMAND_BUS_MASTER, COMMAND_MEMORY_SPACE, VENDOR_ID } from '../../pcie/registers.ts';
import { resourceBar } from '../../pcie/sysfs-resource.ts';

/** One thing that shuts the road, and where. */
export type ClosedGate =
  /** The function answers with all ones, sleeps in D3hot, or lost what was in its BAR registers. */
  | { readonly kind: 'noAnswer' | 'asleep'; readonly at: PciFunction }
  | { readonly kind: 'lostBars'; readonly at: PciFunction; readonly bars: readonly Bar[] }
  /** A bit of the Command register is off: of the function itself, or of a bridge above it. */
  | { readonly kind: 'busMaster' | 'memorySpace'; readonly at: PciFunction }
  /** No window of the bridge leads to the BAR. */
  | { readonly kind: 'window'; readonly at: PciFunction; readonly bar: Bar }
  /** The link below the port is down. */
  | { readonly kind: 'linkDown'; readonly at: PciFunction };

/** What keeps requests of the function at `index` from getting out and up, itself first; up to the bridge at `end`, without it. */
export function senderGates(hierarchy: Hierarchy, index: number, end = -1): ClosedGate[] {
  const fn = hierarchy.functions[index] as PciFunction;
  const gates: ClosedGate[] = ownGates(fn);
  if (gates.length === 0 && fn.command !== null && (fn.command & COMMAND_BUS_MASTER) === 0)
    gates.push({ kind: 'busMaster', at: fn });
  for (const at of bridgesAbove(hierarchy, index, end)) {
    if (isLinkDown(at)) gates.push({ kind: 'linkDown', at });
    else if (at.command !== null && (at.command & COMMAND_BUS_MASTER) === 0) gates.push({ kind: 'busMaster', at });
  }
  return gates;
}

/** What keeps requests from the memory of the function at `index`, itself first; down from the bridge at `end`, without it. */
export function receiverGates(hierarchy: Hierarchy, index: number, end = -1): ClosedGate[] {
  const fn = hierarchy.functions[index] as PciFunction;
  const gates: ClosedGate[] = ownGates(fn);
  // The Memory Space bit of a Virtual Function is fixed at 0: the one of its Physical Function counts. PCIe 9.3.4.1.3.
  const isOff = fn.command !== null && (fn.command & COMMAND_MEMORY_SPACE) === 0 && !isVirtual(hierarchy, fn);
  if (gates.length === 0 && isOff) gates.push({ kind: 'memorySpace', at: fn });
  for (const at of bridgesAbove(hierarchy, index, end)) {
    if (isLinkDown(at)) gates.push({ kind: 'linkDown', at });
    else if (at.command !== null && (at.command & COMMAND_MEMORY_SPACE) === 0) gates.push({ kind: 'memorySpace', at });
    else for (const bar of barsOutside(fn, at)) gates.push({ kind: 'window', at, bar });
  }
  return gates;
}

function bridgesAbove(hierarchy: Hierarchy, index: number, end: number): PciFunction[] {
  const chain = hierarchy.chainOf(index).slice(1);
  const stop = chain.indexOf(end);
  return (stop < 0 ? chain : chain.slice(0, stop)).map((at) => hierarchy.functions[at] as PciFunction);
}

function ownGates(fn: PciFunction): ClosedGate[] {
  if (fn.poweredDown) return [{ kind: 'noAnswer', at: fn }];
  if (powerStateOf(fn)?.state === 3) return [{ kind: 'asleep', at: fn }];
  // What lost its BARs lost its Command register with them.
  const bars = lostBars(fn);
  return bars.length > 0 ? [{ kind: 'lostBars', at: fn, bars }] : [];
}

/**
 * Whether a port's link has no lanes although somebody below it answered. Data Link Layer Link Active is no witness: a port that cannot
 * report it reads 0 all the time.
 */
export function isLinkDown({ portType, link, poweredDown }: PciFunction): boolean {
  return (portType === 'rootPort' || portType === 'downstreamPort') && !poweredDown && link?.width === 0;
}

/** Memory BARs with an address that no window of the bridge holds; none where a window is not known, or the bridge passes on all. */
export function barsOutside(fn: PciFunction, bridge: PciFunction): Bar[] {
  const { memoryWindow, prefetchableWindow } = bridge;
  // Programming interface 01h: subtractive decode.
  if (memoryWindow === undefined || prefetchableWindow === undefined || bridge.progIf === 1) return [];
  const windows = [memoryWindow, prefetchableWindow].filter((window) => window !== null);
  return fn.bars.filter(({ space, busAddress, size }) => {
    if (space !== 'memory' || busAddress === null) return false;
    return !windows.some(({ start, end }) => busAddress >= start && busAddress + (size ?? 1) <= end);
  });
}

/** Memory BARs that had an address when the kernel looked, and whose registers say 0 now. */
export function lostBars(fn: PciFunction): Bar[] {
  const { config, facts } = fn;
  if (fn.poweredDown || fn.headerType !== 0 || !config.knows(BAR0, 24)) return [];
  // The BARs of a Virtual Function are in its Physical Function; with Enhanced Allocation they are in that capability.
  if (config.u16(VENDOR_ID) === 0xffff || facts.sysfs?.physicalFunction !== undefined) return [];
  const lost = toldBars(fn, facts).filter(({ space, index, is64Bit, cpuAddress }) => {
    if (space !== 'memory' || cpuAddress === null || index > 5) return false;
    const low = (config.u32(BAR0 + 4 * index) ?? 1) & ~0xf;
    const high = is64Bit && index < 5 ? (config.u32(BAR0 + 4 * index + 4) ?? 1) : 0;
    return low === 0 && high === 0;
  });
  const isFixed = lost.length > 0 && findCapability(config, CAP_ENHANCED_ALLOCATION) !== 0;
  return isFixed ? [] : lost;
}

const CAP_ENHANCED_ALLOCATION = 0x14;

/** BARs as the kernel, or a listing that asked it, tells them. */
function toldBars(fn: PciFunction, { sysfs, text }: FunctionFacts): readonly Bar[] {
  if (sysfs?.resources === undefined) return text?.bars ?? [];
  return sysfs.resources
    .slice(0, 6)
    .map((resource, index) => resourceBar(index, resource, fn.busOffset))
    .filter((bar) => bar !== null);
}

/** By sysfs, by its own identity registers, or by the numbers of a Physical Function. */
export function isVirtual(hierarchy: Hierarchy, fn: PciFunction): boolean {
  if (fn.facts.sysfs?.physicalFunction !== undefined) return true;
  if (fn.config.u16(VENDOR_ID) === 0xffff && !fn.poweredDown) return true;
  return ownersOf(hierarchy).some(({ first, stride, count }) => {
    const distance = fn.key - first;
    return distance >= 0 && distance <= stride * (count - 1);
  });
}

/** Where the Virtual Functions of a Physical Function are, by key. */
interface VirtualRange {
  readonly first: number;
  readonly stride: number;
  readonly count: number;
}

/** One look over all functions serves every question about a machine. */
const OWNERS = new WeakMap<Hierarchy, readonly VirtualRange[]>();

function ownersOf(hierarchy: Hierarchy): readonly VirtualRange[] {
  const known = OWNERS.get(hierarchy);
  if (known !== undefined) return known;
  const made = hierarchy.functions.flatMap(({ sriov, key }) =>
    sriov === null || sriov.numVfs === 0
      ? []
      : [{ first: key + sriov.vfOffset, stride: sriov.vfStride, count: sriov.numVfs }],
  );
  OWNERS.set(hierarchy, made);
  return made;
}

/** What a gate is, and where, as a key: two gates with one key are one gate. */
export function gateKey(gate: ClosedGate): string {
  return `${gate.kind} ${gate.at.key}${gate.kind === 'window' ? ` ${gate.bar.index}` : ''}`;
}

/** In a sentence: what is shut. */
export function gateWords(gate: ClosedGate): string {
  const { name, isBridge } = gate.at;
  switch (gate.kind) {
    case 'noAnswer':
      return `${name} answers with all ones: it is powered down, or gone`;
    case 'asleep':
      return `${name} sleeps in D3hot and answers no memory request`;
    case 'lostBars':
      return `the BAR registers of ${name} say 0, and the kernel’s addresses lead nowhere`;
    case 'busMaster':
      return isBridge
        ? `${name} has Bus Master off and passes no request upwards`
        : `${name} has Bus Master off and sends no request`;
    case 'memorySpace':
      return isBridge
        ? `${name} has Memory Space off and passes no request downwards`
        : `${name} has Memory Space off and answers no memory request`;
    case 'window':
      return `no window of ${name} leads to BAR${gate.bar.index}`;
    case 'linkDown':
      return `the link below ${name} is down`;
  }
}
