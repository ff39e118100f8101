/**
 * The tables that a judgement walks: one row a function, so that a million pairs need no look-up by name and no allocation.
 */

import { checkObject, isObject } from '../core/argument.ts';
import type { Machine } from '../machine/machine.ts';
import { acsBitNames, REDIRECT_BITS, redirects } from '../pcie/acs.ts';
import type { RootBus } from '../pcie/hierarchy.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { JudgeError } from './errors.ts';
import { type HostBridgeAnswer, HostBridges, likelyAtHostBridge } from './host-bridge.ts';
import { POLICIES, type Policy } from './policy.ts';
import type { Likely, MapType, Reason } from './verdict.ts';

export const REDIRECT_NO = 0;
export const REDIRECT_YES = 1;
export const REDIRECT_UNKNOWN = 2;

/** Type and reasons that all pairs below two root buses share. */
export interface AcrossAnswer {
  readonly type: MapType;
  readonly reasons: readonly Reason[];
  readonly likely: Likely | null;
}

/** Everything about one machine and one policy that a pair's judgement needs. Made once, read many times. */
export class JudgeContext {
  readonly machine: Machine;
  readonly policy: Policy;
  readonly functions: readonly PciFunction[];
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  readonly rootBusOf: Int32Array;
  /** Per function: does its ACS Control redirect, by the path-wide rule? */
  readonly redirect: Uint8Array;
  readonly #hostBridges: HostBridges;
  readonly #meetings: (Reason | undefined)[];
  /** The answer asked for last, with its two root buses: clients come in order, so the next pair is mostly of the same. */
  #lastAcross: AcrossAnswer | null = null;
  #lastProviderRoot = -1;
  #lastClientRoot = -1;

  constructor(machine: Machine, policy: Policy = POLICIES['linux-7.0']) {
    checkObject(machine, 'hierarchy', 'JudgeContext: machine', 'a Machine, as readMachine gives');
    const { functions, parent, depth, rootBusOf } = machine.hierarchy;
    this.machine = machine;
    this.policy = policy;
    this.functions = functions;
    this.parent = parent;
    this.depth = depth;
    this.rootBusOf = rootBusOf;
    this.#meetings = new Array(functions.length);
    this.#hostBridges = new HostBridges(machine, policy);
    this.redirect = new Uint8Array(functions.length);
    for (let index = 0; index < functions.length; index++)
      this.redirect[index] = redirectOf(functions[index] as PciFunction);
  }

  rootBus(index: number): RootBus {
    return this.machine.hierarchy.rootBuses[this.rootBusOf[index] as number] as RootBus;
  }

  /** What host bridges and CPU say of traffic between two root buses. */
  hostBridge(provider: number, client: number): HostBridgeAnswer {
    return this.#hostBridges.answer(this.rootBus(provider), this.rootBus(client));
  }

  /**
   * Type and reasons of a pair whose paths meet in no bridge, with nothing missing above either: the same for all pairs
   * below the two root buses.
   */
  across(provider: number, client: number): AcrossAnswer {
    const a = this.rootBusOf[provider] as number;
    const b = this.rootBusOf[client] as number;
    if (this.#lastAcross === null || a !== this.#lastProviderRoot || b !== this.#lastClientRoot) {
      const answer = this.hostBridge(provider, client);
      const meeting = a === b ? IN_ONE_HOST_BRIDGE : BELOW_TWO_HOST_BRIDGES;
      this.#lastAcross = {
        type: typeOf(answer.allowed),
        reasons: [meeting, ...answer.reasons],
        likely: likelyAtHostBridge(answer),
      };
      this.#lastProviderRoot = a;
      this.#lastClientRoot = b;
    }
    return this.#lastAcross;
  }

  /** That two paths meet at a bridge: one reason for all of them. */
  meetingAt(common: number): Reason {
    let reason = this.#meetings[common];
    if (reason === undefined) {
      const fn = this.functions[common] as PciFunction;
      reason = { code: 'COMMON_UPSTREAM', at: [fn], message: `the paths meet at ${fn.name}` };
      this.#meetings[common] = reason;
    }
    return reason;
  }

  /**
   * Index of the first node that both chains share, the two functions themselves included; -1 where they share none.
   */
  commonUpstream(provider: number, client: number): number {
    if (this.rootBusOf[provider] !== this.rootBusOf[client]) return -1;
    let a = provider;
    let b = client;
    while (a !== b && a >= 0 && b >= 0) {
      const deeperA = (this.depth[a] as number) - (this.depth[b] as number);
      if (deeperA >= 0) a = this.parent[a] as number;
      if (deeperA <= 0) b = this.parent[b] as number;
    }
    return a === b ? a : -1;
  }

  /**
   * Index of a function in the tables.
   *
   * @throws ArgumentError for what is not a function; JudgeError FUNCTION_FOREIGN for one of another machine, even where both have
   * one at that address
   */
  indexOf(fn: PciFunction): number {
    if (!isObject(fn))
      checkObject(fn, 'bdf', 'function', 'a PciFunction: hierarchy.at() answers undefined where there is none');
    const index = this.machine.hierarchy.indexOf(fn.bdf);
    if (this.functions[index] === fn) return index;
    throw new JudgeError({
      code: 'FUNCTION_FOREIGN',
      path: fn.name,
      message: `is not a function of the machine that is judged, ${this.machine.source}`,
      hint: 'take both functions from the hierarchy of context.machine',
    });
  }
}

const IN_ONE_HOST_BRIDGE: Reason = {
  code: 'NO_COMMON_UPSTREAM',
  at: [],
  message: 'the paths meet only in the host bridge',
};
const BELOW_TWO_HOST_BRIDGES: Reason = {
  code: 'NO_COMMON_UPSTREAM',
  at: [],
  message: 'the two are below different host bridges',
};

/** The type of a pair that only the host bridge can connect. */
export function typeOf(allowed: boolean | null): MapType {
  return allowed === null ? 'unknown' : allowed ? 'thruHostBridge' : 'notSupported';
}

function redirectOf(fn: PciFunction): number {
  const isRedirecting = redirects(fn);
  if (isRedirecting === null) return REDIRECT_UNKNOWN;
  return isRedirecting ? REDIRECT_YES : REDIRECT_NO;
}

/** The set redirect bits of a function, `RR CR`, for messages. */
export function redirectNames(fn: PciFunction): string {
  return fn.acs.state === 'present' ? acsBitNames(fn.acs.control & REDIRECT_BITS) : 'unknown';
}
