/**
 * What a hop costs in a small and in a large machine: the functions write to a register that forgets, so that routing alone is
 * measured. Three kinds of traffic, since what grows with a machine is not the way through it but what the host's caches must
 * hold: pages cut into TLPs, words among the same sixteen functions, words among all.
 */

import { Prng } from 'p2pdma/core';
import { type BarTarget, Fabric } from 'p2pdma/fabric';
import { buildTree, type RootBusDescription, type TreeDescription } from 'p2pdma/pcie';
import { Bounds, type Candidate, type Figure, measure, ratioOf } from './harness.ts';

/** Functions of one device. */
const FUNCTIONS = 4;
const PAIRS = 5000;
const SINK: BarTarget = { read: () => true, write: () => true, bulkLength: () => 0 };

/** Root buses, and the ports of the switch below each. */
type Shape = readonly [domains: number, ports: number];

type Pair = readonly [from: number, to: number];

/** Prints the costs. The way must not grow with the machine: the same functions in a larger one are at most a fifth dearer. */
export function hopCosts(): void {
  const bounds = new Bounds();
  console.log('\nrouting, ns a hop: writes of devices to one another, nothing stored');
  compare('below one switch', [1, 4], [8, 32], false, bounds);
  compare('through the root complex', [2, 2], [8, 32], true, bounds);
  bounds.end();
}

function compare(title: string, few: Shape, many: Shape, far: boolean, bounds: Bounds): void {
  const small = machine(few);
  const large = machine(many);
  const rows: readonly (readonly [string, number, boolean])[] = [
    ['4 KiB, TLP by TLP, between any two', 4096, true],
    ['4 bytes, among the same sixteen', 4, false],
    ['4 bytes, between any two', 4, true],
  ];
  console.log(`  ${title}: ${comparisons(small)} and ${comparisons(large)} comparisons a look-up`);
  for (const [name, length, any] of rows) {
    const chosen = any ? large.endpoints : sixteen(large);
    const [before, after] = measure(
      [candidate(small, small.endpoints, far, length), candidate(large, chosen, far, length)],
      { rounds: 60, warmUp: 10, roundNs: 4_000_000 },
    ) as [Figure, Figure];
    const figures = `${before.medianNs.toFixed(0)} with ${small.endpoints.length} endpoints, ${after.medianNs.toFixed(0)} with ${large.endpoints.length}`;
    const times = ratioOf(after, before);
    const verdict = any ? '' : `; ${bounds.check(times, 1.2)}`;
    console.log(`    ${name}: ${figures} (${times.toFixed(2)} x${verdict})`);
  }
}

interface Bed {
  readonly fabric: Fabric;
  /** Indices of the functions with a BAR. */
  readonly endpoints: readonly number[];
  /** Functions below one switch. */
  readonly below: number;
}

function machine([domains, ports]: Shape): Bed {
  const { hierarchy } = buildTree(manySwitches(domains, ports));
  const fabric = new Fabric({ hierarchy, ram: [{ start: 0, end: 2 ** 30 }] });
  fabric.tlpByTlp = true;
  const endpoints = fabric.topology.functions.filter((node) => node.bars.length > 0).map((node) => node.index);
  for (const index of endpoints) fabric.attachBar(index, 0, SINK);
  return { fabric, endpoints, below: ports * FUNCTIONS };
}

/** The functions of two devices in the first switch and of two in the last but one, spread over their ports. */
function sixteen({ endpoints, below }: Bed): number[] {
  const devices = [0, below - FUNCTIONS, endpoints.length - 2 * below, endpoints.length - below - FUNCTIONS];
  return devices.flatMap((first) => endpoints.slice(first, first + FUNCTIONS));
}

/** One run is a write for each pair; a unit is a hop. */
function candidate(bed: Bed, among: readonly number[], far: boolean, length: number): Candidate {
  const { fabric } = bed;
  const bytes = new Uint8Array(length);
  const list = pairs(bed, among, far);
  const start = fabric.topology.functions.map((node) => node.bars[0]?.start ?? 0);
  const run = (): void => {
    for (const [from, to] of list) fabric.memoryWrite(from, start[to] as number, bytes);
  };
  let hops = 0;
  const stop = fabric.watch(() => hops++);
  run();
  stop();
  return { name: `${bed.endpoints.length}`, run, units: hops };
}

/** Pairs of different devices below one switch, or of different switches. */
function pairs(bed: Bed, among: readonly number[], far: boolean): Pair[] {
  const prng = new Prng(1);
  const place = new Map(bed.endpoints.map((index, at) => [index, at]));
  const list: Pair[] = [];
  while (list.length < PAIRS) {
    const from = among[prng.below(among.length)] as number;
    const to = among[prng.below(among.length)] as number;
    const [a, b] = [place.get(from) as number, place.get(to) as number];
    const sameSwitch = Math.floor(a / bed.below) === Math.floor(b / bed.below);
    const sameDevice = Math.floor(a / FUNCTIONS) === Math.floor(b / FUNCTIONS);
    if (!sameDevice && sameSwitch !== far) list.push([from, to]);
  }
  return list;
}

/** Mean of what the look-ups compare on the bus of a switch, where the largest tables are. */
function comparisons({ fabric, endpoints }: Bed): string {
  let sum = 0;
  for (const index of endpoints) {
    const node = fabric.function(index);
    sum += node.bus.bridge?.bus.table.comparisons(node.bars[0]?.start ?? 0) ?? 0;
  }
  return (sum / endpoints.length).toFixed(2);
}

/** `domains` root buses with one switch each, of `ports` ports with a device of four functions below each. */
function manySwitches(domains: number, ports: number): TreeDescription {
  const functions = Array.from({ length: FUNCTIONS }, () => ({ bars: [{ size: 65536, prefetchable: true }] }));
  const device = { below: [{ kind: 'endpoint' as const, functions }] };
  const rootBuses = Array.from(
    { length: domains },
    (_, domain): RootBusDescription => ({
      domain,
      children: [{ kind: 'rootPort', below: [{ kind: 'switch', ports: Array.from({ length: ports }, () => device) }] }],
    }),
  );
  return { rootBuses };
}
