import { expect, test } from 'vitest';
import { rounds, shown } from '../../tests/soak.ts';
import { type BusAddr, busAddr, type PhysAddr, physAddr, storedAddress } from '../core/address.ts';
import { Prng } from '../core/prng.ts';
import { type Bio, createBio, diskEnd, diskStart } from './bio.ts';
import { type BioVec, BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from './bio-vec.ts';
import { BlockError } from './errors.ts';
import { queueLimits } from './queue-limits.ts';
import { cutVectors, joinBios, segmentBytes, splitBio, splitToLimits } from './split.ts';

const ram = (address: number, length: number): BioVec => ({ address: physAddr(address), length, flags: 0 });
const resource = (address: number, length: number): BioVec => ({
  address: physAddr(address),
  length,
  flags: BVEC_MAP_RESOURCE,
});
const bus = (address: number, length: number): BioVec => ({
  address: busAddr(address),
  length,
  flags: BVEC_MAP_BUS_ADDR,
});

function refusal(action: () => unknown): BlockError {
  try {
    action();
  } catch (error) {
    if (error instanceof BlockError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** Bios that each test by chance draws. */
const BIOS = rounds(1000, 10_000);

function randomVectors(prng: Prng): BioVec[] {
  let next = prng.below(2 ** 20) * 4096;
  return Array.from({ length: prng.between(1, 12) }, () => {
    const length = prng.chance(0.5) ? prng.between(1, 5000) : prng.between(1, 200_000);
    // Every third vector begins where the one before ended, whatever its kind.
    if (!prng.chance(0.33)) next = prng.below(2 ** 30) * 512;
    const vector = { address: storedAddress<PhysAddr | BusAddr>(next), length, flags: prng.below(3) };
    next += length;
    return vector;
  });
}

/** Every byte of a list as (address, flags), run by run: what a split may not change. */
function bytesOf(lists: readonly BvecList[]): BioVec[] {
  const runs: { -readonly [Field in keyof BioVec]: BioVec[Field] }[] = [];
  for (const list of lists) {
    for (const vector of list) {
      const last = runs[runs.length - 1];
      if (last && last.address + last.length === vector.address && last.flags === vector.flags)
        last.length += vector.length;
      else runs.push({ ...vector });
    }
  }
  return runs;
}

function plain(bio: Bio): object {
  return { ...bio, vectors: [...bio.vectors] };
}

test('E49: a split of a mixed bio at any byte keeps every kind and every byte, and the join is the bio', () => {
  const vectors = [ram(0x1000, 5), bus(0x1005, 7), resource(0x100c, 3), ram(0x5000, 4), ram(0x5004, 6)];
  const bio = createBio({ vectors, operation: 'read', sector: 100 });
  for (let at = 1; at < bio.vectors.byteLength; at++) {
    const [head, tail] = splitBio(bio, at);
    expect(head.vectors.byteLength).toBe(at);
    expect(head.vectors.byteLength + tail.vectors.byteLength).toBe(25);
    expect(bytesOf([head.vectors, tail.vectors])).toEqual(bytesOf([bio.vectors]));
    expect([head.mayContainP2p, tail.mayContainP2p]).toEqual([true, true]);
    expect([diskStart(head), diskEnd(head), diskEnd(tail)]).toEqual([51200, 51200 + at, diskEnd(bio)]);
    expect(tail.startsInsideVector).toBe(![5, 12, 15, 19].includes(at));
    expect(plain(joinBios(head, tail))).toEqual(plain(bio));
  }
});

test('E36: a join makes one vector of two only where the split cut one, not where two are adjacent', () => {
  const bio = createBio({ vectors: [bus(0x1000, 4096), bus(0x2000, 4096)], operation: 'read' });
  const [head, tail] = splitBio(bio, 4096);
  expect(tail.startsInsideVector).toBe(false);
  expect([...joinBios(head, tail).vectors]).toEqual([...bio.vectors]);
});

test(`${shown(BIOS)} bios at random, cut at up to four bytes: joined in any order of neighbours they are what they were`, () => {
  const prng = new Prng(49);
  for (let round = 0; round < BIOS; round++) {
    const bio = createBio({ vectors: randomVectors(prng), operation: 'write', sector: prng.below(1000) });
    const parts = [bio];
    for (let cut = prng.between(1, 4); cut > 0; cut--) {
      const index = prng.below(parts.length);
      const part = parts[index] as Bio;
      if (part.vectors.byteLength > 1)
        parts.splice(index, 1, ...splitBio(part, prng.between(1, part.vectors.byteLength - 1)));
    }
    parts.forEach((part, index) => {
      const next = parts[index + 1];
      if (next) expect(diskEnd(part)).toBe(diskStart(next));
      expect(part.vectors.count).toBeGreaterThan(0);
    });
    while (parts.length > 1) {
      const index = prng.below(parts.length - 1);
      parts.splice(index, 2, joinBios(parts[index] as Bio, parts[index + 1] as Bio));
    }
    expect([round, plain(parts[0] as Bio)]).toEqual([round, plain(bio)]);
  }
});

test('a split outside the bio, or at an end, is refused', () => {
  const bio = createBio({ vectors: [ram(0, 512)], operation: 'read' });
  for (const at of [0, 512, 513, -1, 0.5, Number.NaN]) {
    expect(refusal(() => splitBio(bio, at))).toMatchObject({ code: 'SPLIT_OUT_OF_RANGE', path: 'bytes' });
  }
  expect(refusal(() => splitBio(createBio({ vectors: [ram(0, 1)], operation: 'read' }), 1)).hint).toContain('whole');
});

test('bios that are not two parts of one do not join', () => {
  const bio = createBio({ vectors: [ram(0x1000, 1024)], operation: 'read', sector: 8 });
  const [head, tail] = splitBio(bio, 700);
  const other = createBio({ vectors: [ram(0x9000, 324)], operation: 'read' });
  for (const wrong of [
    other,
    head,
    { ...tail, operation: 'write' as const },
    { ...tail, mayContainP2p: true },
    { ...tail, sector: 5 },
    { ...tail, vectors: BvecList.fromVectors([ram(0x1001 + 700, 324)]) },
    { ...tail, vectors: BvecList.fromVectors([bus(0x1000 + 700, 324)]) },
  ]) {
    expect(refusal(() => joinBios(head, wrong)).code).toBe('REQUEST_INVALID');
  }
  expect(plain(joinBios(head, tail))).toEqual(plain(bio));
});

test('E33: a segment ends at the boundary, one byte before and behind it too', () => {
  const limits = queueLimits({ maxSegmentSize: 65536, segmentBoundaryMask: 0x3fff });
  for (const [address, remaining, expected] of [
    [0, 0x3fff, 0x3fff],
    [0, 0x4000, 0x4000],
    [0, 0x4001, 0x4000],
    [0x3fff, 2, 1],
    [0x4000, 2, 2],
    [2 ** 52 + 0x3000, 0x2000, 0x1000],
  ] as const) {
    expect(segmentBytes(address, remaining, limits)).toBe(expected);
  }
  const open = queueLimits({ maxSegmentSize: Number.POSITIVE_INFINITY, segmentBoundaryMask: Number.POSITIVE_INFINITY });
  expect(segmentBytes(1, 2 ** 40, open)).toBe(2 ** 40);
});

test(`E33, E34: ${shown(BIOS)} cuts at random: no segment crosses the boundary or exceeds the size, and no byte is lost`, () => {
  const prng = new Prng(33);
  for (let round = 0; round < BIOS; round++) {
    const boundary = 2 ** prng.between(9, 20);
    const limits = queueLimits({ maxSegmentSize: prng.between(512, 100_000), segmentBoundaryMask: boundary - 1 });
    const vectors = BvecList.fromVectors(randomVectors(prng));
    const cut = cutVectors(vectors, limits);
    for (const { address, length } of cut) {
      if (length > limits.maxSegmentSize) expect(length).toBeLessThanOrEqual(limits.maxSegmentSize);
      const [first, last] = [Math.floor(address / boundary), Math.floor((address + length - 1) / boundary)];
      if (first !== last) expect([round, address, length]).toBe('within one window');
    }
    expect(cut.byteLength).toBe(vectors.byteLength);
    expect(bytesOf([cut])).toEqual(bytesOf([vectors]));
  }
});

test('E35: lengths may total more than 4 GiB', () => {
  const bio = createBio({
    vectors: [ram(0, 2 ** 32 - 512), bus(2 ** 40, 2 ** 32 - 512), ram(0, 512)],
    operation: 'read',
  });
  expect(bio.vectors.byteLength).toBe(2 ** 33 - 512);
  const [head, tail] = splitBio(bio, 2 ** 32 + 5);
  expect([...head.vectors]).toEqual([ram(0, 2 ** 32 - 512), bus(2 ** 40, 517)]);
  expect([...tail.vectors]).toEqual([bus(2 ** 40 + 517, 2 ** 32 - 1029), ram(0, 512)]);
  expect(plain(joinBios(head, tail))).toEqual(plain(bio));
});

test('a bio is cut to what a request can take, at sectors', () => {
  const limits = queueLimits({ maxSegments: 2, maxSegmentSize: 4096, maxBytes: 8192 });
  const bio = createBio({
    vectors: [ram(0, 512), bus(0x10000, 6000), ram(0x20000, 144 + 4096)],
    operation: 'read',
    sector: 3,
  });
  const parts = splitToLimits(bio, limits);
  // 512 + 4096; then 1904 and one segment of 4096 make 6000, of which 11 sectors fit; then the rest.
  expect(parts.map((part) => part.vectors.byteLength)).toEqual([4608, 5632, 512]);
  expect(parts.map((part) => part.sector)).toEqual([3, 12, 23]);
  expect(bytesOf(parts.map((part) => part.vectors))).toEqual(bytesOf([bio.vectors]));
  expect(splitToLimits(bio, queueLimits())).toEqual([bio]);
});

test('a gap that the virtual boundary forbids cuts the bio', () => {
  const limits = queueLimits({ virtBoundaryMask: 4095 });
  const lengths = (vectors: BioVec[]) =>
    splitToLimits(createBio({ vectors, operation: 'read' }), limits).map((part) => part.vectors.byteLength);
  expect(lengths([ram(0x1200, 0xe00), ram(0x5000, 0x1000), ram(0x9000, 0x200)])).toEqual([0x2000]);
  expect(lengths([ram(0x1000, 0x200), ram(0x5000, 0x1000)])).toEqual([0x200, 0x1000]);
  expect(lengths([ram(0x1000, 0x1000), ram(0x5200, 0x1000)])).toEqual([0x1000, 0x1000]);
});

test('limits under which not one sector passes are refused', () => {
  const bio = createBio({ vectors: [ram(0x1000, 100), ram(0x5000, 412)], operation: 'read' });
  const error = refusal(() => splitToLimits(bio, queueLimits({ maxSegments: 1 })));
  expect(error).toMatchObject({ code: 'LIMITS_INVALID', path: 'limits', errno: 'EINVAL' });
  expect(error.message).toContain('100 bytes at byte 0');
});

test(`${shown(BIOS)} bios at random keep their queue's limits when they are cut, and lose nothing`, () => {
  const prng = new Prng(34);
  let refused = 0;
  for (let round = 0; round < BIOS; round++) {
    const limits = queueLimits({
      maxSegments: prng.between(2, 12),
      maxSegmentSize: prng.between(600, 70_000),
      segmentBoundaryMask: 2 ** prng.between(12, 17) - 1,
      maxBytes: 512 * prng.between(64, 400),
    });
    const bio = createBio({ vectors: randomVectors(prng), operation: 'read' });
    let parts: Bio[];
    try {
      parts = splitToLimits(bio, limits);
    } catch (error) {
      if (!(error instanceof BlockError) || error.code !== 'LIMITS_INVALID') throw error;
      refused++;
      continue;
    }
    for (const part of parts) {
      expect(part.vectors.byteLength).toBeLessThanOrEqual(limits.maxBytes);
      expect(cutVectors(part.vectors, limits).count).toBeLessThanOrEqual(limits.maxSegments);
      if (part !== parts[0]) expect(part.sectorOffset).toBe(0);
    }
    expect(plain(parts.reduce((head, tail) => joinBios(head, tail)))).toEqual(plain(bio));
  }
  expect(refused).toBeLessThan(BIOS / 5);
  expect(refused).toBeGreaterThan(0);
});
