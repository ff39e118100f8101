import { expect, test } from 'vitest';
import { IovaAllocator } from './iova-allocator.ts';

test('E44: the first pages below 4 GiB are 0xfffff000, then 0xffffe000', () => {
  const allocator = new IovaAllocator();
  expect(allocator.allocate(4096)).toBe(0xfffff000);
  expect(allocator.allocate(1)).toBe(0xffffe000);
});
