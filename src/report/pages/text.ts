/** `p2pdma pages` for people: a row a BAR, then the sums. */

import { sizeWords } from '../../core/words.ts';
import { type BarCost, RANGE_RECORD_BYTES } from '../../p2p/page-cost.ts';
import { table } from '../words/table.ts';
import { pageTotals } from './json.ts';

/** The lines of the whole answer. */
export function pagesLines(costs: readonly BarCost[]): string[] {
  const totals = pageTotals(costs);
  const lines = [
    ...table([['function', 'BAR', 'size', 'pages', 'struct pages', 'range record', ''], ...costs.map(row)]),
    '',
    `${totals.bars} memory BARs, ${sizeWords(totals.sizeBytes)}: ${sizeWords(totals.descriptorBytes)} of struct pages against ${sizeWords(totals.rangeBytes)} of range records`,
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
    sizeWords(sizeBytes),
    String(pages),
    sizeWords(descriptorBytes),
    `${RANGE_RECORD_BYTES} B`,
    remark,
  ];
}
