/** Cases from whole trees: pairs examined, and lists mapped and run, on machines by chance. */

import { Prng } from 'p2pdma/core';
import { Bed } from './bed.ts';
import { type BioResult, BioRunner } from './bios.ts';
import { type Examined, Examiner } from './examine.ts';
import { type RandomTree, randomTree, treeSeed } from './random-tree.ts';

/** Pairs examined of a tree, and lists run on it. */
const PAIRS = 40;
const BIOS = 6;

export interface TreeRun {
  readonly tree: RandomTree;
  readonly functions: number;
  readonly pairs: readonly Examined[];
  readonly bios: readonly BioResult[];
  /** Everything that was wrong, each with what it concerns. */
  readonly complaints: readonly string[];
}

/** Runs tree `index` of a seed. */
export function runTree(seed: number, index: number): TreeRun {
  const chance = new Prng(treeSeed(seed, index));
  const tree = randomTree(chance);
  const bed = new Bed(tree.description, {
    iommu: tree.iommu,
    rules: {
      internalPeerRoute: tree.internal,
      samePortAtRootPort: tree.samePort,
      samePortAtDownstreamPort: tree.samePort,
    },
  });
  const complaints: string[] = [];
  const examiner = new Examiner(bed);
  const ends = bed.fabric.topology.functions.filter((node) => (node.bars[0]?.size ?? 0) >= 65536);
  const pairs: Examined[] = [];
  if (ends.length > 0) {
    for (let count = Math.min(PAIRS, ends.length * ends.length); count > 0; count--) {
      const client = chance.pick(ends);
      const provider = chance.pick(ends);
      const examined = examiner.examine(client.index, provider.index, chance.chance(0.25));
      pairs.push(examined);
      for (const complaint of examined.complaints) complaints.push(`${client.name} -> ${provider.name}: ${complaint}`);
    }
  }
  const runner = new BioRunner(bed, examiner.ledger);
  const bios: BioResult[] = [];
  if (runner.canRun) {
    for (let count = 0; count < BIOS; count++) {
      const result = runner.run(chance);
      bios.push(result);
      for (const complaint of result.complaints) complaints.push(`list ${count}: ${complaint}`);
    }
  }
  complaints.push(...examiner.ledger.audit());
  return { tree, functions: bed.hierarchy.functions.length, pairs, bios, complaints };
}

/** The line that runs a tree again. */
export function replayOfTree(seed: number, index: number): string {
  return `npm run agree -- --seed ${seed} --tree ${index}`;
}
