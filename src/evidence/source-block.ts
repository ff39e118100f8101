/** A block of a text: its kind, its lines, what was read from it, and what is doubtful about it. */

import type { EvidenceItem } from './items.ts';
import type { SourceKind } from './kinds.ts';

export interface SourceBlock {
  readonly kind: SourceKind;
  readonly file: string;
  /** 1-based. */
  readonly fromLine: number;
  /** 1-based, inclusive. */
  readonly toLine: number;
  /** Where the block lies among the bytes that were read; for readers of their own, as that of lspci. The end is exclusive. */
  readonly bytes: { readonly start: number; readonly end: number };
  readonly items: readonly EvidenceItem[];
  /** Items or lines that were not kept, for their number. */
  readonly leftOut: number;
  /** Whether it is whole: false where it was cut at its end, or lines within were left out. */
  readonly isComplete: boolean;
  /** A later block, or an earlier and more complete one, about the same replaces this one. */
  readonly isSuperseded: boolean;
  /** Kinds of other blocks among whose lines this one lies, or that lie among its own. */
  readonly overlaps: readonly SourceKind[];
  readonly doubt: string | null;
  /** The command right above it. */
  readonly command: string | null;
}

/** A block as the walk makes it; what depends on the others comes afterwards. */
export interface BlockDraft extends Omit<SourceBlock, 'isSuperseded' | 'overlaps'> {
  readonly subject: string | null;
}

/** Orders blocks and tells which replace each other and which overlap. */
export function settleBlocks(drafts: readonly BlockDraft[]): SourceBlock[] {
  const sorted = [...drafts].sort((a, b) => a.fromLine - b.fromLine || a.toLine - b.toLine);
  const winners = lastOfEach(sorted);
  const overlaps = overlapsOf(sorted);
  return sorted.map((draft, index): SourceBlock => {
    const { subject, ...block } = draft;
    const isSuperseded = subject !== null && winners.get(subjectKey(draft)) !== draft;
    return { ...block, isSuperseded, overlaps: [...(overlaps[index] as Set<SourceKind>)] };
  });
}

const subjectKey = ({ kind, subject }: BlockDraft): string => `${kind} ${subject}`;

/** Of blocks about the same, the last that is complete; the last of all where none is. */
function lastOfEach(sorted: readonly BlockDraft[]): Map<string, BlockDraft> {
  const winners = new Map<string, BlockDraft>();
  for (const draft of sorted) {
    if (draft.subject === null) continue;
    const known = winners.get(subjectKey(draft));
    if (known === undefined || draft.isComplete || !known.isComplete) winners.set(subjectKey(draft), draft);
  }
  return winners;
}

function overlapsOf(sorted: readonly BlockDraft[]): Set<SourceKind>[] {
  const overlaps = sorted.map(() => new Set<SourceKind>());
  /** Blocks that may reach beyond the one looked at: few, since blocks of one kind never overlap. */
  let open: number[] = [];
  for (const [index, block] of sorted.entries()) {
    if (block.kind === 'unknown') continue;
    open = open.filter((other) => (sorted[other] as BlockDraft).toLine >= block.fromLine);
    for (const other of open) {
      overlaps[index]?.add((sorted[other] as BlockDraft).kind);
      overlaps[other]?.add(block.kind);
    }
    open.push(index);
  }
  return overlaps;
}
