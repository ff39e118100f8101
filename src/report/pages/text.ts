/** `p2pdma pages` for people: a row a BAR, then the sums. */

import { type BarCost, RANGE_RECORD_BYTES } from '../../p2p/page-cost.ts';
import { table } from '../words/table.ts';
import { pageTotals } from './json.ts';

/** The lines of the whole answer. */
export function pagesLines(costs: readonly BarCost[]): string[] {
  const totals = pageTotals(costs);
  const lines = [
    ...table([['function', 'BAR', 'size', 'pages', 'struct pages', 'range record', ''], ...costs.map(row)]),
    '',
    `${totals.bars} memory BARs, ${size(totals.sizeBytes)}: ${size(totals.descriptorBytes)} of struct pages against ${size(totals.rangeBytes)} of range records`,
  ];
  if (totals.refusedByPages > 0) {
    lines.push(
      `${totals.refusedByPages} of them are too small for pages (under 2 MiB) and can provide memory only by range`,
    );
  }
  if (totals.unknown > 0) {
    lines.push(`${totals.unknown} of unknown size are left out: capture sysfs, which knows sizes (p2pdma capture)`);
  }
  return lines;
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
