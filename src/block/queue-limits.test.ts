import { expect, test } from 'vitest';
import { BlockError } from './errors.ts';
import { DEFAULT_LIMITS, type QueueLimits, queueLimits } from './queue-limits.ts';

test("a queue that sets nothing has the kernel's defaults", () => {
  expect(queueLimits()).toEqual(DEFAULT_LIMITS);
  expect(DEFAULT_LIMITS).toMatchObject({
    maxSegmentSize: 65536,
    segmentBoundaryMask: 0xffffffff,
    dmaMask: Number.POSITIVE_INFINITY,
  });
});

test('limits that let nothing through or contradict each other are refused, the field named', () => {
  const cases: [Partial<QueueLimits>, string][] = [
    [{ maxSegmentSize: 0 }, 'limits.maxSegmentSize'],
    [{ maxSegmentSize: 0.5 }, 'limits.maxSegmentSize'],
    [{ maxSegments: -1 }, 'limits.maxSegments'],
    [{ maxBytes: Number.NaN }, 'limits.maxBytes'],
    [{ segmentBoundaryMask: 0x1000 }, 'limits.segmentBoundaryMask'],
    [{ segmentBoundaryMask: -1 }, 'limits.segmentBoundaryMask'],
    [{ virtBoundaryMask: 5 }, 'limits.virtBoundaryMask'],
    [{ virtBoundaryMask: Number.POSITIVE_INFINITY }, 'limits.virtBoundaryMask'],
    [{ virtBoundaryMask: 0x1fff, segmentBoundaryMask: 0xfff }, 'limits.virtBoundaryMask'],
    [{ dmaAlignment: 2 }, 'limits.dmaAlignment'],
    [{ dmaMask: 0 }, 'limits.dmaMask'],
    [{ dmaMask: 0.5 }, 'limits.dmaMask'],
  ];
  for (const [changes, path] of cases) {
    let error: unknown;
    try {
      queueLimits(changes);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(BlockError);
    expect(error).toMatchObject({ code: 'LIMITS_INVALID', path });
  }
});

test('limits at their edges are accepted', () => {
  const open = Number.POSITIVE_INFINITY;
  for (const changes of [
    { maxSegmentSize: 1 },
    { maxSegmentSize: open, maxSegments: open, maxBytes: open, segmentBoundaryMask: open },
    { segmentBoundaryMask: 2 ** 52 - 1 },
    { dmaMask: 0xffffff },
    { virtBoundaryMask: 4095, segmentBoundaryMask: 4095 },
  ]) {
    expect(queueLimits(changes)).toEqual({ ...DEFAULT_LIMITS, ...changes });
  }
});
