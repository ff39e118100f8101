/** Where the vectors of a mixed list land, by each of the four ways to classify: rows 28 to 36 of the edge cases. */

import { describe, expect, test } from 'vitest';
import type { BvecList } from '../../src/block/bio-vec.ts';
import type { Iova } from '../../src/core/address.ts';
import type { DmaDevice } from '../../src/dma/device.ts';
import { dmaMapBvec, dmaUnmapBvec, type MapOptions } from '../../src/dma/map-bvec.ts';
import { DmaMapping } from '../../src/dma/mapping.ts';
import { resolveOwnBar } from '../../src/dma/own-bar.ts';
import { DESIGNS, type Design, GIB, listOf, MIB, type Piece, type Place, World } from './world.ts';

/** `space address+length inputs`, the address of IOVA outputs relative to the base. */
function shown(mapping: DmaMapping): string[] {
  return mapping.segments().map((segment) => {
    const { space, address, length, firstInput, lastInput } = segment;
    const at =
      segment.space === 'bar'
        ? `${segment.bar}:${segment.offset.toString(16)}`
        : ((address ?? 0) - (space === 'iova' ? mapping.iovaBase : 0)).toString(16);
    return `${space} ${at}+${length.toString(16)} ${firstInput}${lastInput === firstInput ? '' : `-${lastInput}`}`;
  });
}

interface Mapped {
  readonly mapping: DmaMapping;
  readonly segments: string[];
  /** CPU physical address of each granule of the IOVA range; null where nothing is mapped. */
  readonly pages: (number | null)[];
}

function mapped(
  design: Design,
  world: World,
  device: DmaDevice,
  pieces: readonly Piece[],
  options?: MapOptions,
): Mapped {
  const list: BvecList = listOf(world, pieces, design.tagging);
  const mapping = new DmaMapping(1);
  dmaMapBvec(device, list, 'bidirectional', design.classifier(world), mapping, options);
  resolveOwnBar(device.fn, mapping);
  const pages: (number | null)[] = [];
  for (let at = 0; at < mapping.iovaSize; at += 4096) {
    const found = device.domain?.translate((mapping.iovaBase + at) as Iova, 'read');
    pages.push(found && 'phys' in found ? found.phys : null);
  }
  const segments = shown(mapping);
  dmaUnmapBvec(device, mapping);
  expect(device.domain?.mappedBytes ?? 0).toBe(0);
  expect(device.domain?.allocator.liveBytes ?? 0).toBe(0);
  return { mapping, segments, pages };
}

const own = (offset: number, length?: number): Piece => ({
  at: 'client',
  bar: 2,
  offset,
  ...(length === undefined ? {} : { length }),
});
const at = (place: Place, offset = 0, length?: number): Piece => ({
  at: place,
  offset,
  ...(length === undefined ? {} : { length }),
});
const ram = (address: number, length?: number): Piece => ({
  ram: address,
  ...(length === undefined ? {} : { length }),
});

describe.each(DESIGNS)('by $name', (design) => {
  test('E28: a mixed list with an IOMMU is one IOVA of its RAM and resources, with the bus addresses between, in order', () => {
    const world = new World();
    const near = world.bar('near').bus.toString(16);
    const { segments, pages, mapping } = mapped(design, world, world.device(), [
      ram(0x200000),
      at('near'),
      ram(0x300000),
      at('far', 8192),
      own(0x5000),
      ram(0x400000),
    ]);
    expect(segments).toEqual([
      'iova 0+1000 0',
      `bus ${near}+1000 1`,
      'iova 1000+2000 2-3',
      'bar 2:5000+1000 4',
      'iova 3000+1000 5',
    ]);
    expect(pages).toEqual([0x200000, 0x300000, world.bar('far').phys + 8192, 0x400000]);
    expect(mapping.iommuVectors).toBe(4);
  });

  test('E28: without an IOMMU the same list is one output a vector: physical, bus, or own BAR', () => {
    const world = new World();
    const { segments, mapping } = mapped(design, world, world.device({ iommu: 'off' }), [
      ram(0x200000),
      ram(0x201000),
      at('near'),
      at('far', 8192),
      own(0x5000),
    ]);
    expect(segments).toEqual([
      'phys 200000+1000 0',
      'phys 201000+1000 1',
      `bus ${world.bar('near').bus.toString(16)}+1000 2`,
      `phys ${(world.bar('far').phys + 8192).toString(16)}+1000 3`,
      'bar 2:5000+1000 4',
    ]);
    expect(mapping.iovaSize).toBe(0);
  });

  test('E29: a list of only (b2) and (c) takes no IOVA, touches no page table, and its unmap does nothing', () => {
    const world = new World();
    const device = world.device();
    const generation = device.domain?.generation;
    const { segments, mapping } = mapped(design, world, device, [at('near'), own(0), at('function1', 4096, 100)]);
    expect(segments.map((segment) => segment.split(' ')[0])).toEqual(['bus', 'bar', 'bus']);
    expect(mapping).toMatchObject({ iovaSize: 0, iommuVectors: 0 });
    expect(device.domain?.generation).toBe(generation);
  });

  test('E30: an unaligned first start and last end leave one IOVA range, and low bits are kept', () => {
    const world = new World();
    const { segments, pages } = mapped(design, world, world.device(), [
      ram(0x200e00, 0x200),
      ram(0x300000, 0x2000),
      ram(0x400000, 0x123),
    ]);
    expect(segments).toEqual(['iova e00+2323 0-2']);
    expect(pages).toEqual([0x200000, 0x300000, 0x301000, 0x400000]);
  });

  test('E31: an unaligned inner boundary ends the run: the next vector begins its own granule, and granules never overlap', () => {
    const world = new World();
    const { segments, pages } = mapped(design, world, world.device(), [
      ram(0x200000, 0x1800),
      ram(0x300000, 0x1000),
      ram(0x400800, 0x800),
      ram(0x500000, 0x1000),
    ]);
    expect(segments).toEqual(['iova 0+1800 0', 'iova 2000+1000 1', 'iova 3800+1800 2-3']);
    expect(pages).toEqual([0x200000, 0x201000, 0x300000, 0x400000, 0x500000]);
  });

  test('E32: two vectors in one granule are mapped twice, each to its own IOVA of the same page', () => {
    const world = new World();
    const { segments, pages } = mapped(design, world, world.device(), [ram(0x200000, 0x400), ram(0x200400, 0x400)]);
    expect(segments).toEqual(['iova 0+400 0', 'iova 1400+400 1']);
    expect(pages).toEqual([0x200000, 0x200000]);
  });

  test('E33: a slot that would cross a boundary begins behind it; one that ends on it does not', () => {
    const world = new World();
    for (const mask of [0x3fff, 0xffff]) {
      const device = world.device({ limits: { segmentBoundaryMask: mask, maxSegmentSize: 2 ** 20 } });
      const fill = mask + 1 - 0x1000; // leaves one granule before the boundary
      const exact = mapped(design, world, device, [ram(0x200000, fill), ram(0x300000, 0x1000), ram(0x400000, 0x1000)]);
      expect(exact.segments).toEqual([
        `iova 0+${(mask + 1).toString(16)} 0-1`,
        `iova ${(mask + 1).toString(16)}+1000 2`,
      ]);
      const over = mapped(design, world, device, [ram(0x200000, fill), ram(0x300000, 0x1001), ram(0x400000, 0x1000)]);
      const boundary = (mask + 1).toString(16);
      expect(over.segments).toEqual([
        `iova 0+${fill.toString(16)} 0`,
        `iova ${boundary}+1001 1`,
        `iova ${(mask + 1 + 0x2000).toString(16)}+1000 2`,
      ]);
      expect(over.pages[fill / 4096]).toBeNull();
    }
  });

  test('E34: an input longer than the maximum segment size stays whole as in Linux, and is cut by our own rules', () => {
    const world = new World();
    const limits = { maxSegmentSize: 0x2000 };
    const pieces = [ram(0x200000, 0x5000), at('near', 0, 0x3000)];
    const near = world.bar('near').bus;
    const linux = mapped(design, world, world.device({ limits }), pieces);
    expect(linux.segments).toEqual(['iova 0+5000 0', `bus ${near.toString(16)}+3000 1`]);
    const ours = mapped(design, world, world.device({ limits, rules: 'own' }), pieces);
    expect(ours.segments).toEqual([
      'iova 0+2000 0',
      'iova 2000+2000 0',
      'iova 4000+1000 0',
      `bus ${near.toString(16)}+2000 1`,
      `bus ${(near + 0x2000).toString(16)}+1000 1`,
    ]);
  });

  test('E34: behind an input longer than the maximum everything joins in Linux: its subtraction is unsigned', () => {
    const world = new World();
    const limits = { maxSegmentSize: 0x2000 };
    const pieces = [ram(0x200000, 0x3000), ram(0x300000, 0x1000), ram(0x400000, 0x2000)];
    expect(mapped(design, world, world.device({ limits }), pieces).segments).toEqual(['iova 0+6000 0-2']);
    expect(mapped(design, world, world.device({ limits, rules: 'own' }), pieces).segments).toEqual([
      'iova 0+2000 0',
      'iova 2000+2000 0-1',
      'iova 4000+2000 2',
    ]);
  });

  test('E34: neighbours join up to the maximum segment size and no further', () => {
    const world = new World();
    const pieces = [0, 1, 2, 3, 4].map((page) => ram(0x200000 + 0x2000 * page));
    for (const rules of ['linux', 'own'] as const) {
      const device = world.device({ limits: { maxSegmentSize: 0x2000 }, rules });
      expect(mapped(design, world, device, pieces).segments).toEqual([
        'iova 0+2000 0-1',
        'iova 2000+2000 2-3',
        'iova 4000+1000 4',
      ]);
    }
  });

  test('E35: more than 4 GiB in one list keeps every byte, in outputs of at most 2^32 - 1 bytes', () => {
    const world = new World();
    const long = 2 ** 31; // two of them are one byte more than 32 bits hold
    const limits = { maxSegmentSize: 2 ** 32 - 1, segmentBoundaryMask: Number.POSITIVE_INFINITY };
    const pieces = [ram(8 * GIB, long), ram(16 * GIB, long), ram(24 * GIB, long), ram(32 * GIB, 4096)];
    const device = world.device({ limits });
    const { segments, mapping } = mapped(design, world, device, pieces);
    expect(segments).toEqual(['iova 0+80000000 0', 'iova 80000000+80000000 1', 'iova 100000000+80001000 2-3']);
    expect(mapping.iovaSize).toBe(3 * long + 4096);
  });

  test('E36: bus addresses that lie side by side never merge: two providers, or the own BAR and its neighbour', () => {
    const world = new World();
    const end = 4 * MIB;
    for (const rules of ['linux', 'own'] as const) {
      const { segments } = mapped(design, world, world.device({ rules }), [
        own(end - 4096),
        at('near', 0),
        at('near', 4096),
        at('near', end - 4096),
        at('next', 0),
      ]);
      expect(segments.map((segment) => segment.split(' ')[0])).toEqual(['bar', 'bus', 'bus', 'bus', 'bus']);
      expect(segments.map((segment) => segment.split(' ')[2])).toEqual(['0', '1', '2', '3', '4']);
    }
  });

  test('E36: (a) and (b1) merge where they meet the IOMMU, each granule with its own rights', () => {
    const world = new World();
    const device = world.device();
    const list = listOf(world, [ram(0x200000), at('far'), ram(0x300000)], design.tagging);
    const mapping = new DmaMapping();
    dmaMapBvec(device, list, 'toDevice', design.classifier(world), mapping);
    expect(shown(mapping)).toEqual(['iova 0+3000 0-2']);
    const rights = [0, 4096, 8192].map((offset) => device.domain?.rightsAt((mapping.iovaBase + offset) as Iova));
    expect(rights).toEqual([
      { read: true, write: false, mmio: false },
      { read: true, write: false, mmio: true },
      { read: true, write: false, mmio: false },
    ]);
    dmaUnmapBvec(device, mapping);
  });

  test('noMerge: every vector is its own segment, and the IOVA range is the same', () => {
    const world = new World();
    for (const rules of ['linux', 'own'] as const) {
      const pieces = [ram(0x200000), ram(0x201000), at('far'), at('near'), ram(0x300000)];
      const { segments, pages } = mapped(design, world, world.device({ rules }), pieces, { noMerge: true });
      const near = world.bar('near').bus.toString(16);
      expect(segments).toEqual([
        'iova 0+1000 0',
        'iova 1000+1000 1',
        'iova 2000+1000 2',
        `bus ${near}+1000 3`,
        'iova 3000+1000 4',
      ]);
      expect(pages).toEqual(mapped(design, world, world.device({ rules }), pieces).pages);
    }
  });

  test('E27: with bus and CPU addresses apart, by either sign, each output has the address of its own space', () => {
    for (const busOffset of [2 ** 31, -(2 ** 32), 0]) {
      const world = new World({ busOffset });
      const { segments, pages } = mapped(design, world, world.device(), [
        at('near', 4096),
        at('far', 8192),
        own(0x3000),
      ]);
      expect(segments).toEqual([
        `bus ${(world.bar('near').bus + 4096).toString(16)}+1000 0`,
        'iova 0+1000 1',
        'bar 2:3000+1000 2',
      ]);
      expect(pages).toEqual([world.bar('far').phys + 8192]);
      expect(world.bar('near').bus - world.bar('near').phys).toBe(busOffset);
      const direct = mapped(design, world, world.device({ iommu: 'passthrough' }), [at('far', 8192)]);
      expect(direct.segments).toEqual([`phys ${(world.bar('far').phys + 8192).toString(16)}+1000 0`]);
    }
  });
});
