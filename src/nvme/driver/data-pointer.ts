/**
 * Writes the data pointer of a command: PRPs or an SGL, and their lists. NVM Express Base Specification 1.4, 4.3 and 4.4; the
 * shapes are Linux's nvme-pci: a full PRP list's last slot points on, a single block is told in the command itself, several lie
 * behind a Last Segment.
 *
 * Lists are built in a scratch array, at the offsets that they will have in the slot's list pages, and copied there at once.
 */

import { assert } from '../../core/assert.ts';
import { putU64 } from '../spec/bytes.ts';
import { FLAGS_PSDT_SHIFT, PSDT, SQE } from '../spec/command.ts';
import { PRP_BYTES } from '../spec/prp.ts';
import { putSgl, SGL_BYTES, SGL_SUBTYPE, SGL_TYPE } from '../spec/sgl.ts';
import { PAGE_BYTES, type PlannedCommand } from './plan.ts';
import type { ResolvedSegments } from './resolve.ts';

const SGL_SLOTS = PAGE_BYTES / SGL_BYTES;

export class DataPointerWriter {
  /** The lists of the command written last; the first `write` answered bytes are used. */
  readonly lists: Uint8Array;

  readonly #sglSegments: number;

  /** `sglSegments`: most segments that chain; the last of them is as long as it must be. */
  constructor(listPages: number, sglSegments: number = Number.POSITIVE_INFINITY) {
    this.lists = new Uint8Array(listPages * PAGE_BYTES);
    this.#sglSegments = sglSegments;
  }

  /**
   * Writes the data pointer of the entry at `at`. `listAddress` is where the controller will find `lists`. Returns how many
   * bytes of `lists` are used: 0 where the command says it all.
   */
  write(
    entry: Uint8Array,
    at: number,
    segments: ResolvedSegments,
    command: PlannedCommand,
    listAddress: number,
  ): number {
    return command.format === 'prp'
      ? this.#writePrps(entry, at, segments, command, listAddress)
      : this.#writeSgl(entry, at, segments, command, listAddress);
  }

  #writePrps(
    entry: Uint8Array,
    at: number,
    segments: ResolvedSegments,
    command: PlannedCommand,
    listAddress: number,
  ): number {
    entry[at + SQE.FLAGS] = PSDT.PRP << FLAGS_PSDT_SHIFT;
    const { lists } = this;
    let remaining = command.lengthBytes;
    let used = 0;
    let pages = 0;
    for (let index = command.segment; remaining > 0; index++) {
      const skipped = index === command.segment ? command.offset : 0;
      let address = (segments.addresses[index] as number) + skipped;
      let length = Math.min((segments.lengths[index] as number) - skipped, remaining);
      remaining -= length;
      while (length > 0) {
        const piece = Math.min(length, PAGE_BYTES - (address & (PAGE_BYTES - 1)));
        assert(pages === 0 || (address & (PAGE_BYTES - 1)) === 0, 'only the first PRP has an offset');
        if (pages === 0) putU64(entry, at + SQE.PRP1, address);
        else {
          if (used % PAGE_BYTES === 0 && used > 0) {
            // The list page is full: its last entry moves to the next page, and its slot points there.
            lists.copyWithin(used, used - PRP_BYTES, used);
            putU64(lists, used - PRP_BYTES, listAddress + used);
            used += PRP_BYTES;
          }
          putU64(lists, used, address);
          used += PRP_BYTES;
        }
        pages++;
        address += piece;
        length -= piece;
      }
    }
    assert(used <= lists.length, 'the PRP list fits its pages');
    if (pages > 2) {
      putU64(entry, at + SQE.PRP2, listAddress);
      return used;
    }
    // The one further page is told in the command.
    if (pages === 2) entry.set(lists.subarray(0, PRP_BYTES), at + SQE.PRP2);
    else putU64(entry, at + SQE.PRP2, 0);
    return 0;
  }

  #writeSgl(
    entry: Uint8Array,
    at: number,
    segments: ResolvedSegments,
    command: PlannedCommand,
    listAddress: number,
  ): number {
    entry[at + SQE.FLAGS] = PSDT.SGL << FLAGS_PSDT_SHIFT;
    const total = descriptorCount(segments, command);
    let remaining = command.lengthBytes;
    if (total === 1) {
      putBlock(entry, at + SQE.DPTR, segments, command.segment, command.offset, remaining);
      return 0;
    }
    const { lists } = this;
    let used = 0;
    let segmentsLeft = this.#sglSegments;
    putPointer(entry, at + SQE.DPTR, listAddress, total, segmentsLeft);
    for (let done = 0; done < total; done++) {
      if (used % PAGE_BYTES === PAGE_BYTES - SGL_BYTES && done < total - 1 && segmentsLeft > 1) {
        segmentsLeft--;
        putPointer(lists, used, listAddress + used + SGL_BYTES, total - done, segmentsLeft);
        used += SGL_BYTES;
      }
      const offset = done === 0 ? command.offset : 0;
      const length = Math.min((segments.lengths[command.segment + done] as number) - offset, remaining);
      putBlock(lists, used, segments, command.segment + done, offset, length);
      used += SGL_BYTES;
      remaining -= length;
    }
    assert(used <= lists.length, 'the SGL fits its pages');
    return used;
  }
}

function descriptorCount(segments: ResolvedSegments, command: PlannedCommand): number {
  let count = 0;
  for (let covered = -command.offset; covered < command.lengthBytes; count++) {
    covered += segments.lengths[command.segment + count] as number;
  }
  return count;
}

function putBlock(
  bytes: Uint8Array,
  at: number,
  segments: ResolvedSegments,
  index: number,
  offset: number,
  length: number,
): void {
  const isRelative = segments.isRelative && segments.own[index] === true;
  const subtype = isRelative ? SGL_SUBTYPE.OFFSET : SGL_SUBTYPE.ADDRESS;
  putSgl(bytes, at, SGL_TYPE.DATA_BLOCK, subtype, (segments.addresses[index] as number) + offset, length);
}

/**
 * A pointer to the next segment, which begins at a list page and holds what is left, or a page of it with a pointer on. Pages of
 * lists follow each other in memory, so that the last segment that may be begun can hold any number.
 */
function putPointer(bytes: Uint8Array, at: number, address: number, blocksLeft: number, segmentsLeft: number): void {
  const isLast = blocksLeft <= SGL_SLOTS || segmentsLeft === 1;
  const type = isLast ? SGL_TYPE.LAST_SEGMENT : SGL_TYPE.SEGMENT;
  putSgl(bytes, at, type, SGL_SUBTYPE.ADDRESS, address, (isLast ? blocksLeft : SGL_SLOTS) * SGL_BYTES);
}
