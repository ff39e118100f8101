/** What each design reads and compares for each list of designs-ground.ts, by running it on a memory that counts. */

import type { BvecList } from '../src/block/index.ts';
import { CountedDesign, vectorBytes } from './counted-designs.ts';
import { ROADS, type RoadName, type Side } from './designs.ts';
import { ground, listOf, ORDERS, type Order, PROVIDERS, VECTORS } from './designs-ground.ts';

/** What became of the certificates on the way, or what the tables know. */
export interface Variant {
  readonly name: string;
  readonly design: RoadName;
  /** Lists that the mapper has seen before this one. */
  readonly before: number;
  readonly spoil?: (list: BvecList) => void;
}

/** Another mapper's. */
export function forAnother(list: BvecList): void {
  for (let index = 0; index < list.count; index++) list.certify(index, (list.certificateAt(index) ^ 0x0001_0000) >>> 0);
}

/** One of the list, in the middle, is lost. */
export function oneLost(list: BvecList): void {
  list.certify(Math.floor(list.count / 2), 0);
}

export const VARIANTS: readonly Variant[] = [
  ...ROADS.map(({ name }) => ({ name, design: name, before: 2 })),
  { name: 'lookup, first list', design: 'lookup', before: 0 },
  { name: 'certified, for another', design: 'certified', before: 2, spoil: forAnother },
  { name: 'certified, one lost', design: 'certified', before: 2, spoil: oneLost },
];

export interface CountedRow {
  readonly design: string;
  readonly providers: number;
  readonly order: Order;
  readonly vectors: number;
  /** Bytes of a vector. */
  readonly vectorBytes: number;
  /** Per vector, to a hundredth. */
  readonly bytes: number;
  readonly lines: number;
  readonly compares: number;
  readonly loads: number;
  readonly dependentLoads: number;
  readonly lookups: number;
  readonly hits: number;
}

/** All rows; the devices' IOMMU is on or off. */
export function countedRows(iommu: 'on' | 'off'): CountedRow[] {
  const rows: CountedRow[] = [];
  for (const providers of PROVIDERS) {
    const place = ground(providers);
    for (const order of ORDERS) {
      for (const vectors of VECTORS) {
        const plain = listOf(place, vectors, order);
        for (const variant of VARIANTS) {
          rows.push({ design: variant.name, providers, order, vectors, ...count(variant, place.side(iommu), plain) });
        }
      }
    }
  }
  return rows;
}

function count({ design, before, spoil }: Variant, side: Side, plain: BvecList) {
  const wanted = ROADS.find(({ name }) => name === design) as (typeof ROADS)[number];
  const submitted = wanted.submit(side, plain, 'fromDevice');
  spoil?.(submitted.list);
  const counted = new CountedDesign(design, side);
  for (let round = 0; round < before; round++) counted.run(submitted.list);
  const { counts, counters } = counted.run(submitted.list);
  submitted.end();
  const per = (value: number): number => Math.round((value * 100) / plain.count) / 100;
  return {
    vectorBytes: vectorBytes(design),
    bytes: per(counts.bytes),
    lines: per(counts.lines),
    compares: per(counts.compares),
    loads: per(counts.loads),
    dependentLoads: per(counts.dependentLoads),
    lookups: per(counters.lookups),
    hits: per(counters.lastHits),
  };
}

/** The rows as they stand in docs/decisions/counted.csv. */
export function countedText(rows: readonly CountedRow[]): string {
  const columns = Object.keys(rows[0] ?? {}) as (keyof CountedRow)[];
  const lines = rows.map((row) =>
    columns.map((column) => `"${row[column]}"`.replace(/^"([\d.]+|\w+)"$/, '$1')).join(','),
  );
  return `${[columns.join(','), ...lines].join('\n')}\n`;
}
