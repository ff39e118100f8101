/** A dump of registers tells where BARs begin and not how long they are: whose an address is, it does not tell. */

import { expect, test } from 'vitest';
import { bytesOf } from '../../src/core/text.ts';
import { MapError } from '../../src/dma/errors.ts';
import { ownerIndex } from '../../src/dma/owner.ts';
import { RangeTable } from '../../src/dma/range-table.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';

/** One function with a 64-bit prefetchable BAR 2 at 0xfd400000, as `lspci -xxx` prints it. */
const DUMP = `00:04.0 0500: 1af4:1110
00: f4 1a 10 11 06 00 00 00 00 00 00 05 00 00 00 00
10: 00 00 00 00 00 00 00 00 0c 00 40 fd 00 00 00 00
20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
30: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00

`;

async function refusalAt(address: number): Promise<string> {
  const table = RangeTable.ofMachine(await readMachine(bytesOf(DUMP), 'dump'));
  try {
    ownerIndex(table, address, 4096, Number.POSITIVE_INFINITY, 0);
  } catch (error) {
    if (error instanceof MapError) return `${error.code}: ${error.message}`;
  }
  return 'nothing';
}

test('MAP: an address at or behind a BAR of unknown size is a question of evidence, and the BAR is named', async () => {
  expect(await refusalAt(0xfd400000)).toMatch(/^BAR_SIZE_UNKNOWN: 0xfd400000 may lie in BAR 2 of 0000:00:04\.0/);
  expect(await refusalAt(0xfd500000)).toMatch(/^BAR_SIZE_UNKNOWN/);
});

test('MAP: an address before every BAR is owned by nobody', async () => {
  expect(await refusalAt(0xfd300000)).toMatch(/^UNOWNED_ADDRESS/);
});
