import { expect, test } from 'vitest';
import { Prng } from '../../core/prng.ts';
import { putU64 } from '../spec/bytes.ts';
import { PRP_BYTES } from '../spec/prp.ts';
import { STATUS } from '../spec/status.ts';
import type { PointerSink } from './pointer-sink.ts';
import { PrpWalk } from './prp-walk.ts';

const PAGE = 4096;
/** Entries of a full list page that are data: the last one points on. */
const CHAINED = PAGE / PRP_BYTES - 1;

/** Remembers what a walk found, and serves lists from a memory of its own. */
class Finder implements PointerSink {
  readonly memory = new Uint8Array(64 * PAGE);
  found: [number, number][] = [];
  listReads: [number, number][] = [];

  add(address: number, length: number): number {
    this.found.push([address, length]);
    return STATUS.SUCCESS;
  }
  addRelative(): number {
    throw new Error('a PRP is never relative');
  }
  addBucket(): void {
    throw new Error('a PRP is never a bucket');
  }
  readList(address: number, into: Uint8Array): number {
    this.listReads.push([address, into.length]);
    into.set(this.memory.subarray(address, address + into.length));
    return STATUS.SUCCESS;
  }
}

/**
 * Pages of a scattered buffer, and the PRPs that name them, built independently: PRP1, PRP2, and lists in the finder's memory
 * whose first page begins at `listAt`.
 */
function scattered(finder: Finder, offset: number, length: number, listAt: number, prng: Prng) {
  const pages = Math.ceil((offset + length) / PAGE);
  // Far above 2^32, never twice the same, never touching.
  const addresses = Array.from({ length: pages }, (_, index) => 2 ** 40 + (prng.below(1000) + index * 1001) * 2 * PAGE);
  const first = addresses[0] as number;
  const expected: [number, number][] = addresses.map((address, index) => {
    const from = index === 0 ? offset : 0;
    const to = index === pages - 1 ? offset + length - index * PAGE : PAGE;
    return [address + from, to - from];
  });
  if (pages <= 2) return { prp1: first + offset, prp2: addresses[1] ?? 0, expected };
  let slot = listAt;
  for (let index = 1; index < pages; index++) {
    const isLastSlot = slot % PAGE === PAGE - PRP_BYTES;
    if (isLastSlot && index < pages - 1) {
      const next = (Math.floor(slot / PAGE) + 2) * PAGE;
      putU64(finder.memory, slot, next);
      slot = next;
    }
    putU64(finder.memory, slot, addresses[index] as number);
    slot += PRP_BYTES;
  }
  return { prp1: first + offset, prp2: listAt, expected };
}

test('PRPs name the pages of a buffer in order, for every length around a page, a list page and a chain', () => {
  const edges = [1, PAGE, 2 * PAGE, 3 * PAGE, CHAINED * PAGE, (CHAINED + 1) * PAGE, (CHAINED + 2) * PAGE];
  edges.push((2 * CHAINED + 1) * PAGE, (2 * CHAINED + 2) * PAGE);
  let cases = 0;
  for (const offset of [0, 4, 512, PAGE - 4]) {
    for (const edge of edges) {
      for (const length of [edge - 4, edge, edge + 4]) {
        if (length <= 0) continue;
        const finder = new Finder();
        const { prp1, prp2, expected } = scattered(finder, offset, length, 2 * PAGE, new Prng(length));
        expect(new PrpWalk(finder, PAGE).walk(prp1, prp2, length)).toBe(STATUS.SUCCESS);
        expect(finder.found).toEqual(expected);
        cases++;
      }
    }
  }
  expect(cases).toBeGreaterThan(100);
});

test('a list may begin anywhere in its page, in its last slot too, and no slot beyond the need is read', () => {
  const seed = 0x11a2;
  const prng = new Prng(seed);
  for (let round = 0; round < 500; round++) {
    const finder = new Finder();
    const listAt = 2 * PAGE + prng.below(PAGE / PRP_BYTES) * PRP_BYTES;
    const offset = prng.below(PAGE / 4) * 4;
    const length = 1 + prng.below(600 * PAGE);
    const { prp1, prp2, expected } = scattered(finder, offset, length, listAt, prng);
    expect(new PrpWalk(finder, PAGE).walk(prp1, prp2, length), `seed ${seed}, round ${round}`).toBe(STATUS.SUCCESS);
    expect(finder.found).toEqual(expected);
    const slotsRead = finder.listReads.reduce((sum, [, bytes]) => sum + bytes / PRP_BYTES, 0);
    const pointers = Math.max(0, finder.listReads.length - 1);
    expect(slotsRead).toBe(expected.length > 2 ? expected.length - 1 + pointers : 0);
    for (const [address, bytes] of finder.listReads) expect((address % PAGE) + bytes).toBeLessThanOrEqual(PAGE);
  }
});

test('a PRP that is not dword aligned, and an offset behind the first entry, are PRP Offset Invalid', () => {
  const status = (prp1: number, prp2: number, length: number, fill?: (finder: Finder) => void): number => {
    const finder = new Finder();
    for (let index = 0; index < 8; index++) putU64(finder.memory, 2 * PAGE + index * PRP_BYTES, (16 + index) * PAGE);
    fill?.(finder);
    return new PrpWalk(finder, PAGE).walk(prp1, prp2, length);
  };
  for (const low of [1, 2, 3]) expect(status(PAGE + low, 0, 4)).toBe(STATUS.PRP_OFFSET_INVALID);
  expect(status(PAGE, 8 * PAGE + 4, 2 * PAGE)).toBe(STATUS.PRP_OFFSET_INVALID);
  expect(status(PAGE, 2 * PAGE + 4, 3 * PAGE)).toBe(STATUS.PRP_OFFSET_INVALID);
  expect(status(PAGE, 2 * PAGE, 3 * PAGE)).toBe(STATUS.SUCCESS);
  for (let slot = 0; slot < 3; slot++) {
    const spoil = (finder: Finder): void => putU64(finder.memory, 2 * PAGE + slot * PRP_BYTES, 16 * PAGE + 512);
    expect(status(PAGE, 2 * PAGE, 4 * PAGE, spoil)).toBe(STATUS.PRP_OFFSET_INVALID);
  }
  const badChain = (finder: Finder): void => putU64(finder.memory, 3 * PAGE - PRP_BYTES, 4 * PAGE + PRP_BYTES);
  expect(status(PAGE, 3 * PAGE - PRP_BYTES, 4 * PAGE, badChain)).toBe(STATUS.PRP_OFFSET_INVALID);
});

test('a PRP of 0 where one is needed is Invalid Field, in each of its places', () => {
  const finder = new Finder();
  const walk = new PrpWalk(finder, PAGE);
  expect(walk.walk(0, 0, 4)).toBe(STATUS.INVALID_FIELD);
  expect(walk.walk(PAGE, 0, 2 * PAGE)).toBe(STATUS.INVALID_FIELD);
  expect(walk.walk(PAGE, 0, 3 * PAGE)).toBe(STATUS.INVALID_FIELD);
  // A list of zeros; a chain pointer of 0.
  expect(walk.walk(PAGE, 2 * PAGE, 3 * PAGE)).toBe(STATUS.INVALID_FIELD);
  expect(walk.walk(PAGE, 3 * PAGE - PRP_BYTES, 4 * PAGE)).toBe(STATUS.INVALID_FIELD);
});
