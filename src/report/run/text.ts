/** `p2pdma run` for people: for each transfer the cases, the segments with the road that each took, the bytes, what went wrong. */

import { hex } from '../../core/hex.ts';
import { listed, plural } from '../../core/words.ts';
import { DELIVERED, NOT_MOVED, UNSEEN } from '../../engine/transfer.ts';
import type { RepeatReport, ScenarioReport, SegmentReport, TransferReport } from '../../scenario/report.ts';
import { wrap } from '../words/style.ts';
import { table } from '../words/table.ts';
import { caseLines, gapLines } from './cases.ts';
import { wayLines } from './tree.ts';
import { vectorLines } from './vectors.ts';

/** The whole report. `notes`: what of the machine the engine has otherwise. The last line is what it came to. */
export function runText(report: ScenarioReport, notes: readonly string[], columns: number): string {
  const lines = [`${report.source}   rules of ${report.policy}   engine ${report.engine}`];
  if (report.about !== null) lines.push(report.about);
  if (report.assumed.length > 0) {
    lines.push('', 'Taken for granted, because the machine does not tell:');
    for (const line of report.assumed) lines.push(...wrap(`  - ${line}`, columns, '    '));
  }
  if (report.prepared.length > 0) {
    lines.push('', 'Prepared, as the drivers would:', ...report.prepared.map((line) => `  ${line}`));
  }
  for (const transfer of report.transfers) {
    lines.push('', ...transferLines(transfer));
    if (!transfer.asExpected) lines.push(...gapLines(report, transfer, columns));
  }
  lines.push('', `What this engine shows (${report.engine}):`);
  for (const { what, shown, reason } of report.capabilities)
    lines.push(`  ${shown ? 'yes' : 'no '} ${what}: ${reason}`);
  if (report.cases.length > 0) lines.push('', ...caseLines(report, columns));
  if (notes.length > 0) lines.push('', `What ${report.engine} has otherwise:`);
  for (const note of notes) lines.push(...wrap(`  - ${note}`, columns, '    '));
  return `${[...lines, '', ...closingLines(report)].join('\n')}\n`;
}

/** What it came to; where a transfer was tried again after its unmap and all is well, with that transfer at the end. */
function closingLines(report: ScenarioReport): string[] {
  const { transfers } = report;
  const good = transfers.filter((transfer) => transfer.asExpected).length;
  const missed = transfers.length - good;
  const excused = transfers.filter((one) => !one.asExpected && gapLines(report, one, 80).length > 0).length;
  const gap = excused === 0 ? '' : `; ${whoOf(excused, missed, good)} met what ${report.engine} cannot show`;
  const total = `${good} of ${transfers.length} transfers as expected${gap}`;
  const repeated = transfers.filter((transfer) => transfer.repeat !== null).at(-1);
  return repeated === undefined || good < transfers.length ? [total] : [total, resultOf(repeated)];
}

/** `all 3`, `the other 2`, `1 of the other 2`, `1 of these 3`: who of those that missed. */
function whoOf(excused: number, missed: number, good: number): string {
  const alone = missed === 1 ? 'it' : missed === 2 ? 'both' : `all ${missed}`;
  const beside = missed === 1 ? 'the other' : `the other ${missed}`;
  const all = good > 0 ? beside : alone;
  return excused === missed ? all : `${excused} of ${good > 0 ? beside : `these ${missed}`}`;
}

function transferLines(transfer: TransferReport): string[] {
  const { device, engine, direction, iommu } = transfer;
  const lines = [`${transfer.name}: ${device} by ${engine}, ${direction}, IOMMU ${iommu}`];
  for (const fault of transfer.injected) lines.push(`  injected: ${fault}`);
  lines.push(...vectorLines(transfer.vectors));
  for (const { input, why } of transfer.vectors) if (why.includes('instead')) lines.push(`  vector ${input}: ${why}`);
  if (transfer.refusal !== null) {
    lines.push(`  refused: ${transfer.refusal.code}: ${transfer.refusal.message}`);
    return [...lines, verdictLine(transfer)];
  }
  const iova = transfer.iova === null ? 'no IOVA' : `one IOVA ${hex(transfer.iova.base)} + ${transfer.iova.size}`;
  lines.push(`  ${iova}; ${lookupWords(transfer)}`);
  lines.push(...table(transfer.segments.map(segmentRow)).map((line) => `  ${line}`));
  lines.push(...wayLines(transfer).map((line) => `  ${line}`));
  if (!transfer.began) lines.push(`  never began: ${transfer.status ?? 'nothing was sent'}`);
  if (transfer.commands > 0)
    lines.push(
      `  ${plural(transfer.commands, 'NVMe command')}${transfer.status === null ? '' : `: ${transfer.status}`}`,
    );
  if (transfer.swallowedBytes > 0) {
    const status = transfer.status === null ? ' with status 0' : '';
    lines.push(
      `  swallowed${status}: ${transfer.swallowedBytes} bytes are in the CMB of ${transfer.device}, whose CBA covers what they were mapped at`,
    );
  }
  if (transfer.began) for (const error of new Set(transfer.errors)) lines.push(`  lost: ${error}`);
  if (transfer.unmapRefusal !== null)
    lines.push(`  noticed at the unmap: ${transfer.unmapRefusal.code}: ${transfer.unmapRefusal.message}`);
  if (transfer.iommuFaults.length > 0) lines.push(`  IOMMU fault: ${listed(transfer.iommuFaults, 1)}`);
  const { repeat } = transfer;
  if (repeat !== null && repeat.iommuFaults.length > 0)
    lines.push(`  IOMMU fault after unmap: ${listed(repeat.iommuFaults, 1)}`);
  return [...lines, verdictLine(transfer)];
}

/** `5 lookups, to verify the flags`: how often a table was asked, and what for. */
function lookupWords({ classify, trust, lookups, pageReads }: TransferReport): string {
  switch (classify) {
    case 'flags':
      return trust
        ? `${plural(lookups, 'lookup')}: the flags are trusted`
        : `${plural(lookups, 'lookup')}, to verify the flags`;
    case 'page':
      return `${plural(pageReads, 'page descriptor')} read`;
    case 'premapped':
      return `${plural(lookups, 'lookup')}, by the submitter as he mapped`;
    case 'certified':
      return lookups === 0
        ? '0 lookups: the certificates match'
        : `${plural(lookups, 'lookup')}, where no certificate matches`;
    case 'lookup':
      return plural(lookups, 'lookup');
  }
}

function verdictLine(transfer: TransferReport): string {
  const { expected, asExpected, repeat } = transfer;
  const result = `  ${resultOf(transfer)}`;
  if (asExpected) return expected === 'equal' ? result : `${result}; expected ${expected}, as it came`;
  const after = repeat === null ? '' : `, and ${repeat.expected} after unmap`;
  return `${result}; expected ${expected}${after}: NOT AS EXPECTED`;
}

/** `16 pages, 2 memories, 1 IOVA, 1 SGL descriptor, 65536 of 65536 bytes equal; after unmap: fault recorded, requester ...`. */
function resultOf(transfer: TransferReport): string {
  const equal = `${summary(transfer)}${transfer.bytesEqual} of ${transfer.bytesTotal} bytes equal`;
  return transfer.repeat === null ? equal : `${equal}; after unmap: ${repeatWords(transfer.repeat)}`;
}

function repeatWords({ outcome, iommuFaults, requesters, bytesArrived }: RepeatReport): string {
  // Not how many: VT-d keeps one until it is read, the simulator one a TLP.
  const recorded =
    iommuFaults.length === 0
      ? 'no fault recorded'
      : `fault recorded, requester${requesters.length === 1 ? '' : 's'} ${requesters.join(', ')}`;
  return outcome === 'stopped' ? recorded : `${recorded}, ${bytesArrived} bytes arrived again`;
}

/** `16 pages, 2 memories, 1 IOVA, 1 SGL descriptor, `: what the mapping made of the vectors. */
function summary({ vectors, iova, pointers, refusal }: TransferReport): string {
  if (refusal !== null) return '';
  const pages = vectors.reduce((sum, vector) => sum + Math.ceil(vector.length / 4096), 0);
  const memories = new Set(vectors.map((vector) => vector.owner ?? 'ram')).size;
  const parts = [
    plural(pages, 'page'),
    plural(memories, 'memory'),
    iova === null ? 'no IOVA' : '1 IOVA',
    ...(pointers === null ? [] : [pointers]),
  ];
  return `${parts.join(', ')}, `;
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
  const { tlps } = segment;
  return [
    `vector ${inputs}`,
    segment.space,
    place,
    `${segment.length} bytes`,
    ...(tlps === null ? [] : [`${tlps} TLPs`]),
    roadWords(segment),
    fateWords(segment),
  ];
}

/** What was seen of the way, where there is something to say of it. */
function roadWords({ tlps, road, fate }: SegmentReport): string {
  if (fate === NOT_MOVED) return 'not moved';
  if (tlps === null) return 'road unseen';
  return road.length === 0 ? 'no TLP on any link' : '';
}

/** What went wrong, where the other columns do not say it. */
function fateWords({ fate, at }: SegmentReport): string {
  const isSaid = fate === DELIVERED || fate === NOT_MOVED || fate === UNSEEN;
  return isSaid ? '' : `${fate}${at === null ? '' : ` at ${at}`}`;
}
