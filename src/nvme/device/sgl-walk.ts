/** Reads the SGL of a command. NVM Express Base Specification 1.4, 4.4; statuses by 4.6.1 (0Dh, 0Eh, 0Fh, 11h, 16h, 1Eh). */

import { getU32 } from '../spec/bytes.ts';
import { SGL, SGL_BYTES, SGL_SUBTYPE, SGL_TYPE, sglAddress, sglLength, sglSubtype, sglType } from '../spec/sgl.ts';
import { STATUS } from '../spec/status.ts';
import type { SglOptions } from './options.ts';
import type { PointerSink } from './pointer-sink.ts';

/**
 * Most descriptors that are read for one command. Zero-length descriptors and segments that point at themselves would
 * otherwise keep a controller busy for ever; beyond the limit the answer is Invalid Number of SGL Descriptors.
 */
export const SGL_DESCRIPTORS_MAX = 65536;

/** Descriptors read at once: one 4 KiB page of them. */
const CHUNK = 256;

export class SglWalk {
  readonly #sink: PointerSink;
  readonly #rules: Required<SglOptions>;
  readonly #chunk: Uint8Array = new Uint8Array(CHUNK * SGL_BYTES);
  #remaining = 0;
  #toHost = false;
  #seen = 0;

  constructor(sink: PointerSink, rules: Required<SglOptions>) {
    this.#sink = sink;
    this.#rules = rules;
  }

  /**
   * Hands the data of `lengthBytes` bytes to the sink, beginning with the descriptor at `at`. `toHost` tells a read command.
   * Returns a status code.
   */
  walk(bytes: Uint8Array, at: number, lengthBytes: number, toHost: boolean): number {
    this.#remaining = lengthBytes;
    this.#toHost = toHost;
    this.#seen = 0;
    const type = sglType(bytes, at);
    const status = isPointer(type) ? this.#walkSegments(bytes, at) : this.#take(bytes, at, type);
    if (status !== STATUS.SUCCESS) return status;
    return this.#remaining > 0 ? STATUS.DATA_SGL_LENGTH_INVALID : STATUS.SUCCESS;
  }

  #walkSegments(bytes: Uint8Array, at: number): number {
    let holder = bytes;
    let pointerAt = at;
    for (;;) {
      const check = checkPointer(holder, pointerAt);
      if (check !== STATUS.SUCCESS) return check;
      const isLast = sglType(holder, pointerAt) === SGL_TYPE.LAST_SEGMENT;
      const segment = sglAddress(holder, pointerAt);
      const count = sglLength(holder, pointerAt) / SGL_BYTES;
      holder = this.#chunk;
      for (let index = 0; index < count; index++) {
        const inChunk = index % CHUNK;
        if (inChunk === 0) {
          const wanted = this.#chunk.subarray(0, Math.min(CHUNK, count - index) * SGL_BYTES);
          const read = this.#sink.readList(segment + index * SGL_BYTES, wanted);
          if (read !== STATUS.SUCCESS) return read;
        }
        if (++this.#seen > SGL_DESCRIPTORS_MAX) return STATUS.INVALID_SGL_COUNT;
        const atEnd = index === count - 1;
        const type = sglType(this.#chunk, inChunk * SGL_BYTES);
        if (isPointer(type)) {
          if (!atEnd) return STATUS.INVALID_SGL_COUNT;
          if (isLast) return STATUS.INVALID_SGL_SEGMENT;
          pointerAt = inChunk * SGL_BYTES;
          break;
        }
        // A segment that is not the last one must end with a pointer.
        if (atEnd && !isLast) return STATUS.INVALID_SGL_SEGMENT;
        const status = this.#take(this.#chunk, inChunk * SGL_BYTES, type);
        if (status !== STATUS.SUCCESS) return status;
      }
      if (isLast) return STATUS.SUCCESS;
    }
  }

  /** One Data Block or Bit Bucket descriptor. */
  #take(bytes: Uint8Array, at: number, type: number): number {
    const subtype = sglSubtype(bytes, at);
    const relative = type === SGL_TYPE.DATA_BLOCK && subtype === SGL_SUBTYPE.OFFSET && this.#rules.relative;
    const known =
      relative ||
      (subtype === SGL_SUBTYPE.ADDRESS &&
        (type === SGL_TYPE.DATA_BLOCK || (type === SGL_TYPE.BIT_BUCKET && this.#rules.bitBucket)));
    if (!known) return STATUS.SGL_TYPE_INVALID;
    const isBucket = type === SGL_TYPE.BIT_BUCKET;
    const length = sglLength(bytes, at);
    // A bucket counts on the way to the host only; on the way to the medium it describes nothing.
    if (length === 0 || (isBucket && !this.#toHost)) return STATUS.SUCCESS;
    if (this.#remaining === 0) {
      return this.#rules.excessLength ? STATUS.SUCCESS : STATUS.DATA_SGL_LENGTH_INVALID;
    }
    if (length > this.#remaining && !this.#rules.excessLength) return STATUS.DATA_SGL_LENGTH_INVALID;
    const used = Math.min(length, this.#remaining);
    this.#remaining -= used;
    if (isBucket) {
      this.#sink.addBucket(used);
      return STATUS.SUCCESS;
    }
    const address = sglAddress(bytes, at);
    const unit = this.#rules.granularityBytes - 1;
    if (((address | length) & unit) !== 0) return STATUS.SGL_GRANULARITY_INVALID;
    if (relative) return this.#sink.addRelative(address, used);
    if (overflows(bytes, at)) return STATUS.DATA_SGL_LENGTH_INVALID;
    return this.#sink.add(address, used);
  }
}

function isPointer(type: number): boolean {
  return type === SGL_TYPE.SEGMENT || type === SGL_TYPE.LAST_SEGMENT;
}

/** Whether a Segment or Last Segment descriptor can be followed. */
function checkPointer(bytes: Uint8Array, at: number): number {
  if (sglSubtype(bytes, at) !== SGL_SUBTYPE.ADDRESS) return STATUS.SGL_TYPE_INVALID;
  const length = sglLength(bytes, at);
  if (length === 0 || length % SGL_BYTES !== 0) return STATUS.INVALID_SGL_SEGMENT;
  if (((bytes[at + SGL.ADDRESS] as number) & 7) !== 0) return STATUS.INVALID_SGL_SEGMENT;
  return overflows(bytes, at) ? STATUS.DATA_SGL_LENGTH_INVALID : STATUS.SUCCESS;
}

/** Whether address + length passes the end of the 64-bit space, reckoned in words since a double is not exact up there. */
function overflows(bytes: Uint8Array, at: number): boolean {
  return (
    getU32(bytes, at + SGL.ADDRESS + 4) === 0xffffffff &&
    getU32(bytes, at + SGL.ADDRESS) + sglLength(bytes, at) >= 2 ** 32
  );
}
