/**
 * Finds what a text holds: blocks of tables and runs of log lines, whatever stands around and between them, and whichever way the text was
 * quoted, wrapped or prefixed.
 */

import { utf8Bytes, withoutUtf16 } from './clean/line-ends.ts';
import type { EvidenceItem } from './items.ts';
import type { Recogniser } from './recogniser.ts';
import { type SourceBlock, settleBlocks } from './source-block.ts';
import { RECOGNISERS } from './table.ts';
import { Walk } from './walk.ts';

/** What a text holds. */
export interface Recognition {
  readonly file: string;
  /** In the order of their first lines; `unknown` among them. */
  readonly blocks: readonly SourceBlock[];
  /** Blocks that were too many to keep. */
  readonly leftOutBlocks: number;
  /** Lines of the text. */
  readonly lines: number;
  /** Lines longer than `LINE_MAX`, of which the beginning alone was read. */
  readonly longLines: { readonly count: number; readonly first: number } | null;
  /** What `SourceBlock.bytes` counts in: the text as UTF-8. */
  readonly bytes: Uint8Array;
}

/**
 * Recognises what `input` holds. Never throws, and guesses nothing from the name.
 *
 * @param file what the items name as their source
 */
export function recognise(
  input: Uint8Array | string,
  file: string,
  recognisers: readonly Recogniser<EvidenceItem>[] = RECOGNISERS,
): Recognition {
  const bytes = typeof input === 'string' ? utf8Bytes(input) : withoutUtf16(input);
  const { drafts, leftOutBlocks, lines, longLines } = new Walk(bytes, file, recognisers).run();
  return { file, blocks: settleBlocks(drafts), leftOutBlocks, lines, longLines, bytes };
}
