/** The ways of a transfer's requests, and the part of the tree that they touch: what a drawing needs. */

import { type Hop, ROOT_COMPLEX } from '../fabric/index.ts';
import type { TreePlace } from './report.ts';
import { hopName } from './transfer-context.ts';
import type { World } from './world.ts';

/** Names of the places that the first request passed, in order: one that was passed up and down stands there twice. */
export function wayOfFirst(world: World, hops: readonly Hop[]): string[] {
  const way: string[] = [];
  for (const hop of firstRequest(hops)) {
    const name = hopName(world, hop);
    // Several actions at one place, such as to translate and to forward, are one stay.
    if (way[way.length - 1] !== name) way.push(name);
  }
  return way;
}

/** The places that any first request passed and all between them, parents before children; empty where none is shown. */
export function treeOfWays(world: World, segments: readonly (readonly Hop[])[]): TreePlace[] {
  const passed = new Set(segments.flatMap((hops) => firstRequest(hops).map((hop) => hop.at)));
  const hasRoot = passed.delete(ROOT_COMPLEX);
  const { functions, parent } = world.machine.hierarchy;
  const shown = new Set<number>();
  for (const start of passed) for (let at = start; at >= 0; at = parent[at] as number) shown.add(at);
  if (!hasRoot) dropAbove(shown, passed, parent);
  const children = new Map<number, number[]>();
  for (const at of [...shown].sort((a, b) => a - b)) {
    const above = shown.has(parent[at] as number) ? (parent[at] as number) : -1;
    children.set(above, [...(children.get(above) ?? []), at]);
  }
  const places: TreePlace[] = hasRoot ? [{ name: 'root complex', depth: 0 }] : [];
  const add = (at: number, depth: number): void => {
    const fn = functions[at];
    if (fn !== undefined) places.push({ name: world.nameOf(fn), depth });
    for (const child of children.get(at) ?? []) add(child, depth + 1);
  };
  for (const top of children.get(-1) ?? []) add(top, hasRoot ? 1 : 0);
  return places;
}

/** Removes from the top what no request passed and where no ways meet. */
function dropAbove(shown: Set<number>, passed: ReadonlySet<number>, parent: Int32Array): void {
  for (;;) {
    const tops = [...shown].filter((at) => !shown.has(parent[at] as number));
    const [top] = tops;
    if (tops.length !== 1 || top === undefined || passed.has(top)) return;
    if ([...shown].filter((at) => parent[at] === top).length > 1) return;
    shown.delete(top);
  }
}

function firstRequest(hops: readonly Hop[]): Hop[] {
  const [first] = hops;
  return first === undefined ? [] : hops.filter((hop) => hop.tlp === first.tlp && hop.kind === first.kind);
}
