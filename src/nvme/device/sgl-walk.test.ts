import { expect, test } from 'vitest';
import { DATA, LISTS, move, pattern, RAM_BYTES, RawHost, withSgl } from '../../../tests/nvme/raw-host.ts';
import { NVM } from '../spec/command.ts';
import { putSgl, SGL_BYTES } from '../spec/sgl.ts';
import { STATUS } from '../spec/status.ts';
import type { SglOptions } from './options.ts';
import { SGL_DESCRIPTORS_MAX } from './sgl-walk.ts';

/** Type and subtype as they stand in byte 15. */
const BLOCK = 0x00;
const RELATIVE = 0x01;
const BUCKET = 0x10;
const SEGMENT = 0x20;
const LAST = 0x30;

type Descriptor = readonly [typeAndSubtype: number, address: number, length: number];

function host(sgl: SglOptions | false = {}): RawHost {
  const made = new RawHost({ sgl }).ready();
  made.store.write(0, pattern(65536, 1));
  return made;
}

function putList(made: RawHost, at: number, list: readonly Descriptor[]): number {
  for (const [index, [type, address, length]] of list.entries()) {
    putSgl(made.ram, at + index * SGL_BYTES, type >> 4, type & 0xf, address, length);
  }
  return list.length * SGL_BYTES;
}

/** Status of a read of 4 KiB whose Last Segment (or what `type` says) holds `list`. */
function readBy(made: RawHost, list: readonly Descriptor[], type = LAST): number {
  return made.statusOf(withSgl(move(NVM.READ, 0, 8), type, LISTS, putList(made, LISTS, list)));
}

test('one Data Block moves a whole transfer, at any byte address', () => {
  const made = host();
  for (const address of [DATA, DATA + 1, DATA + 4095]) {
    expect(made.statusOf(withSgl(move(NVM.READ, 0, 8), BLOCK, address, 4096))).toBe(STATUS.SUCCESS);
    expect(made.ram.subarray(address, address + 4096)).toEqual(pattern(65536, 1).subarray(0, 4096));
  }
});

test('a Last Segment lists blocks of any length in order, for reads and for writes', () => {
  const made = host();
  const lengths = [1, 511, 3000, 7, 577];
  const list: Descriptor[] = lengths.map((length, index) => [BLOCK, DATA + index * 8192 + index, length]);
  expect(readBy(made, list)).toBe(STATUS.SUCCESS);
  const gathered = list.flatMap(([, address, length]) => [...made.ram.subarray(address, address + length)]);
  expect(gathered).toEqual([...pattern(65536, 1).subarray(0, 4096)]);

  const type = putList(made, LISTS, list);
  expect(made.statusOf(withSgl(move(NVM.WRITE, 100, 8), LAST, LISTS, type))).toBe(STATUS.SUCCESS);
  const stored = new Uint8Array(4096);
  made.store.read(100 * 512, stored);
  expect([...stored]).toEqual(gathered);
});

test('segments chain: a Segment ends with a pointer, beyond a page of descriptors too', () => {
  const made = host();
  const total = 700;
  // 700 blocks of 8 bytes, in segments of 300, 300 and 100, each but the last with one pointer more.
  const block = (index: number): Descriptor => [BLOCK, DATA + index * 16, 8];
  const blocks = Array.from({ length: total }, (_, index) => block(index));
  const at = [LISTS, LISTS + 0x4000, LISTS + 0x8000] as const;
  const third = putList(made, at[2], [...blocks.slice(600), [BLOCK, DATA + 0x10000, 6144 - total * 8]]);
  const second = putList(made, at[1], [...blocks.slice(300, 600), [LAST, at[2], third]]);
  const first = putList(made, at[0], [...blocks.slice(0, 300), [SEGMENT, at[1], second]]);
  expect(made.statusOf(withSgl(move(NVM.READ, 0, 12), SEGMENT, at[0], first))).toBe(STATUS.SUCCESS);
  const source = pattern(65536, 1);
  for (let index = 0; index < total; index++) {
    const address = DATA + index * 16;
    expect(made.ram.subarray(address, address + 8)).toEqual(source.subarray(index * 8, index * 8 + 8));
  }
});

test('E58: blocks of length 0 are skipped, wherever they point', () => {
  const made = host();
  const list: Descriptor[] = [
    [BLOCK, 2 ** 52, 0],
    [BLOCK, DATA, 4096],
    [BLOCK, 0, 0],
  ];
  expect(readBy(made, list)).toBe(STATUS.SUCCESS);
});

test('E58: too short is Data SGL Length Invalid; too long is too, unless SGLS bit 18 allows it', () => {
  expect(readBy(host(), [[BLOCK, DATA, 4095]])).toBe(STATUS.DATA_SGL_LENGTH_INVALID);
  expect(readBy(host(), [[BLOCK, DATA, 4097]])).toBe(STATUS.DATA_SGL_LENGTH_INVALID);
  const tail: Descriptor[] = [
    [BLOCK, DATA, 4096],
    [BLOCK, DATA + 8192, 1],
  ];
  expect(readBy(host(), tail)).toBe(STATUS.DATA_SGL_LENGTH_INVALID);
  const lenient = host({ excessLength: true });
  lenient.ram.fill(0xee, DATA, DATA + 16384);
  expect(readBy(lenient, tail)).toBe(STATUS.SUCCESS);
  expect(readBy(lenient, [[BLOCK, DATA, 9000]])).toBe(STATUS.SUCCESS);
  expect(lenient.ram.subarray(DATA + 4096, DATA + 16384).every((byte) => byte === 0xee)).toBe(true);
  expect(readBy(lenient, [[BLOCK, DATA, 4095]])).toBe(STATUS.DATA_SGL_LENGTH_INVALID);
});

test('E58: a segment of length 0, 8 or 24, or at an address that is not a multiple of 8, is Invalid SGL Segment Descriptor', () => {
  for (const type of [SEGMENT, LAST]) {
    for (const length of [0, 8, 24]) {
      expect(host().statusOf(withSgl(move(NVM.READ, 0, 8), type, LISTS, length))).toBe(STATUS.INVALID_SGL_SEGMENT);
    }
    expect(host().statusOf(withSgl(move(NVM.READ, 0, 8), type, LISTS + 4, 16))).toBe(STATUS.INVALID_SGL_SEGMENT);
  }
});

test('a pointer before the end is Invalid Number of SGL Descriptors; one that ends a Last Segment, or a Segment without one, is Invalid SGL Segment Descriptor', () => {
  const block: Descriptor = [BLOCK, DATA, 4096];
  for (const pointer of [SEGMENT, LAST]) {
    const inner: Descriptor = [pointer, LISTS + 0x1000, 16];
    expect(readBy(host(), [inner, block])).toBe(STATUS.INVALID_SGL_COUNT);
    expect(readBy(host(), [inner, block], SEGMENT)).toBe(STATUS.INVALID_SGL_COUNT);
    expect(readBy(host(), [block, inner])).toBe(STATUS.INVALID_SGL_SEGMENT);
  }
  expect(readBy(host(), [block], SEGMENT)).toBe(STATUS.INVALID_SGL_SEGMENT);
});

test('a chain of segments that leads back to itself ends with Invalid Number of SGL Descriptors', () => {
  const made = host();
  const empty = Array.from({ length: 255 }, (): Descriptor => [BLOCK, 0, 0]);
  expect(readBy(made, [...empty, [SEGMENT, LISTS, 4096]], SEGMENT)).toBe(STATUS.INVALID_SGL_COUNT);
  expect(made.accesses.length).toBeLessThan(SGL_DESCRIPTORS_MAX / 256 + 10);
});

test('E57: a bit bucket drops what is read, counts toward the length, and touches nothing', () => {
  const made = host();
  made.ram.fill(0xee, DATA, DATA + 8192);
  const list: Descriptor[] = [
    [BLOCK, DATA, 1000],
    [BUCKET, 0, 2000],
    [BLOCK, DATA + 4096, 1096],
  ];
  expect(readBy(made, list)).toBe(STATUS.SUCCESS);
  const source = pattern(65536, 1);
  expect(made.ram.subarray(DATA, DATA + 1000)).toEqual(source.subarray(0, 1000));
  expect(made.ram.subarray(DATA + 4096, DATA + 4096 + 1096)).toEqual(source.subarray(3000, 4096));
  expect(made.ram.subarray(DATA + 1000, DATA + 4096).every((byte) => byte === 0xee)).toBe(true);
});

test('E57: only bit buckets: a read succeeds without touching memory', () => {
  const made = host();
  expect(made.statusOf(withSgl(move(NVM.READ, 0, 8), BUCKET, 0, 4096))).toBe(STATUS.SUCCESS);
  expect(made.accesses.filter(({ address }) => address >= DATA)).toEqual([]);
});

test('E57: on a write a bit bucket describes nothing', () => {
  const made = host();
  made.ram.set(pattern(4096, 9), DATA);
  const length = putList(made, LISTS, [
    [BUCKET, 0, 12345],
    [BLOCK, DATA, 4096],
  ]);
  expect(made.statusOf(withSgl(move(NVM.WRITE, 0, 8), LAST, LISTS, length))).toBe(STATUS.SUCCESS);
  const stored = new Uint8Array(4096);
  made.store.read(0, stored);
  expect(stored).toEqual(pattern(4096, 9));
  expect(made.statusOf(withSgl(move(NVM.WRITE, 0, 8), BUCKET, 0, 4096))).toBe(STATUS.DATA_SGL_LENGTH_INVALID);
});

test('E57: without SGLS bit 16 a bit bucket is SGL Descriptor Type Invalid, in a list and alone', () => {
  const made = host({ bitBucket: false });
  expect(made.statusOf(withSgl(move(NVM.READ, 0, 8), BUCKET, 0, 4096))).toBe(STATUS.SGL_TYPE_INVALID);
  expect(readBy(made, [[BUCKET, 0, 4096]])).toBe(STATUS.SGL_TYPE_INVALID);
});

test('every type and subtype but those of SGLS is SGL Descriptor Type Invalid: all 256 of them', () => {
  const made = host();
  for (let type = 0; type < 256; type++) {
    if ([BLOCK, BUCKET].includes(type)) continue;
    const expected = type === SEGMENT || type === LAST ? STATUS.SUCCESS : STATUS.SGL_TYPE_INVALID;
    const list: Descriptor[] = type === SEGMENT ? [[LAST, LISTS + 16, 16]] : [];
    putList(made, LISTS, [...list, [BLOCK, DATA, 4096]]);
    const length = type >> 4 === 2 || type >> 4 === 3 ? 16 : 4096;
    expect(made.statusOf(withSgl(move(NVM.READ, 0, 8), type, LISTS, length)), `type ${type}`).toBe(expected);
  }
});

test('E56: a relative descriptor is SGL Descriptor Type Invalid where the extension is off', () => {
  expect(readBy(host(), [[RELATIVE, 0, 4096]])).toBe(STATUS.SGL_TYPE_INVALID);
});

test('with dword granularity an odd address or length is SGL Data Block Granularity Invalid', () => {
  const made = host({ granularityBytes: 4 });
  expect(readBy(made, [[BLOCK, DATA + 4, 4096]])).toBe(STATUS.SUCCESS);
  expect(readBy(made, [[BLOCK, DATA + 2, 4096]])).toBe(STATUS.SGL_GRANULARITY_INVALID);
  const uneven: Descriptor[] = [
    [BLOCK, DATA, 2],
    [BLOCK, DATA + 4, 4094],
  ];
  expect(readBy(made, uneven)).toBe(STATUS.SGL_GRANULARITY_INVALID);
});

test('a block or segment that passes the end of the 64-bit space is Data SGL Length Invalid; one above 2^53 leads nowhere', () => {
  const made = host();
  const high = (type: number, length: number): Uint8Array => {
    const bytes = withSgl(move(NVM.READ, 0, 8), type, 0, length);
    bytes.fill(0xff, 24, 32);
    bytes[24] = 0xf8;
    return bytes;
  };
  expect(made.statusOf(high(BLOCK, 4096))).toBe(STATUS.DATA_SGL_LENGTH_INVALID);
  expect(made.statusOf(high(LAST, 4096))).toBe(STATUS.DATA_SGL_LENGTH_INVALID);
  const nowhere = (type: number): Uint8Array => {
    const bytes = withSgl(move(NVM.READ, 0, 8), type, 0, 4096);
    bytes[31] = 0x80;
    return bytes;
  };
  made.accesses = [];
  expect(made.statusOf(nowhere(BLOCK))).toBe(STATUS.DATA_TRANSFER_ERROR);
  expect(made.statusOf(nowhere(LAST))).toBe(STATUS.DATA_TRANSFER_ERROR);
  expect(made.accesses.every(({ address }) => address < RAM_BYTES)).toBe(true);
});

test('a refused list moves nothing, however late the fault', () => {
  const made = host();
  made.ram.fill(0xee, DATA, DATA + 4096);
  const list: Descriptor[] = [
    [BLOCK, DATA, 4000],
    [BUCKET | 1, 0, 96],
  ];
  expect(readBy(made, list)).toBe(STATUS.SGL_TYPE_INVALID);
  expect(made.ram.subarray(DATA, DATA + 4096).every((byte) => byte === 0xee)).toBe(true);
});

test('a controller without SGLs, and the admin queue of any, answer Invalid Field to an SGL', () => {
  expect(host(false).statusOf(withSgl(move(NVM.READ, 0, 8), BLOCK, DATA, 4096))).toBe(STATUS.INVALID_FIELD);
  const identify = withSgl(move(0x06, 1, 0), BLOCK, DATA, 4096);
  expect(host().run(identify).status).toBe(STATUS.INVALID_FIELD);
});
