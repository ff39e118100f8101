import { expect, test } from 'vitest';
import { busAddr, physAddr } from '../core/address.ts';
import { createBio } from './bio.ts';
import { type BioVec, BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from './bio-vec.ts';
import { BlockError } from './errors.ts';
import { queueLimits } from './queue-limits.ts';
import { requestFromBios, requestVectors } from './request.ts';
import { submitBio } from './submit.ts';

const withP2p = { limits: queueLimits(), features: { p2p: true } };
const withoutP2p = { limits: queueLimits(), features: { p2p: false } };
const ram = { address: physAddr(0x1000), length: 4096, flags: 0 };
const resource = { address: physAddr(0xe0000000), length: 4096, flags: BVEC_MAP_RESOURCE };
const bus = { address: busAddr(0xe0000000), length: 4096, flags: BVEC_MAP_BUS_ADDR };

function refusal(action: () => unknown): BlockError {
  try {
    action();
  } catch (error) {
    if (error instanceof BlockError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const read = (vectors: BioVec[], mayContainP2p?: boolean) =>
  createBio({ vectors, operation: 'read', ...(mayContainP2p === undefined ? {} : { mayContainP2p }) });

test('E48: a bio that may contain P2P is rejected at submit by a queue without the feature, whatever its vectors', () => {
  for (const bio of [read([ram, bus]), read([resource]), read([ram], true)]) {
    expect(refusal(() => submitBio(bio, withoutP2p))).toMatchObject({
      code: 'QUEUE_WITHOUT_P2P',
      path: 'queue.p2p',
      errno: 'EREMOTEIO',
    });
    expect(submitBio(bio, withP2p)).toHaveLength(1);
  }
  expect(submitBio(read([ram]), withoutP2p)).toHaveLength(1);
});

test('E48: a flagged vector in a bio that announces none is rejected by every queue, the vector named', () => {
  for (const queue of [withP2p, withoutP2p]) {
    const error = refusal(() => submitBio(read([ram, ram, bus], false), queue));
    expect(error).toMatchObject({ code: 'P2P_NOT_ANNOUNCED', path: 'vectors[2]' });
    expect(error.hint).toContain('mayContainP2p');
  }
});

test('left out, mayContainP2p is whether any vector has a flag', () => {
  expect(read([ram]).mayContainP2p).toBe(false);
  expect(read([ram, resource]).mayContainP2p).toBe(true);
  expect(read([ram], true).mayContainP2p).toBe(true);
});

test('a list that was filled unchecked is checked at submit', () => {
  const vectors = new BvecList();
  vectors.push(0x1000, 0, 0);
  expect(refusal(() => submitBio(createBio({ vectors, operation: 'read' }), withP2p))).toMatchObject({
    code: 'ZERO_LENGTH',
    path: 'vectors[0].length',
  });
});

test("a vector that breaks the queue's alignment is refused, in address or length", () => {
  const queue = { limits: queueLimits({ dmaAlignment: 3 }), features: { p2p: true } };
  for (const change of [{ address: physAddr(0x1002) }, { length: 4094 }]) {
    const error = refusal(() => submitBio(read([ram, { ...ram, ...change }]), queue));
    expect(error).toMatchObject({ code: 'VECTOR_INVALID', path: 'vectors[1]' });
  }
  expect(submitBio(read([{ ...ram, address: physAddr(0x1004), length: 4092 }]), queue)).toHaveLength(1);
});

test('a bio longer than the limits becomes several requests in its order; an empty one none', () => {
  const queue = { limits: queueLimits({ maxSegments: 1 }), features: { p2p: true } };
  const requests = submitBio(read([ram, bus, resource]), queue);
  expect(requests.map((request) => [...requestVectors(request)])).toEqual([[ram], [bus], [resource]]);
  expect(requests.map(({ sector }) => sector)).toEqual([0, 8, 16]);
  expect(submitBio(read([]), withP2p)).toEqual([]);
});

test('a sector that is none is refused', () => {
  for (const sector of [-1, 0.5, 2 ** 53]) {
    expect(refusal(() => createBio({ vectors: [ram], operation: 'read', sector }))).toMatchObject({
      code: 'VECTOR_INVALID',
      path: 'sector',
    });
  }
});

test('a request is bios of one operation without gaps on the disk', () => {
  const first = createBio({ vectors: [ram, bus], operation: 'read', sector: 10 });
  const second = createBio({ vectors: [ram], operation: 'read', sector: 26 });
  const request = requestFromBios([first, second]);
  expect(request).toMatchObject({ operation: 'read', sector: 10, mayContainP2p: true, byteLength: 12288 });
  expect([...requestVectors(request)]).toEqual([ram, bus, ram]);
  expect(requestVectors(requestFromBios([first]))).toBe(first.vectors);
  expect(refusal(() => requestFromBios([]))).toMatchObject({ code: 'REQUEST_INVALID', path: 'bios' });
  expect(refusal(() => requestFromBios([second, first]))).toMatchObject({ path: 'bios[1].sector' });
  expect(refusal(() => requestFromBios([first, { ...second, operation: 'write' }]))).toMatchObject({
    path: 'bios[1].operation',
  });
});
