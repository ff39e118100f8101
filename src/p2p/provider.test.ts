import { expect, test } from 'vitest';
import { functionWithBars, functionWithoutSizes, refusal, same } from '../../tests/p2p/functions.ts';
import { rounds, shown } from '../../tests/soak.ts';
import type { BusAddr, PhysAddr } from '../core/address.ts';
import { busFromPhys, physAddr, physFromBus } from '../core/address.ts';
import { Prng } from '../core/prng.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { ProviderError, type ProviderErrorCode } from './errors.ts';
import { P2P_GRANULE, type P2pAllocation } from './pool.ts';
import { P2pMemory } from './provider.ts';
import { HOTPLUG_GRANULE, type P2pResource } from './resource.ts';

const PAGE = 4096;
const MIB = 2 ** 20;
const BASE = 0x20_0000_0000;

/** Memory of one function whose BAR 4 has `pages` pages, all registered. */
function memoryOf(pages: number, busOffset = 0): P2pMemory {
  const memory = new P2pMemory(functionWithBars([{ index: 4, start: BASE, size: pages * PAGE }], { busOffset }));
  memory.addResource({ bar: 4 });
  return memory;
}

function refused(action: () => unknown): [ProviderErrorCode, string | undefined] {
  const error = refusal(ProviderError, action);
  expect(error.path).toMatch(/^0000:03:00\.0/);
  expect(error.hint).not.toBe('');
  return [error.code, error.errno];
}

function allocated(allocation: P2pAllocation | null): P2pAllocation {
  if (allocation === null) throw new Error('the pool is exhausted');
  return allocation;
}

const WIDE = functionWithBars([
  { index: 0, start: 0x1000, size: 0x100, space: 'io' },
  { index: 2, start: BASE, size: 8 * MIB },
  { index: 4, start: BASE + 16 * MIB, size: MIB },
]);

test('E21: the checks of registration, in both designs', () => {
  const wrap = 2 ** 64 - PAGE;
  const cases: [resource: P2pResource, flags: string, page: string][] = [
    [{ bar: 0 }, 'BAR_NOT_MEMORY EINVAL', 'BAR_NOT_MEMORY EINVAL'],
    [{ bar: 1 }, 'BAR_NOT_MEMORY EINVAL', 'BAR_NOT_MEMORY EINVAL'],
    [{ bar: 6 }, 'BAR_NOT_MEMORY EINVAL', 'BAR_NOT_MEMORY EINVAL'],
    [{ bar: 2, offset: 8 * MIB - PAGE }, 'ok', 'HOTPLUG_GRANULE EINVAL'],
    [{ bar: 2, offset: 8 * MIB }, 'OFFSET_BEYOND_BAR EINVAL', 'OFFSET_BEYOND_BAR EINVAL'],
    [{ bar: 2, offset: 8 * MIB + 1 }, 'OFFSET_BEYOND_BAR EINVAL', 'OFFSET_BEYOND_BAR EINVAL'],
    [{ bar: 2, offset: -PAGE }, 'OFFSET_BEYOND_BAR EINVAL', 'OFFSET_BEYOND_BAR EINVAL'],
    [{ bar: 2, offset: Number.NaN }, 'OFFSET_BEYOND_BAR EINVAL', 'OFFSET_BEYOND_BAR EINVAL'],
    [{ bar: 2, size: 0 }, 'ok', 'ok'],
    [{ bar: 2, size: 0, offset: 4 * MIB }, 'ok', 'ok'],
    [{ bar: 2, size: 8 * MIB }, 'ok', 'ok'],
    [{ bar: 2, size: 6 * MIB, offset: 2 * MIB }, 'ok', 'ok'],
    [{ bar: 2, size: 8 * MIB + 1 }, 'RANGE_BEYOND_BAR EINVAL', 'RANGE_BEYOND_BAR EINVAL'],
    [{ bar: 2, size: 6 * MIB + PAGE, offset: 2 * MIB }, 'RANGE_BEYOND_BAR EINVAL', 'RANGE_BEYOND_BAR EINVAL'],
    // In 64 bits the sum of the two is 0.
    [{ bar: 2, size: wrap, offset: PAGE }, 'RANGE_BEYOND_BAR EINVAL', 'RANGE_BEYOND_BAR EINVAL'],
    [{ bar: 2, size: -PAGE }, 'RANGE_BEYOND_BAR EINVAL', 'RANGE_BEYOND_BAR EINVAL'],
    [{ bar: 2, size: Number.NaN }, 'RANGE_BEYOND_BAR EINVAL', 'RANGE_BEYOND_BAR EINVAL'],
    [{ bar: 2, size: 2 * PAGE - 1 }, 'PAGE_GRANULE EINVAL', 'PAGE_GRANULE EINVAL'],
    [{ bar: 2, offset: 0.5 }, 'PAGE_GRANULE EINVAL', 'PAGE_GRANULE EINVAL'],
    [{ bar: 2, size: PAGE, offset: PAGE / 2 }, 'PAGE_GRANULE EINVAL', 'PAGE_GRANULE EINVAL'],
    [{ bar: 4 }, 'ok', 'HOTPLUG_GRANULE EINVAL'],
    [{ bar: 2, size: HOTPLUG_GRANULE - PAGE }, 'ok', 'HOTPLUG_GRANULE EINVAL'],
    [{ bar: 2, size: 2 * HOTPLUG_GRANULE, offset: HOTPLUG_GRANULE / 2 }, 'ok', 'HOTPLUG_GRANULE EINVAL'],
  ];
  for (const design of ['flags', 'page'] as const) {
    for (const [resource, flags, page] of cases) {
      const memory = new P2pMemory(WIDE);
      const wanted = design === 'flags' ? flags : page;
      const register = (): void => memory.addResource({ ...resource, design });
      if (wanted === 'ok') {
        register();
        expect(memory.size).toBe(resource.size || (resource.bar === 4 ? MIB : 8 * MIB) - (resource.offset ?? 0));
      } else {
        expect(refused(register).join(' '), JSON.stringify({ ...resource, design })).toBe(wanted);
        expect(memory.size).toBe(0);
        expect(memory.ranges).toEqual([]);
      }
    }
  }
});

test('E21: twice the same range, or a byte of it, is refused; neighbours and other BARs are not', () => {
  for (const design of ['flags', 'page'] as const) {
    const memory = new P2pMemory(WIDE);
    memory.addResource({ bar: 2, offset: 2 * MIB, size: 4 * MIB, design });
    for (const [offset, size] of [
      [2 * MIB, 4 * MIB],
      [0, 8 * MIB],
      [4 * MIB, 2 * MIB],
      [0, 2 * MIB + PAGE],
      [6 * MIB - PAGE, PAGE],
    ] as const) {
      expect(refused(() => memory.addResource({ bar: 2, offset, size, design }))).toEqual(['RANGE_OVERLAPS', 'ENOMEM']);
    }
    memory.addResource({ bar: 2, offset: 0, size: 2 * MIB, design });
    memory.addResource({ bar: 2, offset: 6 * MIB, design });
    expect(memory.size).toBe(8 * MIB);
    expect(memory.available).toBe(8 * MIB);
  }
});

test('E21: a granule is a page in both views, and a fraction of a byte is none even where the sum rounds it off', () => {
  const skewed = functionWithBars([{ index: 2, start: BASE, size: 4 * MIB }], { busOffset: PAGE / 2 });
  const high = functionWithBars([{ index: 2, start: 2 ** 52, size: 4 * MIB }]);
  expect(2 ** 52 + 0.5).toBe(2 ** 52);
  for (const design of ['flags', 'page'] as const) {
    const register = (fn: PciFunction, resource: P2pResource) => refused(() => new P2pMemory(fn).addResource(resource));
    expect(register(skewed, { bar: 2, design })).toEqual(['PAGE_GRANULE', 'EINVAL']);
    expect(register(high, { bar: 2, offset: 0.5, size: 2 * MIB, design })).toEqual(['PAGE_GRANULE', 'EINVAL']);
  }
});

test('E21: a BAR whose size is not known is refused as unknown, and one without address names what is missing', () => {
  const unsized = refusal(ProviderError, () => new P2pMemory(functionWithoutSizes()).addResource({ bar: 4 }));
  expect([unsized.code, unsized.errno, unsized.message]).toEqual([
    'BAR_UNKNOWN',
    undefined,
    'of BAR 4 size is not known or not assigned',
  ]);
  const unassigned = functionWithBars([{ index: 4, start: 0, size: MIB }]);
  const error = refusal(ProviderError, () => new P2pMemory(unassigned).addResource({ bar: 4 }));
  expect([error.code, error.message]).toEqual([
    'BAR_UNKNOWN',
    'of BAR 4 CPU address, bus address are not known or not assigned',
  ]);
});

test('E22: 0 bytes is null, 1 byte is a page, all is all, all and 1 is null', () => {
  for (const view of ['allocate', 'allocPhys', 'allocBusAddr'] as const) {
    const memory = memoryOf(8);
    expect(memory[view](0)).toBeNull();
    expect(memory.available).toBe(8 * PAGE);
    expect(memory[view](1)).not.toBeNull();
    expect(memory.available).toBe(7 * PAGE);
    expect(memory[view](7 * PAGE + 1)).toBeNull();
    expect(memory.available).toBe(7 * PAGE);
    expect(memory[view](7 * PAGE)).not.toBeNull();
    expect(memory.available).toBe(0);
    expect(memory[view](1)).toBeNull();
  }
  expect(memoryOf(8).allocate(8 * PAGE)?.offset).toBe(0);
  expect(memoryOf(8).allocate(8 * PAGE + 1)).toBeNull();
});

test('E22: a fragmented pool is filled from its first gap that is long enough', () => {
  const memory = memoryOf(8);
  const pages = Array.from({ length: 8 }, () => allocated(memory.allocate(PAGE)));
  for (const index of [1, 4, 5, 7]) memory.free(pages[index] as P2pAllocation);
  expect(memory.available).toBe(4 * PAGE);
  expect(memory.allocate(3 * PAGE)).toBeNull();
  expect(memory.allocate(PAGE + 1)?.offset).toBe(4 * PAGE);
  expect(memory.allocate(PAGE)?.offset).toBe(PAGE);
  expect(memory.allocate(PAGE)?.offset).toBe(7 * PAGE);
  expect(memory.allocate(1)).toBeNull();
});

test('E22: the chunk added last is searched first, and no allocation spans two', () => {
  const memory = new P2pMemory(WIDE);
  // Two neighbours in the same BAR, so that an allocation that spans them would be contiguous.
  memory.addResource({ bar: 2, offset: 0, size: 4 * PAGE });
  memory.addResource({ bar: 2, offset: 4 * PAGE, size: 2 * PAGE });
  expect(memory.allocate(5 * PAGE)).toBeNull();
  expect(memory.allocate(PAGE)?.offset).toBe(4 * PAGE);
  expect(memory.allocate(2 * PAGE)?.offset).toBe(0);
  expect(memory.allocate(PAGE)?.offset).toBe(5 * PAGE);
  expect(memory.allocate(PAGE)?.offset).toBe(2 * PAGE);
});

test('E22: an allocation after an odd page is aligned to a page and to nothing larger', () => {
  const memory = memoryOf(16);
  memory.allocate(PAGE);
  expect(memory.allocate(8 * PAGE)?.phys).toBe(BASE + PAGE);
});

test('E22: a length that is no number of bytes is refused', () => {
  const memory = memoryOf(4);
  for (const length of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    expect(refused(() => memory.allocate(length))).toEqual(['LENGTH_INVALID', 'EINVAL']);
  }
  expect(memory.available).toBe(4 * PAGE);
});

test('E22: a function without memory gives null, and cannot be published', () => {
  const memory = new P2pMemory(WIDE);
  memory.publish(true);
  expect([memory.allocate(PAGE), memory.allocPhys(PAGE), memory.allocBusAddr(PAGE)]).toEqual([null, null, null]);
  expect(memory.published).toBe(false);
});

test('E23: wrong length, wrong address and double free are told apart, and change nothing', () => {
  const memory = memoryOf(16, 0x1000_0000);
  const first = allocated(memory.allocate(2 * PAGE + 5));
  const second = allocated(memory.allocate(PAGE));
  memory.free(second);
  const before = memory.available;
  const at = (address: number): PhysAddr => physAddr(address);
  const wrong: [action: () => void, code: ProviderErrorCode][] = [
    [() => memory.freePhys(first.phys, 2 * PAGE), 'FREE_SIZE_MISMATCH'],
    [() => memory.freePhys(first.phys, 3 * PAGE), 'FREE_SIZE_MISMATCH'],
    [() => memory.freeBusAddr(first.bus, 2 * PAGE + 6), 'FREE_SIZE_MISMATCH'],
    [() => memory.freePhys(at(first.phys + 1), 2 * PAGE + 5), 'NOT_ALLOCATED'],
    [() => memory.freePhys(at(first.phys + PAGE), 2 * PAGE + 5), 'NOT_ALLOCATED'],
    [() => memory.freePhys(at(BASE + 10 * PAGE), PAGE), 'NOT_ALLOCATED'],
    [() => memory.freePhys(at(BASE - PAGE), PAGE), 'FOREIGN_ADDRESS'],
    [() => memory.freePhys(at(BASE + 16 * PAGE), PAGE), 'FOREIGN_ADDRESS'],
    // The bus address in the wrong view.
    [() => memory.freePhys(at(first.bus), 2 * PAGE + 5), 'FOREIGN_ADDRESS'],
    [() => memory.freeBusAddr(first.phys as number as BusAddr, 2 * PAGE + 5), 'FOREIGN_ADDRESS'],
    [() => memory.freePhys(second.phys, PAGE), 'DOUBLE_FREE'],
    [() => memory.freeBusAddr(second.bus, PAGE), 'DOUBLE_FREE'],
    [() => memory.free(second), 'DOUBLE_FREE'],
  ];
  for (const [action, code] of wrong) {
    expect(refused(action)).toEqual([code, 'EINVAL']);
    expect(memory.available).toBe(before);
    expect(memory.users.allocations).toEqual([first]);
  }
});

test('E23: a stale allocation is a double free even where its memory was given out again', () => {
  const memory = memoryOf(4);
  const stale = allocated(memory.allocate(PAGE));
  memory.free(stale);
  const fresh = allocated(memory.allocate(PAGE));
  expect(fresh.phys).toBe(stale.phys);
  expect(refused(() => memory.free(stale))[0]).toBe('DOUBLE_FREE');
  memory.free(fresh);
});

test('E23: memory of another provider is foreign', () => {
  const other = new P2pMemory(functionWithBars([{ index: 0, start: 2 * BASE, size: MIB }], { bdf: '0000:07:00.0' }));
  other.addResource({ bar: 0 });
  expect(refused(() => memoryOf(4).free(allocated(other.allocate(PAGE))))[0]).toBe('FOREIGN_ADDRESS');
});

test('E23: after removal every free and every transfer is refused with ENODEV', () => {
  const memory = memoryOf(4);
  const allocation = allocated(memory.allocate(PAGE));
  memory.free(allocation);
  memory.finishRemoval();
  for (const action of [
    () => memory.free(allocation),
    () => memory.freePhys(allocation.phys, PAGE),
    () => memory.freeBusAddr(allocation.bus, PAGE),
    () => memory.get(allocation),
    () => memory.addResource({ bar: 4 }),
    () => memory.beginRemoval(),
    () => memory.finishRemoval(),
    () => memory.revoke(),
  ]) {
    expect(refused(action)).toEqual(['PROVIDER_GONE', 'ENODEV']);
  }
});

test('E24: removal waits for allocations and reports every one', () => {
  const memory = memoryOf(8);
  const [one, two] = [allocated(memory.allocate(PAGE)), allocated(memory.allocate(3 * PAGE))];
  expect(memory.beginRemoval()).toEqual({ allocations: [one, two], transfers: 0 });
  expect(memory.state).toBe('removing');
  expect(refused(() => memory.finishRemoval())).toEqual(['REMOVAL_BLOCKED', 'EBUSY']);
  memory.free(one);
  expect(refused(() => memory.finishRemoval())).toEqual(['REMOVAL_BLOCKED', 'EBUSY']);
  memory.freeBusAddr(two.bus, two.length);
  memory.finishRemoval();
  expect([memory.state, memory.size, memory.available]).toEqual(['gone', 0, 0]);
});

test('E24: removal waits for transfers, which end and may even begin in memory that is still held', () => {
  const memory = memoryOf(8);
  const allocation = allocated(memory.allocate(PAGE));
  memory.get(allocation);
  expect(memory.beginRemoval()).toEqual({ allocations: [allocation], transfers: 1 });
  memory.get(allocation);
  memory.put(allocation);
  expect(refused(() => memory.free(allocation))).toEqual(['DMA_IN_FLIGHT', 'EBUSY']);
  expect(refused(() => memory.finishRemoval())).toEqual(['REMOVAL_BLOCKED', 'EBUSY']);
  memory.put(allocation);
  expect(refused(() => memory.put(allocation))).toEqual(['DMA_NOT_IN_FLIGHT', 'EINVAL']);
  memory.free(allocation);
  memory.finishRemoval();
  expect(memory.state).toBe('gone');
});

test('E24: without waiting, revoke cuts everybody off and names them', () => {
  const memory = memoryOf(8);
  const allocation = allocated(memory.allocate(PAGE));
  memory.get(allocation);
  expect(memory.revoke()).toEqual({ allocations: [allocation], transfers: 1 });
  expect(memory.users).toEqual({ allocations: [], transfers: 0 });
  expect(refused(() => memory.free(allocation))).toEqual(['PROVIDER_GONE', 'ENODEV']);
  memory.put(allocation);
  expect(memory.allocate(PAGE)).toBeNull();
});

test('E25: an allocation that races with removal is null and leaks nothing', () => {
  const memory = memoryOf(8);
  const held = allocated(memory.allocate(PAGE));
  const seen: unknown[] = [];
  // Called in the middle of beginRemoval() and finishRemoval(): the earliest moment at which a racing caller can run.
  memory.watch(() => seen.push(memory.state, memory.allocate(PAGE), memory.allocPhys(1), memory.allocBusAddr(1)));
  memory.beginRemoval();
  expect(memory.allocate(PAGE)).toBeNull();
  expect(memory.available).toBe(7 * PAGE);
  memory.free(held);
  expect(memory.available).toBe(8 * PAGE);
  memory.finishRemoval();
  expect(seen).toEqual(['removing', null, null, null, 'gone', null, null, null]);
});

test('E27: bus offsets of either sign go both ways exactly', () => {
  for (const busOffset of [0, 0x1f_0000_0000, -0x1f_0000_0000, 2 ** 52 - BASE, PAGE, -PAGE]) {
    const memory = memoryOf(4, busOffset);
    const allocation = allocated(memory.allocate(2 * PAGE));
    expect(allocation.bus).toBe(allocation.phys + busOffset);
    expect(busFromPhys(allocation.phys, busOffset)).toBe(allocation.bus);
    expect(physFromBus(allocation.bus, busOffset)).toBe(allocation.phys);
    memory.free(allocation);
    const phys = memory.allocPhys(PAGE) as PhysAddr;
    const bus = memory.allocBusAddr(PAGE) as BusAddr;
    expect([phys, bus]).toEqual([BASE, BASE + PAGE + busOffset]);
    // Either view gives back what either view allocated.
    memory.freeBusAddr(busFromPhys(phys, busOffset), PAGE);
    memory.freePhys(physFromBus(bus, busOffset), PAGE);
    expect(memory.available).toBe(4 * PAGE);
  }
});

test('E27: the last byte may lie at 2^53 - 1, in either view, and not above', () => {
  const top = 2 ** 53 - 4 * PAGE;
  for (const [start, busOffset, pages, fits] of [
    [top, 0, 4, true],
    [top, 0, 5, false],
    [BASE, top - BASE, 4, true],
    [BASE, top - BASE, 5, false],
    [top, BASE - top, 4, true],
    [top, BASE - top, 5, false],
  ] as const) {
    const fn = functionWithBars([{ index: 0, start, size: pages * PAGE }], { busOffset });
    const memory = new P2pMemory(fn);
    const error = fits ? null : refusal(ProviderError, () => memory.addResource({ bar: 0 }));
    if (fits) memory.addResource({ bar: 0 });
    expect(error?.code).toBe(fits ? undefined : 'ADDRESS_BEYOND_LIMIT');
    expect(memory.allocate(pages * PAGE)?.bus ?? null).toBe(fits ? start + busOffset : null);
  }
});

test('E27: a bus address below 0 is none', () => {
  const fn = functionWithBars([{ index: 0, start: MIB, size: MIB }], { busOffset: -2 * MIB });
  expect(refusal(ProviderError, () => new P2pMemory(fn).addResource({ bar: 0 })).code).toBe('BAR_UNKNOWN');
});

test('E51: an allocation of the provider before is ENODEV, though the address is in use again', () => {
  const first = memoryOf(4);
  const stale = allocated(first.allocate(PAGE));
  first.revoke();
  const second = new P2pMemory(first.provider, 2);
  second.addResource({ bar: 4 });
  const fresh = allocated(second.allocate(PAGE));
  expect([stale.phys, stale.generation, fresh.generation]).toEqual([fresh.phys, 1, 2]);
  for (const action of [
    () => second.checkCurrent(stale),
    () => second.get(stale),
    () => second.put(stale),
    () => second.free(stale),
  ]) {
    expect(refused(action)).toEqual(['PROVIDER_GONE', 'ENODEV']);
  }
  second.checkCurrent(fresh);
  second.free(fresh);
});

test('the holder of a range is the allocation that it lies in wholly', () => {
  const memory = memoryOf(16);
  const one = allocated(memory.allocate(3 * PAGE + 8));
  const two = allocated(memory.allocate(PAGE));
  const at = (offset: number, length: number): P2pAllocation | null => memory.holderOf(physAddr(BASE + offset), length);
  expect(at(0, 3 * PAGE + 8)).toBe(one);
  expect(at(2 * PAGE + 100, 64)).toBe(one);
  expect(at(3 * PAGE, 9)).toBeNull();
  expect(at(0, 0)).toBeNull();
  expect(at(4 * PAGE, PAGE)).toBe(two);
  expect(at(4 * PAGE - 1, 2)).toBeNull();
  expect(at(5 * PAGE, 1)).toBeNull();
  expect(at(-1, 1)).toBeNull();
  expect(at(16 * PAGE, 1)).toBeNull();
});

test('unpublishing hides the provider and leaves its users alone', () => {
  const memory = memoryOf(4);
  expect(memory.published).toBe(false);
  memory.publish(true);
  const allocation = allocated(memory.allocate(PAGE));
  memory.publish(false);
  expect(memory.published).toBe(false);
  expect(memory.allocate(PAGE)).not.toBeNull();
  memory.free(allocation);
  memory.publish(true);
  memory.beginRemoval();
  expect(memory.published).toBe(false);
});

const SEQUENCES = rounds(1000, 10_000);

test(`${shown(SEQUENCES)} random sequences: the pool is its model byte for byte, nothing overlaps, and all comes back`, () => {
  const seed = 20190627;
  const prng = new Prng(seed);
  let allocations = 0;
  let exhausted = 0;
  for (let sequence = 0; sequence < SEQUENCES; sequence++) {
    const busOffset = prng.pick([0, 0x10_0000_0000, -0x10_0000_0000]);
    const memory = new P2pMemory(
      functionWithBars([{ index: 2, start: BASE, size: 256 * PAGE }], { busOffset }),
      prng.between(1, 9),
    );
    // The model: a list of booleans for each chunk, newest first.
    const chunks: { offset: number; taken: boolean[] }[] = [];
    let offset = 0;
    for (let chunk = prng.between(1, 3); chunk > 0; chunk--) {
      offset += prng.below(3) * PAGE;
      const pages = prng.between(1, 40);
      memory.addResource({ bar: 2, offset, size: pages * PAGE });
      chunks.unshift({ offset, taken: new Array<boolean>(pages).fill(false) });
      offset += pages * PAGE;
    }
    const held: P2pAllocation[] = [];
    const mark = (allocation: P2pAllocation, value: boolean): void => {
      const chunk = chunks.find((one) => {
        const inChunk = allocation.offset - one.offset;
        return inChunk >= 0 && inChunk < one.taken.length * PAGE;
      }) as { offset: number; taken: boolean[] };
      const first = (allocation.offset - chunk.offset) / PAGE;
      for (let page = first; page < first + Math.ceil(allocation.length / PAGE); page++) {
        same(chunk.taken[page], !value, `seed ${seed}, sequence ${sequence}, page ${page}`);
        chunk.taken[page] = value;
      }
    };
    const giveBack = (): void => {
      const [allocation] = held.splice(prng.below(held.length), 1) as [P2pAllocation];
      const view = prng.below(3);
      if (view === 0) memory.free(allocation);
      else if (view === 1) memory.freePhys(allocation.phys, allocation.length);
      else memory.freeBusAddr(allocation.bus, allocation.length);
      mark(allocation, false);
    };
    for (let step = 0; step < 24; step++) {
      const context = `seed ${seed}, sequence ${sequence}, step ${step}`;
      if (held.length > 0 && prng.chance(0.4)) {
        giveBack();
      } else {
        const length = prng.chance(0.5) ? prng.between(1, 6) * PAGE : prng.between(1, 20 * PAGE);
        const pages = Math.ceil(length / PAGE);
        const wanted = chunks
          .map((chunk) => ({ chunk, start: chunk.taken.findIndex((_, at) => fits(chunk.taken, at, pages)) }))
          .find(({ start }) => start >= 0);
        const allocation = memory.allocate(length);
        same(allocation?.offset, wanted && wanted.chunk.offset + wanted.start * PAGE, context);
        if (allocation) {
          same(allocation.phys, BASE + allocation.offset, context);
          same(allocation.bus, allocation.phys + busOffset, context);
          same(allocation.length, length, context);
          same(allocation.generation, memory.generation, context);
          mark(allocation, true);
          held.push(allocation);
          allocations++;
        } else {
          exhausted++;
        }
      }
      const free = chunks.flatMap((chunk) => chunk.taken).filter((bit) => !bit).length;
      same(memory.available, free * P2P_GRANULE, context);
      same(memory.users.allocations.length, held.length, context);
    }
    while (held.length > 0) giveBack();
    same(memory.available, memory.size, `seed ${seed}, sequence ${sequence}`);
    memory.finishRemoval();
  }
  // Both outcomes were met often.
  expect(allocations).toBeGreaterThan(5 * SEQUENCES);
  expect(exhausted).toBeGreaterThan(SEQUENCES / 2);
});

function fits(taken: readonly boolean[], at: number, pages: number): boolean {
  if (at + pages > taken.length) return false;
  for (let page = at; page < at + pages; page++) if (taken[page]) return false;
  return true;
}
