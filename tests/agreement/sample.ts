/** Cases by chance, from one seed: legs with any bits anywhere, and whole trees. */

import { Prng } from 'p2pdma/core';
import { acsNodesOf, type Case, IOMMU_SETTINGS } from './case.ts';
import type { Examined } from './examine.ts';
import { type LegRunner, SHAPES_BY_COMMON, type Visit } from './legs.ts';
import { treeSeed } from './random-tree.ts';

/** Cases drawn one after the other on one shape under one set of conditions: a bed is dearer than a case. */
const RUN = 40;

/** Bits of a register that are drawn: all services, and the egress control vector. */
function randomWord(chance: Prng): number {
  if (chance.chance(0.4)) return 0;
  const word = chance.below(256);
  return chance.chance(0.5) ? word & chance.below(256) : word;
}

/** Draws and runs `count` cases of a seed. */
export function sampleLegs(runner: LegRunner, seed: number, count: number, visit: Visit): void {
  for (let done = 0, run = 0; done < count; run++) {
    const chance = new Prng(treeSeed(seed, run) ^ 0x51ed270b);
    const shapes = SHAPES_BY_COMMON.get(chance.pick([...SHAPES_BY_COMMON.keys()])) ?? [];
    const shape = chance.pick(shapes);
    const fixed = { iommu: chance.pick(IOMMU_SETTINGS), offset: chance.chance(0.3), internal: chance.chance(0.5) };
    const nodes = acsNodesOf(shape, fixed);
    for (let at = 0; at < RUN && done < count; at++, done++) {
      const acs = new Map(nodes.map((name) => [name, randomWord(chance)]));
      const one: Case = { shape, acs, conditions: { ...fixed, translated: chance.chance(0.3) } };
      visit(one, runner.run(one));
    }
  }
}

/** How often each verdict met each outcome, and how often they differed. */
export class Tally {
  cases = 0;
  readonly rows: Map<string, number> = new Map();
  readonly differences: Map<string, number> = new Map();
  readonly cautions: Map<string, number> = new Map();

  add(examined: Examined): void {
    this.cases++;
    const { directional, byBus, byRoad, difference, caution } = examined;
    bump(this.rows, `${directional}|${byBus}|${byRoad ?? ''}`);
    if (difference !== null) bump(this.differences, difference);
    if (caution !== null) bump(this.cautions, caution);
  }

  /** The counts as lines of a table. */
  lines(): string[] {
    const lines = ['directional      bus address  host bridge        cases'];
    for (const [key, count] of [...this.rows].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const [type, byBus, byRoad] = key.split('|') as [string, string, string];
      lines.push(`${type.padEnd(16)} ${byBus.padEnd(12)} ${byRoad.padEnd(12)} ${String(count).padStart(11)}`);
    }
    for (const [difference, count] of this.differences) lines.push(`linux-7.0 ${difference}: ${count}`);
    for (const [caution, count] of this.cautions)
      lines.push(`directional stricter than the fabric, ${caution}: ${count}`);
    return lines;
  }
}

function bump(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
