/** Blocks of text that are told at length, or in fewer and fewer lines, until all of them fit on one screen. */

/** The same matter, longest first; each a list of lines. */
export type Block = readonly (readonly string[])[];

/**
 * The lines of all blocks, at most `rows` of them where the shortest forms allow it. The last block is shortened first, step by
 * step; the first `kept` blocks only when all others are as short as can be.
 */
export function fitted(blocks: readonly Block[], rows: number, kept: number): string[] {
  const steps = blocks.map(() => 0);
  const lines = (index: number): readonly string[] => blocks[index]?.[steps[index] as number] ?? [];
  const height = (): number => blocks.reduce((sum, _, index) => sum + lines(index).length, 0);
  shorten(blocks, steps, { from: kept, to: blocks.length }, () => height() > rows);
  shorten(blocks, steps, { from: 0, to: Math.min(kept, blocks.length) }, () => height() > rows);
  return blocks.flatMap((_, index) => [...lines(index)]);
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
