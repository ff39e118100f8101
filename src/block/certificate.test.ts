import { expect, test } from 'vitest';
import { rounds, shown } from '../../tests/soak.ts';
import { busAddr, physAddr } from '../core/address.ts';
import { AssertionError } from '../core/assert.ts';
import { Prng } from '../core/prng.ts';
import { createBio } from './bio.ts';
import { type BioVec, BVEC_MAP_BUS_ADDR, BvecList } from './bio-vec.ts';
import { CERTIFIED_BUS, CERTIFIED_RAM, CERTIFIED_RESOURCE, certifiedType, certifiesP2p } from './certificate.ts';
import { BlockError } from './errors.ts';
import { mayJoinVectors, segmentsOf, uniformLists } from './merge.ts';
import { queueLimits } from './queue-limits.ts';
import { requestFromBios, requestVectors } from './request.ts';
import { cutVectors, joinBios, splitBio, splitToLimits } from './split.ts';

/** Requester 03:00.0, generation 5. */
const WORD = 0x0300_0000 | (5 << 2);
const RAM = WORD | CERTIFIED_RAM;
const BUS = WORD | CERTIFIED_BUS;
const RESOURCE = WORD | CERTIFIED_RESOURCE;

function vector(at: number, length: number, certificate: number): BioVec {
  const address = physAddr(at);
  return certificate === 0 ? { address, length, flags: 0 } : { address, length, flags: 0, certificate };
}

/** Every byte as (address, certificate). */
function bytesOf(lists: readonly BvecList[]): string[] {
  return lists.flatMap((list) =>
    [...list].flatMap(({ address, length, certificate = 0 }) =>
      Array.from({ length }, (_, byte) => `${address + byte} ${certificate}`),
    ),
  );
}

test('CERT8: a cut keeps the certificate of every byte: at every byte of a bio, and the join is the bio', () => {
  const vectors = [vector(0x1000, 5, RAM), vector(0x2000, 7, BUS), vector(0x3000, 3, 0), vector(0x4000, 4, RESOURCE)];
  const bio = createBio({ vectors, operation: 'read' });
  const bytes = bytesOf([bio.vectors]);
  for (let at = 1; at < bio.vectors.byteLength; at++) {
    const [head, tail] = splitBio(bio, at);
    expect(bytesOf([head.vectors, tail.vectors])).toEqual(bytes);
    expect([...joinBios(head, tail).vectors]).toEqual(vectors);
    expect(bytesOf([requestVectors(requestFromBios([head, tail]))])).toEqual(bytes);
  }
});

const LISTS = rounds(200, 10_000);

test(`CERT8: pieces and segments within a queue’s limits keep the certificate of every byte, ${shown(LISTS)} lists at random`, () => {
  const prng = new Prng(81);
  for (let round = 0; round < LISTS; round++) {
    const list = new BvecList();
    for (let index = prng.between(1, 6); index > 0; index--) {
      list.add(vector(prng.below(2 ** 12) * 64, prng.between(1, 600), prng.pick([0, RAM, BUS, RESOURCE])));
    }
    const limits = queueLimits({
      maxSegmentSize: prng.pick([64, 100, 65536]),
      segmentBoundaryMask: 0xff,
      maxSegments: 8,
    });
    const bytes = bytesOf([list]);
    expect(bytesOf([cutVectors(list, limits)])).toEqual(bytes);
    expect(bytesOf(uniformLists(list))).toEqual(bytes);
    const bio = createBio({ vectors: list, operation: 'write' });
    expect(bytesOf(splitToLimits(bio, { ...limits, maxSegments: 128 }).map((part) => part.vectors))).toEqual(bytes);
  }
});

test('CERT9: joined RAM keeps a certificate that both have, and has none where they differ (all 16 pairs)', () => {
  const limits = queueLimits();
  for (const first of [0, RAM, RAM + 4, RAM + 0x10000]) {
    for (const second of [0, RAM, RAM + 4, RAM + 0x10000]) {
      const list = BvecList.fromVectors([vector(0x1000, 4096, first), vector(0x2000, 4096, second)]);
      const wanted = first === second ? first : 0;
      expect([...segmentsOf(list, limits)]).toEqual([vector(0x1000, 8192, wanted)]);
    }
  }
});

test('CERT9: vectors that are certified as another device’s memory are never joined: equal certificates may be of two providers', () => {
  for (const word of [BUS, RESOURCE]) {
    expect(certifiesP2p(word)).toBe(true);
    for (const other of [0, RAM, word]) {
      for (const [first, second] of [
        [word, other],
        [other, word],
      ] as const) {
        const decision = mayJoinVectors(vector(0x1000, 4096, first), vector(0x2000, 4096, second), queueLimits());
        expect(decision).toEqual({ allowed: false, obstacle: 'P2P_NEVER_MERGES' });
      }
    }
  }
  expect([certifiesP2p(0), certifiesP2p(RAM), certifiedType(RAM)]).toEqual([false, false, CERTIFIED_RAM]);
});

test('CERT9: bios that a split did not make of one vector are not joined into one vector with two certificates', () => {
  const [head, tail] = splitBio(createBio({ vectors: [vector(0x1000, 8192, BUS)], operation: 'read' }), 4096);
  tail.vectors.certify(0, 0);
  expect(() => joinBios(head, tail)).toThrow(BlockError);
});

test('a vector has flags or a certificate: both take the 32 bits behind the length', () => {
  const both = { ...vector(0x1000, 4096, RAM), flags: BVEC_MAP_BUS_ADDR };
  expect(() => BvecList.fromVectors([both])).toThrow(
    expect.objectContaining({ code: 'VECTOR_INVALID', path: 'vectors[0].certificate' }),
  );
  const flagged = BvecList.fromVectors([{ address: busAddr(0x1000), length: 4096, flags: BVEC_MAP_BUS_ADDR }]);
  flagged.certify(0, 0);
  expect(() => flagged.certify(0, RAM)).toThrow(AssertionError);
});

test('a list gives certificates back by index, and none behind those that it holds', () => {
  const list = new BvecList(1);
  list.add(vector(0x1000, 1, RAM));
  for (let index = 1; index < 40; index++) list.push(0x1000 + index, 1, 0);
  list.certify(39, BUS);
  expect(Array.from({ length: 41 }, (_, index) => list.certificateAt(index))).toEqual(
    Array.from({ length: 41 }, (_, index) => (index === 0 ? RAM : index === 39 ? BUS : 0)),
  );
  list.certify(39, 0);
  expect(list.certificateAt(39)).toBe(0);
  list.clear();
  expect(list.certificateAt(0)).toBe(0);
});
