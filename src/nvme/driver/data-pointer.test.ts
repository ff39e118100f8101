import { expect, test } from 'vitest';
import { rounds } from '../../../tests/soak.ts';
import { Prng } from '../../core/prng.ts';
import { getU64 } from '../spec/bytes.ts';
import { FLAGS_PSDT_SHIFT, PSDT, SQE, SQE_BYTES } from '../spec/command.ts';
import { sglAddress, sglLength, sglSubtype, sglType } from '../spec/sgl.ts';
import { DataPointerWriter } from './data-pointer.ts';
import { PAGE_BYTES, type PointerFormat, prpCapacityBytes, sglCapacity } from './plan.ts';
import type { ResolvedSegments } from './resolve.ts';

const PAGE = PAGE_BYTES;
const LIST_PAGES = 5;
const LISTS_AT = 2 ** 41;

type Run = [address: number, length: number];

function resolved(runs: readonly Run[], isRelative = false): ResolvedSegments {
  return {
    count: runs.length,
    totalBytes: runs.reduce((sum, [, length]) => sum + length, 0),
    addresses: runs.map(([address]) => address),
    lengths: runs.map(([, length]) => length),
    own: runs.map((_, index) => isRelative && index % 2 === 0),
    mmio: runs.map(() => false),
    isRelative,
  };
}

/** The byte runs that a command names, as somebody reads them who only knows the specification. Touching runs are joined. */
function readBack(entry: Uint8Array, lists: Uint8Array, lengthBytes: number, isLastLong = false): Run[] {
  const psdt = (entry[SQE.FLAGS] as number) >>> FLAGS_PSDT_SHIFT;
  return joined(psdt === PSDT.PRP ? readPrps(entry, lists, lengthBytes) : readSgl(entry, lists, isLastLong));
}

function readPrps(entry: Uint8Array, lists: Uint8Array, lengthBytes: number): Run[] {
  const first = getU64(entry, SQE.PRP1);
  const second = getU64(entry, SQE.PRP2);
  const runs: Run[] = [[first, Math.min(lengthBytes, PAGE - (first % PAGE))]];
  let left = lengthBytes - (runs[0] as Run)[1];
  if (left === 0) {
    expect(second).toBe(0);
    return runs;
  }
  if (left <= PAGE) {
    expect(second % PAGE).toBe(0);
    return [...runs, [second, left]];
  }
  for (let at = second - LISTS_AT; left > 0; at += 8) {
    if (at % PAGE === PAGE - 8 && left > PAGE) at = getU64(lists, at) - LISTS_AT;
    const page = getU64(lists, at);
    expect(page % PAGE).toBe(0);
    runs.push([page, Math.min(PAGE, left)]);
    left -= Math.min(PAGE, left);
  }
  return runs;
}

function readSgl(entry: Uint8Array, lists: Uint8Array, isLastLong: boolean): Run[] {
  if (sglType(entry, SQE.DPTR) === 0) return [[sglAddress(entry, SQE.DPTR), sglLength(entry, SQE.DPTR)]];
  const runs: Run[] = [];
  let [holder, at] = [entry, SQE.DPTR as number];
  for (;;) {
    const isLast = sglType(holder, at) === 3;
    const start = sglAddress(holder, at) - LISTS_AT;
    const count = sglLength(holder, at) / 16;
    expect([start % 16, count <= PAGE / 16 || (isLast && isLastLong)]).toEqual([0, true]);
    for (let index = 0; index < count - (isLast ? 0 : 1); index++) {
      expect(sglType(lists, start + index * 16)).toBe(0);
      runs.push([sglAddress(lists, start + index * 16), sglLength(lists, start + index * 16)]);
    }
    if (isLast) return runs;
    [holder, at] = [lists, start + (count - 1) * 16];
  }
}

function joined(runs: readonly Run[]): Run[] {
  const result: Run[] = [];
  for (const [address, length] of runs) {
    const last = result.at(-1);
    if (last && last[0] + last[1] === address) last[1] += length;
    else result.push([address, length]);
  }
  return result;
}

function write(
  segments: ResolvedSegments,
  format: PointerFormat,
  segment = 0,
  offset = 0,
  length = segments.totalBytes,
  sglSegments?: number,
) {
  const entry = new Uint8Array(SQE_BYTES);
  const writer = new DataPointerWriter(LIST_PAGES, sglSegments);
  // Whatever an earlier command left in the lists must not matter.
  writer.lists.fill(0xa5);
  const used = writer.write(entry, 0, segments, { format, lengthBytes: length, segment, offset }, LISTS_AT);
  return { entry, used, lists: writer.lists };
}

const scattered = (count: number, length: number, step = 2 * length): Run[] =>
  Array.from({ length: count }, (_, index) => [2 ** 40 + index * step, length]);

test('PRPs: every number of pages around PRP2, a full list page and a full chain names the same bytes', () => {
  const perPage = PAGE / 8;
  for (const pages of [1, 2, 3, perPage, perPage + 1, perPage + 2, 2 * perPage, 2 * perPage + 1, 4 * perPage]) {
    for (const last of [512, PAGE]) {
      const runs = scattered(pages, PAGE);
      (runs[pages - 1] as Run)[1] = last;
      const { entry, used, lists } = write(resolved(runs), 'prp');
      const length = (pages - 1) * PAGE + last;
      expect(readBack(entry, lists, length)).toEqual(joined(runs));
      const slots = pages <= 2 ? 0 : pages - 1 + Math.ceil((pages - 1 - perPage) / (perPage - 1));
      expect(used).toBe(8 * Math.max(slots, pages <= 2 ? 0 : pages - 1));
    }
  }
});

test('PRPs: the largest transfer fits the list pages wherever it begins', () => {
  const bytes = prpCapacityBytes(LIST_PAGES);
  for (const offset of [0, 4, PAGE - 4]) {
    const runs: Run[] = [[2 ** 40 + offset, bytes]];
    const { entry, lists } = write(resolved(runs), 'prp');
    expect(readBack(entry, lists, bytes)).toEqual(runs);
  }
});

test('SGL: one block stands in the command, up to 256 behind a Last Segment, more in segments that chain', () => {
  const perPage = PAGE / 16;
  for (const count of [
    1,
    2,
    perPage - 1,
    perPage,
    perPage + 1,
    2 * perPage - 1,
    2 * perPage,
    sglCapacity(LIST_PAGES),
  ]) {
    const runs = scattered(count, 100);
    const { entry, used, lists } = write(resolved(runs), 'sgl');
    expect(readBack(entry, lists, count * 100)).toEqual(runs);
    expect(sglType(entry, SQE.DPTR)).toBe(count === 1 ? 0 : count <= perPage ? 3 : 2);
    expect(used <= LIST_PAGES * PAGE).toBe(true);
    if (count === 1) expect(used).toBe(0);
  }
  expect(write(resolved(scattered(sglCapacity(LIST_PAGES), 100)), 'sgl').used).toBe(LIST_PAGES * PAGE);
});

test('SGL: subtype 1 marks offsets in the own buffer, and those alone', () => {
  const segments = resolved(scattered(4, 512), true);
  const { entry, lists } = write(segments, 'sgl');
  expect([0, 1, 2, 3].map((index) => sglSubtype(lists, index * 16))).toEqual([1, 0, 1, 0]);
  expect(sglSubtype(entry, SQE.DPTR)).toBe(0);
  expect(sglSubtype(write(resolved(scattered(1, 512), true), 'sgl').entry, SQE.DPTR)).toBe(1);
});

test('a command in the middle of a request names its own stretch, in both formats', () => {
  const seed = 0x77;
  const prng = new Prng(seed);
  for (let round = 0; round < rounds(200, 10_000); round++) {
    const runs = scattered(prng.between(1, 40), PAGE * prng.between(1, 4), 2 ** 24);
    const segments = resolved(runs);
    const from = prng.below(segments.totalBytes / PAGE) * PAGE + prng.below(8) * 512;
    const length = 512 * prng.between(1, (segments.totalBytes - from) / 512);
    let segment = 0;
    let offset = from;
    while (offset >= (segments.lengths[segment] as number)) offset -= segments.lengths[segment++] as number;
    let left = length;
    const expected: Run[] = [];
    for (let index = segment; left > 0; index++) {
      const skipped = index === segment ? offset : 0;
      const [address, size] = runs[index] as Run;
      expected.push([address + skipped, Math.min(size - skipped, left)]);
      left -= Math.min(size - skipped, left);
    }
    for (const format of ['prp', 'sgl'] as const) {
      const { entry, lists } = write(segments, format, segment, offset, length);
      expect(readBack(entry, lists, length), `seed ${seed}, round ${round}`).toEqual(expected);
    }
  }
});

test('SGL: with a limit on segments the last one holds what is left, however long, and names the same bytes', () => {
  for (const limit of [1, 2, 3]) {
    for (const count of [2, 255, 256, 257, 511, 512, 600, 1200]) {
      const runs = scattered(count, 512);
      const { entry, used, lists } = write(resolved(runs), 'sgl', 0, 0, count * 512, limit);
      expect(readBack(entry, lists, count * 512, true)).toEqual(joined(runs));
      const chained = Math.min(limit, Math.ceil((count - 1) / 255));
      expect(used).toBe(16 * (count + chained - 1));
    }
  }
});
