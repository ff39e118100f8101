import { expect, test } from 'vitest';
import { physAddr } from '../core/address.ts';
import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList, checkBioVec } from './bio-vec.ts';
import { BlockError, type BlockErrorCode } from './errors.ts';

const RAM = { address: physAddr(0x100000), length: 4096, flags: 0 };

function refusal(action: () => unknown): BlockError {
  try {
    action();
  } catch (error) {
    if (error instanceof BlockError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('the two flags of the mail are different bits', () => {
  expect(BVEC_MAP_BUS_ADDR & BVEC_MAP_RESOURCE).toBe(0);
  for (const flag of [BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE]) expect(Math.log2(flag) % 1).toBe(0);
});

test('each impossible vector is refused by its own code, with the field and a hint', () => {
  const cases: [object, BlockErrorCode, string][] = [
    [{ length: 0 }, 'ZERO_LENGTH', 'vectors[3].length'],
    [{ length: -1 }, 'VECTOR_INVALID', 'vectors[3].length'],
    [{ length: 0.5 }, 'VECTOR_INVALID', 'vectors[3].length'],
    [{ length: 2 ** 32 }, 'VECTOR_INVALID', 'vectors[3].length'],
    [{ address: -1 }, 'ADDRESS_OVERFLOW', 'vectors[3].address'],
    [{ address: 0.5 }, 'ADDRESS_OVERFLOW', 'vectors[3].address'],
    [{ address: 2 ** 53 - 4095 }, 'ADDRESS_OVERFLOW', 'vectors[3].address'],
    [{ flags: BVEC_MAP_BUS_ADDR | BVEC_MAP_RESOURCE }, 'FLAGS_CONFLICT', 'vectors[3].flags'],
    [{ flags: 4 }, 'VECTOR_INVALID', 'vectors[3].flags'],
    [{ flags: -1 }, 'VECTOR_INVALID', 'vectors[3].flags'],
  ];
  for (const [change, code, path] of cases) {
    const error = refusal(() => checkBioVec({ ...RAM, ...change }, 'vectors[3]'));
    expect(error).toMatchObject({ code, path });
    expect(error.hint).not.toBe('');
  }
});

test('E27: the last vector below 2^53 is accepted, one byte more is not', () => {
  checkBioVec({ ...RAM, address: physAddr(2 ** 53 - 4096) }, 'v');
  expect(refusal(() => checkBioVec({ ...RAM, address: physAddr(2 ** 53 - 4096), length: 4097 }, 'v')).code).toBe(
    'ADDRESS_OVERFLOW',
  );
});

test('a list gives back what was put in, beyond its first capacity', () => {
  const vectors = Array.from({ length: 100 }, (_, index) => ({
    address: physAddr(2 ** 50 + index * 8192),
    length: 2 ** 32 - 1 - index,
    flags: index % 3,
  }));
  const list = BvecList.fromVectors(vectors);
  expect([...list]).toEqual(vectors);
  expect(list.count).toBe(100);
  expect(list.byteLength).toBe(vectors.reduce((sum, vector) => sum + vector.length, 0));
  expect(list.hasFlags).toBe(true);
});

test('a list names the vector that it refuses, and reads only what it holds', () => {
  const error = refusal(() => BvecList.fromVectors([RAM, RAM, { ...RAM, length: 0 }]));
  expect(error.path).toBe('vectors[2].length');
  const list = BvecList.fromVectors([RAM]);
  expect(() => list.at(1)).toThrow(RangeError);
  expect(() => list.at(-1)).toThrow(RangeError);
  list.clear();
  expect(list.count).toBe(0);
  expect(list.byteLength).toBe(0);
  expect(list.hasFlags).toBe(false);
});
