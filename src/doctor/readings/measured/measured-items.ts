/** Items of measuring tools by what they are. */

import type {
  DeviceItem,
  MeasuredItem,
  MeasuredKind,
  MeasurementItem,
  PairItem,
  StatementItem,
} from '../../../evidence/measured/items.ts';
import type { SourceBlock } from '../../../evidence/source-block.ts';

/** Items of one kind, without those of blocks that a later one replaces. */
export function measuredOf(blocks: readonly SourceBlock[], kind: MeasuredKind): MeasuredItem[] {
  return blocks
    .filter((block) => block.kind === kind && !block.isSuperseded)
    .flatMap(({ items }) => items as readonly MeasuredItem[]);
}

export function isPair(item: MeasuredItem): item is PairItem {
  return 'what' in item && item.what === 'pair';
}

export function isMeasurement(item: MeasuredItem): item is MeasurementItem {
  return 'what' in item && item.what === 'measurement';
}

export function isDevice(item: MeasuredItem): item is DeviceItem {
  return 'what' in item && item.what === 'device';
}

export function isStatement(item: MeasuredItem): item is StatementItem {
  return 'what' in item && item.what === 'statement';
}

/** One name for a pair in both directions: the smaller label first. */
export function unordered({ from, to }: Pick<PairItem, 'from' | 'to'>): string {
  const [a, b] = [from.label, to.label];
  const isSorted = (from.index ?? 0) <= (to.index ?? 0);
  return isSorted ? `${a}-${b}` : `${b}-${a}`;
}

/** The middle value; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** `12.4 GB/s`. */
export function rate(gigabytes: number): string {
  return `${gigabytes.toFixed(gigabytes < 10 ? 2 : 1)} GB/s`;
}
