import { expect, test } from 'vitest';
import { type Iova, iova } from '../core/address.ts';
import { Prng } from '../core/prng.ts';
import { type Range, rangesOverlap } from '../core/range.ts';
import { IommuError } from './errors.ts';
import { IovaAllocator } from './iova-allocator.ts';
import { iovaSnapshotDifference } from './iova-snapshot.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

function refusal(action: () => unknown): IommuError {
  try {
    action();
  } catch (error) {
    if (error instanceof IommuError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function taken(allocator: IovaAllocator, length: number, limit?: number): Iova {
  const start = allocator.allocate(length, limit);
  if (start === null) throw new Error('exhausted');
  return start;
}

test('the first pages below 4 GiB are 0xfffff000, then 0xffffe000', () => {
  const allocator = new IovaAllocator();
  expect(allocator.allocate(4096)).toBe(0xfffff000);
  expect(allocator.allocate(1)).toBe(0xffffe000);
  expect(allocator.liveBytes).toBe(8192);
  expect(allocator.liveCount).toBe(2);
});

test("without the 32-bit preference the first page is the last of the caller's mask", () => {
  const allocator = new IovaAllocator({ prefer32Bit: false });
  expect(allocator.allocate(4096)).toBe(2 ** 48 - 4096);
  expect(allocator.allocate(4096, 2 ** 40 - 1)).toBe(2 ** 40 - 4096);
  // As the kernel's: the next search starts below what was handed out last, though there is room above.
  expect(allocator.allocate(4096, 2 ** 64)).toBe(2 ** 40 - 8192);
  expect(allocator.notices).toEqual([]);
});

test('sizes below 32 granules take a power of two, larger ones themselves; each is aligned to the next power of two', () => {
  for (let granules = 1; granules <= 100; granules++) {
    const allocator = new IovaAllocator();
    taken(allocator, 4096);
    const start = taken(allocator, granules * 4096 - 5);
    const power = 2 ** Math.ceil(Math.log2(granules));
    const size = granules < 32 ? power : granules;
    expect(start % (power * 4096)).toBe(0);
    expect(start).toBe(Math.floor((2 ** 20 - 1 - size) / power) * power * 4096);
    expect(allocator.liveBytes - 4096).toBe(size * 4096);
  }
});

test('a range of up to 32 granules that was freed last is handed out first', () => {
  for (const granules of [1, 2, 3, 4, 8, 16, 31, 32]) {
    const allocator = new IovaAllocator();
    const length = granules * 4096;
    const ranges = [taken(allocator, length), taken(allocator, length), taken(allocator, length)] as [Iova, Iova, Iova];
    allocator.free(ranges[0], length);
    allocator.free(ranges[2], length);
    allocator.free(ranges[1], length);
    expect([taken(allocator, length), taken(allocator, length), taken(allocator, length)]).toEqual([
      ranges[1],
      ranges[2],
      ranges[0],
    ]);
  }
});

test('a range above 32 granules goes back to the tree and its place is found again', () => {
  const allocator = new IovaAllocator();
  const first = taken(allocator, MIB);
  const second = taken(allocator, MIB);
  allocator.free(first, MIB);
  expect(allocator.flushCaches()).toBe(0);
  expect(allocator.allocate(MIB)).toBe(first);
  expect(second).toBe(first - MIB);
});

test("a cached range above the caller's mask is passed over", () => {
  const allocator = new IovaAllocator();
  const high = taken(allocator, 4096);
  const low = taken(allocator, 4096, 2 ** 24 - 1);
  expect(low).toBe(2 ** 24 - 4096);
  allocator.free(low, 4096);
  allocator.free(high, 4096);
  expect(allocator.allocate(4096, 2 ** 24 - 1)).toBe(low);
  expect(allocator.allocate(4096, 2 ** 24 - 1)).toBe(low - 4096);
  expect(allocator.allocate(4096)).toBe(high);
});

test('page 0 is never handed out, even when everything else is', () => {
  const allocator = new IovaAllocator({ limit: 16 * 4096 - 1 });
  const starts = new Set<number>();
  for (let start = allocator.allocate(4096); start !== null; start = allocator.allocate(4096)) starts.add(start);
  expect([...starts].sort((a, b) => a - b)).toEqual(Array.from({ length: 15 }, (_, index) => (index + 1) * 4096));
  expect(allocator.notices).toEqual([]);
});

test("E37: nothing is handed out in a host bridge window, so no I/O virtual address is a BAR's bus address", () => {
  const windows: Range[] = [
    { start: 0x80000000, end: 0xfec00000 },
    { start: 0xfee00000, end: 0xfef00000 },
    { start: 0x380000000000, end: 0x390000000000 },
  ];
  const allocator = new IovaAllocator({ reserved: windows, limit: 2 ** 46 - 1 });
  const prng = new Prng(37);
  let count = 0;
  for (; count < 10_000; count++) {
    const length = 4096 * prng.between(1, 3000);
    const start = allocator.allocate(length, prng.chance(0.2) ? 2 ** 32 - 1 : 2 ** 46 - 1);
    if (start === null) continue;
    for (const window of windows) expect(rangesOverlap(window, { start, end: start + length })).toBe(false);
  }
  expect(allocator.notices).toHaveLength(1);
  expect(count).toBe(10_000);
});

test('reserved ranges are taken in whole granules, joined, and cut at the limit', () => {
  const allocator = new IovaAllocator({
    limit: GIB - 1,
    reserved: [
      { start: GIB - 1, end: 2 ** 50 },
      { start: 0x1001, end: 0x1002 },
      { start: 2 ** 51, end: 2 ** 52 },
      { start: 0x5000, end: 0x5000 },
    ],
  });
  expect(allocator.reserved).toEqual([
    { start: 0, end: 0x2000 },
    { start: GIB - 4096, end: GIB },
  ]);
  expect(allocator.allocate(4096)).toBe(GIB - 8192);
});

test('E44: exhausted below 4 GiB it goes to the full width for good, with one notice', () => {
  const allocator = new IovaAllocator({ reserved: [{ start: 0, end: 2 ** 32 - 4 * MIB }] });
  const low = [taken(allocator, 2 * MIB), taken(allocator, 2 * MIB)] as [Iova, Iova];
  expect(low).toEqual([2 ** 32 - 2 * MIB, 2 ** 32 - 4 * MIB]);
  expect(allocator.prefers32Bit).toBe(true);
  expect(taken(allocator, 2 * MIB)).toBe(2 ** 48 - 2 * MIB);
  expect(allocator.prefers32Bit).toBe(false);
  allocator.free(low[0], 2 * MIB);
  expect(taken(allocator, 2 * MIB)).toBe(2 ** 48 - 4 * MIB);
  expect(allocator.notices).toHaveLength(1);
  expect(allocator.notices[0]).toContain('48-bit');
  // A caller with 32 bits still gets what is free there.
  expect(allocator.allocate(2 * MIB, 2 ** 32 - 1)).toBe(low[0]);
});

test("E44: the notice names the width of the caller's mask", () => {
  const allocator = new IovaAllocator({ reserved: [{ start: 0, end: 2 ** 32 }] });
  expect(allocator.allocate(4096, 2 ** 40 - 1)).toBe(2 ** 40 - 4096);
  expect(allocator.notices[0]).toContain('40-bit');
});

test('E44: at exhaustion the caches are flushed, and the neighbours they held make room', () => {
  const allocator = new IovaAllocator({ limit: 128 * 4096 - 1 });
  const pages = Array.from({ length: 127 }, () => taken(allocator, 4096));
  expect(allocator.allocate(4096)).toBeNull();
  for (const page of pages) allocator.free(page, 4096);
  // All 127 wait in the cache of single pages: a larger size needs them back in the tree.
  expect(allocator.allocate(64 * 4096)).toBe(64 * 4096);
  expect(allocator.allocate(64 * 4096)).toBeNull();
  expect(allocator.allocate(32 * 4096)).toBe(32 * 4096);
});

test('E44: below 4 GiB the caches are not flushed before the full width is tried', () => {
  const allocator = new IovaAllocator({ reserved: [{ start: 0, end: 2 ** 32 - 64 * 4096 }] });
  const pages = Array.from({ length: 64 }, () => taken(allocator, 4096));
  for (const page of pages) allocator.free(page, 4096);
  expect(allocator.allocate(64 * 4096)).toBe(2 ** 48 - 64 * 4096);
  expect(allocator.notices).toHaveLength(1);
});

test('a full cache sends what is freed to the tree', () => {
  const allocator = new IovaAllocator();
  const pages = Array.from({ length: 5000 }, () => taken(allocator, 4096));
  for (const page of pages) allocator.free(page, 4096);
  expect(allocator.flushCaches()).toBe(34 * 127);
  expect(allocator.flushCaches()).toBe(0);
  allocator.check();
});

test('E23, E42: a free that fits no live range is refused by name and changes nothing', () => {
  const allocator = new IovaAllocator({ reserved: [{ start: 0xfee00000, end: 0xfef00000 }], limit: 2 ** 40 - 1 });
  const cached = taken(allocator, 4096);
  const large = taken(allocator, MIB);
  allocator.free(cached, 4096);
  const before = allocator.snapshot();
  const cases: [number, number, string, string][] = [
    [cached, 4096, 'IOVA_ALREADY_FREE', 'free already'],
    [large, MIB - 4096, 'IOVA_LENGTH_MISMATCH', '256 granules'],
    [large, MIB + 1, 'IOVA_LENGTH_MISMATCH', '257 granules'],
    [large + 4096, MIB - 4096, 'IOVA_NOT_ALLOCATED', 'inside'],
    [large + 1, MIB, 'IOVA_NOT_ALLOCATED', 'inside'],
    [0xfee00000, 4096, 'IOVA_NOT_ALLOCATED', 'reserved'],
    [0, 4096, 'IOVA_NOT_ALLOCATED', 'reserved'],
    [0x100000, 4096, 'IOVA_NOT_ALLOCATED', 'never handed out'],
    [2 ** 40, 4096, 'IOVA_NOT_ALLOCATED', 'limit'],
    [large, 0, 'LENGTH_INVALID', '0 bytes'],
    [large, -4096, 'LENGTH_INVALID', '-4096'],
    [large, 0.5, 'LENGTH_INVALID', '0.5'],
  ];
  for (const [start, length, code, words] of cases) {
    const error = refusal(() => allocator.free(iova(start), length));
    expect([start, length, error.code]).toEqual([start, length, code]);
    expect(error.message).toContain(words);
    expect(error.hint).not.toBe('');
  }
  expect(iovaSnapshotDifference(before, allocator.snapshot())).toBeNull();
  allocator.free(large, MIB);
  expect(refusal(() => allocator.free(large, MIB)).code).toBe('IOVA_NOT_ALLOCATED');
  expect(refusal(() => allocator.allocate(0)).code).toBe('LENGTH_INVALID');
  expect(refusal(() => allocator.allocate(Number.NaN)).code).toBe('LENGTH_INVALID');
});

test('options that make no sense are refused by name', () => {
  for (const [options, path] of [
    [{ granule: 2048 }, 'granule'],
    [{ granule: 12288 }, 'granule'],
    [{ granule: 2 ** 32 }, 'granule'],
    [{ limit: 4096 }, 'limit'],
    [{ limit: Number.NaN }, 'limit'],
    [{ reserved: [{ start: 8192, end: 4096 }] }, 'reserved[0]'],
    [{ reserved: [{ start: -1, end: 4096 }] }, 'reserved[0]'],
  ] as const) {
    expect(refusal(() => new IovaAllocator(options))).toMatchObject({ code: 'OPTIONS_INVALID', path });
  }
});

test('granules other than 4 KiB and limits other than powers of two work the same', () => {
  const allocator = new IovaAllocator({ granule: 65536, limit: 0x12345678 });
  expect(allocator.limit).toBe(0x1233ffff);
  expect(allocator.allocate(1)).toBe(0x12330000);
  expect(allocator.allocate(65537)).toBe(0x12300000);
  const all = new IovaAllocator({ limit: Number.POSITIVE_INFINITY, prefer32Bit: false });
  expect(all.allocate(4096)).toBe(2 ** 53 - 4096);
});

test('a range is found by any address in it while it lives', () => {
  const allocator = new IovaAllocator();
  const start = taken(allocator, MIB);
  expect(allocator.liveRangeAt(start)).toEqual({ start, end: start + MIB });
  expect(allocator.liveRangeAt(start + MIB - 1)).toEqual({ start, end: start + MIB });
  expect(allocator.liveRangeAt(start - 1)).toBeNull();
  expect(allocator.liveRangeAt(start + MIB)).toBeNull();
  expect(allocator.liveRangeAt(0)).toBeNull();
  allocator.free(start, MIB);
  expect(allocator.liveRangeAt(start)).toBeNull();
});

test('a snapshot names the first difference', () => {
  const allocator = new IovaAllocator();
  const empty = allocator.snapshot();
  const start = taken(allocator, 4096);
  expect(iovaSnapshotDifference(empty, allocator.snapshot())).toBe(
    'live range 0 was absent and is [0xfffff000, 0x100000000)',
  );
  allocator.free(start, 4096);
  expect(iovaSnapshotDifference(empty, allocator.snapshot())).toBeNull();
  const other = new IovaAllocator({ reserved: [{ start: 4096, end: 8192 }] });
  expect(iovaSnapshotDifference(empty, other.snapshot())).toContain('reserved range 0');
});

/**
 * The rules of the kernel's allocator, walked from neighbour to neighbour over a plain list: what the allocator must
 * answer, address by address.
 */
class WalkingAllocator {
  /** By rising start, the anchor last. */
  readonly nodes: { lo: number; hi: number }[] = [];
  readonly caches = new Map<number, { lo: number; hi: number }[]>();
  readonly page32 = 2 ** 20;
  hint32: { lo: number; hi: number };
  hint: { lo: number; hi: number };
  readonly limitPage: number;
  prefer32 = true;

  constructor(reserved: readonly Range[], limitPage: number) {
    this.limitPage = limitPage;
    const anchor = { lo: limitPage, hi: Number.POSITIVE_INFINITY };
    for (const { start, end } of reserved) this.nodes.push({ lo: start / 4096, hi: end / 4096 - 1 });
    this.nodes.push(anchor);
    this.hint32 = anchor;
    this.hint = anchor;
  }

  allocate(granules: number, limit: number): number | null {
    let size = granules;
    if (size < 32) while (size & (size - 1)) size++;
    const limitPage = Math.min(this.limitPage, Math.floor((limit + 1) / 4096));
    if (limitPage > this.page32 && this.prefer32) {
      const low = this.fast(size, this.page32);
      if (low !== null) return low * 4096;
      this.prefer32 = false;
    }
    let page = this.fast(size, limitPage);
    if (page === null) {
      for (const cache of this.caches.values()) for (const node of cache.splice(0)) this.remove(node);
      page = this.fast(size, limitPage);
    }
    return page === null ? null : page * 4096;
  }

  fast(size: number, limitPage: number): number | null {
    const cache = this.caches.get(size) ?? [];
    for (let index = cache.length - 1; index >= 0; index--) {
      const node = cache[index] as { lo: number; hi: number };
      if (node.hi >= limitPage) continue;
      cache[index] = cache[cache.length - 1] as typeof node;
      cache.pop();
      return node.lo;
    }
    const from = limitPage <= this.page32 ? this.hint32 : this.hint;
    const page =
      this.walk(this.nodes.indexOf(from), size, limitPage) ?? this.walk(this.nodes.length - 1, size, limitPage);
    if (page === null) return null;
    const node = { lo: page, hi: page + size - 1 };
    this.nodes.splice(
      this.nodes.findIndex((other) => other.lo > page),
      0,
      node,
    );
    if (node.hi < this.page32) this.hint32 = node;
    else this.hint = node;
    return page;
  }

  walk(from: number, size: number, limitPage: number): number | null {
    let alignment = 1;
    while (alignment < size) alignment *= 2;
    for (let index = from; index > 0; index--) {
      const gapEnd = Math.min(limitPage, (this.nodes[index] as { lo: number }).lo);
      const gapStart = (this.nodes[index - 1] as { hi: number }).hi + 1;
      const page = Math.floor((gapEnd - size) / alignment) * alignment;
      if (page >= gapStart) return page;
    }
    return null;
  }

  free(start: number): void {
    const node = this.nodes.find(({ lo }) => lo === start / 4096) as { lo: number; hi: number };
    const size = node.hi - node.lo + 1;
    if (size <= 32) {
      const cache = this.caches.get(size) ?? [];
      this.caches.set(size, cache);
      cache.push(node);
    } else {
      this.remove(node);
    }
  }

  remove(node: { lo: number; hi: number }): void {
    const index = this.nodes.indexOf(node);
    const above = this.nodes[index + 1] as { lo: number; hi: number };
    if (node === this.hint32 || (node.hi < this.page32 && node.lo >= this.hint32.lo)) this.hint32 = above;
    if (node.lo >= this.hint.lo) this.hint = above;
    this.nodes.splice(index, 1);
  }
}

test("10,000 steps at random: every address is the one that the kernel's walk finds", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const prng = new Prng(seed);
    // Little room below 4 GiB and little above, so that switch-over, flushes and exhaustion all happen.
    const limit = 2 ** 32 + prng.between(1, 40) * MIB - 1;
    const lowEnd = 2 ** 32 - prng.between(2, 40) * MIB;
    const options = { limit, reserved: [{ start: 0, end: lowEnd }] };
    const allocator = new IovaAllocator(options);
    const model = new WalkingAllocator(allocator.reserved, (limit + 1) / 4096);
    const live: { start: number; length: number }[] = [];
    const seen = { switched: 0, exhausted: 0 };
    for (let step = 0; step < 2000; step++) {
      if (live.length > 0 && prng.chance(0.42)) {
        const [range] = live.splice(prng.below(live.length), 1) as [{ start: number; length: number }];
        allocator.free(iova(range.start), range.length);
        model.free(range.start);
        continue;
      }
      const granules = prng.chance(0.6) ? prng.between(1, 40) : prng.between(1, 500);
      const mask = prng.chance(0.2) ? 2 ** 32 - prng.between(0, 8) * MIB - 1 : Number.POSITIVE_INFINITY;
      const start = allocator.allocate(granules * 4096, mask);
      expect([seed, step, start]).toEqual([seed, step, model.allocate(granules, mask)]);
      if (start === null) seen.exhausted++;
      else live.push({ start, length: granules * 4096 });
    }
    seen.switched = allocator.notices.length;
    expect(seen.exhausted).toBeGreaterThan(0);
    expect(seen.switched).toBe(1);
    allocator.check();
  }
});

test('10,000 steps at random: no live range overlaps another or a reserved one, and freeing all restores the allocator', () => {
  for (const seed of [101, 102, 103, 104]) {
    const prng = new Prng(seed);
    const reserved = [
      { start: 0xe0000000, end: 0xfec00000 },
      { start: 0xfee00000, end: 0xfef00000 },
      { start: 3 * 2 ** 40, end: 4 * 2 ** 40 },
    ];
    const allocator = new IovaAllocator({ reserved, limit: 2 ** 42 - 1 });
    const empty = allocator.snapshot();
    const live: { start: Iova; length: number }[] = [];
    for (let step = 0; step < 2500; step++) {
      if (live.length > 0 && prng.chance(0.4)) {
        const [range] = live.splice(prng.below(live.length), 1) as [{ start: Iova; length: number }];
        allocator.free(range.start, range.length);
        continue;
      }
      const length = prng.chance(0.1) ? prng.between(1, 64) * 16 * MIB : prng.between(1, 4 * MIB);
      live.push({ start: taken(allocator, length, prng.chance(0.1) ? 2 ** 42 - 1 : undefined), length });
    }
    const { live: ranges, liveBytes } = allocator.snapshot();
    expect(ranges).toHaveLength(live.length);
    expect(liveBytes).toBe(allocator.liveBytes);
    const all = [...ranges, ...allocator.reserved].sort((a, b) => a.start - b.start);
    all.forEach((range, index) => {
      if (index > 0) expect(range.start).toBeGreaterThanOrEqual(all[index - 1]?.end ?? 0);
    });
    for (const { start, length } of live) allocator.free(start, length);
    expect(iovaSnapshotDifference(empty, allocator.snapshot())).toBeNull();
    expect([allocator.liveBytes, allocator.liveCount]).toEqual([0, 0]);
    allocator.check();
  }
});
