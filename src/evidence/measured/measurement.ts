/** Makes measurement items: what a tool does not say is the same for all of its values. */

import type { MeasuredItem, MeasuredKind, MeasurementItem } from './items.ts';

type Defaulted = 'direction' | 'counts' | 'size' | 'peerEnabled' | 'engine' | 'load' | 'statistic' | 'what';

/** What has to be said of every value. */
export type Measured = Omit<MeasurementItem, Defaulted> & Partial<Pick<MeasurementItem, Exclude<Defaulted, 'what'>>>;

/** An item of one value; what is left out is one direction, alone, and unknown for the rest. */
export function measurement<Kind extends MeasuredKind>(
  measured: Measured & { readonly kind: Kind },
): MeasurementItem & { readonly kind: Kind } {
  return {
    what: 'measurement',
    direction: 'uni',
    counts: 'one',
    size: null,
    peerEnabled: null,
    engine: null,
    load: 'alone',
    statistic: null,
    ...measured,
  };
}

/**
 * What a table is about, for telling whether two are the same one pasted twice: every cell of it. Tables of two runs differ in some digit,
 * and none replaces the other.
 */
export function sameTable(items: readonly MeasuredItem[]): string {
  return items.flatMap((item) => (item.what === 'measurement' || item.what === 'pair' ? [item.raw] : [])).join(' ');
}
