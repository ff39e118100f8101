/** What the specification leaves open, or to the implementation, decided once for a fabric. The defaults are the safe ones. */

export type SamePortRule =
  /** The port answers Unsupported Request. */
  | 'unsupportedRequest'
  | 'drop'
  /** The port turns the request round itself. */
  | 'reflect'
  /** As if Upstream Forwarding were on: up, at a root port into the root complex. */
  | 'upstream';

export interface FabricRules {
  /** A request whose address lies below the port that receives it from below, with Upstream Forwarding off. PCIe 6.12.3. */
  readonly samePortAtRootPort: SamePortRule;
  readonly samePortAtDownstreamPort: SamePortRule;
  /** Functions of one device reach each other inside it. PCIe 6.12.1.2: optional. */
  readonly internalPeerRoute: boolean;
  /** An address inside a switch's windows that no port claims (`unclaimed request redirect` of the enhanced capability). */
  readonly unclaimedInSwitch: 'unsupportedRequest' | 'upstream';
}

export const DEFAULT_RULES: FabricRules = {
  samePortAtRootPort: 'unsupportedRequest',
  samePortAtDownstreamPort: 'unsupportedRequest',
  internalPeerRoute: false,
  unclaimedInSwitch: 'unsupportedRequest',
};
