/**
 * The designs by name. The one place that knows all of them: whoever maps by a design that a user chose asks here.
 *
 * | design | in the queue | at the mapping device |
 * |---|---|---|
 * | `flags` | addresses with the mail's flags | believed, or verified against the machine |
 * | `lookup`, `page` | CPU physical addresses | looked up |
 * | `premapped` | DMA addresses, mapped for the device that the submitter asked about | taken as they are |
 * | `certified` | CPU physical addresses with certificates for that device | compared, looked up where they do not match |
 */

import { assertNever } from '../core/assert.ts';
import type { Classifier } from './classifier.ts';
import { Certified } from './classify-certified.ts';
import { TrustingFlags } from './classify-flags.ts';
import { Lookup } from './classify-lookup.ts';
import { PageDescriptors } from './classify-page.ts';
import { Premapped } from './classify-premapped.ts';
import { VerifiedFlags } from './classify-verified.ts';
import { MADE_NOW } from './owner.ts';
import type { PairTypes } from './pair-types.ts';
import type { RangeTable } from './range-table.ts';

/** The five designs, in the order in which they are listed everywhere. */
export const CLASSIFY_MODES = ['flags', 'lookup', 'page', 'premapped', 'certified'] as const;

/** One of the five designs. Of the mail's flags there are two forms: see `ClassifierName`. */
export type ClassifyMode = (typeof CLASSIFY_MODES)[number];

/** A design as a mapper runs it: `flags` believes the flags, `flags-verified` checks each against the machine. */
export type ClassifierName = Classifier['name'];

/** What a classifier may ask at one mapping device. */
export interface ClassifierTables {
  readonly table: RangeTable;
  readonly pairs: PairTypes;
  /** Generation of the table when the vectors were queued. Left out: just now. Certificates carry their own. */
  readonly queuedAt?: number | undefined;
}

/** The form of a design: flags are verified unless they are trusted. */
export function classifierName(mode: ClassifyMode, trust: boolean): ClassifierName {
  return mode === 'flags' && !trust ? 'flags-verified' : mode;
}

/** A new classifier of this design for one mapping device. */
export function classifierFor(name: ClassifierName, tables: ClassifierTables): Classifier {
  const { table, pairs, queuedAt } = tables;
  switch (name) {
    case 'flags':
      return new TrustingFlags();
    case 'flags-verified':
      return queued(new VerifiedFlags(table, pairs), queuedAt);
    case 'lookup':
      return queued(new Lookup(table, pairs), queuedAt);
    case 'page':
      return queued(new PageDescriptors(table, pairs), queuedAt);
    case 'premapped':
      return new Premapped();
    case 'certified':
      return new Certified(table, pairs);
    default:
      return assertNever(name);
  }
}

function queued<C extends Classifier & { queuedAt: number }>(classifier: C, queuedAt: number = MADE_NOW): C {
  classifier.queuedAt = queuedAt;
  return classifier;
}
