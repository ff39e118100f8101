/** `p2pdma pages`: what struct pages for every memory BAR would cost, against range records. */

import { type BarCost, pageCosts, RANGE_RECORD_BYTES } from '../p2p/page-cost.ts';
import { table } from '../report/map/text.ts';
import type { Invocation } from './context.ts';
import { EXIT_DONE, type ExitCode } from './exit-codes.ts';
import { loadMachine } from './machine-argument.ts';

/** Runs the command. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context } = invocation;
  const { machine } = await loadMachine(invocation.args[0], invocation);
  const costs = pageCosts(machine);
  const totals = totalsOf(costs);
  if (context.json) {
    const bars = costs.map(({ fn, ...cost }) => ({ function: fn.name, ...cost }));
    await context.out.json({ schemaVersion: 1, command: 'pages', rangeRecordBytes: RANGE_RECORD_BYTES, bars, totals });
    return EXIT_DONE;
  }
  const rows = [['function', 'BAR', 'size', 'pages', 'struct pages', 'range record', ''], ...costs.map(row)];
  const lines = [
    ...table(rows),
    '',
    `${totals.bars} memory BARs, ${size(totals.sizeBytes)}: ${size(totals.descriptorBytes)} of struct pages against ${size(totals.rangeBytes)} of range records`,
  ];
  if (totals.refusedByPages > 0) {
    lines.push(
      `${totals.refusedByPages} of them are too small for pages (under 2 MiB) and can provide memory only by range`,
    );
  }
  if (totals.unknown > 0)
    lines.push(`${totals.unknown} of unknown size are left out: capture sysfs, which knows sizes (p2pdma capture)`);
  await context.out.write(`${lines.join('\n')}\n`);
  return EXIT_DONE;
}

function totalsOf(costs: readonly BarCost[]) {
  const known = costs.filter((cost) => cost.sizeBytes !== null);
  const sum = (value: (cost: BarCost) => number | null): number =>
    known.reduce((all, cost) => all + (value(cost) ?? 0), 0);
  return {
    bars: costs.length,
    unknown: costs.length - known.length,
    sizeBytes: sum((cost) => cost.sizeBytes),
    descriptorBytes: sum((cost) => cost.descriptorBytes),
    rangeBytes: known.length * RANGE_RECORD_BYTES,
    refusedByPages: known.filter((cost) => cost.refusedByPages).length,
  };
}

function row({ fn, bar, sizeBytes, pages, descriptorBytes, refusedByPages }: BarCost): string[] {
  if (sizeBytes === null || descriptorBytes === null) return [fn.name, String(bar), 'not known', '-', '-', '-', ''];
  const remark = refusedByPages ? 'too small for pages' : '';
  return [
    fn.name,
    String(bar),
    size(sizeBytes),
    String(pages),
    size(descriptorBytes),
    `${RANGE_RECORD_BYTES} B`,
    remark,
  ];
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A size in the largest unit that leaves a whole number, or one digit behind the point. */
function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
