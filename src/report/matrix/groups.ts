/** The rows and columns of a large machine in groups: what stands below one bridge, one slot of the root, one root bus. */

import { hexDigits } from '../../core/hex.ts';
import type { JudgeContext } from '../../p2p/judge.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

export interface FunctionGroup {
  /** `0000:02:01.0` for what is below that bridge, `0000:00` for what stands on that bus itself. */
  readonly label: string;
  /** The label in the two lines of a column's head. */
  readonly head: readonly [string, string];
  /** `below 0000:02:01.0` or `on bus 0000:00`. */
  readonly place: string;
  /** Positions in the list that was grouped. */
  readonly members: readonly number[];
}

/** More groups than this make no overview. */
const GROUPS_MAX = 16;

type KeyOf = (judge: JudgeContext, index: number) => number;

/** From fine to coarse: the bridge right above, the topmost bridge, the root bus. A key below 0 names a root bus. */
const LEVELS: readonly KeyOf[] = [
  (judge, index) => {
    const parent = judge.parent[index] as number;
    return parent >= 0 ? parent : -1 - (judge.rootBusOf[index] as number);
  },
  (judge, index) => {
    let top = -1;
    for (let at = judge.parent[index] as number; at >= 0; at = judge.parent[at] as number) top = at;
    return top >= 0 ? top : -1 - (judge.rootBusOf[index] as number);
  },
  (judge, index) => -1 - (judge.rootBusOf[index] as number),
];

/** Rows and columns grouped at the finest level at which neither has more than sixteen groups, else by root bus. */
export function groupsOf(
  judge: JudgeContext,
  rows: readonly number[],
  columns: readonly number[],
): { rows: FunctionGroup[]; columns: FunctionGroup[] } {
  let found = { rows: [] as FunctionGroup[], columns: [] as FunctionGroup[] };
  for (const keyOf of LEVELS) {
    found = { rows: groupBy(judge, rows, keyOf), columns: groupBy(judge, columns, keyOf) };
    if (Math.max(found.rows.length, found.columns.length) <= GROUPS_MAX) break;
  }
  return found;
}

function groupBy(judge: JudgeContext, list: readonly number[], keyOf: KeyOf): FunctionGroup[] {
  const members = new Map<number, number[]>();
  for (const [position, index] of list.entries()) {
    const key = keyOf(judge, index);
    const group = members.get(key);
    if (group === undefined) members.set(key, [position]);
    else group.push(position);
  }
  return [...members].map(([key, positions]) => ({ ...nameOf(judge, key), members: positions }));
}

function nameOf(judge: JudgeContext, key: number): Omit<FunctionGroup, 'members'> {
  if (key >= 0) {
    const { name } = judge.functions[key] as PciFunction;
    return { label: name, head: splitName(name), place: `below ${name}` };
  }
  const root = judge.machine.hierarchy.rootBuses[-1 - key];
  const bus = `${hexDigits(root?.domain ?? 0, 4)}:${hexDigits(root?.bus ?? 0, 2)}`;
  return { label: bus, head: ['bus', bus], place: `on bus ${bus}` };
}

/** `0000:03:00.0` in the two lines of a column's head: `0000:03:` and `00.0`. */
export function splitName(name: string): [string, string] {
  const colon = name.lastIndexOf(':') + 1;
  return [name.slice(0, colon), name.slice(colon)];
}

/** Names with the functions of one device joined: `0000:03:00.0-3`. */
export function joinNames(functions: readonly PciFunction[]): string[] {
  const joined: string[] = [];
  let first: PciFunction | null = null;
  let last: PciFunction | null = null;
  const close = (): void => {
    if (first === null || last === null) return;
    joined.push(first === last ? first.name : `${first.name}-${last.bdf.function}`);
  };
  for (const fn of functions) {
    if (last !== null && fn.key === last.key + 1 && fn.bdf.function > 0) last = fn;
    else {
      close();
      first = fn;
      last = fn;
    }
  }
  close();
  return joined;
}
