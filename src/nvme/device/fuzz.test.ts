/**
 * A controller abused by random registers, queues and lists never throws, never runs for ever, and never touches memory that no
 * queue register, queue command or data pointer names.
 *
 * "Names" is judged by an observer that knows nothing of the controller's reasoning. It remembers what the controller has read
 * since it last fetched commands, and takes every aligned 64-bit word of it as a possible PRP (the rest of its page) and, with
 * the 32 bits that follow, as a possible SGL descriptor. An access outside the union of those and of the queues is a stray.
 */

import { expect, test } from 'vitest';
import { CC_ENABLE, DATA, LISTS, RAM_BYTES, RawHost } from '../../../tests/nvme/raw-host.ts';
import { rounds } from '../../../tests/soak.ts';
import { busAddr } from '../../core/address.ts';
import { Prng } from '../../core/prng.ts';
import { getU16, getU32, getU64, putU16, putU32, putU64 } from '../spec/bytes.ts';
import { SQE, SQE_BYTES } from '../spec/command.ts';
import { CQE_BYTES } from '../spec/completion.ts';
import { getField } from '../spec/field.ts';
import { CC, CSTS, REGISTERS, submissionDoorbell } from '../spec/registers.ts';
import { putSgl } from '../spec/sgl.ts';
import { STATUS } from '../spec/status.ts';
import { MemoryBlockStore } from './memory-store.ts';
import type { NvmeControllerOptions } from './options.ts';
import type { BlockStore } from './ports.ts';

const CMB_BYTES = 16 * 1024;
const CMB_AT = 2 ** 36;
const LIST_PAGES = 16;

interface Named {
  readonly start: number;
  readonly end: number;
}

/** What the controller read from one fetch of commands to the next. */
interface Window {
  readonly commands: Uint8Array;
  readonly lists: Uint8Array[];
}

/** A list may lie where a queue could be, and be taken for a fetch: so windows are kept, not one, and such reads count as both. */
const WINDOWS = 64;

class Observer {
  readonly host: RawHost;
  /** What queue registers and queue commands named, for good. */
  readonly queues: Named[] = [];
  #windows: Window[] = [];
  strays: string[] = [];
  moved = 0;

  constructor(host: RawHost) {
    this.host = host;
    host.answer = ({ kind, address, length }) => {
      if (!this.#isNamed(address, length)) this.strays.push(`${kind} ${address.toString(16)}+${length}`);
      if (kind === 'read' && address + length <= RAM_BYTES) this.#see(address, length);
      if (address >= DATA) this.moved += length;
      host.accesses.length = 0;
      return null;
    };
  }

  /** A queue that a register or a command names, of either kind. */
  nameQueue(start: number, entries: number): void {
    this.queues.push({ start, end: start + entries * SQE_BYTES });
  }

  #see(address: number, length: number): void {
    const bytes = this.host.ram.slice(address, address + length);
    if (!this.queues.some(({ start, end }) => address >= start && address < end)) {
      if (length <= 65536) this.#windows[0]?.lists.push(bytes);
      return;
    }
    const { admin, io } = this.host;
    const isFetch = [admin, io].some(
      ({ submission }) => address >= submission && address < submission + 16 * SQE_BYTES,
    );
    this.#windows = [{ commands: bytes, lists: isFetch ? [] : [bytes] }, ...this.#windows.slice(0, WINDOWS - 1)];
    for (let at = 0; at + SQE_BYTES <= bytes.length; at += SQE_BYTES) {
      const opcode = bytes[at + SQE.OPC];
      if (opcode !== 1 && opcode !== 5) continue;
      this.nameQueue(getU64(bytes, at + SQE.PRP1), getU16(bytes, at + SQE.CDW10 + 2) + 1);
    }
  }

  #isNamed(address: number, length: number): boolean {
    const near = this.queues.filter(({ start, end }) => start < address + length && end > address);
    if (covers(near, address, length)) return true;
    const pageBytes = 4096 << getField(this.host.controller.readRegister(REGISTERS.CC.offset), CC.MPS);
    const name = (bytes: Uint8Array, at: number, isBlock: boolean): void => {
      const start = getU64(bytes, at);
      if (start >= address + length) return;
      // A PRP of 0 names nothing, an SGL block at 0 does.
      const pageEnd = start === 0 ? 0 : start - (start % pageBytes) + pageBytes;
      const end = isBlock ? Math.max(pageEnd, start + getU32(bytes, at + 8)) : pageEnd;
      if (end > address) near.push({ start, end });
    };
    for (const { commands, lists } of this.#windows) {
      for (let at = 0; at + SQE_BYTES <= commands.length; at += SQE_BYTES) {
        name(commands, at + SQE.PRP1, true);
        name(commands, at + SQE.PRP2, false);
      }
      for (const bytes of lists) {
        // Descriptors lie in steps of 16 from the start of what is read, PRPs in steps of 8.
        for (let at = 0; at + 8 <= bytes.length; at += 8) name(bytes, at, at % 16 === 0 && at + 16 <= bytes.length);
      }
      if (covers(near, address, length)) return true;
    }
    // Lists and commands in the buffer are read without passing the observer: all of it may name something.
    const cmb = this.host.bar(2, 0, CMB_BYTES);
    for (let at = 0; at + 16 <= CMB_BYTES; at += 8) name(cmb, at, true);
    return covers(near, address, length);
  }
}

/** Whether the union of the ranges holds all of `[address, address + length)`. */
function covers(ranges: Named[], address: number, length: number): boolean {
  ranges.sort((a, b) => a.start - b.start);
  let covered = address;
  for (const { start, end } of ranges) if (start <= covered) covered = Math.max(covered, end);
  return covered >= address + length;
}

/** A store that fails the test when it is asked for bytes that it does not have. */
function guarded(store: BlockStore): BlockStore {
  const check = (offset: number, length: number): void => {
    if (offset < 0 || offset + length > store.sizeBytes) throw new Error(`store: ${offset}+${length}`);
  };
  return {
    sizeBytes: store.sizeBytes,
    read: (offset, into) => {
      check(offset, into.length);
      return store.read(offset, into);
    },
    write: (offset, from) => {
      check(offset, from.length);
      return store.write(offset, from);
    },
    flush: () => store.flush(),
  };
}

function randomOptions(prng: Prng): Partial<NvmeControllerOptions> {
  const bit = (): boolean => prng.chance(0.7);
  const legacy = prng.chance(0.2);
  return {
    mdts: prng.pick([0, 1, 5, 10]),
    maxQueueEntries: prng.pick([16, 64, 4096]),
    ioQueuePairs: 3,
    bars: { busAddress: () => (bit() ? busAddr(CMB_AT) : null) },
    cmb: {
      sizeBytes: CMB_BYTES,
      legacy,
      sqs: bit(),
      cqs: bit(),
      lists: bit(),
      rds: bit(),
      wds: bit(),
      cdpmls: bit(),
      cdpcils: bit(),
    },
    sgl: {
      granularityBytes: prng.pick([1, 4]),
      bitBucket: bit(),
      excessLength: bit(),
      relative: bit(),
    },
  };
}

/** An address as hosts, careless hosts and broken hosts write it. */
function pointer(prng: Prng): number {
  const page = prng.below(256) * 4096;
  switch (prng.below(10)) {
    case 0:
      return LISTS + prng.below(LIST_PAGES * 512) * 8;
    case 1:
      return CMB_AT + prng.below(CMB_BYTES / 4) * 4;
    case 2:
      return DATA + page + prng.below(4096);
    case 3:
      return prng.pick([0, CMB_AT - 4, CMB_AT + CMB_BYTES - 4, RAM_BYTES - 8, 2 ** 52, prng.next()]);
    case 4:
      return LISTS + prng.below(LIST_PAGES) * 4096;
    default:
      return DATA + page;
  }
}

function putDescriptor(prng: Prng, bytes: Uint8Array, at: number): void {
  const type = prng.pick([0, 0, 0, 0, 1, 2, 3, 3, prng.below(16)]);
  const subtype = prng.pick([0, 0, 0, 0, 1, prng.below(16)]);
  const isPointer = type === 2 || type === 3;
  const address = isPointer ? LISTS + prng.below(LIST_PAGES * 512) * 8 : pointer(prng);
  const length = prng.pick([0, 16, 512, 512, 1024, 4096, 4096, prng.below(8192), prng.next()]);
  putSgl(bytes, at, type, subtype, address, isPointer && prng.chance(0.8) ? 16 * prng.between(1, 40) : length);
}

function fillLists(prng: Prng, bytes: Uint8Array, from: number, pages: number): void {
  for (let page = 0; page < pages; page++) {
    const kind = prng.below(3);
    for (let at = from + page * 4096; at < from + (page + 1) * 4096; at += 16) {
      if (kind === 0) putDescriptor(prng, bytes, at);
      else {
        const tidy = kind === 1 || prng.chance(0.95);
        const entry = (): number => (tidy ? DATA + prng.below(256) * 4096 : pointer(prng));
        putU64(bytes, at, entry());
        putU64(bytes, at + 8, entry());
      }
    }
  }
}

function randomCommand(prng: Prng, isAdmin: boolean): Uint8Array {
  const bytes = new Uint8Array(SQE_BYTES);
  if (prng.chance(0.05)) for (let at = 0; at < SQE_BYTES; at++) bytes[at] = prng.below(256);
  bytes[SQE.OPC] = isAdmin
    ? prng.pick([0, 1, 2, 4, 5, 6, 6, 8, 9, 10, 12, prng.below(256)])
    : prng.pick([0, 1, 1, 2, 2, 2]);
  const psdt = isAdmin && prng.chance(0.9) ? 0 : prng.pick([0, 0, 1, 1, 2, 3]);
  bytes[SQE.FLAGS] = (psdt << 6) | (prng.chance(0.02) ? 1 : 0);
  putU32(bytes, SQE.NSID, prng.pick([1, 1, 1, 1, 0, 2, 0xffffffff]));
  if (psdt === 0) {
    putU64(bytes, SQE.PRP1, pointer(prng));
    putU64(bytes, SQE.PRP2, prng.chance(0.6) ? LISTS + prng.below(LIST_PAGES * 512) * 8 : pointer(prng));
  } else putDescriptor(prng, bytes, SQE.DPTR);
  if (isAdmin) {
    putU16(bytes, SQE.CDW10, prng.below(5));
    putU16(bytes, SQE.CDW10 + 2, prng.pick([1, 15, 15, 63, prng.below(65536)]));
    putU16(bytes, SQE.CDW11, prng.pick([1, 1, 1, 0]));
    putU16(bytes, SQE.CDW11 + 2, prng.below(4));
  } else {
    putU32(bytes, SQE.CDW10, prng.chance(0.95) ? prng.below(1000) : prng.next());
    putU32(bytes, SQE.CDW12, prng.pick([0, 7, 7, 15, prng.below(64), prng.below(2048)]));
  }
  return bytes;
}

function abuseRegisters(prng: Prng, observer: Observer): void {
  const { controller } = observer.host;
  const registers = Object.values(REGISTERS);
  for (let count = prng.below(4); count > 0; count--) {
    switch (prng.below(7)) {
      case 0: {
        const register = prng.pick(registers);
        const base = pointer(prng);
        controller.writeRegister(register.offset, prng.chance(0.5) ? prng.next() : base >>> 0);
        break;
      }
      case 1:
        controller.writeRegister(prng.below(0x2000) * 4, prng.next());
        break;
      case 2:
        controller.writeBar(prng.below(6), prng.below(0x3000), new Uint8Array(prng.below(64)).fill(prng.below(256)));
        break;
      case 3: {
        // An admin queue somewhere else, or nowhere, with work in it at once.
        controller.writeRegister(REGISTERS.CC.offset, 0);
        const base = prng.chance(0.5) ? RAM_BYTES + 4096 : pointer(prng);
        observer.host.writeLong(REGISTERS.ASQ.offset, base - (base % 4096));
        observer.nameQueue(base - (base % 4096), 4096);
        controller.writeRegister(REGISTERS.CC.offset, CC_ENABLE);
        controller.writeRegister(submissionDoorbell(0, 0), 3);
        controller.work();
        break;
      }
      case 4:
        observer.host.writeLong(REGISTERS.CMBMSC.offset, prng.pick([CMB_AT + 3, DATA + 3, 1, 2 ** 52 + 3]));
        break;
      default:
        controller.writeRegister(submissionDoorbell(prng.below(5), 0) + prng.below(2) * 4, prng.below(40));
    }
    // Whatever now stands in the queue registers is named by them.
    for (const offset of [REGISTERS.ASQ.offset, REGISTERS.ACQ.offset]) {
      const high = controller.readRegister(offset + 4);
      // Up to 4096 entries, whatever AQA says at the next enable.
      observer.nameQueue(high * 2 ** 32 + controller.readRegister(offset), 4096);
    }
  }
}

test('random registers, queues and lists: nothing thrown, nothing endless, nothing touched that nothing names', () => {
  const seed = 0xc0de;
  const statuses = new Map<number, number>();
  let moved = 0;
  let fatal = 0;
  const all = rounds(30, 1200);
  for (let round = 0; round < all; round++) {
    const prng = new Prng(seed + round);
    const store = guarded(new MemoryBlockStore(8 * 1024 * 1024));
    const host = new RawHost({ ...randomOptions(prng), namespaces: [{ store }] });
    const observer = new Observer(host);
    fatal += fuzzOne(prng, observer, statuses);
    moved += observer.moved;
    expect(observer.strays, `seed ${seed + round}`).toEqual([]);
  }
  // The abuse reaches deep enough to mean something.
  expect(moved).toBeGreaterThan(all * 80_000);
  expect(fatal).toBeGreaterThan(all / 12);
  for (const status of [
    STATUS.SUCCESS,
    STATUS.INVALID_FIELD,
    STATUS.DATA_TRANSFER_ERROR,
    STATUS.INVALID_SGL_SEGMENT,
    STATUS.INVALID_SGL_COUNT,
    STATUS.DATA_SGL_LENGTH_INVALID,
    STATUS.SGL_TYPE_INVALID,
    STATUS.INVALID_USE_OF_CMB,
    STATUS.PRP_OFFSET_INVALID,
    STATUS.SGL_OFFSET_INVALID,
    STATUS.LBA_OUT_OF_RANGE,
    STATUS.INVALID_QUEUE_IDENTIFIER,
  ]) {
    expect(statuses.get(status) ?? 0, `status ${status}`).toBeGreaterThan(0);
  }
});

/** Abuses one controller. Counts statuses, and returns how often it was found fatal. */
function fuzzOne(prng: Prng, observer: Observer, statuses: Map<number, number>): number {
  let fatal = 0;
  const { host } = observer;
  for (const queue of [host.admin, host.io]) {
    observer.nameQueue(queue.submission, 16);
    observer.nameQueue(queue.completion, 16);
  }
  host.writeLong(REGISTERS.CMBMSC.offset, CMB_AT + 3);
  host.ready();
  fillLists(prng, host.ram, LISTS, LIST_PAGES);
  const inCmb = new Uint8Array(CMB_BYTES);
  fillLists(prng, inCmb, 0, CMB_BYTES / 4096);
  host.controller.writeBar(2, 0, inCmb);
  for (let step = 0; step < 60; step++) {
    const queue = prng.chance(0.15) ? host.admin : host.io;
    for (let count = prng.below(6); count > 0; count--) host.submit(queue, randomCommand(prng, queue === host.admin));
    host.controller.work(prng.chance(0.1) ? 1 : 1000);
    for (let outcome = host.take(queue); outcome !== null; outcome = host.take(queue)) {
      statuses.set(outcome.status, (statuses.get(outcome.status) ?? 0) + 1);
    }
    if (prng.chance(0.1)) abuseRegisters(prng, observer);
    if (prng.chance(0.05)) fillLists(prng, host.ram, LISTS, LIST_PAGES);
    const isFatal = getField(host.controller.readRegister(REGISTERS.CSTS.offset), CSTS.CFS) === 1;
    if (isFatal) fatal++;
    if (isFatal || prng.chance(0.02)) {
      if (prng.chance(0.5)) host.controller.reset();
      if (prng.chance(0.8)) host.ready();
    }
  }
  return fatal;
}

test('the observer sees a stray: an access that no word names, one byte too long, or in the page before', () => {
  const host = new RawHost({ cmb: { sizeBytes: CMB_BYTES } });
  const observer = new Observer(host);
  observer.nameQueue(0x10000, 16);
  const bytes = new Uint8Array(SQE_BYTES);
  putU64(bytes, SQE.PRP1, DATA + 512);
  host.ram.set(bytes, 0x10000);
  const entry = new Uint8Array(SQE_BYTES);
  host.read(0x10000 as never, entry);
  host.write((DATA + 512) as never, new Uint8Array(4096 - 512));
  expect(observer.strays).toEqual([]);
  host.write((DATA + 512) as never, new Uint8Array(4096 - 512 + 1));
  host.write((DATA + 508) as never, new Uint8Array(CQE_BYTES));
  host.read((DATA - 4096) as never, new Uint8Array(16));
  expect(observer.strays).toHaveLength(3);
});
