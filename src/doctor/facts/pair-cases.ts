/**
 * All pairs that somebody would want, judged, and gathered into cases: pairs with the same verdict for the same reason. Functions that no rule
 * can tell apart (same port above, same ACS of their own) are judged once, and pairs below two root buses once for both
 * buses, so that a machine of ten thousand functions is done in a second.
 */

import { deviceKey } from '../../machine/roles.ts';
import { judgePair } from '../../p2p/distance.ts';
import type { JudgeContext } from '../../p2p/judge.ts';
import type { MapType, PairVerdict, ReasonCode } from '../../p2p/verdict.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

/** Who may be paired. */
export interface Wanted {
  readonly provider: boolean;
  readonly client: boolean;
}

/** Pairs with one verdict for one reason. */
export interface PairCase {
  readonly type: MapType;
  readonly codes: ReadonlySet<ReasonCode>;
  /** Where the paths meet, by index; -1 where they meet in a host bridge or not at all. */
  readonly common: number;
  /** Whether the two are below different host bridges. */
  readonly acrossRoots: boolean;
  /** Functions in the reasons of that code. */
  readonly named: ReadonlyMap<ReasonCode, ReadonlySet<PciFunction>>;
  /** Indices of the functions concerned. */
  readonly functions: ReadonlySet<number>;
  /** Ordered pairs. */
  readonly pairs: number;
  /** One of them. */
  readonly provider: number;
  readonly client: number;
  readonly verdict: PairVerdict;
}

/** Functions that no rule tells apart. */
interface Alike {
  readonly members: number[];
  readonly providers: number[];
  readonly clients: number[];
  readonly top: number;
  readonly root: number;
}

interface Building {
  readonly type: MapType;
  readonly codes: Set<ReasonCode>;
  readonly common: number;
  readonly acrossRoots: boolean;
  readonly named: Map<ReasonCode, Set<PciFunction>>;
  readonly functions: Set<number>;
  /** Lists that `functions` holds. */
  readonly noted: Set<readonly number[]>;
  pairs: number;
  readonly provider: number;
  readonly client: number;
  readonly verdict: PairVerdict;
}

/**
 * The cases of all ordered pairs of two devices, of which one is wanted as provider and the other as client. `withinDevice`: of two
 * functions of one device too, which nobody pairs unless he says so.
 */
export function pairCases(
  judge: JudgeContext,
  wanted: readonly (Wanted | null)[],
  withinDevice: boolean = false,
): PairCase[] {
  const byRoot = groupByRoot(judge, wanted);
  const cases: Cases = new Map();
  for (const alikes of byRoot.values()) {
    withinRoot(judge, alikes, cases);
    if (withinDevice) withinDevices(judge, alikes, cases);
  }
  acrossRoots(judge, [...byRoot.values()], cases);
  return [...cases.values()].flat();
}

function groupByRoot(judge: JudgeContext, wanted: readonly (Wanted | null)[]): Map<number, Alike[]> {
  const alikes = new Map<string, Alike>();
  const byRoot = new Map<number, Alike[]>();
  wanted.forEach((want, index) => {
    if (want === null) return;
    const fn = judge.functions[index] as PciFunction;
    const parent = judge.parent[index] as number;
    const key = `${judge.rootBusOf[index]}/${parent}/${deviceKey(fn)}/${judge.redirect[index]}`;
    let alike = alikes.get(key);
    if (alike === undefined) {
      const top = judge.machine.hierarchy.chainOf(index).at(-1) as number;
      alike = { members: [], providers: [], clients: [], top, root: judge.rootBusOf[index] as number };
      alikes.set(key, alike);
      const list = byRoot.get(alike.root);
      if (list === undefined) byRoot.set(alike.root, [alike]);
      else list.push(alike);
    }
    alike.members.push(index);
    if (want.provider) alike.providers.push(index);
    if (want.client) alike.clients.push(index);
  });
  return byRoot;
}

function withinRoot(judge: JudgeContext, alikes: readonly Alike[], cases: Cases): void {
  for (const provider of alikes) {
    if (provider.providers.length === 0) continue;
    for (const client of alikes) {
      const [p, c] = [provider.providers[0] as number, client.clients[0]];
      if (c === undefined || sameDevice(judge, p, c)) continue;
      add(judge, cases, { p, c, provider, client, common: judge.commonUpstream(p, c), acrossRoots: false });
    }
  }
}

/** Functions of one device, each with each other of its own. There are few: they are judged pair by pair. */
function withinDevices(judge: JudgeContext, alikes: readonly Alike[], cases: Cases): void {
  for (const provider of alikes) {
    for (const client of alikes) {
      const [first, other] = [provider.members[0] as number, client.members[0] as number];
      if (!sameDevice(judge, first, other)) continue;
      for (const p of provider.providers) {
        for (const c of client.clients) {
          if (p === c) continue;
          const common = judge.commonUpstream(p, c);
          add(judge, cases, {
            p,
            c,
            provider: { providers: [p] },
            client: { clients: [c] },
            common,
            acrossRoots: false,
          });
        }
      }
    }
  }
}

/** The verdict of two functions below different root buses hangs on the buses alone. */
function acrossRoots(judge: JudgeContext, roots: readonly (readonly Alike[])[], cases: Cases): void {
  const sums = roots.map((alikes) => ({
    providers: alikes.flatMap((alike) => alike.providers),
    clients: alikes.flatMap((alike) => alike.clients),
  }));
  for (const [at, a] of sums.entries()) {
    if (a.providers.length === 0) continue;
    for (const [other, b] of sums.entries()) {
      if (at === other || b.clients.length === 0) continue;
      const [p, c] = [a.providers[0] as number, b.clients[0] as number];
      add(judge, cases, { p, c, provider: a, client: b, common: -1, acrossRoots: true });
    }
  }
}

function sameDevice(judge: JudgeContext, a: number, b: number): boolean {
  return deviceKey(judge.functions[a] as PciFunction) === deviceKey(judge.functions[b] as PciFunction);
}

/** By the node where the paths meet: millions of pairs come by, and a text made of each would cost more than the judgement. */
type Cases = Map<number, Building[]>;

/** No index of a node, nor the -1 of a host bridge. */
const ACROSS_ROOTS = -2;

/** Same verdict, same reasons in the same order. */
function isOfCase({ verdict: other }: Building, verdict: PairVerdict): boolean {
  if (other.type !== verdict.type || other.reasons.length !== verdict.reasons.length) return false;
  if (other.likely?.type !== verdict.likely?.type) return false;
  for (let index = 0; index < verdict.reasons.length; index++) {
    if (other.reasons[index]?.code !== verdict.reasons[index]?.code) return false;
  }
  return true;
}

function add(
  judge: JudgeContext,
  cases: Cases,
  pair: {
    readonly p: number;
    readonly c: number;
    readonly provider: Pick<Alike, 'providers'>;
    readonly client: Pick<Alike, 'clients'>;
    readonly common: number;
    readonly acrossRoots: boolean;
  },
): void {
  const verdict = judgePair(judge, pair.p, pair.c);
  // Cases below one switch stand apart by the switch; all that pass a host bridge stand together.
  const key = pair.acrossRoots ? ACROSS_ROOTS : pair.common;
  const known = cases.get(key) ?? [];
  if (known.length === 0) cases.set(key, known);
  let building = known.find((one) => isOfCase(one, verdict));
  if (building === undefined) {
    building = {
      type: verdict.type,
      codes: new Set(verdict.reasons.map((reason) => reason.code)),
      common: pair.common,
      acrossRoots: pair.acrossRoots,
      named: new Map(),
      functions: new Set(),
      noted: new Set(),
      pairs: 0,
      provider: pair.p,
      client: pair.c,
      verdict,
    };
    known.push(building);
  }
  building.pairs += pair.provider.providers.length * pair.client.clients.length;
  // A bus of many meets each of many others: its functions are noted once.
  if (!building.noted.has(pair.provider.providers)) {
    building.noted.add(pair.provider.providers);
    for (const index of pair.provider.providers) building.functions.add(index);
  }
  if (!building.noted.has(pair.client.clients)) {
    building.noted.add(pair.client.clients);
    for (const index of pair.client.clients) building.functions.add(index);
  }
  for (const reason of verdict.reasons) {
    let fns = building.named.get(reason.code);
    if (fns === undefined) {
      fns = new Set();
      building.named.set(reason.code, fns);
    }
    for (const fn of reason.at) fns.add(fn);
  }
}
