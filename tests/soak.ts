/**
 * How long the tests that draw by chance run. `npm test` takes a part of their rounds, `npm run soak` all of them: the same seeds, only
 * more. A failure names its seed or round in both.
 */

const IS_SOAK = process.env['P2PDMA_SOAK'] === '1';

/** Rounds of a test: `few` in `npm test`, `many` in `npm run soak`. */
export function rounds(few: number, many: number): number {
  return IS_SOAK ? many : few;
}

/** A number as a title shows it: `10,000`. */
export function shown(count: number): string {
  return count.toLocaleString('en-US');
}
