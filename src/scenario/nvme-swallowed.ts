/**
 * Bytes of the data that are in the controller's own buffer, or came from there, although they belong elsewhere: what its CMB base
 * address covers, the controller keeps to itself. NVM Express Base Specification 1.4, 3.1. A vector that lies in the buffer is at home
 * there, by whatever address it was named.
 */

import { addBytes, type PhysAddr } from '../core/address.ts';
import type { Range } from '../core/range.ts';
import type { RegisterEngine } from '../engine/register.ts';
import type { MoveJob } from './mover.ts';

/** The controller's own buffer: the addresses that it takes for it, and where the CPU finds it. */
export interface OwnBuffer extends Range {
  /** CPU address of the BAR. */
  readonly bar: PhysAddr;
  /** Bytes from the start of the BAR to the buffer. */
  readonly startBytes: number;
}

/** By segment: whether all of it is in the buffer, and how many of its bytes are there that belong elsewhere. */
export interface Swallowed {
  readonly isOwn: readonly boolean[];
  readonly bytes: readonly number[];
}

/** Looks after a transfer. `job.data` is the data that was written, or what was read. */
export async function swallowedBytes(engine: RegisterEngine, job: MoveJob, own: OwnBuffer | null): Promise<Swallowed> {
  const isOwn: boolean[] = [];
  const bytes: number[] = [];
  let from = 0;
  for (const { space, address, length } of job.segments) {
    const isNamed = space !== 'bar' && address !== null && own !== null;
    const start = isNamed ? Math.max(own.start, address) : 0;
    const end = isNamed ? Math.min(own.end, address + length) : 0;
    isOwn.push(end - start === length);
    let found = 0;
    if (isNamed && start < end) {
      const place = addBytes(own.bar, own.startBytes + start - own.start);
      found = await bytesAt(engine, job, { at: from + start - address, place, length: end - start });
    }
    bytes.push(found);
    from += length;
  }
  return { isOwn, bytes };
}

/** A run of bytes of the data, `at` from its begin on, and where the CPU finds it in the buffer. */
interface BufferPiece {
  readonly at: number;
  readonly place: PhysAddr;
  readonly length: number;
}

/** How many bytes of a piece are the data's. */
async function bytesAt(engine: RegisterEngine, job: MoveJob, whole: BufferPiece): Promise<number> {
  let equal = 0;
  for (const { at, place, length } of strangers(job, whole)) {
    const found = new Uint8Array(length);
    await engine.readMemory(place, found);
    for (let byte = 0; byte < length; byte++) if (found[byte] === job.data[at + byte]) equal++;
  }
  return equal;
}

/** The parts of a piece whose vectors do not lie at that place. */
function strangers({ places }: MoveJob, { at, place, length }: BufferPiece): BufferPiece[] {
  const pieces: BufferPiece[] = [];
  let behind = 0;
  for (const memory of places) {
    const first = behind;
    behind += memory.length;
    const start = Math.max(at, first);
    const end = Math.min(at + length, behind);
    const found = place + start - at;
    if (start >= end || memory.address + start - first === found) continue;
    pieces.push({ at: start, place: addBytes(place, start - at), length: end - start });
  }
  return pieces;
}
