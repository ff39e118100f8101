/**
 * The smallest change that gives a pair a better road: found by changing a copy of the machine and judging it again, never
 * by the wording of a reason.
 *
 *   notSupported  <  thruHostBridge  <  busAddr
 *
 * Three kinds are tried: clearing the ACS redirect bits of as few functions as possible, moving one of the two below
 * another port, and a newer kernel.
 */

import { assert } from '../../core/assert.ts';
import type { Machine } from '../../machine/machine.ts';
import { judgePair } from '../../p2p/distance.ts';
import { JudgeContext, REDIRECT_YES } from '../../p2p/judge.ts';
import { POLICIES, POLICY_NAMES, type Policy, type PolicyName } from '../../p2p/policy.ts';
import type { MapType, PairVerdict } from '../../p2p/verdict.ts';
import { REDIRECT_BITS } from '../../pcie/acs.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { controlsOf, type PortChange, portChange } from '../port-change.ts';
import { relevantPart, withAcsControls, withFunctionMoved } from './changed-machine.ts';

export type { PortChange } from '../port-change.ts';

/** Redirect bits cleared: no port of the list can be left out. */
export interface SettingsChange {
  readonly ports: readonly PortChange[];
  readonly verdict: PairVerdict;
}

/** One of the two in another slot. */
export interface MoveChange {
  readonly who: 'provider' | 'client';
  /** The port below which it would stand. */
  readonly below: PciFunction;
  /** The functions that are there now; empty for a free slot. */
  readonly occupants: readonly PciFunction[];
  /** What must be cleared besides; null where the move alone does it. */
  readonly settings: SettingsChange | null;
  readonly verdict: PairVerdict;
}

export interface SmallestChange {
  readonly before: PairVerdict;
  /** Null: no change of ACS settings gives a better road. */
  readonly settings: SettingsChange | null;
  /** The best place for the client, the best place for the provider. */
  readonly moves: readonly MoveChange[];
  /** The first newer rules that would give a better road. */
  readonly kernel: { readonly policy: PolicyName; readonly verdict: PairVerdict } | null;
}

const RANK: Readonly<Record<MapType, number>> = { unknown: -1, notSupported: 0, thruHostBridge: 1, busAddr: 2 };

/** Whether a road is better than another: by bus address before through the host bridge before none. */
export function isBetter(verdict: Pick<PairVerdict, 'type'>, than: Pick<PairVerdict, 'type'>): boolean {
  return RANK[verdict.type] > RANK[than.type];
}

/**
 * What would give `client` a better road to the memory of `provider` (both by index in `judge.functions`). All parts are
 * null or empty where the road is by bus address already. Of a pair that is not known only what is certain anyway is told: redirects
 * below a switch that are to be cleared whatever the host bridge does.
 */
export function smallestChange(judge: JudgeContext, provider: number, client: number): SmallestChange {
  const before = judgePair(judge, provider, client);
  if (before.type === 'busAddr') return { before, settings: null, moves: [], kernel: null };
  const pair: Pair = { provider: fnAt(judge, provider), client: fnAt(judge, client) };
  const part = relevantPart(judge.machine, [provider, client]);
  const settings = confirmed(judge, pair, smallestSettings(part, judge.policy, pair));
  // Where something else is not known, what ACS does is still certain; whether another slot is better is not.
  if (before.type === 'unknown') return { before, settings, moves: [], kernel: null };
  // Settings are the smaller change; a move is asked for only where they do not reach the best road.
  const moves =
    settings?.verdict.type === 'busAddr' || provider === client
      ? []
      : [bestMove(judge, pair, 'client'), bestMove(judge, pair, 'provider')].filter((move) => move !== null);
  return { before, settings, moves, kernel: newerKernel(judge, provider, client, before) };
}

interface Pair {
  readonly provider: PciFunction;
  readonly client: PciFunction;
}

function fnAt(judge: JudgeContext, index: number): PciFunction {
  return judge.functions[index] as PciFunction;
}

/** The verdict on the pair in a copy of its machine. */
function judgeIn(machine: Machine, policy: Policy, pair: Pair): PairVerdict {
  // A port that was changed is another function there: the pair is found by its addresses.
  const { hierarchy } = machine;
  const [provider, client] = [hierarchy.indexOf(pair.provider.bdf), hierarchy.indexOf(pair.client.bdf)];
  return judgePair(new JudgeContext(machine, policy), provider, client);
}

/**
 * The fewest functions whose redirect bits must be cleared for the best road that clearing can give. Null where it gives
 * none that is better.
 */
function smallestSettings(machine: Machine, policy: Policy, pair: Pair): SettingsChange | null {
  const before = judgeIn(machine, policy, pair);
  const candidates = redirectingOnLegs(machine, policy, pair);
  const verdictWith = (ports: readonly PortChange[]): PairVerdict =>
    judgeIn(withAcsControls(machine, controlsOf(ports)), policy, pair);
  const best = verdictWith(candidates);
  if (candidates.length === 0) return null;
  if (!isBetter(best, before)) return unlessUnknown(before, best, candidates);
  // Every port that can be left out alone can be left out with others: what a verdict asks of each port does not depend on
  // the rest. So one pass finds the smallest set.
  let ports = candidates;
  for (const port of candidates) {
    const fewer = ports.filter((candidate) => candidate !== port);
    if (verdictWith(fewer).type === best.type) ports = fewer;
  }
  return { ports, verdict: verdictWith(ports) };
}

/** Where other functions' ACS is not known, those that are known to redirect are to be cleared all the same. */
function unlessUnknown(
  before: PairVerdict,
  best: PairVerdict,
  candidates: readonly PortChange[],
): SettingsChange | null {
  const redirecting = new Set(before.reasons.filter(({ code }) => code === 'ACS_REDIRECT').flatMap(({ at }) => at));
  const hangsOnAcs = best.type === 'unknown' && best.reasons.some(({ code }) => code === 'ACS_UNKNOWN');
  if (redirecting.size === 0 || !hangsOnAcs) return null;
  return { ports: candidates.filter(({ at }) => redirecting.has(at)), verdict: best };
}

function redirectingOnLegs(machine: Machine, policy: Policy, pair: Pair): PortChange[] {
  const { hierarchy } = machine;
  const judge = new JudgeContext(machine, policy);
  const [provider, client] = [judge.indexOf(pair.provider), judge.indexOf(pair.client)];
  const legs = new Set([...hierarchy.chainOf(provider), ...hierarchy.chainOf(client)]);
  const changes: PortChange[] = [];
  for (const index of legs) {
    if (judge.redirect[index] !== REDIRECT_YES) continue;
    changes.push(portChange(hierarchy, index, (control) => control & ~REDIRECT_BITS));
  }
  return changes;
}

/** The same change on the whole machine must give the same verdict as on its relevant part. */
function confirmed(judge: JudgeContext, pair: Pair, change: SettingsChange | null): SettingsChange | null {
  if (change === null) return null;
  const verdict = judgeIn(withAcsControls(judge.machine, controlsOf(change.ports)), judge.policy, pair);
  assert(
    verdict.type === change.verdict.type,
    `the change for ${pair.provider.name} and ${pair.client.name} holds on the machine`,
  );
  return { ports: change.ports, verdict };
}

/** More ports than this are not tried: the nearest come first. */
const MOVES_MAX = 48;

function bestMove(judge: JudgeContext, pair: Pair, who: 'provider' | 'client'): MoveChange | null {
  const mover = judge.indexOf(pair[who]);
  const other = judge.indexOf(pair[who === 'client' ? 'provider' : 'client']);
  const fn = pair[who];
  // A Virtual Function goes where its Physical Function goes; a bridge is no card; what stands on a root bus is built in.
  const builtIn = (judge.machine.hierarchy.parent[mover] as number) < 0;
  if (fn.facts.sysfs?.physicalFunction !== undefined || fn.isBridge || builtIn) return null;
  let best: MoveChange | null = null;
  for (const port of portsNear(judge, mover, other)) {
    // A card that has nothing to make room for is looked for to the end.
    if (
      best?.verdict.type === 'busAddr' &&
      best.settings === null &&
      judge.machine.hierarchy.childrenOf(port).length > 0
    )
      continue;
    const move = moveBelow(judge, pair, who, { mover, other, port });
    if (move !== null && (best === null || isEasier(move, best))) best = move;
    if (best?.verdict.type === 'busAddr' && best.settings === null && best.occupants.length === 0) break;
  }
  return best;
}

/**
 * A better road first, then a move that needs nothing besides, then a free slot: the card that makes room may lose its own road. The
 * nearest port is tried first, so it wins among equals.
 */
function isEasier(move: MoveChange, than: MoveChange): boolean {
  if (isBetter(move.verdict, than.verdict)) return true;
  if (isBetter(than.verdict, move.verdict)) return false;
  if ((move.settings === null) !== (than.settings === null)) return move.settings === null;
  return move.occupants.length === 0 && than.occupants.length > 0;
}

function moveBelow(
  judge: JudgeContext,
  pair: Pair,
  who: 'provider' | 'client',
  at: { readonly mover: number; readonly other: number; readonly port: number },
): MoveChange | null {
  const before = judgePair(
    judge,
    ...(who === 'client' ? ([at.other, at.mover] as const) : ([at.mover, at.other] as const)),
  );
  const port = judge.functions[at.port] as PciFunction;
  const part = relevantPart(judge.machine, [at.mover, at.other, at.port]);
  const changed = withFunctionMoved(part, pair[who], port);
  if (changed === null) return null;
  const movedPair = { ...pair, [who]: changed.moved };
  const verdict = judgeIn(changed.machine, judge.policy, movedPair);
  const settings = isBetter(verdict, before) ? null : smallestSettings(changed.machine, judge.policy, movedPair);
  const reached = settings?.verdict ?? verdict;
  if (!isBetter(reached, before)) return null;
  const occupants = judge.machine.hierarchy.childrenOf(at.port).map((index) => fnAt(judge, index));
  return { who, below: port, occupants, settings, verdict: reached };
}

/**
 * Ports with a slot for `mover`: free, or with a card in it that could make room. The nearest to `other` first, of these the
 * free ones first. A port that leads to `other` itself or to a switch has no slot to offer.
 */
function portsNear(judge: JudgeContext, mover: number, other: number): number[] {
  const { hierarchy } = judge.machine;
  const toOther = new Set(hierarchy.chainOf(other));
  const occupied = new Set<number>();
  const leadsOn = new Set<number>();
  for (let index = 0; index < judge.functions.length; index++) {
    const above = hierarchy.parent[index] as number;
    occupied.add(above);
    if ((judge.functions[index] as PciFunction).isBridge) leadsOn.add(above);
  }
  const ports: { readonly index: number; readonly hops: number; readonly occupied: boolean }[] = [];
  for (let index = 0; index < judge.functions.length; index++) {
    const fn = judge.functions[index] as PciFunction;
    if (fn.portType !== 'rootPort' && fn.portType !== 'downstreamPort') continue;
    if (index === hierarchy.parent[mover] || toOther.has(index) || leadsOn.has(index)) continue;
    if (judge.rootBusOf[index] !== judge.rootBusOf[other]) continue;
    const common = judge.commonUpstream(index, other);
    const depth = common < 0 ? -1 : (judge.depth[common] as number);
    const hops = (judge.depth[index] as number) + (judge.depth[other] as number) - 2 * depth;
    ports.push({ index, hops, occupied: occupied.has(index) });
  }
  ports.sort((a, b) => a.hops - b.hops || Number(a.occupied) - Number(b.occupied) || a.index - b.index);
  return ports.slice(0, MOVES_MAX).map((port) => port.index);
}

function newerKernel(
  judge: JudgeContext,
  provider: number,
  client: number,
  before: PairVerdict,
): SmallestChange['kernel'] {
  const now = POLICY_NAMES.indexOf(judge.policy.name);
  for (const policy of POLICY_NAMES.slice(now + 1)) {
    if (!policy.startsWith('linux-')) continue;
    const verdict = judgePair(new JudgeContext(judge.machine, POLICIES[policy]), provider, client);
    if (isBetter(verdict, before)) return { policy, verdict };
  }
  return null;
}
