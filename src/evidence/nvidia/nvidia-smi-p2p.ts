/**
 * `nvidia-smi topo -p2p`: what the driver grants between two GPUs, for what the command asked: `r` reads, `w` writes, `n` NVLink, `a` atomics,
 * `p` PCIe. The matrix itself does not say which. `OK` means that the driver grants it, not that it works.
 */

import type { PairItem } from '../measured/items.ts';
import { sameTable } from '../measured/measurement.ts';
import { type Recogniser, tableOf } from '../recogniser.ts';
import { isFirstRow, isHeader, matrixGoesOn, readGpuMatrix } from './gpu-matrix.ts';

export type NvidiaP2pItem = PairItem & { readonly kind: 'nvidia-smi-p2p' };

const isStatus = (word: string): boolean => /^(?:X|OK|CNS|GNS|TNS|NS|DR|U)$/.test(word);

/** Recognises matrices of grants. */
export const nvidiaP2p: Recogniser<NvidiaP2pItem> = tableOf<NvidiaP2pItem>({
  kind: 'nvidia-smi-p2p',
  words: ['GPU0'],
  begins: (line) => isHeader(line) || isFirstRow(line, isStatus),
  continues: (line, lines) => matrixGoesOn(line, lines, isStatus),
  read: (lines, { file, command }) => {
    const matrix = readGpuMatrix(lines, isStatus);
    if (matrix === null) return null;
    const asked = /\s-{1,2}p2p(?:_status)?[\s=]+([rwnap]{1,2})\b/.exec(command ?? '')?.[1] ?? null;
    const labels = new Map(matrix.columns.map((column) => [column.label, column]));
    const items = matrix.rows.flatMap(({ label, line, cells }) =>
      cells.flatMap((value, at): NvidiaP2pItem[] => {
        const [from, to] = [labels.get(label), matrix.columns[at]];
        if (from === undefined || to === undefined) return [];
        return [
          { kind: 'nvidia-smi-p2p', file, line, what: 'pair', relation: 'status', from, to, value, raw: value, asked },
        ];
      }),
    );
    return {
      items,
      isComplete: matrix.isComplete,
      subject: matrix.isComplete ? `${asked ?? '?'} ${sameTable(items)}` : null,
      doubt: matrix.unequal.length === 0 ? null : `the two halves differ: ${matrix.unequal.slice(0, 3).join('; ')}`,
    };
  },
});
