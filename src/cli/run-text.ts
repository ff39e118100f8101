/** `p2pdma run` for people: for each transfer the cases, the segments with the road that each took, the bytes, what went wrong. */

import { hex } from '../core/hex.ts';
import { flagName } from '../dma/flag-refusals.ts';
import { PCI_P2PDMA_THRU_HOST_BRIDGE } from '../p2p/distance.ts';
import type { ScenarioReport, SegmentReport, TransferReport, VectorReport } from '../scenario/report.ts';
import { table } from './map-text.ts';

/** The whole report. */
export function runText(report: ScenarioReport): string {
  const lines = [`${report.source}   rules of ${report.policy}   engine ${report.engine}`];
  if (report.about !== null) lines.push(report.about);
  if (report.prepared.length > 0) {
    lines.push('', 'Prepared, as the drivers would:', ...report.prepared.map((line) => `  ${line}`));
  }
  for (const transfer of report.transfers) lines.push('', ...transferLines(transfer));
  const bad = report.transfers.filter((transfer) => !transfer.asExpected).length;
  const total = report.transfers.length;
  lines.push('', `${total - bad} of ${total} transfers as expected`);
  lines.push('', `What this engine shows (${report.engine}):`);
  for (const { what, shown, reason } of report.capabilities)
    lines.push(`  ${shown ? 'yes' : 'no '} ${what}: ${reason}`);
  return `${lines.join('\n')}\n`;
}

function transferLines(transfer: TransferReport): string[] {
  const { device, engine, direction, iommu } = transfer;
  const lines = [`${transfer.name}: ${device} by ${engine}, ${direction}, IOMMU ${iommu}`];
  for (const fault of transfer.injected) lines.push(`  injected: ${fault}`);
  lines.push(
    ...table([
      ['', 'memory', 'pci_p2pdma_dist', 'bv_addr', 'bv_flags', 'length', 'case', 'bytes right'],
      ...transfer.vectors.map(vectorRow),
    ]).map((line) => `  ${line}`),
  );
  for (const { input, why } of transfer.vectors) if (why.includes('instead')) lines.push(`  vector ${input}: ${why}`);
  if (transfer.refusal !== null) {
    lines.push(`  refused: ${transfer.refusal.code}: ${transfer.refusal.message}`);
    return [...lines, verdictLine(transfer)];
  }
  if (transfer.iova !== null)
    lines.push(`  one IOVA ${hex(transfer.iova.base)} + ${transfer.iova.size}; ${transfer.lookups} lookups`);
  lines.push(...table(transfer.segments.map(segmentRow)).map((line) => `  ${line}`));
  if (transfer.commands > 0)
    lines.push(
      `  ${transfer.commands} NVMe command${transfer.commands === 1 ? '' : 's'}${transfer.status === null ? '' : `: ${transfer.status}`}`,
    );
  for (const error of new Set(transfer.errors)) lines.push(`  lost: ${error}`);
  const [fault] = transfer.iommuFaults;
  if (fault !== undefined) {
    const more = transfer.iommuFaults.length - 1;
    lines.push(`  IOMMU fault: ${fault}${more === 0 ? '' : `, and ${more} more`}`);
  }
  return [...lines, verdictLine(transfer)];
}

function verdictLine(transfer: TransferReport): string {
  const { bytesEqual, bytesTotal, expected, asExpected } = transfer;
  const equal = `${summary(transfer)}${bytesEqual} of ${bytesTotal} bytes equal`;
  if (asExpected) return expected === 'equal' ? `  ${equal}` : `  ${equal}; expected ${expected}, as it came`;
  return `  ${equal}; expected ${expected}: NOT AS EXPECTED`;
}

/** `16 pages, 2 memories, 1 IOVA, 1 SGL descriptor, `: what the mapping made of the vectors. */
function summary({ vectors, iova, pointers, refusal }: TransferReport): string {
  if (refusal !== null) return '';
  const pages = vectors.reduce((sum, vector) => sum + Math.ceil(vector.length / 4096), 0);
  const memories = new Set(vectors.map((vector) => vector.owner ?? 'ram')).size;
  const parts = [
    `${pages} page${pages === 1 ? '' : 's'}`,
    `${memories} ${memories === 1 ? 'memory' : 'memories'}`,
    iova === null ? 'no IOVA' : '1 IOVA',
    ...(pointers === null ? [] : [pointers]),
  ];
  return `${parts.join(', ')}, `;
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
  const flags = vector.flags === 0 ? '0' : flagName(vector.flags);
  return [
    String(vector.input),
    vector.owner ?? 'ram',
    hops,
    hex(vector.address),
    flags,
    String(vector.length),
    `(${vector.case})`,
    String(vector.bytesEqual),
  ];
}

function segmentRow(segment: SegmentReport): string[] {
  const inputs =
    segment.inputs.length === 1
      ? `${segment.inputs[0]}`
      : `${segment.inputs[0]}-${segment.inputs[segment.inputs.length - 1]}`;
  const place =
    segment.space === 'bar'
      ? `BAR ${segment.bar} + ${hex(segment.offset ?? 0)}`
      : segment.address === null
        ? '-'
        : hex(segment.address);
  const road = segment.road.length === 0 ? 'no TLP on any link' : segment.road.join(' > ');
  const fate = segment.fate === 'delivered' ? '' : `${segment.fate}${segment.at === null ? '' : ` at ${segment.at}`}`;
  return [`vector ${inputs}`, segment.space, place, `${segment.length} bytes`, `${segment.tlps} TLPs`, road, fate];
}
