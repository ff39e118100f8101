import { expect, test } from 'vitest';
import { AssertionError } from '../core/assert.ts';
import { Prng } from '../core/prng.ts';
import { SparseMemory } from './sparse-memory.ts';

const CHUNK = 65536;

test('what was never written reads as zeros, at any place of a memory of 2^52 bytes', () => {
  const memory = new SparseMemory(2 ** 52);
  const into = new Uint8Array(100).fill(9);
  memory.read(2 ** 52 - 100, into);
  expect(into.every((byte) => byte === 0)).toBe(true);
  expect(memory.allocatedBytes).toBe(0);
});

test('bytes are kept across the edges of chunks, as a plain array keeps them', () => {
  const prng = new Prng(3);
  const size = 3 * CHUNK + 17;
  const memory = new SparseMemory(size);
  const plain = new Uint8Array(size);
  for (let step = 0; step < 1000; step++) {
    const length = prng.chance(0.1) ? prng.between(1, size) : prng.between(1, 200);
    const at = prng.chance(0.3)
      ? Math.min(CHUNK * prng.between(0, 3) - prng.between(0, 3), size - length)
      : prng.below(size);
    const offset = Math.max(0, Math.min(at, size - length));
    if (prng.chance(0.1)) {
      const value = prng.below(3);
      memory.fill(offset, length, value);
      plain.fill(value, offset, offset + length);
    } else if (prng.chance(0.5)) {
      const bytes = Uint8Array.from({ length: length + 2 }, () => prng.next() & 0xff);
      memory.write(offset, bytes, 1, length + 1);
      plain.set(bytes.subarray(1, length + 1), offset);
    }
    const into = new Uint8Array(length);
    memory.read(offset, into);
    expect(into.findIndex((byte, index) => byte !== plain[offset + index])).toBe(-1);
  }
});

test('a snapshot stays, and the first byte that differs is found', () => {
  const memory = new SparseMemory(10 * CHUNK);
  memory.write(5, Uint8Array.of(1, 2, 3));
  const before = memory.snapshot();
  expect(memory.firstDifference(before)).toBeNull();
  memory.write(7 * CHUNK + 3, Uint8Array.of(1));
  memory.write(2 * CHUNK + 9, Uint8Array.of(1));
  expect(memory.firstDifference(before)).toBe(2 * CHUNK + 9);
  expect(before.firstDifference(memory)).toBe(2 * CHUNK + 9);
  memory.fill(3 * CHUNK - 2, 4, 7);
  expect(memory.differences(before)).toEqual([
    { start: 2 * CHUNK + 9, end: 2 * CHUNK + 10 },
    { start: 3 * CHUNK - 2, end: 3 * CHUNK + 2 },
    { start: 7 * CHUNK + 3, end: 7 * CHUNK + 4 },
  ]);
  memory.clear();
  expect(memory.firstDifference(before)).toBe(5);
});

test('an access that does not lie inside is a mistake of ours', () => {
  const memory = new SparseMemory(100);
  expect(() => memory.read(99, new Uint8Array(2))).toThrow(AssertionError);
  expect(() => memory.write(-1, new Uint8Array(1))).toThrow(AssertionError);
  expect(() => memory.fill(0, 101, 1)).toThrow(AssertionError);
  expect(() => new SparseMemory(1.5)).toThrow(AssertionError);
});
