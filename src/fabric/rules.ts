/** What the specification leaves open, or to the implementation, decided once for a fabric. The defaults are the safe ones. */

/** What a port does with a TLP from below whose target is below itself, while Upstream Forwarding is off. */
export type SamePortRule =
  /** Answers a request with Unsupported Request; a completion is lost. */
  | 'unsupportedRequest'
  /** Throws it away. */
  | 'drop'
  /** Turns it round. */
  | 'reflect'
  /** As if Upstream Forwarding were on: up, at a root port into the root complex. */
  | 'upstream';

export interface FabricRules {
  /** PCIe 6.12.3: undefined. Real root ports tend to hand such a request to the root complex (`upstream`). */
  readonly samePortAtRootPort: SamePortRule;
  readonly samePortAtDownstreamPort: SamePortRule;
  /** Functions of one device reach each other inside it. PCIe 6.12.1.2: optional. */
  readonly internalPeerRoute: boolean;
  /** An address inside a switch's windows that no port claims (`unclaimed request redirect` of the enhanced capability). */
  readonly unclaimedInSwitch: 'unsupportedRequest' | 'upstream';
  /** The root complex cuts read completions at its Read Completion Boundary of 64 bytes (PCIe 2.3.1.1); false: at the payload. */
  readonly rootComplexCutsAtRcb: boolean;
  /** How long a requester waits for a completion, ns. PCIe 2.8: 50 us to 50 ms. */
  readonly completionTimeoutNs: number;
}

export const DEFAULT_RULES: FabricRules = {
  samePortAtRootPort: 'unsupportedRequest',
  samePortAtDownstreamPort: 'unsupportedRequest',
  internalPeerRoute: false,
  unclaimedInSwitch: 'unsupportedRequest',
  rootComplexCutsAtRcb: false,
  completionTimeoutNs: 10_000_000,
};
