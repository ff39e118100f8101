/** The smallest cases in which a kernel's rule and the fabric differ: nothing can be taken away without the difference going too. */

import type { Case, Conditions } from './case.ts';
import { acsNodesOf, formatCase, letterOf, PLAIN } from './case.ts';
import type { Examined } from './examine.ts';
import type { LegRunner } from './legs.ts';
import { allShapes, type Shape } from './shape.ts';

/** Shapes that people build: data flows between endpoints, not from or to a bridge. */
export function endpointShapes(longest: number): Shape[] {
  const ends = (leg: string): boolean => /[efci]$/.test(leg);
  return allShapes(longest).filter(
    ({ common, client, provider }) => common === 'function' || (ends(client) && ends(provider)),
  );
}

/** What must stay the same while a case shrinks: how they differ, and why. */
export function kindOf(examined: Examined): string | null {
  const { difference, byBus, byRoad, reason, roadReason } = examined;
  if (difference === null) return null;
  // Supported by whichever road, and blocked: one and the same.
  if ((difference === 'tooLax' ? reason : roadReason) === 'translationBlocking') return 'translationBlocking';
  if (difference === 'tooLax') return `tooLax ${byBus} ${reason}`;
  return difference === 'deadEnd' ? `deadEnd ${byRoad} ${roadReason}` : difference;
}

/** Takes away bits, conditions and nodes as long as the difference stays. The result is the same from run to run. */
export function shrink(runner: LegRunner, one: Case): Case {
  const kind = kindOf(runner.run(one));
  let smallest = one;
  for (;;) {
    const next = smallerThan(smallest).find((candidate) => kindOf(runner.run(candidate)) === kind);
    if (next === undefined) return smallest;
    smallest = next;
  }
}

/** Every case that is smaller by one step. */
export function smallerThan(one: Case): Case[] {
  return [...smallerShapes(one), ...simplerConditions(one), ...fewerBits(one)];
}

function fewerBits(one: Case): Case[] {
  const smaller: Case[] = [];
  for (const [name, word] of one.acs) {
    for (let bit = 1; bit <= word; bit *= 2) if (word & bit) smaller.push(withWord(one, name, word & ~bit));
  }
  return smaller;
}

function simplerConditions(one: Case): Case[] {
  const { conditions } = one;
  const simpler: Conditions[] = [];
  if (conditions.iommu !== 'off') simpler.push({ ...conditions, iommu: 'off' });
  for (const flag of ['translated', 'offset', 'internal'] as const) {
    if (conditions[flag] !== PLAIN[flag]) simpler.push({ ...conditions, [flag]: PLAIN[flag] });
  }
  return simpler.map((changed) => restricted({ ...one, conditions: changed }));
}

const SIZE: Readonly<Record<string, number>> = { b: 4, c: 2, i: 3 };
const COMMON_SIZE = {
  function: 0,
  rootPort: 1,
  switch: 2,
  innerSwitch: 4,
  downstreamPort: 4,
  hostBridge: 5,
  hostBridges: 6,
  pciBridge: 7,
};

/** Nodes of a shape; those that are rarer count for more. */
export function sizeOf({ common, client, provider }: Shape): number {
  return [...(client + provider)].reduce((sum, letter) => sum + (SIZE[letter] ?? 1), COMMON_SIZE[common]);
}

const SHAPES: readonly Shape[] = endpointShapes(4).sort((a, b) => sizeOf(a) - sizeOf(b));

/** The same bits on a smaller shape: on the node of the same kind at the same place, or at the end of the leg. */
function smallerShapes(one: Case): Case[] {
  const { shape } = one;
  const size = sizeOf(shape);
  if (shape.common === 'function') return [];
  return SHAPES.filter((other) => other.common !== 'function' && sizeOf(other) < size).map((other) => {
    const acs = new Map<string, number>();
    for (const [name, word] of one.acs) {
      const moved = sameNode(shape, other, name);
      if (moved !== null) acs.set(moved, word);
    }
    return restricted({ ...one, shape: other, acs });
  });
}

/** The node of `other` that stands for a node of `shape`; null where there is none. */
function sameNode(shape: Shape, other: Shape, name: string): string | null {
  const letter = letterOf(shape, name);
  if (letter === '') return name;
  if (letterOf(other, name) === letter) return name;
  const side = name[0] as 'c' | 'p';
  const [leg, otherLeg] = side === 'c' ? [shape.client, other.client] : [shape.provider, other.provider];
  return Number(name.slice(1)) === leg.length && otherLeg.endsWith(letter) ? `${side}${otherLeg.length}` : null;
}

function withWord(one: Case, name: string, word: number): Case {
  const acs = new Map(one.acs);
  if (word === 0) acs.delete(name);
  else acs.set(name, word);
  return { ...one, acs };
}

/** Without the bits of nodes that the shape does not have, or that have no ACS there. */
function restricted(one: Case): Case {
  const nodes = acsNodesOf(one.shape, one.conditions);
  return { ...one, acs: new Map([...one.acs].filter(([name, word]) => nodes.includes(name) && word !== 0)) };
}

/** Single bits, and pairs of bits of one register, that are tried. EV only beside EC. */
const FEW_BITS: readonly number[] = [0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0xa0, 0x06, 0x0a, 0x44, 0x42];

/** Every case with at most one node whose bits are set, over all shapes with endpoints. */
export function* simpleCases(longest: number): Generator<Case> {
  for (const shape of endpointShapes(longest)) {
    for (const translated of [false, true]) {
      for (const internal of shape.client === 'f' ? [false, true] : [false]) {
        for (const iommu of ['off', 'on'] as const) {
          const conditions = { ...PLAIN, translated, internal, iommu };
          yield { shape, acs: new Map(), conditions };
          for (const name of acsNodesOf(shape, conditions)) {
            for (const word of FEW_BITS) yield { shape, acs: new Map([[name, word]]), conditions };
          }
        }
      }
    }
  }
}

/** The smallest cases of every kind of difference, by their lines. */
export function smallestDifferences(
  runner: LegRunner,
  cases: Iterable<Case>,
): Map<string, { kind: string; one: Case; seen: number }> {
  const found = new Map<string, { kind: string; one: Case; seen: number }>();
  for (const one of cases) {
    const kind = kindOf(runner.run(one));
    if (kind === null) continue;
    const smallest = shrink(runner, one);
    const line = formatCase(smallest);
    const entry = found.get(line) ?? { kind, one: smallest, seen: 0 };
    entry.seen++;
    found.set(line, entry);
  }
  return found;
}
