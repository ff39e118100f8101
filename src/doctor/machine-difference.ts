/**
 * Two captures of one machine. Functions are matched by their way from the root and their identity, since bus numbers move with every
 * card; what is left over is matched by identity alone where that is unique, and has moved.
 */

import { hex } from '../core/hex.ts';
import type { Machine } from '../machine/machine.ts';
import { judgePair } from '../p2p/distance.ts';
import { JudgeContext } from '../p2p/judge.ts';
import type { Policy } from '../p2p/policy.ts';
import type { MapType } from '../p2p/verdict.ts';
import { acsBitNames } from '../pcie/acs.ts';
import type { BridgeWindow } from '../pcie/bridge-window.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { devicePath } from './device-path.ts';
import { isProvider, rolesOf } from './diagnoses/roles.ts';

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
    | 'driver'
    | 'kernel'
    | 'cmdline'
    | 'cpu'
    | 'groupType';
  readonly before: string;
  readonly after: string;
}

/** A pair whose verdict is another one now; names as in the later capture. */
export interface FlippedVerdict {
  readonly provider: string;
  readonly client: string;
  readonly before: MapType;
  readonly after: MapType;
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
  for (const [old, now] of pairs) changes.push(...functionChanges(before, after, old, now));
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
  const byPlace = (machine: Machine): Map<string, PciFunction> =>
    new Map(machine.hierarchy.functions.map((fn, index) => [`${placeOf(machine, index)} ${identityOf(fn)}`, fn]));
  const now = byPlace(after);
  let gone: PciFunction[] = [];
  for (const [key, fn] of byPlace(before)) {
    const same = now.get(key);
    if (same === undefined) gone.push(fn);
    else {
      pairs.push([fn, same]);
      now.delete(key);
    }
  }
  let come = [...now.values()];
  const once = (list: readonly PciFunction[], fn: PciFunction): boolean =>
    list.filter((other) => identityOf(other) === identityOf(fn)).length === 1;
  for (const fn of gone) {
    const moved = come.find((other) => identityOf(other) === identityOf(fn));
    if (moved !== undefined && once(gone, fn) && once(come, moved)) pairs.push([fn, moved]);
  }
  const matchedNow = new Set(pairs.map(([, fn]) => fn));
  const matchedOld = new Set(pairs.map(([fn]) => fn));
  gone = gone.filter((fn) => !matchedOld.has(fn));
  come = come.filter((fn) => !matchedNow.has(fn));
  return { pairs: pairs.sort((a, b) => a[1].key - b[1].key), gone, come };
}

function placeOf({ hierarchy }: Machine, index: number): string {
  return devicePath(hierarchy, index) ?? (hierarchy.functions[index] as PciFunction).name;
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
  const place = (machine: Machine, fn: PciFunction): string => placeOf(machine, machine.hierarchy.indexOf(fn.bdf));
  if (place(before, old) === place(after, now)) add('address', old.name, now.name);
  else add('place', place(before, old), place(after, now));
  add('bar', barsText(old), barsText(now));
  add('window', windowsText(old), windowsText(now));
  add('acs', acsText(old), acsText(now));
  add('link', linkText(old), linkText(now));
  add('iommuGroup', numberText(old.iommuGroup), numberText(now.iommuGroup));
  add('driver', old.driver, now.driver);
  const type = (machine: Machine, fn: PciFunction): string | null =>
    machine.iommuGroupTypes.get(fn.iommuGroup ?? -1) ?? null;
  add('groupType', type(before, old), type(after, now));
  return changes;
}

function numberText(value: number | null): string | null {
  return value === null ? null : `${value}`;
}

function barsText(fn: PciFunction): string {
  return fn.bars
    .map(
      (bar) =>
        `BAR${bar.index} ${bar.busAddress === null ? 'not assigned' : hex(bar.busAddress)}${bar.size === null ? '' : ` +${hex(bar.size)}`}`,
    )
    .join(', ');
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
  const flipped: FlippedVerdict[] = [];
  let judged = 0;
  for (const provider of wanted) {
    if (provider.role === null || !isProvider(provider.fn, provider.role)) continue;
    for (const client of wanted) {
      if (client === provider) continue;
      if (judged === PAIRS_MAX) return { flipped, judged, pairsLeftOut: true };
      judged++;
      const was = judgePair(before, provider.old, client.old).type;
      const is = judgePair(after, provider.now, client.now).type;
      if (was !== is) flipped.push({ provider: provider.fn.name, client: client.fn.name, before: was, after: is });
    }
  }
  return { flipped, judged, pairsLeftOut: false };
}
