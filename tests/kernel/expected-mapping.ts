/** What the kernel answered to a mapping of the truth, in the form in which ours is compared. */

import { BvecList } from '../../src/block/bio-vec.ts';
import { maskLimit, parseWord64 } from '../../src/core/word64.ts';
import type { TruthCase, TruthMapping } from './truth.ts';

/** Limits of the mapping device, with what the test changed. */
export function limitsOf(item: TruthCase, mapping: TruthMapping) {
  const fn = item.truth.functions.find(({ bdf }) => bdf === mapping.c)?.kernel;
  if (!fn) throw new Error(`${mapping.c} is no function`);
  const limit = (text: string): number => maskLimit(parseWord64(text) as { high: number; low: number });
  const changed = /(mask|maxseg|boundary)_?(0x[0-9a-f]+|32)$/.exec(mapping.set);
  const value = changed ? (changed[2] === '32' ? 0xffffffff : Number(changed[2])) : 0;
  return {
    dmaMask: changed?.[1] === 'mask' ? value : limit(fn.dma_mask),
    maxSegmentSize: changed?.[1] === 'maxseg' ? value : fn.max_seg_size,
    segmentBoundaryMask: changed?.[1] === 'boundary' ? value : limit(fn.seg_boundary),
    minAlignMask: Number(fn.min_align_mask),
  };
}

/** The vectors as CPU physical addresses. */
export function plain(mapping: TruthMapping): BvecList {
  const list = new BvecList();
  for (const [, address, length] of mapping.in) list.push(Number(address), length, 0);
  return list;
}

export interface Outcome {
  ret: number;
  out?: unknown;
  iova?: unknown;
}

/** The kernel’s answer: IOVAs relative to the page of the first. */
export function expectedOf(mapping: TruthMapping, bounced: boolean): Outcome {
  if (mapping.ret !== 0) return { ret: mapping.ret };
  const out = mapping.out ?? [];
  const firstIova = out.find(([, , bus]) => bus === 0);
  const base = mapping.iova && firstIova ? Math.floor(Number(firstIova[0]) / 4096) * 4096 : 0;
  return {
    ret: 0,
    out: out.map(([address, length, bus], index) => {
      const isRam = mapping.in[index]?.[0] === 'R';
      return [bounced && !bus && isRam ? 'bounce' : Number(address) - (bus ? 0 : base), length, bus];
    }),
    iova: (mapping.iova ?? []).map(([iova, phys]) => [Number(iova) - base, Number(phys)]),
  };
}
