import { expect, test } from 'vitest';
import { getAscii, getU16, getU32, getU64, putAscii, putU16, putU32, putU64 } from './bytes.ts';
import { CQE, cqePhase, cqeStatus, putCqe } from './completion.ts';
import { IDENTIFY_BYTES, IDENTIFY_CONTROLLER } from './identify.ts';
import { prpListPages, prpPageCount } from './prp.ts';
import { putSgl, SGL_SUBTYPE, SGL_TYPE, sglAddress, sglLength, sglSubtype, sglType } from './sgl.ts';
import { STATUS, STATUS_DNR, statusCode, statusName } from './status.ts';
import { offersRelativeSgl, putRelativeSglOffer, VENDOR_FEATURES } from './vendor.ts';

test('words are little-endian and round-trip at any alignment, addresses up to 2^53 - 1', () => {
  const bytes = new Uint8Array(32);
  for (let at = 0; at < 8; at++) {
    putU16(bytes, at, 0xabcd);
    expect([bytes[at], bytes[at + 1], getU16(bytes, at)]).toEqual([0xcd, 0xab, 0xabcd]);
    putU32(bytes, at, 0x89abcdef);
    expect(getU32(bytes, at)).toBe(0x89abcdef);
    for (const value of [0, 4096 - 8, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 12345, 2 ** 53 - 1]) {
      putU64(bytes, at, value);
      expect(getU64(bytes, at)).toBe(value);
    }
  }
});

test('a 64-bit word of 2^53 or more is never taken for an address', () => {
  const bytes = new Uint8Array(8);
  for (const high of [0x200000, 0x200001, 0x80000000, 0xffffffff]) {
    for (const low of [0, 1, 0xffffffff]) {
      putU32(bytes, 0, low);
      putU32(bytes, 4, high);
      expect(getU64(bytes, 0)).toBeGreaterThanOrEqual(2 ** 53);
    }
  }
});

test('text fields are padded with spaces and cut at their end', () => {
  const bytes = new Uint8Array(24);
  putAscii(bytes, 2, 8, 'abc');
  expect(bytes[2 + 3]).toBe(0x20);
  expect(getAscii(bytes, 2, 8)).toBe('abc');
  putAscii(bytes, 2, 8, '0123456789');
  expect(getAscii(bytes, 2, 8)).toBe('01234567');
  expect(bytes[2 + 8]).toBe(0);
});

test('a completion keeps its 15-bit status apart from the phase tag', () => {
  const bytes = new Uint8Array(16);
  putCqe(bytes, 0, 0xfeedbeef, 7, 3, 0x1234, STATUS.UNRECOVERED_READ_ERROR | STATUS_DNR, 1);
  expect(getU32(bytes, CQE.RESULT)).toBe(0xfeedbeef);
  expect([getU16(bytes, CQE.SQHD), getU16(bytes, CQE.SQID), getU16(bytes, CQE.CID)]).toEqual([7, 3, 0x1234]);
  expect(cqePhase(bytes, 0)).toBe(1);
  expect(cqeStatus(bytes, 0)).toBe(0x4281);
  putCqe(bytes, 0, 0, 0, 0, 0, 0, 0);
  expect([cqePhase(bytes, 0), cqeStatus(bytes, 0)]).toEqual([0, 0]);
});

test('every status has one name; an unlisted one is told by its two numbers', () => {
  const names = Object.values(STATUS).map((status) => statusName(status));
  expect(new Set(names).size).toBe(names.length);
  expect(statusName(0x12 | STATUS_DNR)).toBe('Invalid Use of Controller Memory Buffer');
  expect(statusCode(0x4012)).toBe(0x12);
  expect(statusName(0x284)).toBe('status code type 2, code 0x84');
});

test('an SGL descriptor keeps type, subtype, 32-bit length and address', () => {
  const bytes = new Uint8Array(32).fill(0xff);
  putSgl(bytes, 16, SGL_TYPE.VENDOR, SGL_SUBTYPE.OFFSET, 2 ** 52 + 5, 0xfffffff0);
  expect([sglType(bytes, 16), sglSubtype(bytes, 16)]).toEqual([0xf, 1]);
  expect([sglAddress(bytes, 16), sglLength(bytes, 16)]).toEqual([2 ** 52 + 5, 0xfffffff0]);
  expect(bytes.subarray(16 + 12, 16 + 15)).toEqual(new Uint8Array(3));
});

test('PRP entries: a page more when the buffer begins inside one', () => {
  expect(prpPageCount(0, 4096, 4096)).toBe(1);
  expect(prpPageCount(4, 4096, 4096)).toBe(2);
  expect(prpPageCount(4096 - 4, 8, 4096)).toBe(2);
  expect(prpPageCount(0, 65536, 4096)).toBe(16);
});

test('PRP list pages: 512 slots, of which each page but the last gives one to the next', () => {
  expect([0, 1, 512, 513, 511 + 512, 511 + 513].map((entries) => prpListPages(entries, 4096))).toEqual([
    0, 1, 1, 2, 2, 3,
  ]);
});

test('the relative SGL is offered by three signs together, none of which is enough', () => {
  const page = new Uint8Array(IDENTIFY_BYTES);
  putRelativeSglOffer(page);
  expect(offersRelativeSgl(page)).toBe(true);
  for (const sign of [IDENTIFY_CONTROLLER.SGLS, IDENTIFY_CONTROLLER.VENDOR, VENDOR_FEATURES]) {
    const without = page.slice();
    putU32(without, sign, 0);
    expect(offersRelativeSgl(without)).toBe(false);
  }
});
