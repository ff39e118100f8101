import { expect, test } from 'vitest';
import { type Iova, physAddr } from '../core/address.ts';
import { IommuDomain } from '../iommu/domain.ts';
import { IovaAllocator } from '../iommu/iova-allocator.ts';
import { buildTree } from '../pcie/build-tree.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { DmaDevice } from './device.ts';
import { MapError, type MapErrorCode } from './errors.ts';
import type { DmaLimits } from './limits.ts';
import { dmaMapPage, dmaMapResource, dmaUnmapPage } from './map-page.ts';
import { link, sync, tryAlloc, unlink } from './two-step.ts';

const fn = buildTree({
  rootBuses: [{ children: [{ kind: 'endpoint', functions: [{ bars: [{ size: 4096 }] }] }] }],
}).hierarchy.functions.at(-1) as PciFunction;

function refusal(action: () => unknown): MapErrorCode {
  try {
    action();
  } catch (error) {
    if (error instanceof MapError) return error.code;
    throw error;
  }
  throw new Error('nothing was refused');
}

const domainOf = (options: ConstructorParameters<typeof IovaAllocator>[0] = {}, tableLimit = 100): IommuDomain =>
  new IommuDomain({ allocator: new IovaAllocator(options), tableLimit, largePages: false });
const translated = (domain: IommuDomain = domainOf(), limits: Partial<DmaLimits> = {}): DmaDevice =>
  new DmaDevice({ fn, iommu: 'on', domain, limits });

test('a page is mapped at an IOVA with its low bits, RAM cacheable and a resource as MMIO', () => {
  const domain = domainOf();
  const device = translated(domain);
  for (const [map, mmio] of [
    [dmaMapPage, false],
    [dmaMapResource, true],
  ] as const) {
    const at = map(device, physAddr(0x123456), 0x2000, 'toDevice');
    expect(at % 4096).toBe(0x456);
    expect(domain.translate(at as number as Iova, 'read')).toMatchObject({ phys: 0x123456, mmio });
    expect(domain.mappedBytes).toBe(0x3000);
    dmaUnmapPage(device, at, 0x2000);
    expect(domain.mappedBytes).toBe(0);
  }
});

test('without an IOMMU the address is the physical one, and its unmap does nothing', () => {
  for (const iommu of ['off', 'passthrough'] as const) {
    const device = new DmaDevice({ fn, iommu, limits: { dmaMask: 0xffffff } });
    for (const map of [dmaMapPage, dmaMapResource]) {
      expect(map(device, physAddr(0xfff000), 4096, 'toDevice')).toBe(0xfff000);
      expect(refusal(() => map(device, physAddr(0xfff000), 4097, 'toDevice'))).toBe('MASK_TOO_SMALL');
    }
    dmaUnmapPage(device, dmaMapPage(device, physAddr(0), 1, 'toDevice'), 1);
  }
});

test('E38: a page above the mask is mapped below it where there is an IOMMU', () => {
  const device = translated(domainOf(), { dmaMask: 0xffffff });
  expect(dmaMapResource(device, physAddr(2 ** 40), 4096, 'toDevice')).toBeLessThan(0x1000000);
});

test('E45: no bytes, no IOVA, no table: refused, with nothing left', () => {
  const device = translated();
  expect(refusal(() => dmaMapPage(device, physAddr(0), 0, 'toDevice'))).toBe('ZERO_LENGTH');
  const small = translated(domainOf({ limit: 0xffff }));
  expect(refusal(() => dmaMapPage(small, physAddr(0), 0x10000, 'toDevice'))).toBe('IOVA_EXHAUSTED');
  const crowded = domainOf({}, 4); // one table of each level
  const tight = translated(crowded);
  expect(refusal(() => dmaMapPage(tight, physAddr(0), 2 ** 22, 'toDevice'))).toBe('IOVA_EXHAUSTED');
  expect([crowded.mappedBytes, crowded.tableCount, crowded.allocator.liveBytes]).toEqual([0, 1, 0]);
});

test('the two-step form links ranges one behind the other, makes them visible at once, and takes all back at once', () => {
  const domain = domainOf();
  const device = translated(domain);
  const state = tryAlloc(device, physAddr(0x10800), 0x3000);
  if (state === null) throw new Error('there is room');
  expect(state.address % 4096).toBe(0x800);
  const rest = { direction: 'fromDevice', mmio: false } as const;
  link(device, state, { ...rest, phys: physAddr(0x10800), offset: 0, length: 0x800 });
  link(device, state, { ...rest, phys: physAddr(0x50000), offset: 0x800, length: 0x1000, mmio: true });
  link(device, state, { ...rest, phys: physAddr(0x90000), offset: 0x1800, length: 0x1234 });
  sync(device, state);
  const targets = [0, 0x800, 0x1800, 0x1800 + 0x1233].map((offset) =>
    domain.translate((state.address + offset) as Iova, 'write'),
  );
  expect(targets).toMatchObject([
    { phys: 0x10800, mmio: false },
    { phys: 0x50000, mmio: true },
    { phys: 0x90000 },
    { phys: 0x91233 },
  ]);
  unlink(device, state, 0x1800 + 0x1234);
  expect([domain.mappedBytes, domain.allocator.liveBytes]).toEqual([0, 0]);
});

test('E45: a link that the page table refuses leaves what was linked before, and unlink takes that back', () => {
  const domain = domainOf({}, 4);
  const device = translated(domain);
  const state = tryAlloc(device, physAddr(0), 2 ** 22);
  if (state === null) throw new Error('there is room');
  const rest = { direction: 'toDevice', mmio: false } as const;
  link(device, state, { ...rest, phys: physAddr(0), offset: 0, length: 4096 });
  const beyond = { ...rest, phys: physAddr(0x100000), offset: 4096, length: 2 ** 22 - 4096 };
  expect(refusal(() => link(device, state, beyond))).toBe('IOVA_EXHAUSTED');
  expect(domain.mappedBytes).toBe(4096);
  unlink(device, state, 4096);
  expect([domain.mappedBytes, domain.allocator.liveBytes]).toEqual([0, 0]);
});

test('the two-step form belongs to a translating IOMMU', () => {
  const direct = new DmaDevice({ fn, iommu: 'off' });
  const state = { address: 0 as Iova, size: 4096, linked: 0, live: true };
  expect(tryAlloc(direct, physAddr(0), 4096)).toBeNull();
  const range = { phys: physAddr(0), offset: 0, length: 1, direction: 'toDevice', mmio: false } as const;
  for (const action of [() => link(direct, state, range), () => sync(direct, state), () => unlink(direct, state, 0)]) {
    expect(refusal(action)).toBe('NOT_MAPPED');
  }
});

test('a device behind a translating IOMMU needs its domain, and may not ask for more alignment than a granule', () => {
  expect(refusal(() => new DmaDevice({ fn, iommu: 'on' }))).toBe('IOMMU_UNKNOWN');
  expect(refusal(() => translated(domainOf(), { minAlignMask: 0x1fff }))).toBe('LIMITS_INVALID');
  expect(translated(domainOf(), { minAlignMask: 0xfff }).limits.minAlignMask).toBe(0xfff);
  expect(new DmaDevice({ fn, iommu: 'off', domain: domainOf() }).domain).toBeNull();
});
