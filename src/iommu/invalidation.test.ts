import { expect, test } from 'vitest';
import { type Iova, iova, physAddr } from '../core/address.ts';
import { Prng } from '../core/prng.ts';
import { IommuDomain } from './domain.ts';
import { Iotlb } from './invalidation.ts';
import { IovaAllocator } from './iova-allocator.ts';

const READ_WRITE = { read: true, write: true, mmio: false };

function newDomain(): IommuDomain {
  return new IommuDomain({ allocator: new IovaAllocator(), lazy: true });
}

test('a translation is filled once by page and requester, and answers every byte of the page', () => {
  const domain = newDomain();
  const iotlb = new Iotlb();
  domain.map(iova(0x10000), physAddr(0x200000), 0x2000, READ_WRITE);
  expect(iotlb.translate(1, domain, iova(0x10004), 'read').hit).toBe(false);
  expect(iotlb.translate(1, domain, iova(0x10fff), 'write')).toEqual({
    translation: { phys: 0x200fff, mmio: false, leafBytes: 4096 },
    hit: true,
    stale: false,
  });
  expect(iotlb.translate(2, domain, iova(0x10004), 'read').hit).toBe(false);
  expect(iotlb.translate(1, domain, iova(0x11000), 'read').hit).toBe(false);
  expect([iotlb.size, iotlb.hits, iotlb.misses]).toEqual([3, 1, 3]);
  expect(iotlb.holds(1, iova(0x10800))).toBe(true);
  expect(iotlb.holds(3, iova(0x10800))).toBe(false);
});

test('faults are not cached, nor a right that the entry lacks', () => {
  const domain = newDomain();
  const iotlb = new Iotlb();
  expect(iotlb.translate(1, domain, iova(0x10000), 'read').translation).toHaveProperty('fault', 'not-mapped');
  expect(iotlb.size).toBe(0);
  domain.map(iova(0x10000), physAddr(0x5000), 4096, { read: true, write: false, mmio: true });
  expect(iotlb.translate(1, domain, iova(0x10000), 'read')).toMatchObject({ translation: { mmio: true }, hit: false });
  expect(iotlb.translate(1, domain, iova(0x10000), 'write')).toMatchObject({
    translation: { fault: 'no-write' },
    hit: false,
  });
  expect(iotlb.translate(1, domain, iova(0x10000), 'read')).toMatchObject({ translation: { mmio: true }, hit: true });
});

test("an entry serves its own domain only, and survives another domain's invalidation", () => {
  const [one, two] = [newDomain(), newDomain()];
  const iotlb = new Iotlb();
  one.map(iova(0x10000), physAddr(0x5000), 4096, READ_WRITE);
  two.map(iova(0x10000), physAddr(0x6000), 4096, READ_WRITE);
  iotlb.translate(1, one, iova(0x10000), 'read');
  iotlb.translate(2, two, iova(0x10000), 'read');
  expect(iotlb.translate(1, two, iova(0x10000), 'read')).toMatchObject({ translation: { phys: 0x6000 }, hit: false });
  expect(iotlb.size).toBe(2);
  iotlb.translate(1, one, iova(0x10000), 'read');
  iotlb.invalidateDomain(two);
  expect([iotlb.holds(1, iova(0x10000)), iotlb.holds(2, iova(0x10000))]).toEqual([true, false]);
  iotlb.invalidateAll();
  expect(iotlb.size).toBe(0);
});

test('page-selective invalidation drops exactly the pages of the range, for every requester', () => {
  for (const span of [1, 3, 100]) {
    const domain = newDomain();
    const iotlb = new Iotlb();
    domain.map(iova(0x100000), physAddr(0x100000), 64 * 4096, READ_WRITE);
    for (const requester of [1, 2]) {
      for (let page = 0; page < 10; page++) {
        iotlb.translate(requester, domain, (0x100000 + page * 4096) as Iova, 'read');
      }
    }
    iotlb.invalidate(domain, iova(0x100000 + 4 * 4096), span * 4096);
    for (const requester of [1, 2]) {
      for (let page = 0; page < 10; page++) {
        const dropped = page >= 4 && page < 4 + span;
        expect(iotlb.holds(requester, (0x100000 + page * 4096) as Iova)).toBe(!dropped);
      }
    }
  }
});

test('a full cache drops its oldest entry', () => {
  const domain = newDomain();
  const iotlb = new Iotlb({ entries: 4 });
  domain.map(iova(0x100000), physAddr(0), 64 * 4096, READ_WRITE);
  for (let page = 0; page < 6; page++) iotlb.translate(1, domain, (0x100000 + page * 4096) as Iova, 'read');
  expect(iotlb.size).toBe(4);
  const held = [0, 1, 2, 3, 4, 5].map((page) => iotlb.holds(1, (0x100000 + page * 4096) as Iova));
  expect(held).toEqual([false, false, true, true, true, true]);
  iotlb.translate(2, domain, iova(0x100000), 'read');
  expect([iotlb.size, iotlb.holds(2, iova(0x100000)), iotlb.holds(1, iova(0x102000))]).toEqual([4, true, false]);
  expect(() => new Iotlb({ entries: 0 })).toThrow('0 entries');
});

test('E43: with strict unmapping no access at random ever sees a stale page; without, the mark is always right', () => {
  for (const lazy of [false, true]) {
    const prng = new Prng(43);
    const domain = new IommuDomain({ allocator: new IovaAllocator(), lazy });
    const iotlb = new Iotlb({ entries: 20 });
    domain.attach(iotlb);
    const mapped = new Map<number, number>();
    let stale = 0;
    for (let step = 0; step < 10_000; step++) {
      const page = prng.below(32);
      const at = (0x100000 + page * 4096) as Iova;
      const choice = prng.below(4);
      if (choice === 0 && !mapped.has(page)) {
        const phys = prng.between(1, 1000) * 4096;
        domain.map(at, physAddr(phys), 4096, READ_WRITE);
        mapped.set(page, phys);
      } else if (choice === 1 && mapped.has(page)) {
        domain.unmap(at, 4096);
        mapped.delete(page);
      } else {
        const answer = iotlb.translate(prng.below(3), domain, at, 'read');
        const phys = 'phys' in answer.translation ? answer.translation.phys : undefined;
        expect(answer.stale).toBe(phys !== mapped.get(page));
        if (answer.stale) stale++;
      }
      if (lazy && prng.chance(0.01)) {
        domain.flush();
        expect(iotlb.size).toBe(0);
      }
    }
    expect(stale > 0).toBe(lazy);
  }
});
