/**
 * What a judgement is: a type, a distance, and the reasons. What a program asks of a reason is its code and its functions; the sentence
 * beside them is for people, and nothing is decided by it.
 */

import type { PciFunction } from '../pcie/pci-function.ts';

/** `enum pci_p2pdma_map_type`, and `unknown` where the evidence does not suffice. */
export type MapType = 'busAddr' | 'thruHostBridge' | 'notSupported' | 'unknown';

/** The case of the mail that a map type leads to: (c), (b2), (b1), (a) as the only road left, or not known. */
export type MailCase = 'a' | 'b1' | 'b2' | 'c' | '?';

export type ReasonCode =
  /** Provider and client are one function. */
  | 'SAME_FUNCTION'
  /** The two paths meet at this bridge. */
  | 'COMMON_UPSTREAM'
  /** The paths do not meet below the host bridge. */
  | 'NO_COMMON_UPSTREAM'
  /** ACS on these functions sends peer requests or completions up to the root complex. */
  | 'ACS_REDIRECT'
  /** ACS of these functions is not known. */
  | 'ACS_UNKNOWN'
  /** The CPU is AMD Zen or newer: every host bridge will do. */
  | 'CPU_ALLOWS'
  /** The CPU is not known, and it would decide. */
  | 'CPU_UNKNOWN'
  /** The first devices of the root buses are on the allow-list. */
  | 'HOST_BRIDGE_LISTED'
  | 'HOST_BRIDGE_NOT_LISTED'
  /** The list demands one host bridge for both, and they are below two. */
  | 'HOST_BRIDGE_SPLIT'
  /** The first device of the root bus is neither at 00.0 nor a root port: the kernel does not look it up. */
  | 'HOST_BRIDGE_UNUSABLE'
  /** Vendor and device of the root bus's first device are not known. */
  | 'HOST_BRIDGE_UNKNOWN'
  /** What stands above these functions is not in the capture. */
  | 'ORPHAN'
  /** Functions behind one link without a known route inside their device. */
  | 'SHARED_LINK'
  /** Our own opinion differs from this kernel's answer. */
  | 'OPINION_DIFFERS';

export interface Reason {
  readonly code: ReasonCode;
  /** The functions concerned, in walk order. */
  readonly at: readonly PciFunction[];
  /** One sentence with the facts. */
  readonly message: string;
}

/** What a pair that stays unknown probably is, by evidence that is strong and no proof. */
export interface Likely {
  readonly type: Exclude<MapType, 'unknown'>;
  /** One sentence with the evidence. */
  readonly because: string;
}

export interface PairVerdict {
  readonly type: MapType;
  /** Hops as the kernel counts them; null where the tree above is not known. */
  readonly distance: number | null;
  readonly reasons: readonly Reason[];
  /** Null where the type is known, and where the evidence favours none. */
  readonly likely: Likely | null;
}

/** The mail's case of a type; `same` tells that provider and client are one function. */
export function mailCase(type: MapType, same: boolean): MailCase {
  switch (type) {
    case 'busAddr':
      return same ? 'c' : 'b2';
    case 'thruHostBridge':
      return 'b1';
    case 'notSupported':
      return 'a';
    case 'unknown':
      return '?';
  }
}
