/** `p2pdma pages --json`, and the sums that both forms show. */

import { type BarCost, RANGE_RECORD_BYTES } from '../../p2p/page-cost.ts';

/** Sums over all memory BARs; bytes are of those whose size is known. */
export interface PageTotals {
  readonly bars: number;
  /** BARs whose size is not in the capture. */
  readonly unknown: number;
  readonly sizeBytes: number;
  readonly descriptorBytes: number;
  readonly rangeBytes: number;
  /** BARs too small for pages. */
  readonly refusedByPages: number;
}

export interface PagesDocument {
  readonly schemaVersion: 1;
  readonly command: 'pages';
  readonly rangeRecordBytes: number;
  readonly bars: readonly ({ readonly function: string } & Omit<BarCost, 'fn'>)[];
  readonly totals: PageTotals;
}

export function pagesDocument(costs: readonly BarCost[]): PagesDocument {
  return {
    schemaVersion: 1,
    command: 'pages',
    rangeRecordBytes: RANGE_RECORD_BYTES,
    bars: costs.map(({ fn, ...cost }) => ({ function: fn.name, ...cost })),
    totals: pageTotals(costs),
  };
}

/** Sums over the BARs of known size. */
export function pageTotals(costs: readonly BarCost[]): PageTotals {
  const known = costs.filter((cost) => cost.sizeBytes !== null);
  const sum = (value: (cost: BarCost) => number | null): number =>
    known.reduce((all, cost) => all + (value(cost) ?? 0), 0);
  return {
    bars: costs.length,
    unknown: costs.length - known.length,
    sizeBytes: sum((cost) => cost.sizeBytes),
    descriptorBytes: sum((cost) => cost.descriptorBytes),
    rangeBytes: known.length * RANGE_RECORD_BYTES,
    refusedByPages: known.filter((cost) => cost.refusedByPages).length,
  };
}
