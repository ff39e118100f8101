/**
 * System memory to give out: whole pages of the memory map, first fit from 1 MiB up. It stands in for `virt_to_phys(kmalloc())` where the mail
 * takes "regular memory". What the running kernel itself occupies is not known and so not spared; nothing above 4 MiB is refused
 * either, as kmalloc would.
 */

import { ADDRESS_LIMIT, alignDown, alignUp, type PhysAddr, physAddr } from '../core/address.ts';
import { checkObject } from '../core/argument.ts';
import { assert } from '../core/assert.ts';
import { P2pError } from '../core/errors.ts';
import { hex } from '../core/hex.ts';
import { joinRanges, type Range } from '../core/range.ts';

const PAGE = 4096;
/** Below lie the BIOS area and the first page. */
const LOWEST = 2 ** 20;

export type RamErrorCode =
  /** A length that is no whole number of bytes. */
  | 'RAM_LENGTH_INVALID'
  /** Nothing that is allocated begins at the address: never given out, or freed before. */
  | 'RAM_NOT_ALLOCATED';

/** A request about system memory was refused; nothing changed. */
export class RamError extends P2pError<RamErrorCode> {
  override readonly name: string = 'RamError';
}

export class RamAllocator {
  /** Free ranges of whole pages, sorted, never touching each other. */
  readonly #free: { start: number; end: number }[];
  /** Bytes in whole pages by the first address. */
  readonly #taken = new Map<number, number>();
  #available: number;

  /** `ram`: the ranges of `System RAM`, as in `Machine.ram`; what lies below 1 MiB and parts of pages are left out. */
  constructor(ram: readonly Range[]) {
    checkObject(ram, 'length', 'RamAllocator: ram', 'the RAM of a machine: machine.ram');
    this.#free = joinRanges(ram)
      .map(({ start, end }) => ({
        start: alignUp(Math.max(start, LOWEST), PAGE),
        end: alignDown(Math.min(end, ADDRESS_LIMIT), PAGE),
      }))
      .filter(({ start, end }) => start < end);
    this.#available = this.#free.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** Bytes that are free. */
  get available(): number {
    return this.#available;
  }

  /** Number of allocations that are held. */
  get allocations(): number {
    return this.#taken.size;
  }

  /**
   * `length` bytes in physically contiguous whole pages: the address of the first. Null where the length is 0 or no range has
   * room. `RAM_LENGTH_INVALID`.
   */
  kmalloc(length: number): PhysAddr | null {
    if (!(Number.isSafeInteger(length) && length >= 0)) {
      throw new RamError({
        code: 'RAM_LENGTH_INVALID',
        path: 'ram',
        message: `length ${length} is no whole number of bytes`,
        hint: 'give a length in [0, 2^53)',
        errno: 'EINVAL',
      });
    }
    // No range is that long, since all begin at 1 MiB or above; rounding the rest up is exact.
    if (length === 0 || length > ADDRESS_LIMIT - PAGE) return null;
    const bytes = alignUp(length, PAGE);
    const index = this.#free.findIndex(({ start, end }) => end - start >= bytes);
    const range = this.#free[index];
    if (range === undefined) return null;
    const address = physAddr(range.start);
    range.start += bytes;
    if (range.start === range.end) this.#free.splice(index, 1);
    this.#taken.set(address, bytes);
    this.#available -= bytes;
    return address;
  }

  /** Gives back what `kmalloc` returned. `RAM_NOT_ALLOCATED`. */
  free(address: PhysAddr): void {
    const bytes = this.#taken.get(address);
    if (bytes === undefined) {
      throw new RamError({
        code: 'RAM_NOT_ALLOCATED',
        path: 'ram',
        message: `no allocation begins at ${hex(address)}`,
        hint: 'give back what kmalloc() returned, and once only',
        errno: 'EINVAL',
      });
    }
    this.#taken.delete(address);
    this.#available += bytes;
    this.#insert(address, address + bytes);
  }

  #insert(start: number, end: number): void {
    const free = this.#free;
    let index = free.findIndex((range) => range.start > start);
    if (index < 0) index = free.length;
    const below = free[index - 1];
    const above = free[index];
    assert((below === undefined || below.end <= start) && (above === undefined || end <= above.start), 'freed twice');
    const joinsBelow = below?.end === start;
    const joinsAbove = above?.start === end;
    const joined = { start: joinsBelow ? below.start : start, end: joinsAbove ? above.end : end };
    free.splice(joinsBelow ? index - 1 : index, Number(joinsBelow) + Number(joinsAbove), joined);
  }
}
