/**
 * A submission queue with its completion queue, from the host's side. NVM Express Base Specification 1.4, 4.1.
 *
 *     claim -> fill the entry -> ring (once for many) -> ... -> reap -> release
 *
 * A command's identifier is its slot, 0 to depth - 1. Rings have one entry more than that, so neither can be full while a slot
 * is free, and the submission queue head needs no looking after.
 */

import { addBytes, type PhysAddr } from '../../core/address.ts';
import { assert } from '../../core/assert.ts';
import type { Answer, RegisterEngine } from '../../engine/register.ts';
import { getU16, getU32, putU16 } from '../spec/bytes.ts';
import { SQE, SQE_BYTES } from '../spec/command.ts';
import { CQE, CQE_BYTES, cqePhase, cqeStatus } from '../spec/completion.ts';
import { isPending, Pending } from './pending.ts';
import type { DmaBuffer } from './ports.ts';

export interface QueuePairOptions {
  readonly engine: RegisterEngine;
  readonly id: number;
  /** Commands at once, 1 to 65534. */
  readonly depth: number;
  /** At least `(depth + 1) * 64` bytes. */
  readonly submission: DmaBuffer;
  /** At least `(depth + 1) * 16` bytes, zero. */
  readonly completion: DmaBuffer;
  /** CPU addresses of the two doorbells. */
  readonly tailDoorbell: PhysAddr;
  readonly headDoorbell: PhysAddr;
}

export class QueuePair {
  readonly id: number;
  readonly depth: number;
  readonly entries: number;
  readonly submission: DmaBuffer;
  readonly completion: DmaBuffer;
  /** Entries as they are written: fill at `claim`'s answer. */
  readonly commands: Uint8Array;
  /** Slots whose completion the last `reap` took, in order of arrival: the first `reaped` of them. */
  readonly arrived: Uint16Array;
  /** Status field and dword 0 of the last completion of each slot. */
  readonly statusOf: Uint16Array;
  readonly resultOf: Uint32Array;
  /** Commands claimed and not yet completed. */
  inFlight = 0;
  /** Completions for a command that is not out: a controller that fetched something else than was written. */
  strayCompletions = 0;
  readonly #engine: RegisterEngine;
  readonly #tailDoorbell: PhysAddr;
  readonly #headDoorbell: PhysAddr;
  readonly #pending: Pending = new Pending();
  readonly #completions: Uint8Array;
  readonly #isOut: Uint8Array;
  /** Free slots, a stack. */
  readonly #free: Uint16Array;
  #freeCount: number;
  #tail = 0;
  /** Tail that the controller has been told. */
  #rungTail = 0;
  #head = 0;
  #phase = 1;

  constructor(options: QueuePairOptions) {
    const { depth } = options;
    this.id = options.id;
    this.depth = depth;
    this.entries = depth + 1;
    this.submission = options.submission;
    this.completion = options.completion;
    this.#engine = options.engine;
    this.#tailDoorbell = options.tailDoorbell;
    this.#headDoorbell = options.headDoorbell;
    assert(this.submission.lengthBytes >= this.entries * SQE_BYTES, 'the submission queue fits its memory');
    assert(this.completion.lengthBytes >= this.entries * CQE_BYTES, 'the completion queue fits its memory');
    this.commands = new Uint8Array(this.entries * SQE_BYTES);
    this.#completions = new Uint8Array(this.entries * CQE_BYTES);
    this.arrived = new Uint16Array(depth);
    this.statusOf = new Uint16Array(depth);
    this.resultOf = new Uint32Array(depth);
    this.#isOut = new Uint8Array(depth);
    this.#free = Uint16Array.from({ length: depth }, (_, index) => depth - 1 - index);
    this.#freeCount = depth;
  }

  /** Whether `claim` has a slot. */
  get hasRoom(): boolean {
    return this.#freeCount > 0;
  }

  /** Takes a slot and clears the next entry, with its identifier in place. Returns the slot; the entry is at `entryAt`. */
  claim(): number {
    assert(this.#freeCount > 0, 'a slot is free');
    const slot = this.#free[--this.#freeCount] as number;
    const at = this.entryAt;
    this.commands.fill(0, at, at + SQE_BYTES);
    putU16(this.commands, at + SQE.CID, slot);
    this.#isOut[slot] = 1;
    this.inFlight++;
    return slot;
  }

  /** Offset in `commands` of the entry that `claim` has cleared and `push` will add. */
  get entryAt(): number {
    return this.#tail * SQE_BYTES;
  }

  /** Adds the filled entry to those that `ring` will tell. */
  push(): void {
    this.#tail = this.#tail + 1 === this.entries ? 0 : this.#tail + 1;
  }

  /** Notes a call that must have taken effect before the commands do: a list that was written. */
  after(answer: Answer<void>): void {
    this.#pending.add(answer);
  }

  /** Writes the new entries and the doorbell. */
  ring(): Answer<void> {
    if (this.#rungTail === this.#tail) return this.#pending.settle();
    const end = this.#tail > this.#rungTail ? this.#tail : this.entries;
    this.#writeEntries(this.#rungTail, end);
    if (this.#tail < this.#rungTail && this.#tail > 0) this.#writeEntries(0, this.#tail);
    this.#pending.add(this.#engine.write32(this.#tailDoorbell, this.#tail));
    this.#rungTail = this.#tail;
    return this.#pending.settle();
  }

  #writeEntries(first: number, end: number): void {
    const bytes = this.commands.subarray(first * SQE_BYTES, end * SQE_BYTES);
    this.#pending.add(this.#engine.writeMemory(addBytes(this.submission.phys, first * SQE_BYTES), bytes));
  }

  /** Takes what has arrived, up to the end of the ring, and tells the controller. Returns how many slots are in `arrived`. */
  reap(): Answer<number> {
    const count = Math.min(this.inFlight, this.entries - this.#head);
    if (count === 0) return 0;
    const bytes = this.#completions.subarray(0, count * CQE_BYTES);
    const read = this.#engine.readMemory(addBytes(this.completion.phys, this.#head * CQE_BYTES), bytes);
    return isPending(read) ? read.then(() => this.#take(count)) : this.#take(count);
  }

  #take(count: number): Answer<number> {
    const bytes = this.#completions;
    let arrived = 0;
    let taken = 0;
    for (; taken < count; taken++) {
      const at = taken * CQE_BYTES;
      if (cqePhase(bytes, at) !== this.#phase) break;
      const slot = getU16(bytes, at + CQE.CID);
      if (slot >= this.depth || this.#isOut[slot] === 0) {
        this.strayCompletions++;
        continue;
      }
      this.#isOut[slot] = 0;
      this.inFlight--;
      this.statusOf[slot] = cqeStatus(bytes, at);
      this.resultOf[slot] = getU32(bytes, at + CQE.RESULT);
      this.arrived[arrived++] = slot;
    }
    if (taken === 0) return 0;
    this.#head += taken;
    if (this.#head === this.entries) {
      this.#head = 0;
      this.#phase ^= 1;
    }
    const told = this.#engine.write32(this.#headDoorbell, this.#head);
    return isPending(told) ? told.then(() => arrived) : arrived;
  }

  /** Gives a completed slot back. */
  release(slot: number): void {
    assert(this.#isOut[slot] === 0 && this.#freeCount < this.depth, 'the slot was completed and not released yet');
    this.#free[this.#freeCount++] = slot;
  }
}
