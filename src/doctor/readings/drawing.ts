/** A drawing of `lspci -t` alone: what the places of devices decide without a single register. */

import { itemsOf } from '../../case/case.ts';
import { NEXT } from './next-commands.ts';
import type { CaseContext, Reading, Said } from './reading.ts';

export const DRAWING: Reading = { kind: 'lspci-tree', read };

function read({ given }: CaseContext): Said {
  const [first] = itemsOf(given.blocks, 'lspci-tree');
  if (first === undefined || given.origin !== 'drawing') return {};
  return {
    statements: [
      {
        sure: 'certain',
        text: 'A drawing shows where each function is, and nothing of ACS, BARs or links: pairs below one switch depend on its ports, all others on the host bridge',
        kind: 'lspci-tree',
        source: first.file,
        line: first.line,
      },
    ],
    next: [NEXT.acsByPort, NEXT.listing],
  };
}
