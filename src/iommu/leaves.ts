/** The mappings of a page table, read back from its memory: what hardware would find in it. */

import {
  ENTRIES,
  ENTRY_HIGH_MMIO,
  ENTRY_LEAF,
  ENTRY_PRESENT,
  ENTRY_READ,
  ENTRY_WRITE,
  SPAN,
  targetOf,
} from './page-entry.ts';
import { TABLE_WORDS, type TableMemory } from './table-memory.ts';

/** One leaf of a page table. */
export interface Leaf {
  readonly iova: number;
  readonly phys: number;
  /** Bytes: 4 KiB, 2 MiB or 1 GiB. */
  readonly length: number;
  readonly read: boolean;
  readonly write: boolean;
  readonly mmio: boolean;
}

/** Every leaf below a table of `level`, by rising I/O virtual address; `base` is the first address that the table maps. */
export function* leavesOf(memory: TableMemory, level: number, table = 0, base = 0): Generator<Leaf, void, undefined> {
  for (let slot = 0; slot < ENTRIES; slot++) {
    const low = memory.words[table * TABLE_WORDS + 2 * slot] as number;
    const high = memory.words[table * TABLE_WORDS + 2 * slot + 1] as number;
    if ((low & ENTRY_PRESENT) === 0) continue;
    const length = SPAN[level] as number;
    const iova = base + slot * length;
    if (level > 0 && (low & ENTRY_LEAF) === 0) {
      yield* leavesOf(memory, level - 1, memory.tableOf(low, high), iova);
      continue;
    }
    const read = (low & ENTRY_READ) !== 0;
    const write = (low & ENTRY_WRITE) !== 0;
    yield { iova, phys: targetOf(low, high), length, read, write, mmio: (high & ENTRY_HIGH_MMIO) !== 0 };
  }
}
