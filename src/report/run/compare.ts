/** Two runs of one scenario side by side: where they part, transfer by transfer. */

import { hex } from '../../core/hex.ts';
import type { ScenarioReport, TransferReport } from '../../scenario/report.ts';
import { table } from '../words/table.ts';

export interface Difference {
  readonly transfer: string;
  readonly what: string;
  readonly first: string;
  readonly second: string;
}

/** Segments, statuses and bytes, one by one; empty where both engines say the same. */
export function compareReports(first: ScenarioReport, second: ScenarioReport): Difference[] {
  return first.transfers.flatMap((transfer, index) => {
    const other = second.transfers[index];
    return other === undefined ? [] : compareTransfers(transfer, other);
  });
}

function compareTransfers(first: TransferReport, second: TransferReport): Difference[] {
  const differences: Difference[] = [];
  const compare = (what: string, a: string, b: string): void => {
    if (a !== b) differences.push({ transfer: first.name, what, first: a, second: b });
  };
  compare('refusal', first.refusal?.code ?? 'none', second.refusal?.code ?? 'none');
  compare('segments', String(first.segments.length), String(second.segments.length));
  first.segments.forEach((segment, index) => {
    const other = second.segments[index];
    if (other !== undefined) compare(`segment ${index}`, segmentText(segment), segmentText(other));
  });
  // What an engine calls a status depends on what it notices; whether there was one does not.
  compare('NVMe status', first.status ?? 'success', second.status ?? 'success');
  compare('bytes equal', damage(first), damage(second));
  compare('bytes swallowed', String(first.swallowedBytes), String(second.swallowedBytes));
  compare('after unmap', repeatText(first), repeatText(second));
  return differences;
}

/** All bytes, or not: how many of a damaged page look right is chance. */
function damage({ bytesEqual, bytesTotal }: TransferReport): string {
  return bytesEqual === bytesTotal ? `all ${bytesTotal}` : 'damaged';
}

/** How many faults are recorded depends on how many records the hardware has; whom they name does not. */
function repeatText({ repeat }: TransferReport): string {
  if (repeat === null) return 'not tried';
  return repeat.requesters.length === 0
    ? repeat.outcome
    : `${repeat.outcome}, fault of ${repeat.requesters.join(', ')}`;
}

function segmentText({ space, address, length, bar, offset }: TransferReport['segments'][number]): string {
  const place = space === 'bar' ? `BAR ${bar} + ${hex(offset ?? 0)}` : address === null ? '-' : hex(address);
  return `${space} ${place} + ${length}`;
}

/** The differences as a table, under the names of the two engines. */
export function differenceText(differences: readonly Difference[], first: string, second: string): string {
  if (differences.length === 0) return `${first} and ${second} agree: segments, statuses, bytes\n`;
  const rows = [
    ['transfer', '', first, second],
    ...differences.map((one) => [one.transfer, one.what, one.first, one.second]),
  ];
  return `the engines part:\n${table(rows)
    .map((line) => `  ${line}\n`)
    .join('')}`;
}
