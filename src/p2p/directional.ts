/**
 * The directional rule, our own opinion: ACS matters only where the two paths part, and there requests and completions are
 * judged apart. Below that point the only way out is up anyway, above it nobody passes.
 *
 *              common port
 *               /       \
 *          childC       childP        request  client -> provider : judged at childC (RR, EC, TB, DT)
 *            |             |          completion provider -> client: judged at childP (CR)
 *          client       provider
 *
 * As the correction proposed on the kernel list in autumn 2026 has it; PCIe Base Specification 6.12.3 for the bits.
 */

import {
  ACS_COMPLETION_REDIRECT,
  ACS_DIRECT_TRANSLATED,
  ACS_EGRESS_CONTROL,
  ACS_REQUEST_REDIRECT,
  ACS_TRANSLATION_BLOCKING,
  ACS_UPSTREAM_FORWARDING,
} from '../pcie/acs.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import type { JudgeContext } from './judge.ts';

/** What a divergence port does with a TLP. */
export type AcsRoute = 'direct' | 'redirect' | 'blocked';

/** Untranslated or translated requests, completions in strict or relaxed order: each pair of bits is judged apart. */
export interface TlpClass {
  readonly translated: boolean;
  readonly relaxedCompletions: boolean;
}

/** What an ordinary device sends: untranslated requests, completions in strict order. */
export const ORDINARY: TlpClass = { translated: false, relaxedCompletions: false };

/** All four classes. */
export const TLP_CLASSES: readonly TlpClass[] = [
  ORDINARY,
  { translated: false, relaxedCompletions: true },
  { translated: true, relaxedCompletions: false },
  { translated: true, relaxedCompletions: true },
];

/** What ACS Control `control` of the client's divergence port does with a request towards the provider. */
export function requestRoute(control: number, translated: boolean): AcsRoute {
  // Translation Blocking beats Direct Translated (PCIe 6.12.1.1).
  if (translated && control & ACS_TRANSLATION_BLOCKING) return 'blocked';
  if (translated && control & ACS_DIRECT_TRANSLATED) return 'direct';
  return control & (ACS_REQUEST_REDIRECT | ACS_EGRESS_CONTROL) ? 'redirect' : 'direct';
}

/** What ACS Control `control` of the provider's divergence port does with a completion towards the client. */
export function completionRoute(control: number, relaxed: boolean): AcsRoute {
  return !relaxed && control & ACS_COMPLETION_REDIRECT ? 'redirect' : 'direct';
}

/** How the two ends of a pair meet, by the directional rule. */
export interface Divergence {
  readonly route: AcsRoute | 'unknown';
  /** Index of the functions whose registers decided (or would). */
  readonly at: readonly number[];
  /**
   * Both are functions of one device on one link, and what one sends to the other leaves the device: nothing shows that it has a
   * route inside, or the functions' own ACS redirects. The port above must send it up then.
   */
  readonly viaSharedLink: boolean;
}

/** Judges the part of two paths below `common`, for one TLP class. All arguments are indices of `context.functions`. */
export function divergenceOf(
  context: JudgeContext,
  pair: { readonly provider: number; readonly client: number; readonly common: number },
  tlpClass: TlpClass = ORDINARY,
): Divergence {
  const blocking = tlpClass.translated ? translationBlockersBelow(context, pair) : [];
  if (blocking.length > 0) return { route: 'blocked', at: blocking, viaSharedLink: false };
  const childOfClient = childBelow(context, pair.client, pair.common);
  const childOfProvider = childBelow(context, pair.provider, pair.common);
  // One is above the other, or both are one: nothing parts.
  if (childOfClient < 0 || childOfProvider < 0) return { route: 'direct', at: [], viaSharedLink: false };
  const oneLink = onOneLink(context, pair.common);
  const viaSharedLink = oneLink && !routesInside(context, childOfProvider, childOfClient);
  const request = routeAt(context, childOfClient, (control) =>
    requestRoute(control & ~ACS_TRANSLATION_BLOCKING, tlpClass.translated),
  );
  const completion = routeAt(context, childOfProvider, (control) =>
    completionRoute(control, tlpClass.relaxedCompletions),
  );
  const redirecting = [
    ...(completion === 'redirect' ? [childOfProvider] : []),
    ...(request === 'redirect' ? [childOfClient] : []),
  ];
  if (redirecting.length > 0) return { route: 'redirect', at: redirecting, viaSharedLink: oneLink };
  const unknown = [
    ...(completion === 'unknown' ? [childOfProvider] : []),
    ...(request === 'unknown' ? [childOfClient] : []),
  ];
  if (unknown.length > 0) return { route: 'unknown', at: unknown, viaSharedLink };
  return { route: 'direct', at: [], viaSharedLink };
}

/**
 * The ports from `from` up to before `end` (-1: up to the root bus) that block translated requests. Translation Blocking is a
 * property of the path: every port on it receives the request from below. PCIe 6.12.1.1.
 */
export function translationBlockers(context: JudgeContext, from: number, end: number): number[] {
  const blocking: number[] = [];
  for (let at = from; at !== end && at >= 0; at = context.parent[at] as number) {
    const acs = (context.functions[at] as PciFunction).acs;
    if (acs.state === 'present' && (acs.control & ACS_TRANSLATION_BLOCKING) !== 0) blocking.push(at);
  }
  return blocking;
}

/** Those on the way that no route avoids: above the client and below the common port, and that port where it is the provider. */
function translationBlockersBelow(
  context: JudgeContext,
  { provider, client, common }: { readonly provider: number; readonly client: number; readonly common: number },
): number[] {
  if (client === common) return [];
  const end = provider === common ? (context.parent[common] as number) : common;
  return translationBlockers(context, context.parent[client] as number, end);
}

function routeAt(context: JudgeContext, index: number, decide: (control: number) => AcsRoute): AcsRoute | 'unknown' {
  const acs = (context.functions[index] as PciFunction).acs;
  if (acs.state === 'unknown') return 'unknown';
  return acs.state === 'absent' ? 'direct' : decide(acs.control);
}

/** The node on the way from `from` up to `common`, directly below it; -1 where `from` is `common`. */
function childBelow(context: JudgeContext, from: number, common: number): number {
  let below = -1;
  for (let at = from; at !== common; at = context.parent[at] as number) below = at;
  return below;
}

/** ACS Capability bits that only a device with routing between its functions has. PCIe 6.12.1.2. */
const INTERNAL_ROUTING = ACS_REQUEST_REDIRECT | ACS_COMPLETION_REDIRECT | ACS_EGRESS_CONTROL | ACS_DIRECT_TRANSLATED;

/** Whether one link is below `common`: a root port or a downstream port. Inside a switch or on a conventional bus the members see each other. */
function onOneLink(context: JudgeContext, common: number): boolean {
  const { portType } = context.functions[common] as PciFunction;
  return portType === 'rootPort' || portType === 'downstreamPort';
}

/** Whether both functions have ACS services that only a device with routing between its functions has. */
function routesInside(context: JudgeContext, a: number, b: number): boolean {
  const routes = (index: number): boolean => {
    const acs = (context.functions[index] as PciFunction).acs;
    return acs.state === 'present' && (acs.capability & INTERNAL_ROUTING) !== 0;
  };
  return routes(a) && routes(b);
}

/** Whether the port above a shared link sends requests for its own window up: Upstream Forwarding is on. PCIe 6.12.1.1. */
export function forwardsUpstream(context: JudgeContext, port: number): boolean | null {
  const acs = (context.functions[port] as PciFunction).acs;
  if (acs.state === 'unknown') return null;
  return acs.state === 'present' && (acs.control & ACS_UPSTREAM_FORWARDING) !== 0;
}
