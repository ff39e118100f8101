import { expect, test } from 'vitest';
import { functionWithBars, refusal } from '../../tests/p2p/functions.ts';
import { ProviderError } from './errors.ts';
import { P2pMemory } from './provider.ts';

const PAGE = 4096;
const BASE = 0x20_0000_0000;

function memoryOf(pages: number): P2pMemory {
  const memory = new P2pMemory(functionWithBars([{ index: 0, start: BASE, size: pages * PAGE }]));
  memory.addResource({ bar: 0 });
  return memory;
}

function refused(action: () => unknown): [string, string | undefined] {
  const error = refusal(ProviderError, action);
  return [error.code, error.errno];
}

test('E26: private, offset other than 0, no bytes: EINVAL; larger than the pool: ENOMEM', () => {
  const memory = memoryOf(4);
  const ask = { shared: true, offset: 0, length: PAGE };
  for (const [request, code, errno] of [
    [{ ...ask, shared: false }, 'MAPPING_PRIVATE', 'EINVAL'],
    [{ ...ask, shared: false, offset: PAGE, length: 5 * PAGE }, 'MAPPING_PRIVATE', 'EINVAL'],
    [{ ...ask, offset: PAGE }, 'MAPPING_OFFSET', 'EINVAL'],
    [{ ...ask, offset: PAGE, length: 5 * PAGE }, 'MAPPING_OFFSET', 'EINVAL'],
    [{ ...ask, offset: 1 }, 'MAPPING_OFFSET', 'EINVAL'],
    [{ ...ask, length: 0 }, 'MAPPING_LENGTH', 'EINVAL'],
    [{ ...ask, length: -PAGE }, 'MAPPING_LENGTH', 'EINVAL'],
    [{ ...ask, length: Number.NaN }, 'MAPPING_LENGTH', 'EINVAL'],
    [{ ...ask, length: 4 * PAGE + 1 }, 'POOL_EXHAUSTED', 'ENOMEM'],
    [{ ...ask, length: 2 ** 53 - 1 }, 'POOL_EXHAUSTED', 'ENOMEM'],
  ] as const) {
    expect(refused(() => memory.mmap(request))).toEqual([code, errno]);
    expect(memory.available).toBe(4 * PAGE);
  }
  expect(memory.mmap({ ...ask, length: 4 * PAGE }).pageCount).toBe(4);
});

test('E26: a length that ends in a page is rounded up to it', () => {
  const memory = memoryOf(4);
  expect(memory.mmap({ shared: true, offset: 0, length: PAGE + 1 }).pageCount).toBe(2);
  expect(memory.available).toBe(2 * PAGE);
  expect(memory.mmap({ shared: true, offset: 0, length: 1 }).pageCount).toBe(1);
  expect(memory.available).toBe(PAGE);
});

test('E26: no peer-to-peer memory, or a provider on its way out: ENODEV', () => {
  const without = new P2pMemory(functionWithBars([{ index: 0, start: BASE, size: PAGE }]));
  const ask = { shared: true, offset: 0, length: PAGE };
  expect(refused(() => without.mmap(ask))).toEqual(['PROVIDER_GONE', 'ENODEV']);
  const memory = memoryOf(4);
  memory.beginRemoval();
  expect(refused(() => memory.mmap(ask))).toEqual(['PROVIDER_GONE', 'ENODEV']);
  expect(memory.available).toBe(4 * PAGE);
  memory.finishRemoval();
  expect(refused(() => memory.mmap(ask))).toEqual(['PROVIDER_GONE', 'ENODEV']);
});

test('a mapping is contiguous, and each page goes back when it is neither mapped nor pinned', () => {
  const memory = memoryOf(8);
  memory.allocate(PAGE);
  const mapping = memory.mmap({ shared: true, offset: 0, length: 4 * PAGE });
  expect([0, 1, 2, 3, 4].map((page) => mapping.phys(page))).toEqual([
    ...[1, 2, 3, 4].map((page) => BASE + page * PAGE),
    null,
  ]);
  mapping.unmap(0, 1);
  expect([memory.available, mapping.mappedPages, mapping.phys(0)]).toEqual([4 * PAGE, 3, null]);
  expect(mapping.pin(1).phys).toBe(BASE + 2 * PAGE);
  mapping.pin(1);
  mapping.unmap();
  expect([memory.available, mapping.mappedPages]).toEqual([6 * PAGE, 0]);
  mapping.unpin(1);
  expect(memory.available).toBe(6 * PAGE);
  mapping.unpin(1);
  expect(memory.available).toBe(7 * PAGE);
  expect(refused(() => mapping.unpin(1))).toEqual(['DMA_NOT_IN_FLIGHT', 'EINVAL']);
  expect(refused(() => mapping.pin(1))).toEqual(['PAGE_NOT_MAPPED', 'EFAULT']);
  expect(refused(() => mapping.pin(7))).toEqual(['PAGE_NOT_MAPPED', 'EFAULT']);
  // What is unmapped already is passed over.
  mapping.unmap();
  expect(memory.available).toBe(7 * PAGE);
});

test('E24: removal zaps the mappings at once and waits for pinned pages only', () => {
  const memory = memoryOf(8);
  const pinned = memory.mmap({ shared: true, offset: 0, length: 3 * PAGE });
  const idle = memory.mmap({ shared: true, offset: 0, length: 2 * PAGE });
  const page = pinned.pin(1);
  expect(memory.beginRemoval()).toEqual({ allocations: [page], transfers: 1 });
  expect([pinned.mappedPages, idle.mappedPages, idle.phys(0)]).toEqual([0, 0, null]);
  expect(memory.available).toBe(7 * PAGE);
  expect(refused(() => memory.finishRemoval())).toEqual(['REMOVAL_BLOCKED', 'EBUSY']);
  pinned.unpin(1);
  expect(memory.available).toBe(8 * PAGE);
  memory.finishRemoval();
});

test('E24: revoke zaps the mappings and names the pages with I/O, whose end is no error then', () => {
  const memory = memoryOf(8);
  const mapping = memory.mmap({ shared: true, offset: 0, length: 3 * PAGE });
  const page = mapping.pin(2);
  expect(memory.revoke()).toEqual({ allocations: [page], transfers: 1 });
  expect(mapping.mappedPages).toBe(0);
  mapping.unpin(2);
  mapping.unmap();
});

test('a hundred mappings made and unmapped leave nothing for removal to wait for', () => {
  const memory = memoryOf(4);
  for (let round = 0; round < 100; round++) memory.mmap({ shared: true, offset: 0, length: 4 * PAGE }).unmap();
  expect(memory.beginRemoval()).toEqual({ allocations: [], transfers: 0 });
  memory.finishRemoval();
});
