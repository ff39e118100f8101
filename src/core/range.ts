/** Address ranges, `end` exclusive everywhere. */

export interface Range {
  readonly start: number;
  /** First address behind the range. */
  readonly end: number;
}

/** Whether `[address, address + length)` lies wholly inside the range. A length of 0 is never inside. */
export function rangeContains(range: Range, address: number, length: number): boolean {
  return length > 0 && address >= range.start && address + length <= range.end;
}

/** Whether two ranges share a byte. */
export function rangesOverlap(a: Range, b: Range): boolean {
  return a.start < b.end && b.start < a.end;
}

/** The ranges sorted by start, those that touch or overlap joined. */
export function joinRanges(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  const joined: { start: number; end: number }[] = [];
  for (const range of sorted) {
    const last = joined[joined.length - 1];
    if (last && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else joined.push({ start: range.start, end: range.end });
  }
  return joined;
}

/** What is left of `ranges` without `holes`, sorted, joined. */
export function withoutRanges(ranges: readonly Range[], holes: readonly Range[]): Range[] {
  const left: Range[] = [];
  const cut = joinRanges(holes);
  for (const range of joinRanges(ranges)) {
    let { start } = range;
    for (const hole of cut) {
      if (hole.end <= start || hole.start >= range.end) continue;
      if (hole.start > start) left.push({ start, end: hole.start });
      start = hole.end;
    }
    if (start < range.end) left.push({ start, end: range.end });
  }
  return left;
}

/**
 * Index of the range that holds `address` in a list sorted by start without overlaps, or -1.
 */
export function findRange(sorted: readonly Range[], address: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const range = sorted[middle] as Range;
    if (address < range.start) high = middle - 1;
    else if (address >= range.end) low = middle + 1;
    else return middle;
  }
  return -1;
}
