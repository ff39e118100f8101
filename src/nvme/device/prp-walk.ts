/** Reads the PRPs of a command. NVM Express Base Specification 1.4, 4.3; the layout is drawn in `spec/prp.ts`. */

import { getU64 } from '../spec/bytes.ts';
import { PRP_BYTES } from '../spec/prp.ts';
import { STATUS } from '../spec/status.ts';
import type { PointerSink } from './pointer-sink.ts';

export class PrpWalk {
  readonly #sink: PointerSink;
  readonly #pageBytes: number;
  readonly #page: Uint8Array;

  constructor(sink: PointerSink, pageBytes: number) {
    this.#sink = sink;
    this.#pageBytes = pageBytes;
    this.#page = new Uint8Array(pageBytes);
  }

  /** Hands the data of `lengthBytes` > 0 bytes to the sink. Returns a status code. */
  walk(prp1: number, prp2: number, lengthBytes: number): number {
    const pageBytes = this.#pageBytes;
    if (prp1 === 0) return STATUS.INVALID_FIELD;
    if ((prp1 & 3) !== 0) return STATUS.PRP_OFFSET_INVALID;
    const first = Math.min(lengthBytes, pageBytes - (prp1 & (pageBytes - 1)));
    const status = this.#sink.add(prp1, first);
    const remaining = lengthBytes - first;
    if (status !== STATUS.SUCCESS || remaining === 0) return status;
    if (prp2 === 0) return STATUS.INVALID_FIELD;
    if (remaining > pageBytes) return this.#walkList(prp2, remaining);
    if ((prp2 & (pageBytes - 1)) !== 0) return STATUS.PRP_OFFSET_INVALID;
    return this.#sink.add(prp2, remaining);
  }

  #walkList(listAddress: number, lengthBytes: number): number {
    const pageBytes = this.#pageBytes;
    if ((listAddress & (PRP_BYTES - 1)) !== 0) return STATUS.PRP_OFFSET_INVALID;
    let list = listAddress;
    let remaining = lengthBytes;
    for (;;) {
      // Only the pointer in PRP2 may have an offset, so each further list page gives at least 511 entries: no list is endless.
      const slots = (pageBytes - (list & (pageBytes - 1))) / PRP_BYTES;
      const needed = Math.ceil(remaining / pageBytes);
      const chained = needed > slots;
      const dataEntries = chained ? slots - 1 : needed;
      const bytes = this.#page.subarray(0, (chained ? slots : needed) * PRP_BYTES);
      const read = this.#sink.readList(list, bytes);
      if (read !== STATUS.SUCCESS) return read;
      for (let index = 0; index < dataEntries; index++) {
        const entry = getU64(bytes, index * PRP_BYTES);
        if (entry === 0) return STATUS.INVALID_FIELD;
        if ((entry & (pageBytes - 1)) !== 0) return STATUS.PRP_OFFSET_INVALID;
        const length = Math.min(remaining, pageBytes);
        const status = this.#sink.add(entry, length);
        if (status !== STATUS.SUCCESS) return status;
        remaining -= length;
      }
      if (!chained) return STATUS.SUCCESS;
      list = getU64(bytes, dataEntries * PRP_BYTES);
      if (list === 0) return STATUS.INVALID_FIELD;
      if ((list & (pageBytes - 1)) !== 0) return STATUS.PRP_OFFSET_INVALID;
    }
  }
}
