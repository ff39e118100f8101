/** The blocks of a text as they close, within bounds: what is beyond them is counted. */

import type { EvidenceItem } from './items.ts';
import type { SourceKind } from './kinds.ts';
import type { OpenBlock } from './open-block.ts';
import type { BlockResult } from './recogniser.ts';
import type { BlockDraft } from './source-block.ts';
import type { LinePlace } from './unknown-lines.ts';

/** Blocks that are kept. */
const BLOCKS_MAX = 2000;
/** Items of all blocks that are kept. */
const ITEMS_MAX = 200_000;

export class BlockDrafts {
  readonly #file: string;
  readonly #drafts: BlockDraft[] = [];
  #items = 0;
  #leftOut = 0;

  constructor(file: string) {
    this.#file = file;
  }

  get all(): readonly BlockDraft[] {
    return this.#drafts;
  }

  /** Blocks that were not kept. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Whether there are so many that one more is better joined to the one before. */
  get areMany(): boolean {
    return this.#drafts.length >= BLOCKS_MAX / 2;
  }

  add(kind: SourceKind, block: OpenBlock, result: BlockResult<EvidenceItem>): void {
    const room = Math.max(0, ITEMS_MAX - this.#items);
    const items = result.items.length <= room ? result.items : result.items.slice(0, room);
    this.#items += items.length;
    this.#push({
      kind,
      file: this.#file,
      fromLine: block.first.number,
      toLine: block.last.number,
      bytes: { start: block.first.start, end: block.last.end },
      items,
      leftOut: (result.leftOut ?? 0) + block.leftOut + result.items.length - items.length,
      isComplete: (result.isComplete ?? true) && !block.hasGap,
      subject: result.subject ?? null,
      doubt: result.doubt ?? null,
      command: block.context.command,
    });
  }

  /** Lines that are nobody's. */
  addUnknown(first: LinePlace, last: LinePlace): void {
    this.#push({
      kind: 'unknown',
      file: this.#file,
      fromLine: first.number,
      toLine: last.number,
      bytes: { start: first.start, end: last.end },
      items: [],
      leftOut: 0,
      isComplete: true,
      subject: null,
      doubt: null,
      command: null,
    });
  }

  #push(draft: BlockDraft): void {
    if (this.#drafts.length < BLOCKS_MAX) this.#drafts.push(draft);
    else this.#leftOut++;
  }
}
