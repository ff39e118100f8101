/** What a mapping holds while it lives, and what is left when it ends or fails: rows 37 to 45 and 51 of the edge cases. */

import { describe, expect, test } from 'vitest';
import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from '../../src/block/bio-vec.ts';
import { type DmaAddr, type Iova, type PhysAddr, physAddr } from '../../src/core/address.ts';
import { rangesOverlap } from '../../src/core/range.ts';
import type { Classifier } from '../../src/dma/classifier.ts';
import { Premapped } from '../../src/dma/classify-premapped.ts';
import { MapError, type MapErrorCode } from '../../src/dma/errors.ts';
import { dmaMapBvec, dmaUnmapBvec } from '../../src/dma/map-bvec.ts';
import { dmaMapPage, dmaMapResource, dmaUnmapPage } from '../../src/dma/map-page.ts';
import { DmaMapping } from '../../src/dma/mapping.ts';
import { reservedWindows } from '../../src/dma/reserved-windows.ts';
import { link, sync, tryAlloc, unlink } from '../../src/dma/two-step.ts';
import { IommuDomain } from '../../src/iommu/domain.ts';
import { Iotlb } from '../../src/iommu/invalidation.ts';
import { IovaAllocator } from '../../src/iommu/iova-allocator.ts';
import { DESIGNS, listOf, MIB, World } from './world.ts';

function refusal(action: () => unknown): MapError {
  try {
    action();
  } catch (error) {
    if (error instanceof MapError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function expectRefused(action: () => unknown, code: MapErrorCode, errno: string | undefined, path: RegExp): MapError {
  const error = refusal(action);
  expect({ code: error.code, errno: error.errno }).toEqual({ code, errno });
  expect(error.path).toMatch(path);
  expect(error.message).not.toBe('');
  expect(error.hint).not.toBe('');
  return error;
}

const RAM_LIST = (count: number): BvecList => {
  const list = new BvecList(count);
  for (let page = 0; page < count; page++) list.push(0x200000 + page * 8192, 4096, 0);
  return list;
};

describe('addresses', () => {
  test('E37: an IOVA never equals a bus address: windows and BARs of the host bridge, and the MSI window, are reserved', () => {
    for (const busOffset of [0, 2 ** 31, -(2 ** 32)]) {
      const world = new World({ busOffset });
      const device = world.device();
      const windows = reservedWindows(world.machine, device.fn);
      for (const place of ['client', 'near', 'next', 'behindAcs', 'far', 'function1'] as const) {
        for (const bar of world.fn(place).bars) {
          const range = { start: bar.busAddress as number, end: (bar.busAddress as number) + (bar.size as number) };
          expect(windows.some((window) => window.start <= range.start && range.end <= window.end)).toBe(true);
        }
      }
      expect(windows.some((window) => window.start <= 0xfee00000 && window.end >= 0xfef00000)).toBe(true);
      // Everything below 4 GiB is handed out, window by window: none of it is reserved.
      const domain = world.domain();
      let last = 2 ** 32;
      for (;;) {
        const base = domain.allocator.allocate(MIB, 2 ** 32 - 1);
        if (base === null) break;
        const range = { start: base, end: base + MIB };
        expect(windows.filter((window) => rangesOverlap(window, range))).toEqual([]);
        last = base;
      }
      expect(last).toBeLessThan(64 * MIB);
    }
  });

  test('E38: a BAR above the mask is refused for b1 without an IOMMU, with EIO and no bounce', () => {
    const world = new World();
    for (const swiotlb of ['none', 'available', 'force'] as const) {
      for (const rules of ['linux', 'own'] as const) {
        const device = world.device({ iommu: 'off', swiotlb, rules, limits: { dmaMask: 2 ** 32 - 1 } });
        const list = listOf(world, [{ ram: 0x200000 }, { at: 'far' }], 'flags');
        const mapping = new DmaMapping();
        const error = expectRefused(
          () => dmaMapBvec(device, list, 'toDevice', world.trusting(), mapping),
          'MASK_TOO_SMALL',
          'EIO',
          /^vectors\[1\]$/,
        );
        expect(error.message).toContain('never bounced');
        expect(mapping).toMatchObject({ live: false, count: 0 });
      }
    }
  });

  test('E38: with an IOMMU the same BAR is mapped, below the mask', () => {
    const world = new World();
    const device = world.device({ limits: { dmaMask: 2 ** 32 - 1 } });
    const mapping = new DmaMapping();
    dmaMapBvec(device, listOf(world, [{ at: 'far' }], 'flags'), 'toDevice', world.trusting(), mapping);
    expect(mapping.iovaBase + mapping.iovaSize).toBeLessThanOrEqual(2 ** 32);
  });

  test('RAM above the mask without an IOMMU is bounced where swiotlb can take it, else refused with EIO', () => {
    const world = new World();
    const limits = { dmaMask: 2 ** 32 - 1 };
    const high = (length: number) => listOf(world, [{ ram: 0x200000 }, { ram: 2 ** 32, length }], 'flags');
    const map = (swiotlb: 'none' | 'available' | 'force', length: number) => {
      const mapping = new DmaMapping();
      const device = world.device({ iommu: 'off', swiotlb, limits });
      dmaMapBvec(device, high(length), 'toDevice', world.trusting(), mapping);
      return mapping.segments().map(({ space, address }) => (address === null ? space : `${space} ${address}`));
    };
    expect(map('available', 256 * 1024)).toEqual(['phys 2097152', 'bounce']);
    expect(map('force', 4096)).toEqual(['bounce', 'bounce']);
    for (const [swiotlb, length] of [
      ['none', 4096],
      ['available', 256 * 1024 + 1],
      ['force', 256 * 1024 + 1],
    ] as const) {
      expectRefused(() => map(swiotlb, length), 'MASK_TOO_SMALL', 'EIO', /^vectors\[1\]$/);
    }
  });

  test('swiotlb=force: RAM below the mask that is longer than a bounce is refused, and so is device memory', () => {
    const world = new World();
    const device = world.device({ iommu: 'off', swiotlb: 'force' });
    const map = (list: BvecList) => dmaMapBvec(device, list, 'toDevice', world.trusting(), new DmaMapping());
    const long = listOf(world, [{ ram: 0x200000, length: 256 * 1024 + 1 }], 'flags');
    expectRefused(() => map(long), 'MASK_TOO_SMALL', 'EIO', /^vectors\[0\]$/);
    const far = listOf(world, [{ ram: 0x200000 }, { at: 'far' }], 'flags');
    expectRefused(() => map(far), 'MASK_TOO_SMALL', 'EIO', /^vectors\[1\]$/);
    expect(map(listOf(world, [{ at: 'near' }], 'flags')).at(0).space).toBe('bus');
  });

  test('E39: a bus address above the mask passes in Linux, and our own rules refuse it', () => {
    const world = new World();
    const limits = { dmaMask: 2 ** 32 - 1 };
    const list = listOf(world, [{ ram: 0x200000 }, { at: 'near' }], 'flags');
    for (const iommu of ['on', 'off', 'passthrough'] as const) {
      const linux = dmaMapBvec(world.device({ iommu, limits }), list, 'toDevice', world.trusting(), new DmaMapping());
      expect(linux.at(1)).toMatchObject({ space: 'bus', address: world.bar('near').bus });
      const ours = world.device({ iommu, limits, rules: 'own' });
      expectRefused(
        () => dmaMapBvec(ours, list, 'toDevice', world.trusting(), new DmaMapping()),
        'MASK_TOO_SMALL',
        'EIO',
        /^vectors\[1\]$/,
      );
      expect(ours.domain?.allocator.liveBytes ?? 0).toBe(0);
    }
  });

  test('E39: the last byte decides, not the first', () => {
    const world = new World();
    const near = world.bar('near').bus;
    const list = new BvecList();
    list.push(near, 4096, BVEC_MAP_BUS_ADDR);
    const map = (dmaMask: number) =>
      dmaMapBvec(
        world.device({ rules: 'own', limits: { dmaMask } }),
        list,
        'toDevice',
        world.trusting(),
        new DmaMapping(),
      );
    expect(map(near + 4095).count).toBe(1);
    expectRefused(() => map(near + 4094), 'MASK_TOO_SMALL', 'EIO', /vectors\[0\]/);
  });

  test('E40: for an untrusted device a vector that shares a granule with others is refused, not bounced; b2 is not concerned', () => {
    const world = new World();
    for (const rules of ['linux', 'own'] as const) {
      const device = world.device({ untrusted: true, rules });
      const map = (list: BvecList) => dmaMapBvec(device, list, 'toDevice', world.trusting(), new DmaMapping());
      for (const piece of [
        { at: 'far', offset: 0, length: 100 },
        { at: 'far', offset: 512, length: 3584 },
        { ram: 0x200200, length: 512 },
      ] as const) {
        const list = listOf(world, [{ ram: 0x400000 }, piece], 'flags');
        expectRefused(() => map(list), 'UNTRUSTED_UNALIGNED', 'EIO', /^vectors\[1\]$/);
        expect(device.domain?.allocator.liveBytes).toBe(0);
      }
      const fine = listOf(world, [{ ram: 0x400000 }, { at: 'far' }, { at: 'near', offset: 4, length: 8 }], 'flags');
      expect(map(fine).count).toBe(2);
      const far = physAddr(world.bar('far').phys + 512);
      expectRefused(() => dmaMapResource(device, far, 512, 'toDevice'), 'UNTRUSTED_UNALIGNED', 'EIO', /dma_map/);
      const state = tryAlloc(device, far, 512) as NonNullable<ReturnType<typeof tryAlloc>>;
      const range = { phys: far, offset: 0, length: 512, direction: 'toDevice', mmio: true } as const;
      expectRefused(() => link(device, state, range), 'UNTRUSTED_UNALIGNED', 'EIO', /dma_iova/);
    }
  });
});

describe('rights', () => {
  test('E41: what the direction does not allow is an IOMMU fault, for RAM and for device memory', () => {
    const world = new World();
    const device = world.device();
    const expected = {
      toDevice: ['phys', 'no-write'],
      fromDevice: ['no-read', 'phys'],
      bidirectional: ['phys', 'phys'],
    } as const;
    for (const direction of ['toDevice', 'fromDevice', 'bidirectional'] as const) {
      const mapping = new DmaMapping();
      dmaMapBvec(
        device,
        listOf(world, [{ ram: 0x200000 }, { at: 'far' }], 'flags'),
        direction,
        world.trusting(),
        mapping,
      );
      for (const offset of [0, 4096]) {
        const outcome = (['read', 'write'] as const).map((access) => {
          const found = device.domain?.translate((mapping.iovaBase + offset) as Iova, access);
          return found && 'phys' in found ? 'phys' : found?.fault;
        });
        expect(outcome).toEqual(expected[direction]);
      }
      dmaUnmapBvec(device, mapping);
    }
  });

  test('E43: in lazy mode the IOTLB still translates after the unmap, until the flush; in strict mode it faults at once', () => {
    const world = new World();
    for (const lazy of [true, false]) {
      const domain = new IommuDomain({ allocator: new IovaAllocator(), lazy });
      const iotlb = new Iotlb();
      domain.attach(iotlb);
      const device = world.device({ domain });
      const mapping = dmaMapBvec(device, RAM_LIST(1), 'toDevice', world.trusting(), new DmaMapping());
      const at = mapping.iovaBase;
      iotlb.translate(7, domain, at, 'read');
      dmaUnmapBvec(device, mapping);
      const after = iotlb.translate(7, domain, at, 'read');
      expect('phys' in after.translation).toBe(lazy);
      expect(after.stale).toBe(lazy);
      // The address is not handed out again before the flush.
      const next = dmaMapBvec(device, RAM_LIST(1), 'toDevice', world.trusting(), mapping);
      expect(next.iovaBase === at).toBe(!lazy);
      dmaUnmapBvec(device, mapping);
      domain.flush();
      expect(iotlb.translate(7, domain, at, 'read').translation).toMatchObject({ fault: 'not-mapped' });
      expect(domain.allocator.liveBytes).toBe(0);
    }
  });
});

describe('ends', () => {
  test('E42: a second unmap is refused, and changes nothing', () => {
    const world = new World();
    const device = world.device();
    const mapping = dmaMapBvec(device, RAM_LIST(2), 'toDevice', world.trusting(), new DmaMapping());
    dmaUnmapBvec(device, mapping);
    const other = dmaMapBvec(device, RAM_LIST(2), 'toDevice', world.trusting(), new DmaMapping());
    expectRefused(() => dmaUnmapBvec(device, mapping), 'NOT_MAPPED', undefined, /0000:/);
    expect(device.domain?.mappedBytes).toBe(8192);
    dmaUnmapBvec(device, other);
  });

  test('E42: a mapping is unmapped for the device that it was made for', () => {
    const world = new World();
    const device = world.device();
    const other = world.device({ client: 'near' });
    const mapping = dmaMapBvec(device, RAM_LIST(2), 'toDevice', world.trusting(), new DmaMapping());
    expectRefused(() => dmaUnmapBvec(other, mapping), 'NOT_MAPPED', undefined, /0000:/);
    expect(mapping.live).toBe(true);
    dmaUnmapBvec(device, mapping);
    expect(device.domain?.mappedBytes).toBe(0);
  });

  test('E42: a mapping in use is not filled again', () => {
    const world = new World();
    const device = world.device();
    const mapping = dmaMapBvec(device, RAM_LIST(1), 'toDevice', world.trusting(), new DmaMapping());
    expect(() => dmaMapBvec(device, RAM_LIST(1), 'toDevice', world.trusting(), mapping)).toThrow(/unmapped before/);
    dmaUnmapBvec(device, mapping);
  });

  test('E42: a single page is unmapped once, at its address and with its length; anything else is refused and changes nothing', () => {
    const world = new World();
    const device = world.device();
    const domain = device.domain as IommuDomain;
    for (const pages of [1, 3, 4, 40]) {
      const length = pages * 4096 - 100;
      const at = dmaMapPage(device, physAddr(0x200000), length, 'toDevice');
      const before = domain.mappedBytes;
      const wrong: [DmaAddr, number][] = [
        [at, length + 4096],
        [(at + 4096) as DmaAddr, length],
        [(at - 4096) as DmaAddr, length],
        [(at + 2 ** 20) as DmaAddr, length],
      ];
      if (pages > 1) wrong.push([at, length - 4096]);
      for (const [address, bytes] of wrong) {
        expectRefused(() => dmaUnmapPage(device, address, bytes), 'NOT_MAPPED', undefined, /dma_map/);
        expect(domain.mappedBytes).toBe(before);
        expect(domain.allocator.liveRangeAt(at)?.start).toBe(at);
      }
      dmaUnmapPage(device, at, length);
      expectRefused(() => dmaUnmapPage(device, at, length), 'NOT_MAPPED', undefined, /dma_map/);
      expect(domain.mappedBytes).toBe(0);
      expect(domain.allocator.liveBytes).toBe(0);
    }
  });

  test('E42: an unlink of less than was linked, of more, or a second one, is refused and changes nothing', () => {
    const world = new World();
    const device = world.device();
    const domain = device.domain as IommuDomain;
    const state = tryAlloc(device, physAddr(0x200200), 0x2e00) as NonNullable<ReturnType<typeof tryAlloc>>;
    link(device, state, { phys: physAddr(0x200200), offset: 0, length: 0xe00, direction: 'toDevice', mmio: false });
    link(device, state, {
      phys: physAddr(0x300000),
      offset: 0xe00,
      length: 0x1000,
      direction: 'toDevice',
      mmio: false,
    });
    sync(device, state);
    for (const bytes of [0, 0xe00, 0x2e00]) {
      expectRefused(() => unlink(device, state, bytes), 'NOT_MAPPED', undefined, /dma_iova/);
      expect(domain.mappedBytes).toBe(8192);
    }
    unlink(device, state, 0x1e00);
    expectRefused(() => unlink(device, state, 0x1e00), 'NOT_MAPPED', undefined, /dma_iova/);
    expect(domain.mappedBytes).toBe(0);
    expect(domain.allocator.liveBytes).toBe(0);
    const unused = tryAlloc(device, physAddr(0x200000), 4096) as NonNullable<ReturnType<typeof tryAlloc>>;
    unlink(device, unused, 0);
    expect(domain.allocator.liveBytes).toBe(0);
  });

  test('E31: the two-step form refuses a range other than the first that starts inside a granule, with EIO', () => {
    const world = new World();
    const device = world.device();
    const state = tryAlloc(device, physAddr(0x200800), 0x1800) as NonNullable<ReturnType<typeof tryAlloc>>;
    const part = (phys: number, offset: number, length: number) =>
      link(device, state, { phys: phys as PhysAddr, offset, length, direction: 'toDevice', mmio: false });
    part(0x200800, 0, 0x800);
    expectRefused(() => part(0x300200, 0x800, 0x200), 'LINK_INVALID', 'EIO', /dma_iova/);
    expectRefused(() => part(0x300000, 0x1000, 0x1000), 'LINK_INVALID', 'EIO', /dma_iova/);
    expectRefused(() => part(0x300000, 0x800, 0x2000), 'LINK_INVALID', 'EIO', /dma_iova/);
    part(0x300000, 0x800, 0x900);
    expect(device.domain?.mappedBytes).toBe(8192);
    unlink(device, state, 0x1100);
  });

  test('the two-step form gives null without an IOMMU, for no bytes, and where nothing is free', () => {
    const world = new World();
    expect(tryAlloc(world.device({ iommu: 'off' }), physAddr(0), 4096)).toBeNull();
    expect(tryAlloc(world.device(), physAddr(0), 0)).toBeNull();
    const small = new IommuDomain({ allocator: new IovaAllocator({ limit: 0xffff }) });
    expect(tryAlloc(world.device({ domain: small }), physAddr(0), 0x10000)).toBeNull();
    expect(tryAlloc(world.device({ domain: small }), physAddr(0), 0x8000)).not.toBeNull();
  });

  test('E51: an unmap after a provider was removed unmaps everything, and says so: ENODEV', () => {
    for (const design of DESIGNS.filter(({ name }) => name !== 'flags')) {
      const world = new World();
      const device = world.device();
      const list = listOf(world, [{ ram: 0x200000 }, { at: 'near' }, { at: 'far' }], design.tagging);
      for (const place of ['near', 'far'] as const) {
        const mapping = dmaMapBvec(device, list, 'toDevice', design.classifier(world), new DmaMapping());
        const gone = world.table.records.filter((record) => record.provider === world.index(place));
        expect(world.table.removeProvider(world.index(place))).toBeGreaterThan(0);
        expectRefused(() => dmaUnmapBvec(device, mapping), 'PROVIDER_GONE', 'ENODEV', /0000:/);
        expect(mapping.live).toBe(false);
        expect(device.domain?.mappedBytes).toBe(0);
        for (const { generation: _generation, ...record } of gone) world.table.add(record);
      }
      // A change that concerns nobody in the mapping is nobody's error.
      const mapping = dmaMapBvec(device, list, 'toDevice', design.classifier(world), new DmaMapping());
      world.table.removeProvider(world.index('foreign'));
      dmaUnmapBvec(device, mapping);
    }
  });

  test('E51: a vector made before its provider was replaced, or its BAR moved, is refused: ENODEV', () => {
    for (const design of DESIGNS.filter(({ name }) => name !== 'flags')) {
      const world = new World();
      const device = world.device();
      const list = listOf(world, [{ ram: 0x200000 }, { at: 'near' }], design.tagging);
      const classifier = design.classifier(world) as ReturnType<World['lookup']>;
      const map = () => dmaMapBvec(device, list, 'toDevice', classifier, new DmaMapping());
      classifier.queuedAt = world.table.generation;
      dmaUnmapBvec(device, map());
      const near = world.table.records.filter((record) => record.provider === world.index('near'));
      world.table.removeProvider(world.index('near'));
      expectRefused(map, 'PROVIDER_GONE', 'ENODEV', /^vectors\[1\]$/);
      for (const { generation: _generation, ...record } of near) world.table.add(record);
      expectRefused(map, 'PROVIDER_GONE', 'ENODEV', /^vectors\[1\]$/);
      classifier.queuedAt = world.table.generation;
      dmaUnmapBvec(device, map());
      expect(device.domain?.allocator.liveBytes).toBe(0);
    }
  });
});

describe('failures', () => {
  test('E44: where no IOVA is free below the mask the list is refused with ENOMEM, and nothing is left', () => {
    const world = new World();
    const domain = new IommuDomain({ allocator: new IovaAllocator({ limit: 0xfffff }) });
    const device = world.device({ domain });
    const held: DmaMapping[] = [];
    const error = refusal(() => {
      for (;;) held.push(dmaMapBvec(device, RAM_LIST(32), 'toDevice', world.trusting(), new DmaMapping()));
    });
    expect(error).toMatchObject({ code: 'IOVA_EXHAUSTED', errno: 'ENOMEM' });
    expect(held).toHaveLength(7); // 1 MiB in pieces of 128 KiB, the first of which holds page 0
    for (const mapping of held) dmaUnmapBvec(device, mapping);
    expect(domain.allocator.liveBytes).toBe(0);
    expect(domain.mappedBytes).toBe(0);
    expect(dmaMapBvec(device, RAM_LIST(32), 'toDevice', world.trusting(), new DmaMapping()).count).toBe(2);
  });

  test('E44: 32-bit addresses come first; when none fits, 64-bit ones are used from then on, with one notice', () => {
    const world = new World();
    const domain = new IommuDomain({ allocator: new IovaAllocator() });
    const device = world.device({ domain, limits: { segmentBoundaryMask: Number.POSITIVE_INFINITY } });
    const map = () => {
      const list = new BvecList();
      list.push(2 ** 33, 2 ** 30, 0);
      return dmaMapBvec(device, list, 'toDevice', world.trusting(), new DmaMapping()).iovaBase;
    };
    expect([map(), map(), map()]).toEqual([3 * 2 ** 30, 2 * 2 ** 30, 2 ** 30]);
    expect(domain.allocator.notices).toEqual([]);
    expect(map()).toBeGreaterThan(2 ** 32);
    expect(domain.allocator.notices).toHaveLength(1);
    const small = dmaMapBvec(device, RAM_LIST(1), 'toDevice', world.trusting(), new DmaMapping());
    expect(small.iovaBase).toBeGreaterThan(2 ** 32);
    expect(domain.allocator.notices).toHaveLength(1);
  });

  test('E45: a page table that is full half-way leaves nothing mapped and gives the IOVA back', () => {
    const world = new World();
    // One table for each level, and no more: the 513th page needs another leaf table.
    const domain = new IommuDomain({ allocator: new IovaAllocator(), tableLimit: 4, largePages: false });
    const device = world.device({ domain });
    const one = dmaMapBvec(device, RAM_LIST(1), 'toDevice', world.trusting(), new DmaMapping());
    const before = { allocator: domain.allocator.snapshot(), leaves: [...domain.leaves()], tables: domain.tableCount };
    for (const list of [
      RAM_LIST(600),
      listOf(world, [{ ram: 0x200000, length: 600 * 4096 }, { at: 'far' }], 'flags'),
    ]) {
      expectRefused(
        () => dmaMapBvec(device, list, 'toDevice', world.trusting(), new DmaMapping()),
        'IOVA_EXHAUSTED',
        'ENOMEM',
        /0000:/,
      );
      const after = { allocator: domain.allocator.snapshot(), leaves: [...domain.leaves()], tables: domain.tableCount };
      expect(after).toEqual(before);
    }
    dmaUnmapBvec(device, one);
  });

  test('E35: a vector that ends above 2^53 is refused, to the byte', () => {
    const world = new World();
    const map = (address: number, length: number, flags: number) => {
      const list = new BvecList();
      list.push(address, length, flags);
      const limits = { dmaMask: Number.POSITIVE_INFINITY };
      return dmaMapBvec(world.device({ iommu: 'off', limits }), list, 'toDevice', world.trusting(), new DmaMapping());
    };
    for (const flags of [0, BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE]) {
      expect(map(2 ** 53 - 4096, 4096, flags).count).toBe(1);
      expect(map(2 ** 53 - 1, 1, flags).count).toBe(1);
      expectRefused(() => map(2 ** 53 - 1, 2, flags), 'ADDRESS_OVERFLOW', 'EINVAL', /^vectors\[0\]$/);
      expectRefused(() => map(2 ** 53 - 4096, 4097, flags), 'ADDRESS_OVERFLOW', 'EINVAL', /^vectors\[0\]$/);
      expectRefused(() => map(0x200000, 0, flags), 'ZERO_LENGTH', 'EINVAL', /^vectors\[0\]$/);
    }
    expectRefused(() => map(0x200000, 4096, 3), 'FLAGS_CONFLICT', 'EINVAL', /^vectors\[0\]$/);
  });

  test('a vector of no bytes is refused at its place, whichever way a list of one kind is classified', () => {
    const world = new World();
    const lists: [Classifier, 'flags' | 'plain'][] = [
      [world.trusting(), 'flags'],
      [world.verified(), 'flags'],
      [world.lookup(), 'plain'],
      [world.page(), 'plain'],
      [new Premapped(), 'plain'],
    ];
    for (const at of ['near', 'far'] as const) {
      for (const [classifier, tagging] of lists) {
        for (const empty of [0, 1, 40]) {
          const pieces = Array.from({ length: 41 }, (_, index) => ({
            at,
            offset: 4096 * index,
            length: index === empty ? 0 : 4096,
          }));
          const list = listOf(world, pieces, tagging);
          const map = () => dmaMapBvec(world.device(), list, 'toDevice', classifier, new DmaMapping());
          expectRefused(map, 'ZERO_LENGTH', 'EINVAL', new RegExp(`^vectors\\[${empty}\\]$`));
        }
      }
    }
  });
});
