/**
 * The map type of a pair for one class of TLPs. A client with an Address Translation Cache sends translated requests, which ACS
 * treats otherwise (Translation Blocking, Direct Translated); a provider may complete in relaxed order. Four classes, judged apart
 * by the directional rule, as the correction proposed in autumn 2026 has them. `p2pdmaDistance` answers for the ordinary class.
 */

import { divergenceOf, forwardsUpstream, type TlpClass, translationBlockers } from './directional.ts';
import type { JudgeContext } from './judge.ts';
import { typeOf } from './judge.ts';
import type { MapType } from './verdict.ts';

/** The map type for a class; provider and client are indices of `context.functions`. */
export function mapTypeOfClass(context: JudgeContext, provider: number, client: number, tlpClass: TlpClass): MapType {
  if (provider === client) return 'busAddr';
  const common = context.commonUpstream(provider, client);
  if (common < 0) return throughHostBridge(context, provider, client, tlpClass);
  const { route, viaSharedLink } = divergenceOf(context, { provider, client, common }, tlpClass);
  if (route === 'blocked') return 'notSupported';
  if (route === 'unknown') return 'unknown';
  if (viaSharedLink) {
    const forwards = forwardsUpstream(context, common);
    if (forwards === null) return 'unknown';
    return forwards ? throughHostBridge(context, provider, client, tlpClass) : 'notSupported';
  }
  return route === 'direct' ? 'busAddr' : throughHostBridge(context, provider, client, tlpClass);
}

/** Up to the root complex: every port above the client receives the request from below. */
function throughHostBridge(context: JudgeContext, provider: number, client: number, tlpClass: TlpClass): MapType {
  const { evidence } = context.rootBus(provider);
  if (evidence === null || context.rootBus(client).evidence === null) return 'unknown';
  const above = context.parent[client] as number;
  if (tlpClass.translated && translationBlockers(context, above, -1).length > 0) return 'notSupported';
  return typeOf(context.hostBridge(provider, client).allowed);
}
