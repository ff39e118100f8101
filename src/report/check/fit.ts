/** Blocks of text that are told at length, or in fewer and fewer lines, until all of them fit on one screen. */

/** The same matter, longest first; each a list of lines. */
export type Block = readonly (readonly string[])[];

export interface Screen {
  readonly rows: number;
  /** Longer lines take more than one row. */
  readonly columns: number;
}

/**
 * The lines of all blocks, on one screen where the shortest forms allow it. The last block is shortened first, step by
 * step; the first `kept` blocks only when all others are as short as can be.
 */
export function fitted(blocks: readonly Block[], screen: Screen, kept: number): string[] {
  const steps = blocks.map(() => 0);
  const lines = (index: number): readonly string[] => blocks[index]?.[steps[index] as number] ?? [];
  const height = (): number => blocks.reduce((sum, _, index) => sum + rowsOf(lines(index), screen.columns), 0);
  shorten(blocks, steps, { from: kept, to: blocks.length }, () => height() > screen.rows);
  shorten(blocks, steps, { from: 0, to: Math.min(kept, blocks.length) }, () => height() > screen.rows);
  return blocks.flatMap((_, index) => [...lines(index)]);
}

function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(visible(line) / columns)), 0);
}

/** Characters that a terminal shows: bold and dim are told by sequences that take no room. */
function visible(line: string): number {
  return line
    .split('\u001b')
    .reduce((sum, part, index) => sum + part.length - (index === 0 ? 0 : part.indexOf('m') + 1), 0);
}

/** Takes the blocks of a part one step further, the last first, as long as `isTooLong`. */
function shorten(
  blocks: readonly Block[],
  steps: number[],
  part: { readonly from: number; readonly to: number },
  isTooLong: () => boolean,
): void {
  const deepest = Math.max(0, ...blocks.map((block) => block.length - 1));
  for (let step = 1; step <= deepest; step++) {
    for (let index = part.to - 1; index >= part.from && isTooLong(); index--) {
      if (step < (blocks[index] as Block).length) steps[index] = step;
    }
  }
}
