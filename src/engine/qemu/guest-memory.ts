/**
 * The machine's RAM, by the fast road where that keeps the order of calls: the shared file while nothing is on its way to QEMU,
 * the qtest socket behind what is. Bytes are the same either way.
 */

import { alignUp, type PhysAddr, physAddr } from '../../core/address.ts';
import type { Range } from '../../core/range.ts';
import type { Answer } from '../register.ts';
import type { BackingFile } from './backing-file.ts';
import { QemuError } from './errors.ts';
import type { QtestLink } from './qtest.ts';

/** Of RAM below 1 MiB only this is plain memory on a PC: the rest is video memory and ROM shadows. */
const LOW_MEMORY_END = 0xa0000;
const HIGH_MEMORY_START = 0x100000;
/** Set aside at the end of RAM for the IOMMU's tables. */
const RESERVED_BYTES = 16 * 2 ** 20;

export class GuestMemory {
  /** What is free for whoever uses the machine. */
  readonly usable: Range;
  /** What the engine keeps for itself. */
  readonly reserved: Range;
  readonly #file: BackingFile;
  readonly #link: QtestLink;
  #nextReserved: number;

  constructor(file: BackingFile, link: QtestLink) {
    this.#file = file;
    this.#link = link;
    const reservedStart = file.lengthBytes - Math.min(RESERVED_BYTES, file.lengthBytes / 4);
    this.usable = { start: HIGH_MEMORY_START, end: reservedStart };
    this.reserved = { start: reservedStart, end: file.lengthBytes };
    this.#nextReserved = reservedStart;
  }

  /** Whether the whole range is RAM that this object reaches. */
  holds(address: PhysAddr, length: number): boolean {
    const end = address + length;
    return (address >= HIGH_MEMORY_START && end <= this.#file.lengthBytes) || end <= LOW_MEMORY_END;
  }

  read(address: PhysAddr, into: Uint8Array): Answer<void> {
    if (this.#link.outstanding > 0) return this.#link.readBlock(address, into);
    this.#file.read(address, into);
  }

  write(address: PhysAddr, from: Uint8Array): Answer<void> {
    if (this.#link.outstanding > 0) return this.#link.writeBlock(address, from);
    this.#file.write(address, from);
  }

  /** Whole pages of the reserved part, never given back. Throws `QEMU_MEMORY`. */
  reservePages(count: number): PhysAddr {
    const start = this.#nextReserved;
    const end = start + alignUp(count * 4096, 4096);
    if (end > this.reserved.end) {
      throw new QemuError({
        code: 'QEMU_MEMORY',
        path: 'iommu tables',
        message: `${count} pages for tables are wanted, ${(this.reserved.end - start) / 4096} are left`,
        hint: 'ask for smaller tables, or describe a machine with at least 64 MiB of RAM',
      });
    }
    this.#nextReserved = end;
    return physAddr(start);
  }
}
