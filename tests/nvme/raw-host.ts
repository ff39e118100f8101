/** A host for tests of the controller model alone: flat memory, raw registers, commands as bytes. No driver. */

import type { DmaAddr } from '../../src/core/index.ts';
import { Clock } from '../../src/core/index.ts';
import type { NvmeControllerOptions, UpstreamPort, UpstreamStatus } from '../../src/nvme/device/index.ts';
import { MemoryBlockStore, NvmeController } from '../../src/nvme/device/index.ts';
import {
  ADMIN,
  CQE,
  CQE_BYTES,
  completionDoorbell,
  cqePhase,
  cqeStatus,
  getU16,
  getU32,
  PSDT,
  putSgl,
  putU16,
  putU32,
  putU64,
  REGISTERS,
  SQE,
  SQE_BYTES,
  statusCode,
  submissionDoorbell,
} from '../../src/nvme/spec/index.ts';

export interface Access {
  readonly kind: 'read' | 'write';
  readonly address: number;
  readonly length: number;
}

export interface Outcome {
  /** Status code type and code. */
  readonly status: number;
  readonly retryable: boolean;
  readonly result: number;
  readonly cid: number;
}

interface RawQueue {
  readonly id: number;
  readonly submission: number;
  readonly completion: number;
  readonly entries: number;
  tail: number;
  head: number;
  phase: number;
}

export const RAM_BYTES: number = 16 * 1024 * 1024;
const ENTRIES = 16;
/** CC: enabled, 64-byte and 16-byte entries. */
export const CC_ENABLE: number = (4 << 20) | (6 << 16) | 1;

/** Where the host keeps things; everything from DATA on is free for tests. */
export const ADMIN_SQ = 0x10000;
export const ADMIN_CQ = 0x14000;
export const IO_SQ = 0x18000;
export const IO_CQ = 0x1c000;
export const LISTS = 0x20000;
export const DATA = 0x100000;

export class RawHost implements UpstreamPort {
  readonly ram: Uint8Array = new Uint8Array(RAM_BYTES);
  readonly clock: Clock = new Clock();
  readonly store: MemoryBlockStore = new MemoryBlockStore(32 * 1024 * 1024);
  readonly controller: NvmeController;
  /** Every request that went up the link. */
  accesses: Access[] = [];
  /** What the link answers instead of doing it; null for "do it". */
  answer: (access: Access) => UpstreamStatus | null = () => null;
  admin: RawQueue = this.#queue(0, ADMIN_SQ, ADMIN_CQ);
  io: RawQueue = this.#queue(1, IO_SQ, IO_CQ);

  constructor(options: Partial<NvmeControllerOptions> = {}) {
    this.controller = new NvmeController({
      upstream: this,
      clock: this.clock,
      namespaces: [{ store: this.store }],
      ...options,
    });
  }

  #queue(id: number, submission: number, completion: number): RawQueue {
    return { id, submission, completion, entries: ENTRIES, tail: 0, head: 0, phase: 1 };
  }

  read(address: DmaAddr, into: Uint8Array): UpstreamStatus {
    const answered = this.#note('read', address, into.length);
    if (answered === null) into.set(this.ram.subarray(address, address + into.length));
    return answered ?? 'SC';
  }

  write(address: DmaAddr, from: Uint8Array): UpstreamStatus {
    const answered = this.#note('write', address, from.length);
    if (answered === null) this.ram.set(from, address);
    return answered ?? 'SC';
  }

  #note(kind: Access['kind'], address: number, length: number): UpstreamStatus | null {
    const access: Access = { kind, address, length };
    this.accesses.push(access);
    const answered = this.answer(access);
    if (answered !== null) return answered;
    return address + length <= RAM_BYTES ? null : 'UR';
  }

  /** Writes a 64-bit register, high half first. */
  writeLong(offset: number, value: number): void {
    this.controller.writeRegister(offset + 4, Math.floor(value / 2 ** 32));
    this.controller.writeRegister(offset, value >>> 0);
  }

  /** Enables the controller with 16-entry admin queues. */
  enable(cc: number = CC_ENABLE): void {
    this.controller.writeRegister(REGISTERS.CC.offset, 0);
    this.admin = this.#queue(0, ADMIN_SQ, ADMIN_CQ);
    this.ram.fill(0, ADMIN_SQ, LISTS);
    this.controller.writeRegister(REGISTERS.AQA.offset, ((ENTRIES - 1) << 16) | (ENTRIES - 1));
    this.writeLong(REGISTERS.ASQ.offset, ADMIN_SQ);
    this.writeLong(REGISTERS.ACQ.offset, ADMIN_CQ);
    this.controller.writeRegister(REGISTERS.CC.offset, cc);
  }

  /** Enables the controller and makes I/O queue pair 1, its submission queue at `submission`. Returns itself. */
  ready(submission: number = IO_SQ): this {
    this.enable();
    this.io = this.#queue(1, submission, IO_CQ);
    const completion = this.run(createQueue(ADMIN.CREATE_IO_CQ, 1, ENTRIES, IO_CQ, 1));
    const made = this.run(createQueue(ADMIN.CREATE_IO_SQ, 1, ENTRIES, submission, 1 | (1 << 16)));
    if (completion.status !== 0 || made.status !== 0) throw new Error(`queues: ${completion.status}, ${made.status}`);
    this.accesses = [];
    return this;
  }

  /** Puts a command into a queue and rings; `put` for queues that are not in RAM. */
  submit(queue: RawQueue, command: Uint8Array, put?: (address: number, bytes: Uint8Array) => void): void {
    const address = queue.submission + queue.tail * SQE_BYTES;
    if (put) put(address, command);
    else this.ram.set(command, address);
    queue.tail = (queue.tail + 1) % queue.entries;
    this.controller.writeRegister(submissionDoorbell(queue.id, 0), queue.tail);
  }

  /** The next completion of a queue, taken, or null where there is none. */
  take(queue: RawQueue): Outcome | null {
    const at = queue.completion + queue.head * CQE_BYTES;
    if (cqePhase(this.ram, at) !== queue.phase) return null;
    const status = cqeStatus(this.ram, at);
    queue.head = (queue.head + 1) % queue.entries;
    if (queue.head === 0) queue.phase ^= 1;
    this.controller.writeRegister(completionDoorbell(queue.id, 0), queue.head);
    return {
      status: statusCode(status),
      retryable: (status & 0x4000) === 0,
      result: getU32(this.ram, at + CQE.RESULT),
      cid: getU16(this.ram, at + CQE.CID),
    };
  }

  /** Submits an admin command, lets the controller work and gives the completion. */
  run(command: Uint8Array, queue: RawQueue = this.admin): Outcome {
    this.submit(queue, command);
    this.controller.work();
    const outcome = this.take(queue);
    if (outcome === null) throw new Error('no completion');
    return outcome;
  }

  /** Submits an I/O command, lets the controller work and gives the completion. */
  runIo(command: Uint8Array): Outcome {
    return this.run(command, this.io);
  }

  /** Status code of an I/O command. */
  statusOf(command: Uint8Array): number {
    return this.runIo(command).status;
  }

  /** Bytes of a BAR. */
  bar(index: number, offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.controller.readBar(index, offset, bytes);
    return bytes;
  }
}

/** A command with its identifiers and up to six dwords. */
export function command(opcode: number, nsid = 0, ...dwords: number[]): Uint8Array {
  const bytes = new Uint8Array(SQE_BYTES);
  bytes[SQE.OPC] = opcode;
  putU16(bytes, SQE.CID, 0x1234);
  putU32(bytes, SQE.NSID, nsid);
  for (const [index, dword] of dwords.entries()) putU32(bytes, SQE.CDW10 + index * 4, dword);
  return bytes;
}

/** The command with its PRPs set. */
export function withPrp(bytes: Uint8Array, prp1: number, prp2 = 0): Uint8Array {
  putU64(bytes, SQE.PRP1, prp1);
  putU64(bytes, SQE.PRP2, prp2);
  return bytes;
}

/** The command with one SGL descriptor. */
export function withSgl(bytes: Uint8Array, typeAndSubtype: number, address: number, length: number): Uint8Array {
  bytes[SQE.FLAGS] = PSDT.SGL << 6;
  putSgl(bytes, SQE.DPTR, typeAndSubtype >> 4, typeAndSubtype & 0xf, address, length);
  return bytes;
}

/** Create I/O queue. */
export function createQueue(opcode: number, id: number, entries: number, base: number, cdw11: number): Uint8Array {
  return withPrp(command(opcode, 0, id | ((entries - 1) << 16), cdw11), base);
}

/** A read or write of `blocks` 512-byte blocks of namespace 1. */
export function move(opcode: number, block: number, blocks: number): Uint8Array {
  return command(opcode, 1, block, 0, blocks - 1);
}

/** Bytes that differ at every place and from seed to seed. */
export function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8) * 7 + seed * 101) & 0xff;
  return bytes;
}

/** Index of the first byte in which two arrays differ (the shorter length where one is longer), or -1: fast, unlike `toEqual`. */
export function firstDifference(actual: Uint8Array, expected: Uint8Array): number {
  if (Buffer.compare(actual, expected) === 0) return -1;
  const length = Math.min(actual.length, expected.length);
  for (let at = 0; at < length; at++) if (actual[at] !== expected[at]) return at;
  return length;
}
