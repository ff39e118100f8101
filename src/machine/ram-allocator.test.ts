import { expect, test } from 'vitest';
import { same } from '../../tests/p2p/functions.ts';
import { type PhysAddr, physAddr } from '../core/address.ts';
import { Prng } from '../core/prng.ts';
import { RamAllocator, RamError } from './ram-allocator.ts';

const PAGE = 4096;
const MIB = 2 ** 20;

function refused(action: () => unknown): [string, string | undefined] {
  try {
    action();
  } catch (error) {
    if (error instanceof RamError) return [error.code, error.errno];
    throw error;
  }
  throw new Error('nothing was refused');
}

test('whole pages from 1 MiB up are given out, first fit', () => {
  const ram = new RamAllocator([
    { start: 3 * MIB + 1, end: 3 * MIB + 4 * PAGE - 1 },
    { start: PAGE, end: MIB + 2 * PAGE },
  ]);
  expect(ram.available).toBe(4 * PAGE);
  expect(ram.kmalloc(PAGE)).toBe(MIB);
  expect(ram.kmalloc(2 * PAGE)).toBe(3 * MIB + PAGE);
  expect(ram.kmalloc(2 * PAGE)).toBeNull();
  expect(ram.kmalloc(1)).toBe(MIB + PAGE);
  expect(ram.kmalloc(1)).toBeNull();
  expect([ram.available, ram.allocations]).toEqual([0, 3]);
});

test('no bytes, and more than there is, are null; what is no length is refused', () => {
  const ram = new RamAllocator([{ start: MIB, end: 2 * MIB }]);
  expect([ram.kmalloc(0), ram.kmalloc(MIB + 1), ram.kmalloc(2 ** 53 - 1)]).toEqual([null, null, null]);
  for (const length of [-1, 0.5, Number.NaN, 2 ** 53]) {
    expect(refused(() => ram.kmalloc(length))).toEqual(['RAM_LENGTH_INVALID', 'EINVAL']);
  }
  expect(ram.kmalloc(MIB)).toBe(MIB);
});

test('a machine without a memory map has no RAM to give', () => {
  expect(new RamAllocator([]).kmalloc(1)).toBeNull();
  expect(new RamAllocator([{ start: 0, end: MIB }]).kmalloc(1)).toBeNull();
});

test('RAM may end at the end of the address space, and what is beyond is left out', () => {
  const ram = new RamAllocator([{ start: 2 ** 53 - 4 * PAGE, end: 2 ** 53 + 4 * PAGE }]);
  expect(ram.kmalloc(3 * PAGE)).toBe(2 ** 53 - 4 * PAGE);
  expect(ram.kmalloc(PAGE)).toBe(2 ** 53 - PAGE);
  expect(ram.kmalloc(1)).toBeNull();
  ram.free(physAddr(2 ** 53 - PAGE));
  ram.free(physAddr(2 ** 53 - 4 * PAGE));
  expect(ram.kmalloc(4 * PAGE)).toBe(2 ** 53 - 4 * PAGE);
});

test('only the beginning of what is held can be freed, once', () => {
  const ram = new RamAllocator([{ start: MIB, end: 2 * MIB }]);
  const address = ram.kmalloc(3 * PAGE) as PhysAddr;
  for (const wrong of [address + PAGE, address + 1, address + 8 * PAGE, 0]) {
    expect(refused(() => ram.free(physAddr(wrong)))).toEqual(['RAM_NOT_ALLOCATED', 'EINVAL']);
  }
  ram.free(address);
  expect(refused(() => ram.free(address))).toEqual(['RAM_NOT_ALLOCATED', 'EINVAL']);
  expect(ram.available).toBe(MIB);
});

test('1,000 random sequences: nothing overlaps, first fit holds, and freeing all makes the ranges whole', () => {
  const seed = 412;
  const prng = new Prng(seed);
  for (let sequence = 0; sequence < 1000; sequence++) {
    const ranges = [
      { start: MIB, end: MIB + prng.between(1, 20) * PAGE },
      { start: 8 * MIB, end: 8 * MIB + prng.between(1, 20) * PAGE },
    ];
    const ram = new RamAllocator(ranges);
    const pages = ranges.flatMap(({ start, end }) =>
      Array.from({ length: (end - start) / PAGE }, (_, page) => start + page * PAGE),
    );
    const taken = new Set<number>();
    const held: [address: PhysAddr, count: number][] = [];
    for (let step = 0; step < 40; step++) {
      const context = `seed ${seed}, sequence ${sequence}, step ${step}`;
      if (held.length > 0 && prng.chance(0.45)) {
        const [[address, count]] = held.splice(prng.below(held.length), 1) as [[PhysAddr, number]];
        ram.free(address);
        for (let page = 0; page < count; page++) taken.delete(address + page * PAGE);
      } else {
        const length = prng.between(1, 6 * PAGE);
        const count = Math.ceil(length / PAGE);
        const isFree = (page: number): boolean => pages.includes(page) && !taken.has(page);
        const wanted = pages.find((start) =>
          Array.from({ length: count }, (_, page) => start + page * PAGE).every(isFree),
        );
        const address = ram.kmalloc(length);
        same(address, wanted ?? null, context);
        if (address === null) continue;
        for (let page = 0; page < count; page++) taken.add(address + page * PAGE);
        held.push([address, count]);
      }
      same(ram.available, (pages.length - taken.size) * PAGE, context);
    }
    for (const [address] of held) ram.free(address);
    for (const { start, end } of ranges) expect(ram.kmalloc(end - start)).toBe(start);
  }
});
