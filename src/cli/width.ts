/** How wide human output may be. */

/** Below this, tables fall apart: lines that are too long for the terminal are easier to read. */
const NARROWEST = 40;

/**
 * Columns of the output: of the terminal, of `COLUMNS`, of the terminal of stderr (where a pager stands between), else 100.
 * A terminal without a known size says 0, which tells nothing.
 */
export function outputWidth(stdout: number | undefined, told: string | undefined, stderr: number | undefined): number {
  const columns = [stdout, Number.parseInt(told ?? '', 10), stderr].find((width) => width !== undefined && width > 0);
  return Math.max(NARROWEST, columns ?? 100);
}
