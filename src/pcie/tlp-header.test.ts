import { expect, test } from 'vitest';
import { decodeTlpHeader, isAtomicOp } from './tlp-header.ts';

test('a memory read above 4 GiB: requester, tag, byte enables, length and address', () => {
  expect(decodeTlpHeader([0x20002040, 0x8100_05fc, 0x0000_0123, 0x8000_1a00])).toEqual({
    kind: 'memoryRead',
    from: '81:00.0',
    to: null,
    tag: 5,
    address: 0x123_8000_1a00,
    lengthBytes: 0x40 * 4,
    byteEnables: { first: 0xc, last: 0xf },
    isTranslated: false,
    isPoisoned: false,
  });
});

test('a memory write below 4 GiB has its address in the third doubleword; length 0 means 1024 doublewords', () => {
  const header = decodeTlpHeader([0x4000_4800, 0x0a0b_00ff, 0xfe80_0000, 0x1234_5678]);
  expect(header).toMatchObject({
    kind: 'memoryWrite',
    from: '0a:01.3',
    address: 0xfe80_0000,
    lengthBytes: 4096,
    isTranslated: true,
    isPoisoned: true,
  });
});

test.each([
  [0x4c, 'fetchAdd'],
  [0x6c, 'fetchAdd'],
  [0x4d, 'swap'],
  [0x6e, 'compareAndSwap'],
] as const)('type %i with data is the AtomicOp %s, and has no byte enables', (byte, kind) => {
  const header = decodeTlpHeader([byte * 2 ** 24 + 2, 0x0600_0000, 0xf, 0xb76e_6008]);
  expect(header).toMatchObject({ kind, byteEnables: null });
  expect(header !== null && isAtomicOp(header)).toBe(true);
});

test('a completion names completer and requester and has no address', () => {
  expect(decodeTlpHeader([0x4a00_0010, 0x0100_0040, 0x0200_0700, 0])).toMatchObject({
    kind: 'completion',
    from: '01:00.0',
    to: '02:00.0',
    tag: 7,
    address: null,
    lengthBytes: 64,
  });
});

test('of all 256 first bytes each has a kind', () => {
  const kinds = Array.from({ length: 256 }, (_, byte) => decodeTlpHeader([byte * 2 ** 24 + 1, 1, 1, 1])?.kind);
  expect(kinds.filter((kind) => kind === undefined)).toEqual([]);
  expect(kinds.filter((kind) => kind === 'fetchAdd').length).toBe(2);
  expect(kinds.slice(128).every((kind) => kind === 'unknown')).toBe(true);
});

test('zeros, ones and too few words are no header', () => {
  expect(decodeTlpHeader([0, 0, 0, 0])).toBeNull();
  expect(decodeTlpHeader(Array(4).fill(0xffffffff))).toBeNull();
  expect(decodeTlpHeader([0x20002040, 1, 2])).toBeNull();
});
