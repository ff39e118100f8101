import { expect, test } from 'vitest';
import { Prng } from '../../core/prng.ts';
import { type Range, rangeContains } from '../../core/range.ts';
import type { FoundFunction, SizedBar } from './enumerate.ts';
import { MEMORY_POOL, PREFETCHABLE_POOL, placeResources } from './resources.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

function fn(parent: number, bars: readonly SizedBar[], isBridge = false, rootBus = 0): FoundFunction {
  return {
    bdf: { domain: 0, bus: 0, device: 0, function: 0 },
    parent,
    rootBus,
    vendorId: 1,
    deviceId: 1,
    classCode: 0,
    isBridge,
    bars,
    ioBars: [],
    secondaryBus: 0,
  };
}

const bar = (index: number, lengthBytes: number, prefetchable = false): SizedBar => ({
  index,
  lengthBytes,
  prefetchable,
  is64Bit: true,
});

/** Two ranges that share a byte, or null. */
function overlapping(ranges: readonly Range[]): [Range, Range] | null {
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  for (let index = 1; index < sorted.length; index++) {
    const [low, high] = [sorted[index - 1], sorted[index]] as [Range, Range];
    if (high.start < low.end) return [low, high];
  }
  return null;
}

test('windows are whole MiB, hold what is below, and are closed where nothing is', () => {
  const { bars, windows, roots } = placeResources([
    fn(-1, [bar(0, 4096)], true),
    fn(0, [bar(0, 16384), bar(2, 64 * MIB, true)]),
    fn(-1, [], true),
  ]);
  expect(windows[0]?.memory).toEqual({ start: MEMORY_POOL.start, end: MEMORY_POOL.start + MIB });
  expect(windows[0]?.prefetchable).toEqual({ start: PREFETCHABLE_POOL.start, end: PREFETCHABLE_POOL.start + 64 * MIB });
  expect(windows[1]).toEqual({ fn: 2, memory: null, prefetchable: null });
  expect(bars.find(({ fn: owner }) => owner === 0)?.address).toBe(MEMORY_POOL.start + MIB);
  expect(roots).toEqual([
    {
      bus: 0,
      memory: { start: MEMORY_POOL.start, end: MEMORY_POOL.start + 2 * MIB },
      prefetchable: { start: PREFETCHABLE_POOL.start, end: PREFETCHABLE_POOL.start + 64 * MIB },
    },
  ]);
});

test('only 64-bit prefetchable BARs lie above 4 GiB: a bridge’s other window has 32 bits', () => {
  const { bars } = placeResources([
    fn(-1, [bar(0, MIB), { index: 2, lengthBytes: MIB, prefetchable: true, is64Bit: false }, bar(4, MIB, true)]),
  ]);
  expect(bars.map(({ index, address }) => [index, address < 2 ** 32]).sort()).toEqual([
    [0, true],
    [2, true],
    [4, false],
  ]);
});

test('a pool that is too small is refused with the numbers', () => {
  const refuse = () => placeResources([fn(-1, [bar(0, GIB)])]);
  expect(refuse).toThrow(expect.objectContaining({ code: 'QEMU_RESOURCES', path: 'root bus 0' }));
  expect(refuse).toThrow(/32-bit BARs and windows end at 0x100000000, the room for them at 0xfec00000/);
  expect(() => placeResources([fn(-1, [bar(0, 2 ** 38, true)])])).toThrow(/64-bit prefetchable/);
});

test('seeds 1 to 200: aligned, inside every window above, apart from each other, each root bus in its own part', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const prng = new Prng(seed);
    const functions: FoundFunction[] = [];
    for (let index = 0; index < 40; index++) {
      const bridges = functions.flatMap((one, at) => (one.isBridge ? [at] : []));
      const parent = bridges.length === 0 || prng.chance(0.2) ? -1 : prng.pick(bridges);
      const rootBus = parent < 0 ? prng.below(3) * 64 : (functions[parent] as FoundFunction).rootBus;
      const isBridge = prng.chance(0.4);
      const bars = [0, 2, 4].flatMap((at) => {
        if (isBridge ? at > 0 : prng.chance(0.4)) return [];
        const prefetchable = prng.chance(0.5);
        return [bar(at, 2 ** prng.between(4, prefetchable ? 32 : 22), prefetchable)];
      });
      functions.push(fn(parent, bars, isBridge, rootBus));
    }
    const { bars, windows, roots } = placeResources(functions);
    expect(bars.length, `seed ${seed}`).toBe(functions.reduce((sum, one) => sum + one.bars.length, 0));
    const spans: Range[] = bars.map(({ address, lengthBytes }) => ({ start: address, end: address + lengthBytes }));
    expect(overlapping(spans), `seed ${seed}`).toBeNull();
    bars.forEach(({ fn: owner, address, lengthBytes, prefetchable }) => {
      expect(address % lengthBytes).toBe(0);
      const kind = prefetchable ? 'prefetchable' : 'memory';
      for (let above = (functions[owner] as FoundFunction).parent; above >= 0; ) {
        const window = windows.find((one) => one.fn === above)?.[kind];
        expect(window && rangeContains(window, address, lengthBytes), `seed ${seed}`).toBe(true);
        above = (functions[above] as FoundFunction).parent;
      }
      const root = roots.find((one) => one.bus === (functions[owner] as FoundFunction).rootBus)?.[kind];
      expect(root && rangeContains(root, address, lengthBytes), `seed ${seed}`).toBe(true);
    });
    const parts = roots.flatMap(({ memory, prefetchable }) => [memory, prefetchable]).filter((one) => one !== null);
    expect(overlapping(parts), `seed ${seed}`).toBeNull();
  }
});
