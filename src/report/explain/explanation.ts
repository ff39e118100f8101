/** Everything that there is to say about one pair, before it is worded. */

import { driverState } from '../../doctor/diagnoses/shut-roads.ts';
import { type ClosedGate, gateKey, receiverGates, senderGates } from '../../doctor/facts/closed-gate.ts';
import { type MissingEvidence, missingEvidence } from '../../doctor/facts/missing-evidence.ts';
import { type Link, linkAbove, narrowestAbove } from '../../doctor/facts/road-links.ts';
import { type PairRemedy, pairRemedy } from '../../doctor/remedy/pair-remedy.ts';
import type { Opinion } from '../../doctor/whose-rule/opinion.ts';
import { whoseRule } from '../../doctor/whose-rule/whose-rule.ts';
import { hypervisorOf } from '../../machine/infer/hypervisor.ts';
import { rolesOf } from '../../machine/roles.ts';
import { judgePair } from '../../p2p/distance.ts';
import type { JudgeContext } from '../../p2p/judge.ts';
import type { PairVerdict, ReasonCode } from '../../p2p/verdict.ts';
import { redirects } from '../../pcie/acs.ts';
import type { Source } from '../../pcie/function-facts.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

/** One function on the way. */
export interface Hop {
  readonly fn: PciFunction;
  readonly role: 'provider' | 'client' | 'same' | 'common' | 'bridge';
  /** Its ACS Control redirects by the path-wide rule; null where its ACS is not known. */
  readonly redirects: boolean | null;
  /** Its ACS registers decide the verdict, or would if they were known. */
  readonly decides: boolean;
  readonly acsSource: Source | null;
  /** The link above it; null where there is none, and in a guest, whose links are drawn. */
  readonly link: Link | null;
}

export interface Explanation {
  readonly judge: JudgeContext;
  readonly provider: PciFunction;
  readonly client: PciFunction;
  /** From the provider up: to the common node, itself last, or to the root bus. */
  readonly providerLeg: readonly Hop[];
  /** From the client up, without the common node. */
  readonly clientLeg: readonly Hop[];
  /** The node where the paths meet; null where they meet in a host bridge or not at all. */
  readonly common: PciFunction | null;
  /** The pair as asked. */
  readonly verdict: PairVerdict;
  /** The pair the other way round: the client provides, the provider does the DMA. */
  readonly reverse: PairVerdict;
  readonly remedy: PairRemedy;
  readonly missing: MissingEvidence | null;
  /** The link that bounds every copy between the two; null where no rate is known, and in a guest. */
  readonly narrowest: Link | null;
  /** What the registers shut for the client's requests now, whatever the verdict: client first, then down to the provider's memory. */
  readonly shut: readonly ClosedGate[];
  /** The functions on the way that redirect now, in walk order: the kernel prints their names. */
  readonly redirecting: readonly PciFunction[];
  /** Who decides about this pair, and what each would say; empty for a function and itself. */
  readonly opinions: readonly Opinion[];
}

/** Reasons in which the ACS registers of the functions named decide. */
const ACS_REASONS: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['ACS_REDIRECT', 'ACS_UNKNOWN', 'SHARED_LINK']);

/** Explains the pair by index in `judge.functions`. */
export function explain(judge: JudgeContext, provider: number, client: number): Explanation {
  const verdict = judgePair(judge, provider, client);
  const common = judge.commonUpstream(provider, client);
  const named = new Set(verdict.reasons.filter(({ code }) => ACS_REASONS.has(code)).flatMap(({ at }) => at));
  const isGuest = hypervisorOf(judge.machine) !== null;
  const hop = (index: number): Hop => hopOf(judge, { index, provider, client, common, named, isGuest });
  const providerLeg = legOf(judge, provider, common).map(hop);
  if (common >= 0) providerLeg.push(hop(common));
  const clientLeg = legOf(judge, client, common).map(hop);
  return {
    judge,
    provider: judge.functions[provider] as PciFunction,
    client: judge.functions[client] as PciFunction,
    providerLeg,
    clientLeg,
    common: judge.functions[common] ?? null,
    verdict,
    reverse: judgePair(judge, client, provider),
    remedy: pairRemedy(judge, provider, client),
    missing: missingEvidence(judge.machine, verdict),
    narrowest: isGuest
      ? null
      : narrowestAbove(judge.machine.hierarchy, roadOf(judge, { provider, client, common, verdict })),
    shut: shutGates(judge, { provider, client, common, verdict }),
    redirecting: [...providerLeg, ...clientLeg].filter((item) => item.redirects === true).map((item) => item.fn),
    opinions: provider === client ? [] : whoseRule({ judge, roles: rolesOf(judge.functions) }, provider, client),
  };
}

/** Up to where the legs meet, or all the way up where that is where the traffic turns round; each gate once. */
function shutGates(
  { machine: { hierarchy } }: JudgeContext,
  { provider, client, common, verdict }: { provider: number; client: number; common: number; verdict: PairVerdict },
): ClosedGate[] {
  if (provider === client) return [];
  const end = verdict.type === 'busAddr' ? common : -1;
  const gates = [
    ...byRight(hierarchy.functions[client] as PciFunction, senderGates(hierarchy, client, end)),
    ...byRight(hierarchy.functions[provider] as PciFunction, receiverGates(hierarchy, provider, end)),
  ];
  const seen = new Set<string>();
  return gates.filter((gate) => {
    const key = gateKey(gate);
    return !seen.has(key) && seen.add(key);
  });
}

/** Without what is off because no driver has come yet: that driver switches it on, and the bridges above with it. */
function byRight(fn: PciFunction, gates: readonly ClosedGate[]): readonly ClosedGate[] {
  const state = driverState(fn);
  const idle = state === 'bound' || state === 'unknown' ? undefined : gates.find(({ at }) => at === fn)?.kind;
  return idle === 'busMaster' || idle === 'memorySpace' ? gates.filter(({ kind }) => kind !== idle) : gates;
}

/** The functions above which traffic passes: up to where the legs meet, and to the top where it is redirected there. */
function roadOf(
  judge: JudgeContext,
  { provider, client, common, verdict }: { provider: number; client: number; common: number; verdict: PairVerdict },
): number[] {
  if (provider === client) return [];
  const goesUp = common >= 0 && verdict.type !== 'busAddr';
  return [
    ...legOf(judge, provider, common),
    ...legOf(judge, client, common),
    ...(goesUp ? judge.machine.hierarchy.chainOf(common) : []),
  ];
}

/** From a function up to the common node, without it; to the root bus where there is none. */
function legOf(judge: JudgeContext, from: number, common: number): number[] {
  const leg: number[] = [];
  for (let at = from; at >= 0 && at !== common; at = judge.parent[at] as number) leg.push(at);
  return leg;
}

function hopOf(
  judge: JudgeContext,
  at: {
    readonly index: number;
    readonly provider: number;
    readonly client: number;
    readonly common: number;
    readonly named: ReadonlySet<PciFunction>;
    readonly isGuest: boolean;
  },
): Hop {
  const fn = judge.functions[at.index] as PciFunction;
  return {
    fn,
    role: roleOf(at),
    redirects: redirects(fn),
    decides: at.named.has(fn),
    acsSource: fn.sourceOf('acs'),
    link: at.isGuest ? null : linkAbove(judge.machine.hierarchy, at.index),
  };
}

function roleOf(at: {
  readonly index: number;
  readonly provider: number;
  readonly client: number;
  readonly common: number;
}): Hop['role'] {
  if (at.index === at.provider) return at.index === at.client ? 'same' : 'provider';
  if (at.index === at.client) return 'client';
  return at.index === at.common ? 'common' : 'bridge';
}
