import { expect, test } from 'vitest';
import { type BusAddr, busAddr, type DmaAddr, dmaAddr, iova, physAddr } from '../../core/address.ts';
import { DmaMapping, SPACE_BOUNCE, SPACE_BUS, SPACE_IOVA, SPACE_PHYS } from '../../dma/mapping.ts';
import type { CmbFacts } from './cmb-setup.ts';
import { NvmeError } from './errors.ts';
import type { OwnFunction } from './ports.ts';
import { resolveSegments } from './resolve.ts';
import { DataSegments, SEGMENT_BAR, SEGMENT_BUS, SEGMENT_DMA } from './segments.ts';

const MIB = 1024 * 1024;
const BAR2 = 2 ** 37;
const CBA = 2 ** 39;

/** A function whose BAR 2 is 4 MiB with a buffer of 2 MiB in its middle. */
function parts() {
  const asked: BusAddr[] = [];
  const fn: OwnFunction = {
    name: '0000:01:00.0',
    registers: physAddr(0),
    busAddress: (bar) => (bar === 2 ? busAddr(BAR2) : null),
    resolveOwnBar: (address, length) => {
      asked.push(address);
      return address >= BAR2 && address + length <= BAR2 + 4 * MIB ? { bar: 2, offset: address - BAR2 } : null;
    },
  };
  const cmb = { bar: 2, startBytes: MIB, sizeBytes: 2 * MIB, base: CBA as DmaAddr } as CmbFacts;
  return { fn, cmb, asked };
}

test('a bus address in the own buffer becomes CBA + (offset - CMB start), or that offset alone', () => {
  const { fn, cmb } = parts();
  const segments = DataSegments.of([{ kind: 'bus', address: busAddr(BAR2 + MIB + 4096), length: 4096 }]);
  const byAddress = resolveSegments(segments, fn, cmb, false);
  expect([byAddress.addresses, byAddress.own, byAddress.mmio]).toEqual([[CBA + 4096], [true], [false]]);
  expect(resolveSegments(segments, fn, cmb, true).addresses).toEqual([4096]);
});

test('a bus address elsewhere is case (b2), told as it is', () => {
  const { fn, cmb } = parts();
  const segments = DataSegments.of([{ kind: 'bus', address: busAddr(2 ** 35), length: 4096 }]);
  const told = resolveSegments(segments, fn, cmb, false);
  expect([told.addresses, told.own, told.mmio]).toEqual([[2 ** 35], [false], [true]]);
});

test('E37: an IOVA that looks like the own BAR is never looked up, let alone taken for it', () => {
  const { fn, cmb, asked } = parts();
  const segments = DataSegments.of([{ kind: 'dma', address: dmaAddr(iova(BAR2 + MIB)), length: 4096 }]);
  const told = resolveSegments(segments, fn, cmb, false);
  expect([told.addresses, told.own[0] ?? false, asked]).toEqual([[BAR2 + MIB], false, []]);
});

test('BAR and offset, already resolved, mean the same as the bus address', () => {
  const { fn, cmb, asked } = parts();
  const segments = DataSegments.of([{ kind: 'bar', bar: 2, offset: MIB + 512, length: 512 }]);
  expect(resolveSegments(segments, fn, cmb, false).addresses).toEqual([CBA + 512]);
  expect(asked).toEqual([]);
});

test('E47: the own BAR outside its buffer, one byte over an edge, another BAR, or no buffer at all is refused', () => {
  const { fn, cmb } = parts();
  const attempt =
    (bar: number, offset: number, length: number, facts: CmbFacts | null = cmb) =>
    () =>
      resolveSegments(DataSegments.of([{ kind: 'bar', bar, offset, length }]), fn, facts, false);
  expect(attempt(2, MIB, 2 * MIB)).not.toThrow();
  expect(attempt(2, MIB - 1, 512)).toThrow(NvmeError);
  expect(attempt(2, 3 * MIB - 511, 512)).toThrow(NvmeError);
  expect(attempt(0, MIB, 512)).toThrow('[0x100000, 0x300000) of BAR 2');
  expect(attempt(2, MIB, 512, null)).toThrow('no controller memory buffer');
});

test('the outputs of a mapping become segments of their kind; what is bounced is refused', () => {
  const mapping = new DmaMapping();
  mapping.count = 4;
  mapping.space.set([SPACE_IOVA, SPACE_BUS, SPACE_BUS, SPACE_PHYS]);
  mapping.address.set([0x1000, BAR2, BAR2 + MIB, 0x3000]);
  mapping.length.set([4096, 512, 1024, 2048]);
  mapping.setOwnBar(2, 2, MIB);
  const segments = DataSegments.ofMapping(mapping, (output) => output === 3);
  expect([0, 1, 2, 3].map((index) => segments.kindOf(index))).toEqual([
    SEGMENT_DMA,
    SEGMENT_BUS,
    SEGMENT_BAR,
    SEGMENT_DMA,
  ]);
  expect(segments.addresses).toEqual([0x1000, BAR2, MIB, 0x3000]);
  expect([0, 1, 2, 3].map((index) => segments.isMmio(index))).toEqual([false, true, false, true]);
  expect(segments.barOf(2)).toBe(2);
  expect(segments.totalBytes).toBe(4096 + 512 + 1024 + 2048);
  mapping.space[1] = SPACE_BOUNCE;
  expect(() => DataSegments.ofMapping(mapping)).toThrow('bounce buffer');
});
