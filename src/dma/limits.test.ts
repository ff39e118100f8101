import { expect, test } from 'vitest';
import { MapError, type MapErrorCode } from './errors.ts';
import { DEFAULT_LIMITS, type DmaLimits, dmaLimits } from './limits.ts';

test('limits left out are those that Linux assumes of a device whose driver says nothing', () => {
  expect(dmaLimits()).toEqual({
    maxSegmentSize: 65536,
    segmentBoundaryMask: 0xffffffff,
    dmaMask: Number.POSITIVE_INFINITY,
    minAlignMask: 0,
  });
  expect(dmaLimits({ dmaMask: 0xffffffff })).toEqual({ ...DEFAULT_LIMITS, dmaMask: 0xffffffff });
});

test('limits that no device can have are refused, with the field in the path', () => {
  const cases: [Partial<DmaLimits>, string][] = [
    [{ maxSegmentSize: 0 }, 'limits.maxSegmentSize'],
    [{ maxSegmentSize: -1 }, 'limits.maxSegmentSize'],
    [{ maxSegmentSize: Number.NaN }, 'limits.maxSegmentSize'],
    [{ segmentBoundaryMask: 0 }, 'limits.segmentBoundaryMask'],
    [{ segmentBoundaryMask: 0x7ff }, 'limits.segmentBoundaryMask'],
    [{ segmentBoundaryMask: 0x1000 }, 'limits.segmentBoundaryMask'],
    [{ segmentBoundaryMask: -1 }, 'limits.segmentBoundaryMask'],
    [{ segmentBoundaryMask: Number.NaN }, 'limits.segmentBoundaryMask'],
    [{ dmaMask: -1 }, 'limits.dmaMask'],
    [{ dmaMask: Number.NaN }, 'limits.dmaMask'],
  ];
  for (const [limits, path] of cases) {
    const refuse = (): DmaLimits => dmaLimits(limits);
    expect(refuse, path).toThrow(MapError);
    expect(refuse).toThrow(expect.objectContaining({ code: 'LIMITS_INVALID', path, hint: expect.stringMatching(/./) }));
  }
  for (const bits of [12, 16, 31, 32, 33, 48, 52]) {
    expect(dmaLimits({ segmentBoundaryMask: 2 ** bits - 1 }).segmentBoundaryMask).toBe(2 ** bits - 1);
  }
  expect(dmaLimits({ segmentBoundaryMask: Number.POSITIVE_INFINITY }).segmentBoundaryMask).toBe(
    Number.POSITIVE_INFINITY,
  );
});

test('a refusal has the errno that Linux answers with, where it has one', () => {
  const errnos: [MapErrorCode, string | undefined][] = [
    ['ZERO_LENGTH', 'EINVAL'],
    ['FLAG_MISMATCH', 'EINVAL'],
    ['PAIR_NOT_SUPPORTED', 'EREMOTEIO'],
    ['MASK_TOO_SMALL', 'EIO'],
    ['LINK_INVALID', 'EIO'],
    ['PROVIDER_GONE', 'ENODEV'],
    ['IOVA_EXHAUSTED', 'ENOMEM'],
    ['DEVICE_UNKNOWN', undefined],
    ['IOMMU_UNKNOWN', undefined],
  ];
  for (const [code, errno] of errnos) expect(new MapError(code, 'path', 'message', 'hint').errno).toBe(errno);
});
