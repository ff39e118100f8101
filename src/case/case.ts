/**
 * A case: everything that was given about one computer. Zero or one machine, whole or put together from parts, and evidence that
 * hangs on it or stands alone. Nothing here is a judgement.
 */

import type { EvidenceItem } from '../evidence/items.ts';
import type { SourceKind } from '../evidence/kinds.ts';
import type { SourceBlock } from '../evidence/source-block.ts';
import type { Machine } from '../machine/machine.ts';

/** What the machine of a case was made from. */
export type MachineOrigin =
  /** A captured root, an archive of one, or the computer itself. */
  | 'capture'
  /** A listing of lspci, with registers or decoded. */
  | 'listing'
  /** A drawing alone: tree and names; no registers, so nothing of ACS, BARs or links. */
  | 'drawing'
  /** A description of a machine that need not exist. */
  | 'description';

export interface Case {
  /** What to call it: the name of the first thing that was given. */
  readonly source: string;
  /** Null where nothing that was given shows functions and how they hang together. */
  readonly machine: Machine | null;
  readonly origin: MachineOrigin | null;
  /** What was recognised, in the order in which it was given; `unknown` among it. */
  readonly blocks: readonly SourceBlock[];
  /** What does not fit together, one sentence each: the pieces may be of two machines, or of two boots. */
  readonly contradictions: readonly Contradiction[];
}

export interface Contradiction {
  readonly message: string;
  readonly file: string;
  readonly line: number | null;
}

/** Items of one kind, in order, without those that a later block of the same replaces. */
export function itemsOf<Kind extends EvidenceItem['kind']>(
  blocks: readonly SourceBlock[],
  kind: Kind,
): Extract<EvidenceItem, { readonly kind: Kind }>[] {
  const items: EvidenceItem[] = [];
  for (const block of blocks) {
    if (block.kind === kind && !block.isSuperseded) items.push(...block.items);
  }
  return items as Extract<EvidenceItem, { readonly kind: Kind }>[];
}

/** Kinds that a case holds, `unknown` left out. */
export function kindsOf(blocks: readonly SourceBlock[]): ReadonlySet<SourceKind> {
  return new Set(blocks.flatMap(({ kind }) => (kind === 'unknown' ? [] : [kind])));
}
