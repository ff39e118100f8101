/**
 * `nvidia-smi topo -m`: how far two devices stand from each other; `-mp`: the same without NVLink. The classes go by bridges and NUMA nodes;
 * they say nothing about ACS, speed, or whether a transfer works.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import type { DeviceItem, PairItem, SettingItem } from '../measured/items.ts';
import { sameTable } from '../measured/measurement.ts';
import { type ItemPlace, type Recogniser, tableOf } from '../recogniser.ts';
import { type GpuMatrix, isFirstRow, isHeader, matrixGoesOn, readGpuMatrix } from './gpu-matrix.ts';

export type NvidiaTopoItem = (PairItem | DeviceItem | SettingItem) & { readonly kind: 'nvidia-smi-topo' };

/** Words of releases before 2017, and what they are called now. */
const OLD_WORDS: Readonly<Record<string, string>> = { SOC: 'SYS', PSB: 'PIX' };
const isClass = (word: string): boolean => /^(?:X|PIX|PXB|PHB|NODE|SYS|SOC|PSB|NV\d{1,2}|NVB|C2C|N\/A)$/.test(word);

/** Recognises matrices of classes. */
export const nvidiaTopo: Recogniser<NvidiaTopoItem> = tableOf<NvidiaTopoItem>({
  kind: 'nvidia-smi-topo',
  words: ['GPU0'],
  begins: (line) => isHeader(line) || isFirstRow(line, isClass),
  continues: (line, lines) => matrixGoesOn(line, lines, isClass),
  read: (lines, { file, command }) => {
    const matrix = readGpuMatrix(lines, isClass);
    if (matrix === null || !isOfClasses(matrix, lines)) return null;
    const asked = /\btopo\s+(?:\S+\s+){0,4}?--?(mp?|matrix(?:_pci)?)\b/.exec(command ?? '')?.[1] ?? null;
    const letter = asked === null ? null : asked === 'mp' || asked === 'matrix_pci' ? 'mp' : 'm';
    const items = itemsOf(matrix, file, letter, hasNuma(lines));
    return {
      items,
      isComplete: matrix.isComplete,
      subject: matrix.isComplete ? `${letter ?? '?'} ${sameTable(items)}` : null,
      doubt: matrix.unequal.length === 0 ? null : `the two halves differ: ${matrix.unequal.slice(0, 3).join('; ')}`,
    };
  },
});

/** A matrix with nothing but `X` is of one device, and of this command only where affinity stands above. */
const isOfClasses = (matrix: GpuMatrix, lines: readonly CleanLine[]): boolean =>
  matrix.rows.some(({ cells }) => cells.some((cell) => cell !== 'X' && cell !== 'N/A')) ||
  /\bAffinity\b/.test(lines[0]?.text ?? '');

const hasNuma = (lines: readonly CleanLine[]): boolean =>
  !lines.some(({ text }) => /\bCPU Affinity\b/.test(text)) || lines.some(({ text }) => /\bNUMA Affinity\b/.test(text));

function itemsOf(matrix: GpuMatrix, file: string, asked: string | null, numa: boolean): NvidiaTopoItem[] {
  const items: NvidiaTopoItem[] = [];
  const labels = new Map(matrix.columns.map((column) => [column.label, column]));
  for (const { label, line, cells, tail } of matrix.rows) {
    const from = labels.get(label);
    if (from === undefined) continue;
    const place = { kind: 'nvidia-smi-topo', file, line } as const satisfies ItemPlace;
    for (const [at, raw] of cells.entries()) {
      const to = matrix.columns[at];
      if (to === undefined) continue;
      items.push({ ...place, what: 'pair', relation: 'class', from, to, value: OLD_WORDS[raw] ?? raw, raw, asked });
    }
    const [cpuList, node] = tail;
    if (from.sort !== 'gpu' || cpuList === undefined || cells.length < matrix.columns.length) continue;
    items.push({
      ...place,
      what: 'device',
      device: from,
      ...(/^\d[\d,-]*$/.test(cpuList) ? { cpuList } : {}),
      ...(numa && /^\d{1,4}$/.test(node ?? '') ? { numaNode: Number(node) } : {}),
    });
  }
  return items;
}
