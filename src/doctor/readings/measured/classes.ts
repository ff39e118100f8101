/** `nvidia-smi topo -m`: where devices stand to each other, and what that leaves open. */

import { groupedBy, listed, plural } from '../../../core/words.ts';
import type { PairItem } from '../../../evidence/measured/items.ts';
import { NEXT } from '../next-commands.ts';
import type { CaseContext, Reading, Said, Statement } from '../reading.ts';
import { isPair, measuredOf, unordered } from './measured-items.ts';

export const TOPO_CLASSES: Reading = { kind: 'nvidia-smi-topo', read };

/** Classes by how far, and what each means for a pair. */
const MEANINGS: readonly (readonly [word: string, meaning: string])[] = [
  ['PIX', 'below one switch'],
  ['PXB', 'below one root port, through several bridges'],
  ['PHB', 'below one host bridge'],
  ['NODE', 'below different host bridges of one NUMA node'],
  ['SYS', 'across sockets or NUMA nodes'],
];

function read({ given }: CaseContext): Said {
  const pairs = measuredOf(given.blocks, 'nvidia-smi-topo').filter(isPair);
  const cells = pairs.filter(({ relation, value }) => relation === 'class' && value !== 'X');
  const [first] = cells;
  if (first === undefined) return {};
  const say = (sure: Statement['sure'], text: string): Statement => ({
    sure,
    text,
    kind: 'nvidia-smi-topo',
    source: first.file,
    line: first.line,
  });
  const statements = [say('certain', classSentence(cells))];
  const torn = asymmetric(cells);
  if (torn.length > 0) {
    statements.push(
      say('certain', `The table is not symmetric (${listed(torn)}): it was edited, or rows of two tables are mixed`),
    );
  }
  const inSwitch = cells.some(({ value }) => value === 'PIX' || value === 'PXB');
  if (inSwitch) {
    statements.push(
      say(
        'likely',
        'PIX and PXB say nothing of ACS: if the ports of that switch redirect, or the IOMMU translates, these pairs hang, fail or crawl while SYS pairs, which are copied through memory, still work',
      ),
    );
  }
  const nvlink = cells.some(({ value }) => /^NV\d/.test(value));
  if (nvlink)
    statements.push(
      say(
        'certain',
        'NV# pairs talk over NVLink, and where they stand on PCIe is hidden: nvidia-smi topo -mp shows it',
      ),
    );
  return {
    statements,
    next: [...(inSwitch ? [NEXT.acsByPort] : [NEXT.driverStatus]), NEXT.groupTypes, NEXT.driverStatus],
  };
}

/** `4 GPUs, 2 NICs: 1 pair PIX (below one switch): GPU2-GPU3; ...`. */
function classSentence(cells: readonly PairItem[]): string {
  const words = new Map(cells.map((cell) => [unordered(cell), cell.value]));
  const byClass = groupedBy([...words], ([, value]) => value.replace(/\d+$/, '#'));
  const known = new Map(MEANINGS);
  const rank = (group: readonly (readonly [string, string])[]): number =>
    MEANINGS.findIndex(([word]) => word === group[0]?.[1]);
  const parts = [...byClass]
    .sort((a, b) => rank(a) - rank(b))
    .map((group) => {
      const value = (group[0]?.[1] ?? '').replace(/\d+$/, '#');
      const meaning = known.get(value);
      const names = group.length <= 4 ? `: ${group.map(([name]) => name).join(', ')}` : '';
      return `${group.length} ${value}${meaning === undefined ? '' : ` (${meaning})`}${names}`;
    });
  return `${plural(words.size, 'pair')}: ${parts.join('; ')}`;
}

/** Pairs whose two cells differ. */
function asymmetric(cells: readonly PairItem[]): string[] {
  const values = new Map(cells.map(({ from, to, value }) => [`${from.label}>${to.label}`, value]));
  return cells
    .filter(({ from, to, value }) => {
      const back = values.get(`${to.label}>${from.label}`);
      return back !== undefined && back !== value && (from.index ?? 0) < (to.index ?? 0);
    })
    .map(unordered);
}
