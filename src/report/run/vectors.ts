/** The vectors of a transfer as a table. Of many that are alike and right the first stand for all; what is wrong is always shown. */

import { hex } from '../../core/hex.ts';
import { plural } from '../../core/words.ts';
import { flagName } from '../../dma/flag-refusals.ts';
import { PCI_P2PDMA_THRU_HOST_BRIDGE } from '../../p2p/distance.ts';
import type { VectorReport } from '../../scenario/report.ts';
import { table } from '../words/table.ts';

/** Lists of up to this many vectors are shown whole. */
const WHOLE = 8;
/** Of longer ones, as many for each memory. */
const OF_EACH = 2;

/** The lines, indented; the last counts what is not shown. */
export function vectorLines(vectors: readonly VectorReport[]): string[] {
  const isShown = vectors.length <= WHOLE ? () => true : firstOfEach();
  const shown = vectors.filter((vector) => isShown(vector) || !isPlain(vector));
  const hidden = vectors.filter((vector) => !shown.includes(vector));
  const rows = [
    ['', 'memory', 'pci_p2pdma_dist', 'bv_addr', 'bv_flags', 'length', 'case', 'bytes right'],
    ...shown.map(vectorRow),
  ];
  const lines = table(rows).map((line) => `  ${line}`);
  if (hidden.length === 0) return lines;
  const counts = new Map<string, number>();
  for (const vector of hidden) counts.set(kindOf(vector), (counts.get(kindOf(vector)) ?? 0) + 1);
  const kinds = [...counts].map(([kind, number]) => `${number} of ${kind}`).join(', ');
  return [...lines, `  and ${plural(hidden.length, 'vector')} more, every byte right: ${kinds}`];
}

function kindOf({ owner, case: name }: VectorReport): string {
  return `${owner ?? 'ram'} (${name})`;
}

/** Nothing to tell of it but that it is there. */
function isPlain({ bytesEqual, length, why }: VectorReport): boolean {
  return bytesEqual === length && !why.includes('instead');
}

function firstOfEach(): (vector: VectorReport) => boolean {
  const seen = new Map<string, number>();
  return (vector) => {
    const kind = kindOf(vector);
    const number = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, number);
    return number <= OF_EACH;
  };
}

function vectorRow(vector: VectorReport): string[] {
  const { distance } = vector;
  const hops =
    distance === null
      ? '-'
      : distance < 0
        ? String(distance)
        : distance & PCI_P2PDMA_THRU_HOST_BRIDGE
          ? `${distance & ~PCI_P2PDMA_THRU_HOST_BRIDGE} | THRU_HOST_BRIDGE`
          : String(distance);
  return [
    String(vector.input),
    vector.owner ?? 'ram',
    hops,
    hex(vector.address),
    flagsOf(vector),
    String(vector.length),
    `(${vector.case})`,
    String(vector.bytesEqual),
  ];
}

/** What stands beside the address: flags, or the certificate that takes their room. */
function flagsOf({ flags, certificate }: VectorReport): string {
  if (certificate !== null) return `certificate ${hex(certificate)}`;
  return flags === 0 ? '0' : flagName(flags);
}
