/** The ways of a transfer's requests, and the part of the tree that they touch: what a drawing needs. */

import type { Hop } from '../fabric/hop.ts';
import { ROOT_COMPLEX } from '../fabric/outcome.ts';
import type { TreePlace, Way } from './report.ts';
import type { World } from './world.ts';

/** A segment of a mapping, and the hops of its TLPs. */
export interface WalkedSegment {
  /** What its first byte was mapped at; null where the device does not address it. */
  readonly address: number | null;
  readonly length: number;
  readonly firstInput: number;
  readonly lastInput: number;
  readonly hops: readonly Hop[];
}

/**
 * For each segment the ways of its vectors: one segment may hold several memories, so the first request of each vector is followed.
 * `lengths`: bytes of each vector, by number.
 */
export function waysOf(
  world: World,
  segments: readonly WalkedSegment[],
  lengths: readonly number[],
): readonly (readonly Way[])[] {
  return firstRequests(segments, lengths).map((requests) => {
    const ways: { inputs: number[]; places: readonly string[]; stopped: boolean }[] = [];
    for (const { input, hops } of requests) {
      const places = placesOf(world, hops);
      const stopped = hops[hops.length - 1]?.action === 'stop';
      const known = ways.find((way) => way.stopped === stopped && way.places.join() === places.join());
      if (known === undefined) ways.push({ inputs: [input], places, stopped });
      else known.inputs.push(input);
    }
    return ways;
  });
}

function placesOf(world: World, hops: readonly Hop[]): string[] {
  const places: string[] = [];
  for (const hop of hops) {
    const name = world.hopName(hop);
    // Several actions at one place, such as to translate and to forward, are one stay.
    if (places[places.length - 1] !== name) places.push(name);
  }
  return places;
}

interface FirstRequest {
  readonly input: number;
  readonly hops: readonly Hop[];
}

/** For each segment the hops of the request that carries the first byte of each of its vectors; none for one that none carries. */
function firstRequests(segments: readonly WalkedSegment[], lengths: readonly number[]): FirstRequest[][] {
  const starts: number[] = [];
  lengths.reduce((sum, length) => {
    starts.push(sum);
    return sum + length;
  }, 0);
  let before = 0;
  return segments.map(({ address, length, firstInput, lastInput, hops }) => {
    const issued = requestsOf(hops);
    const found: FirstRequest[] = [];
    let at = 0;
    for (let input = firstInput; input <= lastInput && address !== null; input++) {
      const first = address + Math.max(0, (starts[input] ?? 0) - before);
      const ends = ([issue]: readonly Hop[]): boolean => issue !== undefined && issue.address + issue.length <= first;
      while (at < issued.length && ends(issued[at] as readonly Hop[])) at++;
      const request = issued[at];
      if (request !== undefined && (request[0] as Hop).address <= first) found.push({ input, hops: request });
    }
    before += length;
    return found;
  });
}

/** The hops of each request, in order of what they address where they are sent. */
function requestsOf(hops: readonly Hop[]): (readonly Hop[])[] {
  const byTlp = new Map<number, Hop[]>();
  for (const hop of hops) {
    if (hop.kind === 'completion') continue;
    const known = byTlp.get(hop.tlp);
    if (known === undefined) byTlp.set(hop.tlp, [hop]);
    else known.push(hop);
  }
  return [...byTlp.values()].sort(([a], [b]) => (a as Hop).address - (b as Hop).address);
}

/** The places that any of these requests passed and all between them, parents before children; empty where none is shown. */
export function treeOfWays(world: World, segments: readonly WalkedSegment[], lengths: readonly number[]): TreePlace[] {
  const requests = firstRequests(segments, lengths).flat();
  const passed = new Set(requests.flatMap(({ hops }) => hops.map((hop) => hop.at)));
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
