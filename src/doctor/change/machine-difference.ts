/**
 * Two captures of one machine. Functions are matched by their way from the root and their identity, since bus numbers move with every
 * card; what is left over by the way below its root bus, whose own number may have moved, and then by identity alone, where
 * that is unique: it has moved.
 */

import { hex } from '../../core/hex.ts';
import type { Machine } from '../../machine/machine.ts';
import { isProvider, rolesOf } from '../../machine/roles.ts';
import { judgePair } from '../../p2p/distance.ts';
import { JudgeContext } from '../../p2p/judge.ts';
import type { Policy } from '../../p2p/policy.ts';
import type { MapType, PairVerdict, Reason } from '../../p2p/verdict.ts';
import { acsBitNames } from '../../pcie/acs.ts';
import type { BridgeWindow } from '../../pcie/bridge-window.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { devicePath } from '../command-line/device-path.ts';
import { STATE_FACTS, type StateFact } from '../facts/function-state.ts';

/** One fact that differs; `function` is the name in the later capture, null for the machine as a whole. */
export interface Change {
  readonly function: string | null;
  readonly fact:
    | 'address'
    | 'place'
    | 'bar'
    | 'window'
    | 'acs'
    | 'link'
    | 'iommuGroup'
    | 'decoding'
    | 'driver'
    | 'kernel'
    | 'cmdline'
    | 'cpu'
    | 'groupType'
    | StateFact;
  readonly before: string;
  readonly after: string;
}

/** A pair whose verdict is another one now; names as in the later capture. */
export interface FlippedVerdict {
  readonly provider: string;
  readonly client: string;
  readonly before: MapType;
  readonly after: MapType;
  /** What holds now and did not, then what held and does not: sentences of the judge. */
  readonly why: readonly string[];
}

export interface MachineDifference {
  readonly gone: readonly string[];
  readonly come: readonly string[];
  readonly changes: readonly Change[];
  readonly flipped: readonly FlippedVerdict[];
  readonly matched: number;
  /** Pairs that were judged twice. */
  readonly judged: number;
  /** More pairs than that were not judged. */
  readonly pairsLeftOut: boolean;
}

/** Memory Space Enable of the Command register. PCIe 7.5.1.1.3. */
const MEMORY_SPACE = 0x0002;

/** As many pairs are judged twice. */
const PAIRS_MAX = 500_000;

/** What differs from `before` to `after`, each judged by its own policy. */
export function machineDifference(
  before: Machine,
  after: Machine,
  policies: { readonly before: Policy; readonly after: Policy },
): MachineDifference {
  const { pairs, gone, come } = matchFunctions(before, after);
  const changes = machineChanges(before, after);
  const groups = { before: groupsOf(before), after: groupsOf(after), nowOf: new Map(pairs) };
  for (const [old, now] of pairs) {
    changes.push(...functionChanges(before, after, old, now));
    const group = groupChange(old, now, groups);
    if (group !== null) changes.push(group);
  }
  return {
    gone: gone.map((fn) => fn.name),
    come: come.map((fn) => fn.name),
    changes,
    ...flippedVerdicts(new JudgeContext(before, policies.before), new JudgeContext(after, policies.after), pairs),
    matched: pairs.length,
  };
}

type Matched = readonly [old: PciFunction, now: PciFunction];

function matchFunctions(
  before: Machine,
  after: Machine,
): { readonly pairs: Matched[]; readonly gone: PciFunction[]; readonly come: PciFunction[] } {
  const pairs: Matched[] = [];
  let gone: readonly PciFunction[] = before.hierarchy.functions;
  let come: readonly PciFunction[] = after.hierarchy.functions;
  for (const keyOf of [placeOf, placeBelowRoot, () => '']) {
    const key = (machine: Machine, fn: PciFunction): string => `${keyOf(machine, fn)} ${identityOf(fn)}`;
    const now = uniqueBy(come, (fn) => key(after, fn));
    for (const [name, fn] of uniqueBy(gone, (old) => key(before, old))) {
      const same = now.get(name);
      if (same !== undefined) pairs.push([fn, same]);
    }
    const matchedOld = new Set(pairs.map(([fn]) => fn));
    const matchedNow = new Set(pairs.map(([, fn]) => fn));
    gone = gone.filter((fn) => !matchedOld.has(fn));
    come = come.filter((fn) => !matchedNow.has(fn));
  }
  return { pairs: pairs.sort((a, b) => a[1].key - b[1].key), gone: [...gone], come: [...come] };
}

/** Those whose key no other has. */
function uniqueBy(functions: readonly PciFunction[], keyOf: (fn: PciFunction) => string): Map<string, PciFunction> {
  const found = new Map<string, PciFunction | null>();
  for (const fn of functions) {
    const key = keyOf(fn);
    found.set(key, found.has(key) ? null : fn);
  }
  return new Map([...found].filter((entry): entry is [string, PciFunction] => entry[1] !== null));
}

function placeOf({ hierarchy }: Machine, fn: PciFunction): string {
  return devicePath(hierarchy, hierarchy.indexOf(fn.bdf)) ?? fn.name;
}

/** Without the root bus: firmware numbers the buses of the second socket by what stands below the first. */
function placeBelowRoot(machine: Machine, fn: PciFunction): string {
  return placeOf(machine, fn).replace(/^.*?:[0-9a-f]{2}:/, '');
}

function identityOf(fn: PciFunction): string {
  return `${fn.vendorId}:${fn.deviceId}:${fn.classCode}:${fn.bdf.function}`;
}

function machineChanges(before: Machine, after: Machine): Change[] {
  const changes: Change[] = [];
  const add = (fact: Change['fact'], old: string | null, now: string | null): void => {
    if (old !== now) changes.push({ function: null, fact, before: old ?? 'not known', after: now ?? 'not known' });
  };
  add('kernel', before.kernel, after.kernel);
  add('cmdline', before.cmdline, after.cmdline);
  const cpu = (machine: Machine): string | null =>
    machine.cpu === null ? null : `${machine.cpu.vendor} family ${machine.cpu.family ?? '?'}`;
  add('cpu', cpu(before), cpu(after));
  return changes;
}

function functionChanges(before: Machine, after: Machine, old: PciFunction, now: PciFunction): Change[] {
  const changes: Change[] = [];
  const add = (fact: Change['fact'], was: string | null, is: string | null): void => {
    if (was !== is)
      changes.push({
        function: now.name,
        fact,
        before: was ?? 'none, or not known',
        after: is ?? 'none, or not known',
      });
  };
  const [was, is] = [placeOf(before, old), placeOf(after, now)];
  if (was === is) add('address', old.name, now.name);
  else add('place', was, is);
  for (const index of new Set([...old.bars, ...now.bars].map((bar) => bar.index))) {
    const text = (fn: PciFunction): string => barText(fn, index);
    if (text(old) !== text(now)) add('bar', `BAR${index} ${text(old)}`, `BAR${index} ${text(now)}`);
  }
  add('window', windowsText(old), windowsText(now));
  add('acs', acsText(old), acsText(now));
  add('link', linkText(old), linkText(now));
  add('decoding', decodingText(old), decodingText(now));
  add('driver', old.driver, now.driver);
  for (const [fact, textOf] of STATE_FACTS) {
    const [earlier, later] = [textOf(old), textOf(now)];
    // That one capture tells less than the other is no change of the machine.
    if (earlier !== null && later !== null) add(fact, earlier, later);
  }
  const type = (machine: Machine, fn: PciFunction): string | null =>
    machine.iommuGroupTypes.get(fn.iommuGroup ?? -1) ?? null;
  add('groupType', type(before, old), type(after, now));
  return changes;
}

/** Members of each IOMMU group by its number. */
function groupsOf({ hierarchy }: Machine): Map<number, PciFunction[]> {
  const groups = new Map<number, PciFunction[]>();
  for (const fn of hierarchy.functions) {
    if (fn.iommuGroup === null) continue;
    const members = groups.get(fn.iommuGroup);
    if (members === undefined) groups.set(fn.iommuGroup, [fn]);
    else members.push(fn);
  }
  return groups;
}

/** Numbers of groups move with every card: what counts is who is in a group together. */
function groupChange(
  old: PciFunction,
  now: PciFunction,
  groups: {
    readonly before: ReadonlyMap<number, readonly PciFunction[]>;
    readonly after: ReadonlyMap<number, readonly PciFunction[]>;
    readonly nowOf: ReadonlyMap<PciFunction, PciFunction>;
  },
): Change | null {
  const was = old.iommuGroup === null ? [] : (groups.before.get(old.iommuGroup) ?? []);
  const is = now.iommuGroup === null ? [] : (groups.after.get(now.iommuGroup) ?? []);
  const isSame = was.length === is.length && was.every((fn) => groups.nowOf.get(fn)?.iommuGroup === now.iommuGroup);
  if (isSame) return null;
  const text = (fn: PciFunction, members: readonly PciFunction[]): string => {
    if (fn.iommuGroup === null) return 'none, or not known';
    const others = members.filter((other) => other !== fn).map((other) => other.name);
    return `${fn.iommuGroup}, ${others.length === 0 ? 'alone' : `with ${others.join(', ')}`}`;
  };
  return { function: now.name, fact: 'iommuGroup', before: text(old, was), after: text(now, is) };
}

function barText(fn: PciFunction, index: number): string {
  const bar = fn.bars.find((candidate) => candidate.index === index);
  if (bar === undefined) return 'none, or not known';
  const size = bar.size === null ? '' : `, ${hex(bar.size)} bytes`;
  return `${bar.busAddress === null ? 'not assigned' : `at ${hex(bar.busAddress)}`}${size}`;
}

function decodingText({ command }: PciFunction): string | null {
  return command === null ? null : (command & MEMORY_SPACE) !== 0 ? 'memory on' : 'memory off';
}

function windowsText(fn: PciFunction): string {
  const text = (window: BridgeWindow | null | undefined): string =>
    window === undefined ? '?' : window === null ? 'closed' : `${hex(window.start)}-${hex(window.end - 1)}`;
  return fn.isBridge ? `${text(fn.memoryWindow)}, prefetchable ${text(fn.prefetchableWindow)}` : '';
}

function acsText({ acs }: PciFunction): string {
  return acs.state === 'present' ? `${hex(acs.control, 4)} (${acsBitNames(acs.control)})` : acs.state;
}

function linkText({ link }: PciFunction): string | null {
  return link === null ? null : `x${link.width ?? '?'} ${link.speedGts ?? '?'} GT/s`;
}

function flippedVerdicts(
  before: JudgeContext,
  after: JudgeContext,
  pairs: readonly Matched[],
): Pick<MachineDifference, 'flipped' | 'judged' | 'pairsLeftOut'> {
  const roles = rolesOf(after.functions);
  const wanted = pairs
    .map(([old, now]) => ({ old: before.indexOf(old), now: after.indexOf(now), fn: now }))
    .map((item) => ({ ...item, role: roles[item.now] ?? null }))
    .filter((item) => item.role !== null);
  const nameNow = new Map(pairs.map(([old, now]) => [old.name, now.name]));
  const flipped: FlippedVerdict[] = [];
  let judged = 0;
  for (const provider of wanted) {
    if (provider.role === null || !isProvider(provider.fn, provider.role)) continue;
    for (const client of wanted) {
      if (client === provider) continue;
      if (judged === PAIRS_MAX) return { flipped, judged, pairsLeftOut: true };
      judged++;
      const was = judgePair(before, provider.old, client.old);
      const is = judgePair(after, provider.now, client.now);
      if (was.type === is.type) continue;
      flipped.push({
        provider: provider.fn.name,
        client: client.fn.name,
        before: was.type,
        after: is.type,
        why: whyFlipped(was, is, nameNow),
      });
    }
  }
  return { flipped, judged, pairsLeftOut: false };
}

/** Reasons that only one of two verdicts has: what came, then what went. */
function whyFlipped(was: PairVerdict, is: PairVerdict, nameNow: ReadonlyMap<string, string>): string[] {
  const keyOf = ({ code, at }: Reason): string => `${code} ${at.map((fn) => fn.name).join(' ')}`;
  const keyNow = ({ code, at }: Reason): string =>
    `${code} ${at.map(({ name }) => nameNow.get(name) ?? name).join(' ')}`;
  const before = new Set(was.reasons.map(keyNow));
  const after = new Set(is.reasons.map(keyOf));
  return [
    ...is.reasons.filter((reason) => !before.has(keyOf(reason))).map(({ message }) => message),
    ...was.reasons.filter((reason) => !after.has(keyNow(reason))).map(({ message }) => `no longer: ${message}`),
  ];
}
