/**
 * What an allocator holds, as a value: to prove that a map and its unmap leave nothing behind. Ranges that wait in a cache
 * count as free, as they are free to every caller.
 */

import { hex } from '../core/hex.ts';
import type { Range } from '../core/range.ts';
import { NODE_LIVE, NODE_RESERVED, type TakenRanges } from './taken-ranges.ts';

export interface IovaSnapshot {
  /** Ranges handed out, sorted; not joined, so that two neighbours differ from one. */
  readonly live: readonly Range[];
  /** What is never handed out, sorted. */
  readonly reserved: readonly Range[];
  /** Bytes that the live ranges cover. */
  readonly liveBytes: number;
}

/** Reads the state of a range structure; `granule` in bytes. */
export function snapshotOf(taken: TakenRanges, granule: number): IovaSnapshot {
  const live: Range[] = [];
  const reserved: Range[] = [];
  let liveBytes = 0;
  for (let node = taken.lowest; node !== taken.anchor; node = taken.next[node] as number) {
    const range = { start: (taken.start[node] as number) * granule, end: (taken.end[node] as number) * granule };
    if (taken.state[node] === NODE_RESERVED) reserved.push(range);
    if (taken.state[node] !== NODE_LIVE) continue;
    live.push(range);
    liveBytes += range.end - range.start;
  }
  return { live, reserved, liveBytes };
}

/** Null if the two are the same; else a sentence about the first difference. */
export function iovaSnapshotDifference(before: IovaSnapshot, after: IovaSnapshot): string | null {
  return listDifference('live', before.live, after.live) ?? listDifference('reserved', before.reserved, after.reserved);
}

function listDifference(what: string, before: readonly Range[], after: readonly Range[]): string | null {
  for (let index = 0; index < Math.max(before.length, after.length); index++) {
    const was = before[index];
    const is = after[index];
    if (was?.start === is?.start && was?.end === is?.end) continue;
    return `${what} range ${index} was ${textOf(was)} and is ${textOf(is)}`;
  }
  return null;
}

function textOf(range: Range | undefined): string {
  return range === undefined ? 'absent' : `[${hex(range.start)}, ${hex(range.end)})`;
}
