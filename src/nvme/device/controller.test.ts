import { expect, test } from 'vitest';
import {
  ADMIN_CQ,
  ADMIN_SQ,
  CC_ENABLE,
  command,
  createQueue,
  DATA,
  IO_CQ,
  move,
  RawHost,
  withPrp,
} from '../../../tests/nvme/raw-host.ts';
import { getU32 } from '../spec/bytes.ts';
import { ADMIN, NVM } from '../spec/command.ts';
import { getField } from '../spec/field.ts';
import { CNS } from '../spec/identify.ts';
import { CAP, CSTS, completionDoorbell, REGISTERS, submissionDoorbell } from '../spec/registers.ts';
import { STATUS } from '../spec/status.ts';

const IDENTIFY = (cns: number, nsid = 0): Uint8Array => withPrp(command(ADMIN.IDENTIFY, nsid, cns), DATA);

function csts(host: RawHost): { rdy: number; cfs: number; shst: number } {
  const value = host.controller.readRegister(REGISTERS.CSTS.offset);
  return { rdy: getField(value, CSTS.RDY), cfs: getField(value, CSTS.CFS), shst: getField(value, CSTS.SHST) };
}

test('CC.EN makes the controller ready at once, or after the delay that it was built with, within CAP.TO', () => {
  const host = new RawHost();
  host.enable();
  expect(csts(host)).toEqual({ rdy: 1, cfs: 0, shst: 0 });

  const slow = new RawHost({ readyDelayNs: 700e6 });
  slow.enable();
  expect(csts(slow).rdy).toBe(0);
  slow.submit(slow.admin, IDENTIFY(CNS.CONTROLLER));
  expect(slow.controller.work()).toBe(0);
  slow.clock.advance(700e6 - 1);
  expect(csts(slow).rdy).toBe(0);
  slow.clock.advance(1);
  expect(csts(slow).rdy).toBe(1);
  expect(slow.controller.work()).toBe(1);
  const timeout = getField(slow.controller.readRegister(CAP.TO.offset), CAP.TO) * 500e6;
  expect(timeout).toBeGreaterThanOrEqual(700e6);
});

test('a configuration that no controller here has is fatal, and a reset with a good one recovers', () => {
  // CSS 1, MPS beyond CAP.MPSMAX, AMS 1.
  for (const bad of [CC_ENABLE | (1 << 4), CC_ENABLE | (15 << 7), CC_ENABLE | (1 << 11)]) {
    const host = new RawHost();
    host.enable(bad);
    expect(csts(host)).toEqual({ rdy: 0, cfs: 1, shst: 0 });
    host.enable();
    expect(csts(host)).toEqual({ rdy: 1, cfs: 0, shst: 0 });
  }
});

test('admin queues of one entry, or beyond 2^53, or not aligned to a larger page, are fatal', () => {
  const attempts: ((host: RawHost) => void)[] = [
    (host) => host.controller.writeRegister(REGISTERS.AQA.offset, 15 << 16),
    (host) => host.controller.writeRegister(REGISTERS.AQA.offset, 15),
    (host) => host.controller.writeRegister(REGISTERS.ASQ.offset + 4, 0x80000000),
    (host) => host.controller.writeRegister(REGISTERS.CC.offset, CC_ENABLE | (4 << 7)),
  ];
  for (const spoil of attempts) {
    const host = new RawHost();
    host.enable(0);
    host.writeLong(REGISTERS.ACQ.offset, ADMIN_CQ);
    spoil(host);
    host.controller.writeRegister(REGISTERS.CC.offset, host.controller.readRegister(REGISTERS.CC.offset) | CC_ENABLE);
    expect(csts(host)).toEqual({ rdy: 0, cfs: 1, shst: 0 });
  }
});

test('a controller reset deletes the queues and keeps AQA, ASQ and ACQ; a function reset forgets them', () => {
  const host = new RawHost().ready();
  host.controller.writeRegister(REGISTERS.CC.offset, 0);
  expect(csts(host).rdy).toBe(0);
  expect(host.controller.readRegister(REGISTERS.ASQ.offset)).toBe(ADMIN_SQ);
  host.enable();
  expect(host.run(command(ADMIN.DELETE_IO_SQ, 0, 1)).status).toBe(STATUS.INVALID_QUEUE_IDENTIFIER);
  host.controller.reset();
  expect(host.controller.readRegister(REGISTERS.ASQ.offset)).toBe(0);
  expect(host.controller.readRegister(REGISTERS.AQA.offset)).toBe(0);
  expect(csts(host)).toEqual({ rdy: 0, cfs: 0, shst: 0 });
});

test('a shutdown is complete at once and stops command processing until the next enable', () => {
  const host = new RawHost();
  host.enable();
  host.controller.writeRegister(REGISTERS.CC.offset, CC_ENABLE | (1 << 14));
  expect(csts(host)).toEqual({ rdy: 1, cfs: 0, shst: 2 });
  host.submit(host.admin, IDENTIFY(CNS.CONTROLLER));
  expect(host.controller.work()).toBe(0);
  host.enable();
  expect(csts(host)).toEqual({ rdy: 1, cfs: 0, shst: 0 });
  expect(host.run(IDENTIFY(CNS.CONTROLLER)).status).toBe(STATUS.SUCCESS);
});

test('read-only registers ignore writes; reserved bits of the others stay 0; what is not there reads 0', () => {
  const host = new RawHost();
  for (const register of Object.values(REGISTERS)) {
    if (register.access !== 'RO') continue;
    for (let at = register.offset; at < register.offset + register.size; at += 4) {
      const before = host.controller.readRegister(at);
      host.controller.writeRegister(at, ~before >>> 0);
      expect(host.controller.readRegister(at)).toBe(before);
    }
  }
  host.controller.writeRegister(REGISTERS.AQA.offset, 0xffffffff);
  host.controller.writeRegister(REGISTERS.ASQ.offset, 0xffffffff);
  expect(host.controller.readRegister(REGISTERS.AQA.offset)).toBe(0x0fff0fff);
  expect(host.controller.readRegister(REGISTERS.ASQ.offset)).toBe(0xfffff000);
  for (const offset of [0x18, 0x40, 0x64, 0xe00, 0xfffc, submissionDoorbell(0, 0)]) {
    expect(host.controller.readRegister(offset)).toBe(0);
  }
});

test('INTMS sets and INTMC clears one mask that both read back', () => {
  const { controller } = new RawHost();
  controller.writeRegister(REGISTERS.INTMS.offset, 0xf0);
  controller.writeRegister(REGISTERS.INTMC.offset, 0x30);
  expect(controller.readRegister(REGISTERS.INTMS.offset)).toBe(0xc0);
  expect(controller.readRegister(REGISTERS.INTMC.offset)).toBe(0xc0);
});

test('BAR 0 answers dwords and qwords; other accesses read 0, write nothing and are counted', () => {
  const host = new RawHost();
  const cap = host.bar(0, 0, 8);
  expect(getU32(cap, 0)).toBe(host.controller.readRegister(0));
  expect(getU32(cap, 4)).toBe(host.controller.readRegister(4));
  expect(host.bar(0, 1, 2)).toEqual(new Uint8Array(2));
  host.controller.writeBar(0, REGISTERS.AQA.offset, new Uint8Array([1]));
  host.controller.writeBar(0, REGISTERS.AQA.offset + 2, new Uint8Array([1, 1, 1, 1]));
  expect(host.controller.readRegister(REGISTERS.AQA.offset)).toBe(0);
  expect(host.controller.invalidAccesses).toBe(3);
  host.controller.writeBar(0, REGISTERS.AQA.offset, new Uint8Array([3, 0, 5, 0]));
  expect(host.controller.readRegister(REGISTERS.AQA.offset)).toBe(0x00050003);
});

test('a BAR target reaches registers one access at a time and the buffer in bulk to its end', () => {
  const bytes = 64 * 1024;
  const { controller } = new RawHost({ cmb: { sizeBytes: bytes, offsetBytes: bytes } });
  const registers = controller.barTarget(0);
  expect(registers.write(REGISTERS.AQA.offset, new Uint8Array([9, 9, 3, 0, 5, 0]), 2)).toBe(true);
  const aqa = new Uint8Array(4);
  expect(registers.read(REGISTERS.AQA.offset, aqa)).toBe(true);
  expect(aqa).toEqual(new Uint8Array([3, 0, 5, 0]));
  const buffer = controller.barTarget(2);
  expect([registers.bulkLength(0), buffer.bulkLength(0), buffer.bulkLength(bytes)]).toEqual([0, 0, bytes]);
  expect([buffer.bulkLength(2 * bytes - 4), buffer.bulkLength(2 * bytes)]).toEqual([4, 0]);
});

test('a doorbell of no queue, a tail beyond the ring and a head beyond what was posted are ignored and counted', () => {
  const host = new RawHost().ready();
  const wrong: [number, number][] = [
    [submissionDoorbell(2, 0), 1],
    [submissionDoorbell(1, 0), 16],
    [completionDoorbell(1, 0), 1],
    [completionDoorbell(1, 0), 0xffff],
    [submissionDoorbell(1, 0) + 2, 1],
  ];
  for (const [index, [offset, value]] of wrong.entries()) {
    host.controller.writeRegister(offset, value);
    expect(host.controller.invalidDoorbells).toBe(index + 1);
  }
  expect(host.controller.hasWork).toBe(false);
  expect(host.statusOf(withPrp(move(NVM.READ, 0, 1), DATA))).toBe(STATUS.SUCCESS);
  expect(host.controller.invalidDoorbells).toBe(wrong.length);
});

test('a full completion queue holds commands back until the host moves its head; the phase flips at each lap', () => {
  const host = new RawHost().ready();
  const entries = host.io.entries;
  // 15 commands fill the completion queue, since one entry always stays empty.
  for (let index = 0; index < entries - 1; index++) host.submit(host.io, withPrp(move(NVM.READ, index, 1), DATA));
  expect(host.controller.work()).toBe(entries - 1);
  for (let index = 0; index < 5; index++) host.submit(host.io, withPrp(move(NVM.READ, index, 1), DATA));
  expect(host.controller.hasWork).toBe(false);
  expect(host.controller.work()).toBe(0);
  for (let index = 0; index < 3; index++) expect(host.take(host.io)?.status).toBe(STATUS.SUCCESS);
  expect(host.controller.work()).toBe(3);
  let taken = 3;
  for (let lap = 0; lap < 10; lap++) {
    while (host.take(host.io) !== null) taken++;
    host.controller.work();
  }
  expect(taken).toBe(entries - 1 + 5);
  expect(host.io.phase).toBe(0);
});

test('work does as many commands as it is told, and queues take turns', () => {
  const host = new RawHost().ready();
  for (let index = 0; index < 4; index++) host.submit(host.io, withPrp(move(NVM.READ, index, 1), DATA));
  host.submit(host.admin, IDENTIFY(CNS.CONTROLLER));
  expect(host.controller.work(2)).toBe(2);
  expect(host.take(host.admin)?.status).toBe(STATUS.SUCCESS);
  expect(host.take(host.io)?.status).toBe(STATUS.SUCCESS);
  expect(host.take(host.io)).toBeNull();
  expect(host.controller.work()).toBe(3);
  expect(host.controller.hasWork).toBe(false);
});

test('E59: with Bus Master Enable off nothing leaves; the failing queue fetch sets CSTS.CFS, and a reset recovers', () => {
  const host = new RawHost().ready();
  host.answer = () => 'notSent';
  host.submit(host.io, withPrp(move(NVM.READ, 0, 1), DATA));
  expect(host.controller.work()).toBe(0);
  expect(csts(host)).toEqual({ rdy: 1, cfs: 1, shst: 0 });
  host.answer = () => null;
  expect(host.controller.work()).toBe(0);
  host.ready();
  expect(csts(host).cfs).toBe(0);
  expect(host.statusOf(withPrp(move(NVM.READ, 0, 1), DATA))).toBe(STATUS.SUCCESS);
});

test('a completion that cannot be posted sets CSTS.CFS and ends the burst', () => {
  const host = new RawHost().ready();
  host.answer = ({ kind, address }) =>
    kind === 'write' && address >= IO_CQ && address < IO_CQ + 256 ? 'notSent' : null;
  host.submit(host.io, withPrp(move(NVM.READ, 0, 1), DATA));
  host.submit(host.io, withPrp(move(NVM.READ, 0, 1), DATA));
  expect(host.controller.work()).toBe(1);
  expect(csts(host).cfs).toBe(1);
});

test('every way in which a read of data can fail is Data Transfer Error, and may be tried again', () => {
  const host = new RawHost().ready();
  for (const status of ['UR', 'CA', 'timeout', 'notSent'] as const) {
    host.answer = ({ address }) => (address === DATA ? status : null);
    const outcome = host.runIo(withPrp(move(NVM.WRITE, 0, 1), DATA));
    expect(outcome).toMatchObject({ status: STATUS.DATA_TRANSFER_ERROR, retryable: true });
  }
});

test('a transfer that lands on the own doorbell or on CC never re-enters the controller', () => {
  const host = new RawHost().ready();
  let nested = 0;
  host.answer = ({ address }) => {
    if (address !== DATA) return null;
    nested += host.controller.work();
    host.controller.writeRegister(submissionDoorbell(1, 0), (host.io.tail + 1) % host.io.entries);
    return 'SC';
  };
  host.submit(host.io, withPrp(move(NVM.READ, 0, 1), DATA));
  // The second entry, which the transfer rang for, is empty: opcode 0 is a flush of namespace 0.
  expect(host.controller.work()).toBe(2);
  expect(nested).toBe(0);
  expect(host.take(host.io)?.status).toBe(STATUS.SUCCESS);
  expect(host.take(host.io)?.status).toBe(STATUS.INVALID_NAMESPACE);

  host.ready();
  host.answer = ({ address }) => {
    if (address === DATA) host.controller.writeRegister(REGISTERS.CC.offset, 0);
    return null;
  };
  for (let index = 0; index < 3; index++) host.submit(host.io, withPrp(move(NVM.READ, 0, 1), DATA));
  expect(host.controller.work()).toBe(1);
  expect(csts(host)).toEqual({ rdy: 0, cfs: 0, shst: 0 });
  expect(host.take(host.io)).toBeNull();
});

test('a store that fails is a media error, named by direction; a flush that fails is a write fault', () => {
  const failing = {
    sizeBytes: 4096,
    read: () => 'failed' as const,
    write: () => 'failed' as const,
    flush: () => 'failed' as const,
  };
  const host = new RawHost({ namespaces: [{ store: failing }] }).ready();
  expect(host.statusOf(withPrp(move(NVM.READ, 0, 1), DATA))).toBe(STATUS.UNRECOVERED_READ_ERROR);
  expect(host.statusOf(withPrp(move(NVM.WRITE, 0, 1), DATA))).toBe(STATUS.WRITE_FAULT);
  expect(host.statusOf(command(NVM.FLUSH, 1))).toBe(STATUS.WRITE_FAULT);
  expect(host.statusOf(command(NVM.FLUSH, 0xffffffff))).toBe(STATUS.WRITE_FAULT);
});

test('I/O commands are refused for opcode, namespace, range, size and fusing', () => {
  const host = new RawHost({ mdts: 1 }).ready();
  const blocks = host.store.sizeBytes / 512;
  expect(host.statusOf(command(0x7f, 1))).toBe(STATUS.INVALID_OPCODE);
  expect(host.statusOf(withPrp(command(NVM.READ, 2), DATA))).toBe(STATUS.INVALID_NAMESPACE);
  expect(host.statusOf(withPrp(command(NVM.READ, 0xffffffff), DATA))).toBe(STATUS.INVALID_NAMESPACE);
  expect(host.statusOf(withPrp(move(NVM.READ, blocks - 1, 1), DATA))).toBe(STATUS.SUCCESS);
  expect(host.statusOf(withPrp(move(NVM.READ, blocks - 1, 2), DATA))).toBe(STATUS.LBA_OUT_OF_RANGE);
  expect(host.statusOf(withPrp(command(NVM.READ, 1, 0, 0xffffffff), DATA))).toBe(STATUS.LBA_OUT_OF_RANGE);
  expect(host.statusOf(withPrp(move(NVM.READ, 0, 16), DATA, DATA + 4096))).toBe(STATUS.SUCCESS);
  expect(host.statusOf(withPrp(move(NVM.READ, 0, 17), DATA, DATA + 4096))).toBe(STATUS.INVALID_FIELD);
  const fused = withPrp(move(NVM.READ, 0, 1), DATA);
  fused[1] = 1;
  expect(host.statusOf(fused)).toBe(STATUS.INVALID_FIELD);
  const reservedPsdt = withPrp(move(NVM.READ, 0, 1), DATA);
  reservedPsdt[1] = 3 << 6;
  expect(host.statusOf(reservedPsdt)).toBe(STATUS.INVALID_FIELD);
  expect(host.statusOf(command(NVM.FLUSH, 1))).toBe(STATUS.SUCCESS);
  expect(host.statusOf(command(NVM.FLUSH, 9))).toBe(STATUS.INVALID_NAMESPACE);
});

test('a larger host page (CC.MPS) makes one PRP reach further', () => {
  const host = new RawHost();
  host.enable(CC_ENABLE | (1 << 7));
  const base = 0x200000;
  expect(host.run(createQueue(ADMIN.CREATE_IO_CQ, 1, 16, base, 1)).status).toBe(STATUS.SUCCESS);
  expect(host.run(createQueue(ADMIN.CREATE_IO_SQ, 1, 16, base + 8192, 1 | (1 << 16))).status).toBe(STATUS.SUCCESS);
  host.io = { id: 1, submission: base + 8192, completion: base, entries: 16, tail: 0, head: 0, phase: 1 };
  host.ram.fill(0xaa, DATA, DATA + 16384);
  // 16 KiB are two pages of 8 KiB: PRP2 is data, not a list.
  expect(host.statusOf(withPrp(move(NVM.READ, 0, 32), DATA, DATA + 8192))).toBe(STATUS.SUCCESS);
  expect(host.ram.subarray(DATA, DATA + 16384).every((byte) => byte === 0)).toBe(true);
});
