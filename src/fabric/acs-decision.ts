/**
 * What Access Control Services let a TLP do at the port that receives it from below. PCIe Base Specification, 6.12.3 (egress
 * control and redirect), 6.12.1 (the services). A pure function of the control bits: `route` walks, this decides.
 */

import {
  ACS_COMPLETION_REDIRECT,
  ACS_DIRECT_TRANSLATED,
  ACS_EGRESS_CONTROL,
  ACS_REQUEST_REDIRECT,
  ACS_SOURCE_VALIDATION,
  ACS_TRANSLATION_BLOCKING,
  ACS_UPSTREAM_FORWARDING,
} from '../pcie/acs.ts';

/** The AT field of a memory request. PCIe 10.2.1. */
export type AddressType = 'untranslated' | 'translationRequest' | 'translated';

/** Where plain routing would send the TLP. `samePort`: back through the port that it came in by. */
export type Egress = 'upstream' | 'samePort' | 'peer';

export type AcsDecision =
  /** On its way up, as routing had it. */
  | 'upstream'
  /** Straight to the peer, as routing had it. */
  | 'direct'
  /** Up instead of to the peer. At a root port: to the validation of redirected requests. */
  | 'redirect'
  /** Back through the port that it came in by, without Upstream Forwarding: the specification does not say. */
  | 'undefined'
  /** ACS Violation: the requester's bus number is not below this port. */
  | 'sourceValidation'
  /** ACS Violation: the address type is not `untranslated`. */
  | 'translationBlocking'
  /** ACS Violation: the egress control vector forbids this peer. */
  | 'egressControl';

/**
 * A memory request received from below, with the tests in the order of the specification.
 * @param control - ACS Control register of the receiving port; 0 without the capability
 * @param sourceIsBelow - whether the requester's bus lies in [secondary, subordinate] of the port
 * @param egressBit - the bit of the egress control vector for the peer; only asked with egress `peer` and EC on
 */
export function acsRequestDecision(
  control: number,
  sourceIsBelow: boolean,
  addressType: AddressType,
  egress: Egress,
  egressBit: boolean,
): AcsDecision {
  if ((control & ACS_SOURCE_VALIDATION) !== 0 && !sourceIsBelow) return 'sourceValidation';
  // Translation Blocking comes before Direct Translated: with both set, DT has no say.
  if ((control & ACS_TRANSLATION_BLOCKING) !== 0 && addressType !== 'untranslated') return 'translationBlocking';
  if (egress === 'upstream') return 'upstream';
  if (egress === 'samePort') return (control & ACS_UPSTREAM_FORWARDING) !== 0 ? 'redirect' : 'undefined';
  if (addressType === 'translated' && (control & ACS_DIRECT_TRANSLATED) !== 0) return 'direct';
  const redirects = (control & ACS_REQUEST_REDIRECT) !== 0;
  // With egress control the vector says which peers are meant; without it every peer is.
  if ((control & ACS_EGRESS_CONTROL) === 0) return redirects ? 'redirect' : 'direct';
  if (!egressBit) return 'direct';
  return redirects ? 'redirect' : 'egressControl';
}

/**
 * A completion received from below: it is routed by requester ID, never validated, and only Completion Redirect and Upstream
 * Forwarding ask after it.
 */
export function acsCompletionDecision(control: number, egress: Egress, relaxedOrdering: boolean): AcsDecision {
  if (egress === 'upstream') return 'upstream';
  if (egress === 'samePort') return (control & ACS_UPSTREAM_FORWARDING) !== 0 ? 'redirect' : 'undefined';
  return (control & ACS_COMPLETION_REDIRECT) !== 0 && !relaxedOrdering ? 'redirect' : 'direct';
}
