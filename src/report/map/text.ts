/** `p2pdma map` for people: vectors above segments, and the IOVA range drawn to scale. */

import { hex } from '../../core/hex.ts';
import { formatWord64 } from '../../core/word64.ts';
import type { DmaSegment } from '../../dma/segment.ts';
import type { BioFile } from '../../scenario/bio-file.ts';
import type { MappedBio, MappedVector } from '../../scenario/mapped-bio.ts';
import { table } from '../words/table.ts';

const ROADS: Readonly<Record<MappedVector['case'], string>> = {
  a: 'RAM: an ordinary mapping',
  b1: 'host bridge: mapped as MMIO',
  b2: 'same switch: no IOMMU',
  c: 'own BAR: nothing on the wire',
  '?': 'not known',
};

/** Lines of the whole answer. `columns` bounds the drawing. */
export function mapText(file: BioFile, bio: MappedBio, columns: number): string {
  const lines = [
    `mapping device ${bio.device.name}   IOMMU ${bio.iommu ?? 'not known'}   ${file.direction}   classified by ${bio.classify}`,
    '',
    ...table([
      ['', 'address', 'length', 'case', 'owner', 'road'],
      ...bio.vectors.map((vector, index) => [
        String(index),
        formatWord64(file.vectors[index]?.address ?? { high: 0, low: 0 }),
        String(file.vectors[index]?.length),
        `(${vector.case})`,
        vector.owner === null ? '-' : `${vector.owner} BAR ${vector.bar} + ${hex(vector.offset ?? 0)}`,
        ROADS[vector.case],
      ]),
    ]),
    '',
    ...table([['segment', 'space', 'address', 'length', 'vectors'], ...bio.segments.map(segmentRow)]),
  ];
  if (bio.iova !== null) lines.push('', ...drawIova(bio, columns));
  else lines.push('', 'nothing meets the IOMMU: no I/O virtual address is used');
  lines.push('', `${bio.lookups} lookups`);
  for (const warning of bio.warnings) lines.push(`warning: ${warning.message}`);
  return `${lines.join('\n')}\n`;
}

/** Where the engine finds a segment. */
function placeOf(segment: DmaSegment): string {
  switch (segment.space) {
    case 'bar':
      return `BAR ${segment.bar} + ${hex(segment.offset)}`;
    case 'bounce':
      return 'from the bounce pool';
    default:
      return hex(segment.address);
  }
}

function segmentRow(segment: DmaSegment, index: number): string[] {
  const { space, length, firstInput, lastInput } = segment;
  const place = placeOf(segment);
  const inputs = firstInput === lastInput ? String(firstInput) : `${firstInput}-${lastInput}`;
  return [String(index), space, place, String(length), inputs];
}

/**
 * One line of the IOVA range to scale: each segment's digits stand over its share.
 *
 *   0xffffc000 |0000000022222222--4444| 0xfffff000
 */
function drawIova(bio: MappedBio, columns: number): string[] {
  const { base, size } = bio.iova as { base: number; size: number };
  const end = hex(base + size);
  const width = Math.max(16, Math.min(64, columns - hex(base).length - end.length - 6));
  const cells = new Array<string>(width).fill('-');
  bio.segments.forEach((segment, index) => {
    if (segment.space !== 'iova') return;
    const first = Math.floor(((segment.address - base) / size) * width);
    const last = Math.ceil(((segment.address + segment.length - base) / size) * width);
    for (let at = first; at < Math.max(last, first + 1) && at < width; at++) cells[at] = String(index % 10);
  });
  return [
    `one IOVA of ${size} bytes for ${bio.vectors.filter(meetsIommu).length} of ${bio.vectors.length} vectors; digits are segments, - is padding`,
    `${hex(base)} |${cells.join('')}| ${end}`,
  ];
}

function meetsIommu(vector: MappedVector): boolean {
  return vector.case === 'a' || vector.case === 'b1';
}
