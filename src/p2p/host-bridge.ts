/**
 * May this pair's traffic pass the host bridge? The CPU rule first, then the allow-list over the first device of each root
 * bus. Linux: host_bridge_whitelist(), __host_bridge_whitelist(), cpu_supports_p2pdma() in drivers/pci/p2pdma.c.
 */

import { hexDigits } from '../core/hex.ts';
import type { Machine } from '../machine/machine.ts';
import type { RootBus } from '../pcie/hierarchy.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import type { Policy } from './policy.ts';
import type { Reason } from './verdict.ts';

/** First AMD family whose root complexes route between all their ports: Zen. Hygon is another vendor and does not pass. */
const ZEN_FAMILY = 0x17;
const VENDOR_INTEL = 0x8086;

export interface HostBridgeAnswer {
  /** null: the evidence does not suffice. */
  readonly allowed: boolean | null;
  readonly reasons: readonly Reason[];
}

/** What one root bus has to say, by its first device. */
interface Lookup {
  readonly state: 'listed' | 'notListed' | 'unusable' | 'unknown';
  readonly isIntel: boolean;
  readonly reason: Reason;
  /** Refuses pairs below two host bridges, though it is listed; null where it does not. */
  readonly split: Reason | null;
}

/** What the CPU rule says: true allows every host bridge, false leaves it to the list, null is not known. */
export function cpuAllows(machine: Machine): boolean | null {
  const cpu = machine.cpu;
  if (cpu === null) return null;
  if (cpu.vendor !== 'AuthenticAMD') return false;
  return cpu.family === null ? null : cpu.family >= ZEN_FAMILY;
}

/**
 * The answers for one machine by one policy. Every root bus is looked up once, and its reasons are shared by all pairs: a
 * matrix of a large machine asks a million times.
 */
export class HostBridges {
  readonly #machine: Machine;
  readonly #policy: Policy;
  readonly #cpu: boolean | null;
  readonly #cpuAnswer: HostBridgeAnswer;
  readonly #lookups: (Lookup | undefined)[];

  constructor(machine: Machine, policy: Policy) {
    this.#machine = machine;
    this.#policy = policy;
    this.#cpu = cpuAllows(machine);
    const message = `the CPU is AuthenticAMD family ${machine.cpu?.family ?? 0}, Zen or newer`;
    this.#cpuAnswer = { allowed: true, reasons: [{ code: 'CPU_ALLOWS', at: [], message }] };
    this.#lookups = new Array(machine.hierarchy.rootBuses.length);
  }

  /** Judges one pair of root buses; the same bus twice for a pair below one host bridge. */
  answer(a: RootBus, b: RootBus): HostBridgeAnswer {
    if (this.#cpu === true) return this.#cpuAnswer;
    const same = a.id === b.id;
    const lookups = same ? [this.#lookUp(a)] : [this.#lookUp(a), this.#lookUp(b)];
    const reasons: Reason[] = [];
    let refused = false;
    let unknown = false;
    let intel = false;
    for (const { state, reason, split, isIntel } of lookups) {
      const splits = split !== null && !same;
      reasons.push(splits ? split : reason);
      if (state === 'unknown') unknown = true;
      else if (state !== 'listed' || splits) refused = true;
      if (isIntel) intel = true;
    }
    if (!refused && !unknown) return { allowed: true, reasons };
    // A root bus that starts with an Intel device belongs to an Intel CPU, whatever its family: the CPU rule cannot pass.
    if (refused && (this.#cpu === false || intel)) return { allowed: false, reasons };
    if (this.#cpu === null && !intel) reasons.push(CPU_UNKNOWN);
    return { allowed: null, reasons };
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

const CPU_UNKNOWN: Reason = {
  code: 'CPU_UNKNOWN',
  at: [],
  message: 'the CPU decides here, and the capture does not name it: give --cpu VENDOR:FAMILY',
};

function lookUp(machine: Machine, policy: Policy, root: RootBus): Lookup {
  const first = machine.hierarchy.functions[root.first] as PciFunction;
  const { name, vendorId, deviceId } = first;
  const isIntel = vendorId === VENDOR_INTEL;
  const because = (code: Reason['code'], message: string): Reason => ({ code, at: [name], message });
  const nothing = { isIntel, split: null };
  const atZero = first.bdf.device === 0 && first.bdf.function === 0;
  if ((!atZero && first.portType === null) || ((atZero || first.portType === 'rootPort') && !hasIds(first))) {
    const message = `vendor and device of ${name}, the first device of its root bus, are not known`;
    return { ...nothing, state: 'unknown', reason: because('HOST_BRIDGE_UNKNOWN', message) };
  }
  if (!atZero && first.portType !== 'rootPort') {
    const message = `the first device of the root bus, ${name}, is neither at 00.0 nor a root port`;
    return { ...nothing, state: 'unusable', reason: because('HOST_BRIDGE_UNUSABLE', message) };
  }
  const entry = policy.allowList.find(
    (candidate) => candidate.vendor === vendorId && (candidate.device === null || candidate.device === deviceId),
  );
  const bridge = `host bridge ${hexDigits(vendorId ?? 0, 4)}:${hexDigits(deviceId ?? 0, 4)} (${name})`;
  if (entry === undefined) {
    const message = `${bridge} is not on the list of ${policy.name}`;
    return { ...nothing, state: 'notListed', reason: because('HOST_BRIDGE_NOT_LISTED', message) };
  }
  const split = `${bridge} is listed only for pairs below one host bridge, and these are below two`;
  return {
    state: 'listed',
    isIntel,
    reason: because('HOST_BRIDGE_LISTED', `${bridge} is on the list of ${policy.name}`),
    split: entry.sameRequired ? because('HOST_BRIDGE_SPLIT', split) : null,
  };
}

function hasIds(fn: PciFunction): boolean {
  return fn.vendorId !== null && fn.deviceId !== null;
}
