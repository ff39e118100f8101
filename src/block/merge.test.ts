import { expect, test } from 'vitest';
import { rounds, shown } from '../../tests/soak.ts';
import { storedAddress } from '../core/address.ts';
import { Prng } from '../core/prng.ts';
import { type Bio, createBio } from './bio.ts';
import { type BioVec, BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from './bio-vec.ts';
import {
  type MergeDecision,
  mayAddVector,
  mayJoinVectors,
  mayMergeBio,
  mergeBios,
  segmentsOf,
  uniformLists,
  vectorKind,
} from './merge.ts';
import { queueLimits } from './queue-limits.ts';
import { requestFromBios, requestVectors } from './request.ts';

const FLAGS = [0, BVEC_MAP_RESOURCE, BVEC_MAP_BUS_ADDR] as const;
const allowed: MergeDecision = { allowed: true };
const refused = (obstacle: string) => ({ allowed: false, obstacle });
const at = (address: number, length: number, flags = 0): BioVec => ({ address: storedAddress(address), length, flags });

test('the kind follows the flags', () => {
  expect(FLAGS.map(vectorKind)).toEqual(['ram', 'resource', 'bus']);
});

test('E49: under mixed any kind may follow any; under mainline a bio is of one kind (all 18 pairs)', () => {
  for (const first of FLAGS) {
    for (const second of FLAGS) {
      const list = BvecList.fromVectors([at(0x1000, 4096, first)]);
      const next = at(0x9000, 4096, second);
      expect(mayAddVector(list, next, 'mixed')).toEqual(allowed);
      expect(mayAddVector(list, next, 'mainline')).toEqual(first === second ? allowed : refused('MIXED_KINDS'));
    }
  }
  expect(mayAddVector(new BvecList(), at(0, 1, 2), 'mainline')).toEqual(allowed);
});

test('E49: under mainline a bio holds peer-to-peer memory of one provider', () => {
  const ownerOf = ({ address }: BioVec) => Math.floor(address / 0x10000);
  for (const flags of [BVEC_MAP_RESOURCE, BVEC_MAP_BUS_ADDR]) {
    const list = BvecList.fromVectors([at(0x10000, 4096, flags)]);
    expect(mayAddVector(list, at(0x18000, 4096, flags), 'mainline', ownerOf)).toEqual(allowed);
    expect(mayAddVector(list, at(0x20000, 4096, flags), 'mainline', ownerOf)).toEqual(refused('TWO_PROVIDERS'));
    expect(mayAddVector(list, at(0x20000, 4096, flags), 'mixed', ownerOf)).toEqual(allowed);
  }
  const ram = BvecList.fromVectors([at(0x10000, 4096)]);
  expect(mayAddVector(ram, at(0x20000, 4096), 'mainline', ownerOf)).toEqual(allowed);
});

test('E36: numerically adjacent vectors become one segment only if both are RAM (all 9 pairs)', () => {
  const limits = queueLimits();
  for (const first of FLAGS) {
    for (const second of FLAGS) {
      const decision = mayJoinVectors(at(0x1000, 4096, first), at(0x2000, 4096, second), limits);
      expect(decision).toEqual(first === 0 && second === 0 ? allowed : refused('P2P_NEVER_MERGES'));
    }
  }
});

test('RAM joins up to the maximum size and never across the boundary', () => {
  const limits = queueLimits({ maxSegmentSize: 8192, segmentBoundaryMask: 0xffff });
  expect(mayJoinVectors(at(0x1000, 4096), at(0x2000, 4096), limits)).toEqual(allowed);
  expect(mayJoinVectors(at(0x1000, 4096), at(0x2000, 4097), limits)).toEqual(refused('TOO_MANY_BYTES'));
  expect(mayJoinVectors(at(0x1000, 4096), at(0x2001, 4096), limits)).toEqual(refused('NOT_ADJACENT'));
  expect(mayJoinVectors(at(0xf000, 4095), at(0xffff, 1), limits)).toEqual(allowed);
  expect(mayJoinVectors(at(0xf000, 4096), at(0x10000, 1), limits)).toEqual(refused('CROSSES_BOUNDARY'));
  const open = queueLimits({ maxSegmentSize: Number.POSITIVE_INFINITY, segmentBoundaryMask: Number.POSITIVE_INFINITY });
  expect(mayJoinVectors(at(0, 2 ** 32 - 1), at(2 ** 32 - 1, 1), open)).toEqual(refused('TOO_MANY_BYTES'));
  expect(mayJoinVectors(at(0, 2 ** 32 - 2), at(2 ** 32 - 2, 1), open)).toEqual(allowed);
});

test('segments are cut and joined: RAM neighbours fill up, P2P neighbours stay apart', () => {
  const limits = queueLimits({ maxSegmentSize: 8192 });
  const vectors = BvecList.fromVectors([
    at(0x1000, 4096),
    at(0x2000, 4096),
    at(0x3000, 4096),
    at(0x4000, 4096, BVEC_MAP_BUS_ADDR),
    at(0x5000, 12288, BVEC_MAP_BUS_ADDR),
    at(0x8000, 512),
  ]);
  expect([...segmentsOf(vectors, limits)]).toEqual([
    at(0x1000, 8192),
    at(0x3000, 4096),
    at(0x4000, 4096, BVEC_MAP_BUS_ADDR),
    at(0x5000, 8192, BVEC_MAP_BUS_ADDR),
    at(0x7000, 4096, BVEC_MAP_BUS_ADDR),
    at(0x8000, 512),
  ]);
});

const LISTS = rounds(1000, 10_000);

test(`E49: under mainline a mixed bio becomes uniform ones: ${shown(LISTS)} lists at random lose nothing and are all uniform`, () => {
  const prng = new Prng(49);
  const ownerOf = ({ address }: BioVec) => Math.floor(address / 2 ** 20);
  for (let round = 0; round < LISTS; round++) {
    const vectors = Array.from({ length: prng.between(0, 10) }, () =>
      at(prng.below(4) * 2 ** 20 + prng.below(256) * 4096, 4096, prng.pick(FLAGS)),
    );
    const lists = uniformLists(BvecList.fromVectors(vectors), ownerOf);
    expect(lists.flatMap((list) => [...list])).toEqual(vectors);
    for (const list of lists) {
      const first = list.at(0);
      for (const vector of list) {
        expect(vector.flags).toBe(first.flags);
        if (vector.flags !== 0) expect(ownerOf(vector)).toBe(ownerOf(first));
      }
    }
    // As few as the order allows: neighbouring lists could not have been one.
    lists.forEach((list, index) => {
      const next = lists[index + 1];
      if (next) expect(mayAddVector(list, next.at(0), 'mainline', ownerOf).allowed).toBe(false);
    });
  }
});

test('E49: bios of P2P memory never merge under mainline; under mixed they share a request, vector by vector', () => {
  const limits = queueLimits();
  const bios: Bio[] = [0, 1, 2, 3].map((index) =>
    createBio({
      vectors: [at(0x10000 + index * 4096, 4096, index === 2 ? BVEC_MAP_BUS_ADDR : 0)],
      operation: 'read',
      sector: index * 8,
    }),
  );
  const sizes = (rules: 'mainline' | 'mixed') => mergeBios(bios, rules, limits).map((request) => request.bios.length);
  expect(sizes('mainline')).toEqual([2, 1, 1]);
  expect(sizes('mixed')).toEqual([4]);
  const [request] = mergeBios(bios, 'mixed', limits);
  expect(request?.mayContainP2p).toBe(true);
  expect([...requestVectors(request as never)].map(({ flags }) => flags)).toEqual([0, 0, BVEC_MAP_BUS_ADDR, 0]);
  expect(segmentsOf(requestVectors(request as never), limits).count).toBe(3);
});

test('each obstacle to a merge is named', () => {
  const limits = queueLimits({ maxSegments: 2, maxBytes: 16384, virtBoundaryMask: 4095 });
  const first = requestFromBios([createBio({ vectors: [at(0x1000, 4096)], operation: 'read', sector: 0 })]);
  const bio = (change: Partial<{ vectors: BioVec[]; operation: 'write'; sector: number; mayContainP2p: boolean }>) =>
    createBio({ vectors: [at(0x9000, 4096)], operation: 'read', sector: 8, ...change });
  const decide = (other: Bio, rules: 'mainline' | 'mixed' = 'mixed') => mayMergeBio(first, other, rules, limits);
  expect(decide(bio({}))).toEqual(allowed);
  expect(decide(bio({}), 'mainline')).toEqual(allowed);
  expect(decide(bio({ mayContainP2p: true }), 'mainline')).toEqual(refused('P2P_NEVER_MERGES'));
  expect(decide(bio({ mayContainP2p: true }))).toEqual(allowed);
  expect(decide(bio({ operation: 'write' }))).toEqual(refused('OTHER_OPERATION'));
  expect(decide(bio({ sector: 9 }))).toEqual(refused('NOT_ADJACENT'));
  expect(decide(bio({ vectors: [at(0x9000, 16384)] }))).toEqual(refused('TOO_MANY_BYTES'));
  expect(decide(bio({ vectors: [at(0x9200, 4096)] }))).toEqual(refused('GAP'));
  expect(decide(bio({ vectors: [at(0x9000, 4096), at(0xb000, 4096)] }))).toEqual(refused('TOO_MANY_SEGMENTS'));
  const adjacent = [at(0x2000, 4096), at(0x9000, 4096)];
  expect(decide(bio({ vectors: adjacent }))).toEqual(allowed);
});
