import { expect, test } from 'vitest';
import { command, createQueue, DATA, IO_CQ, RawHost, withPrp } from '../../../tests/nvme/raw-host.ts';
import { getU32 } from '../spec/bytes.ts';
import { ADMIN, FEATURE } from '../spec/command.ts';
import { CNS } from '../spec/identify.ts';
import { STATUS } from '../spec/status.ts';
import { MemoryBlockStore } from './memory-store.ts';

const IDENTIFY = (cns: number, nsid = 0): Uint8Array => withPrp(command(ADMIN.IDENTIFY, nsid, cns), DATA);

test('Get Features tells the queue counts and what Set Features kept', () => {
  const host = new RawHost({ ioQueuePairs: 5 });
  host.enable();
  expect(host.run(command(ADMIN.SET_FEATURES, 0, FEATURE.NUMBER_OF_QUEUES, 0)).result).toBe(0x00040004);
  expect(host.run(command(ADMIN.GET_FEATURES, 0, FEATURE.NUMBER_OF_QUEUES)).result).toBe(0x00040004);
  expect(host.run(command(ADMIN.SET_FEATURES, 0, FEATURE.NUMBER_OF_QUEUES, 0xffff)).status).toBe(STATUS.INVALID_FIELD);
  expect(host.run(command(ADMIN.SET_FEATURES, 0, FEATURE.ARBITRATION, 0x77)).status).toBe(STATUS.SUCCESS);
  expect(host.run(command(ADMIN.GET_FEATURES, 0, FEATURE.ARBITRATION)).result).toBe(0x77);
  expect(host.run(command(ADMIN.GET_FEATURES, 0, FEATURE.ARBITRATION | 0x100)).result).toBe(0);
  expect(host.run(command(ADMIN.SET_FEATURES, 0, 0x80000000 | FEATURE.ARBITRATION)).status).toBe(
    STATUS.FEATURE_NOT_SAVEABLE,
  );
  expect(host.run(command(ADMIN.GET_FEATURES, 0, 0xc0)).status).toBe(STATUS.INVALID_FIELD);
  expect(host.run(command(ADMIN.SET_FEATURES, 0, 0xc0)).status).toBe(STATUS.INVALID_FIELD);
});

test('asynchronous event requests stay open, four of them; an abort finds nothing to abort', () => {
  const host = new RawHost();
  host.enable();
  for (let index = 0; index < 4; index++) host.submit(host.admin, command(ADMIN.ASYNC_EVENT_REQUEST));
  expect(host.controller.work()).toBe(4);
  expect(host.take(host.admin)).toBeNull();
  expect(host.run(command(ADMIN.ASYNC_EVENT_REQUEST)).status).toBe(STATUS.ASYNC_EVENT_LIMIT_EXCEEDED);
  expect(host.run(command(ADMIN.ABORT, 0, 1))).toMatchObject({ status: STATUS.SUCCESS, result: 1 });
});

test('queues are refused for identifier, size, contiguity, alignment, vector, entry size and order of deletion', () => {
  const host = new RawHost({ ioQueuePairs: 2, maxQueueEntries: 64 });
  host.enable();
  const cq = (id: number, entries: number, base = IO_CQ, cdw11 = 1): number =>
    host.run(createQueue(ADMIN.CREATE_IO_CQ, id, entries, base, cdw11)).status;
  const sq = (id: number, cqid: number, entries = 8): number =>
    host.run(createQueue(ADMIN.CREATE_IO_SQ, id, entries, DATA, 1 | (cqid << 16))).status;
  expect(cq(0, 8)).toBe(STATUS.INVALID_QUEUE_IDENTIFIER);
  expect(cq(3, 8)).toBe(STATUS.INVALID_QUEUE_IDENTIFIER);
  expect(cq(1, 1)).toBe(STATUS.INVALID_QUEUE_SIZE);
  expect(cq(1, 65)).toBe(STATUS.INVALID_QUEUE_SIZE);
  expect(cq(1, 64, IO_CQ, 0)).toBe(STATUS.INVALID_FIELD);
  expect(cq(1, 64, 0)).toBe(STATUS.INVALID_FIELD);
  expect(cq(1, 64, IO_CQ + 16)).toBe(STATUS.PRP_OFFSET_INVALID);
  expect(cq(1, 64, IO_CQ, 3 | (3 << 16))).toBe(STATUS.INVALID_INTERRUPT_VECTOR);
  expect(cq(1, 64, 2 ** 53)).toBe(STATUS.INVALID_FIELD);
  expect(cq(1, 64)).toBe(STATUS.SUCCESS);
  expect(cq(1, 64)).toBe(STATUS.INVALID_QUEUE_IDENTIFIER);
  expect(sq(1, 0)).toBe(STATUS.COMPLETION_QUEUE_INVALID);
  expect(sq(1, 2)).toBe(STATUS.COMPLETION_QUEUE_INVALID);
  expect(sq(1, 1)).toBe(STATUS.SUCCESS);
  expect(sq(1, 1)).toBe(STATUS.INVALID_QUEUE_IDENTIFIER);
  expect(host.run(command(ADMIN.DELETE_IO_CQ, 0, 1)).status).toBe(STATUS.INVALID_QUEUE_DELETION);
  expect(host.run(command(ADMIN.DELETE_IO_CQ, 0, 0)).status).toBe(STATUS.INVALID_QUEUE_IDENTIFIER);
  expect(host.run(command(ADMIN.DELETE_IO_SQ, 0, 0)).status).toBe(STATUS.INVALID_QUEUE_IDENTIFIER);
  expect(host.run(command(ADMIN.DELETE_IO_SQ, 0, 1)).status).toBe(STATUS.SUCCESS);
  expect(host.run(command(ADMIN.DELETE_IO_CQ, 0, 1)).status).toBe(STATUS.SUCCESS);
  expect(sq(1, 1)).toBe(STATUS.COMPLETION_QUEUE_INVALID);

  const noSizes = new RawHost();
  noSizes.enable(1);
  const made = noSizes.run(createQueue(ADMIN.CREATE_IO_CQ, 1, 8, IO_CQ, 1));
  expect(made.status).toBe(STATUS.INVALID_QUEUE_SIZE);
});

test('identify answers the controller, its namespaces, their list and their names, and refuses others', () => {
  const store = new MemoryBlockStore(64 * 4096);
  const host = new RawHost({ namespaces: [{ store }, { store, blockBytes: 4096 }], serial: 'A1', mdts: 5 });
  host.enable();
  const identify = (cns: number, nsid: number): Uint8Array => {
    expect(host.run(IDENTIFY(cns, nsid)).status).toBe(STATUS.SUCCESS);
    return host.ram.slice(DATA, DATA + 4096);
  };
  const controller = identify(CNS.CONTROLLER, 0);
  expect([controller[77], controller[512], controller[513], controller[516]]).toEqual([5, 0x66, 0x44, 2]);
  expect(getU32(identify(CNS.NAMESPACE, 2), 0)).toBe(64);
  expect(identify(CNS.NAMESPACE, 2)[128 + 2]).toBe(12);
  expect(getU32(identify(CNS.NAMESPACE, 1), 0)).toBe(64 * 8);
  const list = identify(CNS.ACTIVE_NAMESPACES, 0);
  expect([getU32(list, 0), getU32(list, 4), getU32(list, 8)]).toEqual([1, 2, 0]);
  expect(getU32(identify(CNS.ACTIVE_NAMESPACES, 1), 0)).toBe(2);
  expect([...identify(CNS.NAMESPACE_DESCRIPTORS, 2).subarray(0, 2)]).toEqual([3, 16]);
  for (const [cns, nsid] of [
    [CNS.NAMESPACE, 0],
    [CNS.NAMESPACE, 3],
    [CNS.NAMESPACE, 0xffffffff],
    [CNS.ACTIVE_NAMESPACES, 0xfffffffe],
    [CNS.NAMESPACE_DESCRIPTORS, 3],
  ] as const) {
    expect(host.run(IDENTIFY(cns, nsid)).status).toBe(STATUS.INVALID_NAMESPACE);
  }
  expect(host.run(IDENTIFY(0x1f)).status).toBe(STATUS.INVALID_FIELD);
});

test('log pages are zeros of the asked length; others, and admin opcodes that are not there, are refused', () => {
  const host = new RawHost();
  host.enable();
  host.ram.fill(0xff, DATA, DATA + 1024);
  // NUMD is 0's based: 127 is 512 bytes.
  expect(host.run(withPrp(command(ADMIN.GET_LOG_PAGE, 0, 2 | (127 << 16)), DATA)).status).toBe(STATUS.SUCCESS);
  expect(host.ram.subarray(DATA, DATA + 512).every((byte) => byte === 0)).toBe(true);
  expect(host.ram[DATA + 512]).toBe(0xff);
  expect(host.run(withPrp(command(ADMIN.GET_LOG_PAGE, 0, 0x70), DATA)).status).toBe(STATUS.INVALID_LOG_PAGE);
  expect(host.run(withPrp(command(ADMIN.GET_LOG_PAGE, 0, 2, 1), DATA)).status).toBe(STATUS.INVALID_FIELD);
  expect(host.run(command(0x7f)).status).toBe(STATUS.INVALID_OPCODE);
});
