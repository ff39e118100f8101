/**
 * May this pair's traffic pass the host bridge? The CPU rule first, then the allow-list over the first device of each root
 * bus. Linux: host_bridge_whitelist(), __host_bridge_whitelist(), cpu_supports_p2pdma() in drivers/pci/p2pdma.c.
 */

import { hexDigits } from '../core/hex.ts';
import type { Machine } from '../machine/machine.ts';
import type { RootBus } from '../pcie/hierarchy.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import type { AllowedHostBridge, Policy } from './policy.ts';
import type { Reason } from './verdict.ts';

/** First AMD family whose root complexes route between all their ports: Zen. Hygon is another vendor and does not pass. */
const ZEN_FAMILY = 0x17;
const VENDOR_INTEL = 0x8086;

export interface HostBridgeAnswer {
  /** null: the evidence does not suffice. */
  readonly allowed: boolean | null;
  readonly reasons: readonly Reason[];
}

interface Lookup {
  readonly first: PciFunction;
  readonly state: 'listed' | 'notListed' | 'unusable' | 'unknown';
  readonly entry: AllowedHostBridge | null;
}

/** What the CPU rule says: true allows every host bridge, false leaves it to the list, null is not known. */
export function cpuAllows(machine: Machine): boolean | null {
  const cpu = machine.cpu;
  if (cpu === null) return null;
  if (cpu.vendor !== 'AuthenticAMD') return false;
  return cpu.family === null ? null : cpu.family >= ZEN_FAMILY;
}

/** Judges one pair of root buses; the same bus twice for a pair below one host bridge. */
export function hostBridgeAllows(machine: Machine, policy: Policy, a: RootBus, b: RootBus): HostBridgeAnswer {
  const cpu = cpuAllows(machine);
  if (cpu === true) {
    const family = machine.cpu?.family ?? 0;
    return {
      allowed: true,
      reasons: [{ code: 'CPU_ALLOWS', at: [], message: `the CPU is AuthenticAMD family ${family}, Zen or newer` }],
    };
  }
  const same = a.id === b.id;
  const lookups = (same ? [a] : [a, b]).map((root) => lookUp(machine, policy, root));
  const reasons: Reason[] = [];
  let refused = false;
  let unknown = false;
  for (const { first, state, entry } of lookups) {
    const id = first.vendorId === null ? 'unknown' : idText(first);
    if (state === 'unknown') {
      unknown = true;
      reasons.push(
        reason(
          'HOST_BRIDGE_UNKNOWN',
          first,
          `vendor and device of ${first.name}, the first device of its root bus, are not known`,
        ),
      );
    } else if (state === 'unusable') {
      refused = true;
      reasons.push(
        reason(
          'HOST_BRIDGE_UNUSABLE',
          first,
          `the first device of the root bus, ${first.name}, is neither at 00.0 nor a root port`,
        ),
      );
    } else if (state === 'notListed') {
      refused = true;
      reasons.push(
        reason(
          'HOST_BRIDGE_NOT_LISTED',
          first,
          `host bridge ${id} (${first.name}) is not on the list of ${policy.name}`,
        ),
      );
    } else if (entry?.sameRequired === true && !same) {
      refused = true;
      reasons.push(
        reason(
          'HOST_BRIDGE_SPLIT',
          first,
          `host bridge ${id} (${first.name}) is listed only for pairs below one host bridge, and these are below two`,
        ),
      );
    } else {
      reasons.push(
        reason('HOST_BRIDGE_LISTED', first, `host bridge ${id} (${first.name}) is on the list of ${policy.name}`),
      );
    }
  }
  if (!refused && !unknown) return { allowed: true, reasons };
  // A root bus that starts with an Intel device belongs to an Intel CPU, whatever its family: the CPU rule cannot pass.
  const intel = lookups.some(({ first }) => first.vendorId === VENDOR_INTEL);
  if (refused && (cpu === false || intel)) return { allowed: false, reasons };
  if (cpu === null && !intel)
    reasons.push({
      code: 'CPU_UNKNOWN',
      at: [],
      message: 'the CPU decides here, and the capture does not name it: give --cpu VENDOR:FAMILY',
    });
  return { allowed: null, reasons };
}

function reason(code: Reason['code'], fn: PciFunction, message: string): Reason {
  return { code, at: [fn.name], message };
}

/** `8086:2f00`. */
function idText(fn: PciFunction): string {
  return `${hexDigits(fn.vendorId ?? 0, 4)}:${hexDigits(fn.deviceId ?? 0, 4)}`;
}

function lookUp(machine: Machine, policy: Policy, root: RootBus): Lookup {
  const first = machine.hierarchy.functions[root.first] as PciFunction;
  const atZero = first.bdf.device === 0 && first.bdf.function === 0;
  if (!atZero && first.portType !== 'rootPort') {
    return { first, state: first.portType === null ? 'unknown' : 'unusable', entry: null };
  }
  if (first.vendorId === null || first.deviceId === null) return { first, state: 'unknown', entry: null };
  const entry = policy.allowList.find(
    (candidate) =>
      candidate.vendor === first.vendorId && (candidate.device === null || candidate.device === first.deviceId),
  );
  return { first, state: entry ? 'listed' : 'notListed', entry: entry ?? null };
}
