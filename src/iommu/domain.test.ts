import { expect, test } from 'vitest';
import { type Iova, type PhysAddr, Prng } from '../core/index.ts';
import { IommuDomain } from './domain.ts';
import { IovaAllocator } from './iova-allocator.ts';
import { iovaSnapshotDifference } from './iova-snapshot.ts';

const READ_WRITE = { read: true, write: true, mmio: false };

test('mapping and unmapping at random restores table and allocator', () => {
  const prng = new Prng(7);
  const allocator = new IovaAllocator({ reserved: [{ start: 0xe0000000, end: 0xf0000000 }] });
  const domain = new IommuDomain({ allocator });
  const empty = allocator.snapshot();
  const live: { iova: Iova; phys: number; length: number }[] = [];
  for (let step = 0; step < 10_000; step++) {
    if (live.length < 200 && prng.chance(0.55)) {
      const length = prng.chance(0.05) ? 0x200000 * prng.between(1, 3) : 4096 * prng.between(1, 700);
      const phys = (prng.chance(0.5) ? 0x200000 : 4096) * prng.between(1, 1000) + 2 ** 40;
      const iova = allocator.allocate(length) as Iova;
      domain.map(iova, phys as PhysAddr, length, READ_WRITE);
      live.push({ iova, phys, length });
      for (const at of [0, 5, length >> 1, length - 1]) {
        expect(domain.translate((iova + at) as Iova, 'read')).toMatchObject({ phys: phys + at });
      }
    } else if (live.length > 0) {
      const [gone] = live.splice(prng.below(live.length), 1) as [(typeof live)[0]];
      domain.unmap(gone.iova, gone.length);
      domain.release(gone.iova, gone.length);
      expect(domain.translate(gone.iova, 'read')).toHaveProperty('fault', 'not-mapped');
    }
    if (step % 500 === 0) allocator.check();
  }
  for (const { iova, length } of live) {
    domain.unmap(iova, length);
    domain.release(iova, length);
  }
  allocator.check();
  expect(iovaSnapshotDifference(empty, allocator.snapshot())).toBeNull();
  expect(domain.mappedBytes).toBe(0);
  expect(domain.tableCount).toBe(1);
  for (const { words } of domain.tablePages()) expect(words.every((word) => word === 0)).toBe(true);
});
