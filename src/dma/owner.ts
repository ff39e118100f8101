/** Who owns a vector: the checks that lookup, page and the verification of flags share. */

import { hex } from '../core/hex.ts';
import { MapError } from './errors.ts';
import type { RangeRecord, RangeTable } from './range-table.ts';

/** Generation meaning "made just now": nothing can have changed since. */
export const MADE_NOW: number = Number.POSITIVE_INFINITY;

/**
 * Index of the record that holds all of `[address, address + length)`, CPU physical.
 *
 * @param path of the vector, or its index: words are made for a refusal only
 * @param queuedAt generation of the table when the vector was made; a record added later is another owner
 * @throws MapError UNOWNED_ADDRESS, BAR_SIZE_UNKNOWN, RANGE_STRADDLES, PROVIDER_GONE
 */
export function ownerIndex(
  table: RangeTable,
  address: number,
  length: number,
  queuedAt: number,
  path: string | number,
): number {
  const index = table.find(address);
  if (index < 0) refuseUnowned(table, address, length, path);
  const record = table.at(index);
  if (address + length > record.end) refuseStraddling(record, address, length, path);
  if (record.generation > queuedAt) {
    const message = `${hex(address)} changed its owner after the vector was made`;
    throw new MapError('PROVIDER_GONE', pathOf(path), message, 'ask the distance again and allocate anew');
  }
  return index;
}

function pathOf(path: string | number): string {
  return typeof path === 'number' ? `vectors[${path}]` : path;
}

function refuseUnowned(table: RangeTable, address: number, length: number, path: string | number): never {
  const gone = table.removedAt(address);
  if (gone) {
    const message = `the provider of ${hex(address)} was removed`;
    throw new MapError('PROVIDER_GONE', pathOf(path), message, 'allocate from a provider that is there');
  }
  const last = table.find(address + length - 1);
  if (last >= 0) refuseStraddling(table.at(last), address, length, path);
  const unsized = table.unsizedBarAt(address);
  if (unsized !== null) {
    const message = `${hex(address)} may lie in BAR ${unsized.bar} of ${unsized.function}, which begins at ${hex(unsized.start)} and whose size the capture does not tell`;
    const hint = 'capture sysfs, which knows sizes (p2pdma capture), or lspci -vvv text beside the hex';
    throw new MapError('BAR_SIZE_UNKNOWN', pathOf(path), message, hint);
  }
  const message = `${hex(address)} + ${length} is neither RAM nor a memory BAR of this machine`;
  throw new MapError(
    'UNOWNED_ADDRESS',
    pathOf(path),
    message,
    'RAM is what the memory map says: declare it with --ram START-END if the capture has none',
  );
}

function refuseStraddling(record: RangeRecord, address: number, length: number, path: string | number): never {
  const owner = record.kind === 'ram' ? 'a RAM range' : `BAR ${record.bar}`;
  const message = `${hex(address)} + ${length} is only partly inside ${owner}, ${hex(record.start)}-${hex(record.end - 1)}`;
  throw new MapError('RANGE_STRADDLES', pathOf(path), message, 'split the vector at the end of the range');
}
