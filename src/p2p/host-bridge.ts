/**
 * May this pair's traffic pass the host bridge? The CPU rule first, then the allow-list over the first device of each root
 * bus. Linux: host_bridge_whitelist(), __host_bridge_whitelist(), cpu_supports_p2pdma() in drivers/pci/p2pdma.c.
 */

import { hexDigits } from '../core/hex.ts';
import { type Processor, processorOf } from '../machine/infer/processor.ts';
import type { Machine } from '../machine/machine.ts';
import type { NamedIds } from '../pcie/function-facts.ts';
import type { RootBus } from '../pcie/hierarchy.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import type { AllowedHostBridge, Policy } from './policy.ts';
import type { Likely, Reason } from './verdict.ts';

export interface HostBridgeAnswer {
  /** null: the evidence does not suffice. */
  readonly allowed: boolean | null;
  readonly reasons: readonly Reason[];
  /** Strong evidence that is no proof, where `allowed` is null; null where there is none. */
  readonly likely: { readonly allowed: boolean; readonly because: string } | null;
}

/** By what the host bridges probably allow; null where nothing says so. */
export function likelyAtHostBridge({ likely }: HostBridgeAnswer): Likely | null {
  if (likely === null) return null;
  return { type: likely.allowed ? 'thruHostBridge' : 'notSupported', because: likely.because };
}

/** What one root bus has to say, by its first device. */
interface Lookup {
  readonly state: 'listed' | 'notListed' | 'unusable' | 'unknown';
  readonly reason: Reason;
  /** Refuses pairs below two host bridges, though it is listed; null where it does not. */
  readonly split: Reason | null;
  /** What is probable of a bridge that is not known. */
  readonly likely: HostBridgeAnswer['likely'];
}

/**
 * The answers for one machine by one policy. Every root bus is looked up once, and its reasons are shared by all pairs: a
 * matrix of a large machine asks a million times.
 */
export class HostBridges {
  readonly #machine: Machine;
  readonly #policy: Policy;
  readonly #processor: Processor;
  readonly #cpuAnswer: HostBridgeAnswer;
  readonly #lookups: (Lookup | undefined)[];

  constructor(machine: Machine, policy: Policy) {
    this.#machine = machine;
    this.#policy = policy;
    this.#processor = processorOf(machine);
    this.#cpuAnswer = { allowed: true, reasons: [cpuAllows(this.#processor)], likely: null };
    this.#lookups = new Array(machine.hierarchy.rootBuses.length);
  }

  /** Judges one pair of root buses; the same bus twice for a pair below one host bridge. */
  answer(a: RootBus, b: RootBus): HostBridgeAnswer {
    const { isZen, likelyZen } = this.#processor;
    if (isZen === true) return this.#cpuAnswer;
    const same = a.id === b.id;
    const lookups = same ? [this.#lookUp(a)] : [this.#lookUp(a), this.#lookUp(b)];
    const reasons: Reason[] = [];
    let refused = false;
    let unknown = false;
    for (const { state, reason, split } of lookups) {
      const splits = split !== null && !same;
      reasons.push(splits ? split : reason);
      if (state === 'unknown') unknown = true;
      else if (state !== 'listed' || splits) refused = true;
    }
    if (!refused && !unknown) return { allowed: true, reasons, likely: null };
    // Of a processor that is not AMD's the list decides alone.
    if (refused && isZen === false) return { allowed: false, reasons, likely: null };
    if (isZen === null) reasons.push(CPU_UNKNOWN);
    if (likelyZen?.value === true)
      return { allowed: null, reasons, likely: { allowed: true, because: likelyZen.because } };
    const named = isZen === false ? lookups.find(({ likely }) => likely !== null) : undefined;
    return { allowed: null, reasons, likely: named?.likely ?? null };
  }

  #lookUp(root: RootBus): Lookup {
    let found = this.#lookups[root.id];
    if (found === undefined) {
      found = lookUp(this.#machine, this.#policy, root);
      this.#lookups[root.id] = found;
    }
    return found;
  }
}

function cpuAllows({ evidence, families, from }: Processor): Reason {
  const message =
    evidence === 'told'
      ? `the CPU is AuthenticAMD family ${families[0] ?? 0}, Zen or newer`
      : `the CPU is an AMD Zen or newer, family ${families.join(' or ')}, by its ${from}`;
  return { code: 'CPU_ALLOWS', at: [], message };
}

const CPU_UNKNOWN: Reason = {
  code: 'CPU_UNKNOWN',
  at: [],
  message: 'the CPU decides here, and the capture does not name it: give --cpu VENDOR:FAMILY',
};

function lookUp(machine: Machine, policy: Policy, root: RootBus): Lookup {
  const first = machine.hierarchy.functions[root.first] as PciFunction;
  const { name } = first;
  const told = (state: Lookup['state'], code: Reason['code'], message: string): Lookup => ({
    state,
    reason: { code, at: [first], message },
    split: null,
    likely: null,
  });
  const atZero = first.bdf.device === 0 && first.bdf.function === 0;
  if (!atZero && isListedInPart(root, first)) {
    const message = `the listing does not show 0000:00:00.0, which every x86 machine has and by which the kernel knows the host bridge`;
    return told('unknown', 'HOST_BRIDGE_UNKNOWN', message);
  }
  if (!atZero && first.portType !== null && first.portType !== 'rootPort') {
    const message = `the first device of the root bus, ${name}, is neither at 00.0 nor a root port`;
    return told('unusable', 'HOST_BRIDGE_UNUSABLE', message);
  }
  const entry = atZero || first.portType !== null ? entryFor(policy.allowList, first.possibleIds) : undefined;
  const bridge = `host bridge ${bridgeWords(first)} (${name})`;
  if (entry === undefined) {
    const message = `vendor and device of ${name}, the first device of its root bus, are not known`;
    const unknown = told('unknown', 'HOST_BRIDGE_UNKNOWN', message);
    // All names of listed ones are in the table.
    const isNew = first.isNamedOnly && first.deviceId === null && first.vendorId !== null;
    const because = `${bridge} is named like none of its maker's on the list of ${policy.name}`;
    return isNew ? { ...unknown, likely: { allowed: false, because } } : unknown;
  }
  if (entry === null)
    return told('notListed', 'HOST_BRIDGE_NOT_LISTED', `${bridge} is not on the list of ${policy.name}`);
  const split = `${bridge} is listed only for pairs below one host bridge, and these are below two`;
  return {
    ...told('listed', 'HOST_BRIDGE_LISTED', `${bridge} is on the list of ${policy.name}`),
    split: entry.sameRequired ? { code: 'HOST_BRIDGE_SPLIT', at: [first], message: split } : null,
  };
}

/** What the list has for ids, of which one is the bridge's: null for none, undefined where that depends on which it is. */
function entryFor(list: Policy['allowList'], ids: readonly NamedIds[]): AllowedHostBridge | null | undefined {
  const entries = ids.map(({ vendorId, deviceId }) => {
    const ofVendor = list.filter(({ vendor }) => vendor === vendorId);
    const any = ofVendor.find(({ device }) => device === null || device === deviceId);
    return any ?? (deviceId === null && ofVendor.length > 0 ? undefined : null);
  });
  const [first] = entries;
  const agree = entries.every(
    (entry) => entry === first || (entry && first && entry.sameRequired === first.sameRequired),
  );
  return entries.length === 0 || !agree ? undefined : first;
}

/** `8086:6f00`, and where the numbers are not printed how the bridge is called. */
function bridgeWords(fn: PciFunction): string {
  const { vendorId, deviceId } = fn;
  const digits = (id: number | null): string => (id === null ? '????' : hexDigits(id, 4));
  const numbers = `${digits(vendorId)}:${digits(deviceId)}`;
  if (!fn.isNamedOnly) return numbers;
  return deviceId === null ? `"${fn.facts.text?.deviceName}"` : `${numbers} by its name`;
}

/** Whether a listing leaves out the first device of bus 0, so that another looks like it. What sysfs holds is complete. */
function isListedInPart(root: RootBus, first: PciFunction): boolean {
  const isX86 = first.vendorId === 0x8086 || first.vendorId === 0x1022;
  return root.domain === 0 && root.bus === 0 && isX86 && first.facts.sysfs === null;
}
