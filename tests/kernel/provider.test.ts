/** Provider memory as the kernel registered, gave out and found it. */

import { expect, test } from 'vitest';
import { Prng } from '../../src/core/prng.ts';
import { ProviderError } from '../../src/p2p/errors.ts';
import { nearestProviders, p2pdmaDistanceMany } from '../../src/p2p/find.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { policyForKernel } from '../../src/p2p/policy.ts';
import type { P2pMemory } from '../../src/p2p/provider.ts';
import { Providers } from '../../src/p2p/registry.ts';
import { type Bdf, parseBdf } from '../../src/pcie/bdf.ts';
import type { PciFunction } from '../../src/pcie/pci-function.ts';
import { readTruth, type Truth, type TruthBlock, type TruthCase } from './truth.ts';

const cases = await readTruth();
const PAGE = 4096;
const ERRNO: Readonly<Record<string, number>> = { ENXIO: -6, ENOMEM: -12, ENODEV: -19, EINVAL: -22 };

function functionAt({ machine }: TruthCase, name: string): PciFunction {
  const fn = machine.hierarchy.at(parseBdf(name) as Bdf);
  if (!fn) throw new Error(`${name} is not in ${machine.source}`);
  return fn;
}

/** The sizes that sysfs showed once all blocks of the truth were allocated. */
function sizesOf(
  truth: Truth,
  bdf: string,
): { size: number; available_after_oracle: number; published: number } | null {
  return truth.functions.find((fn) => fn.bdf === bdf)?.p2pmem ?? null;
}

function blocksOf(truth: Truth, bdf: string): TruthBlock[] {
  const provider = truth.providers.find((one) => one.bdf === bdf);
  return provider === undefined ? [] : provider.second === undefined ? [provider] : [provider.second, provider];
}

/** `add_resource()` as the kernel answers it: 0 or a negative errno. */
function register(memory: P2pMemory, bar: number): number {
  try {
    memory.addResource({ bar, design: 'page' });
    return 0;
  } catch (error) {
    if (error instanceof ProviderError) return ERRNO[error.errno ?? ''] as number;
    throw error;
  }
}

interface Replayed {
  readonly providers: Providers;
  registrations: number;
  blocks: number;
  sizes: number;
}

/**
 * Does again what was done on a truth machine, and compares every answer: register a range, then take the driver's own memory
 * (queues in a controller's memory buffer) and the block of that BAR.
 */
function replay(item: TruthCase): Replayed {
  const { truth } = item;
  const done: Replayed = { providers: new Providers(), registrations: 0, blocks: 0, sizes: 0 };
  for (const registration of truth.add_resource) {
    const { bdf, bar, by, ret, phys, size } = registration;
    const where = `${truth.name} ${bdf} BAR ${bar}`;
    const fn = functionAt(item, bdf);
    const memory = done.providers.of(fn) ?? done.providers.provide(fn);
    expect(register(memory, bar), where).toBe(ret);
    done.registrations++;
    if (ret !== 0) continue;
    const [range] = memory.ranges;
    if (phys !== undefined) expect([range?.phys, range?.size], where).toEqual([Number(phys), Number(size)]);

    const blocks = blocksOf(truth, bdf);
    const sizes = sizesOf(truth, bdf);
    if (by === 'driver' && sizes !== null) {
      const pages = blocks.reduce((sum, block) => sum + block.alloc_pages, 0);
      const ofDriver = sizes.size - sizes.available_after_oracle - pages * PAGE;
      expect(memory.allocate(ofDriver) === null, where).toBe(ofDriver === 0);
    }
    const block = blocks.find((one) => one.bar === bar);
    if (block !== undefined) {
      const allocation = memory.allocate(block.alloc_pages * PAGE);
      expect([allocation?.phys, allocation?.bus, allocation?.bar], where).toEqual([
        Number(block.alloc_phys),
        Number(block.alloc_bus),
        bar,
      ]);
      done.blocks++;
    }
  }
  for (const { bdf } of truth.functions) {
    const sizes = sizesOf(truth, bdf);
    if (sizes === null) continue;
    const memory = done.providers.of(functionAt(item, bdf));
    memory?.publish(true);
    expect([memory?.size, memory?.available, Number(memory?.published)], `${truth.name} ${bdf}`).toEqual([
      sizes.size,
      sizes.available_after_oracle,
      sizes.published,
    ]);
    done.sizes++;
  }
  return done;
}

test('E21: registrations, sizes and both views of every block are the kernel’s', () => {
  let registrations = 0;
  let blocks = 0;
  let sizes = 0;
  let moved = 0;
  for (const item of cases) {
    const done = replay(item);
    registrations += done.registrations;
    blocks += done.blocks;
    sizes += done.sizes;
    moved += item.truth.providers.filter((provider) => provider.alloc_phys !== provider.alloc_bus).length;
    const all = item.truth.providers.reduce((sum, provider) => sum + (provider.second === undefined ? 1 : 2), 0);
    expect(done.blocks, item.truth.name).toBe(all);
  }
  console.log(`${registrations} registrations, ${blocks} blocks (${moved} with a bus offset), ${sizes} pools compared`);
  expect(Math.min(registrations, blocks, sizes, moved)).toBeGreaterThan(0);
});

test('E16: whom the kernel found, the registry finds: each of a tie equally often, and nobody else', () => {
  const seed = 16;
  const chance = new Prng(seed);
  let asked = 0;
  let ties = 0;
  let none = 0;
  for (const item of cases) {
    const { providers } = replay(item);
    const context = new JudgeContext(item.machine, policyForKernel(item.machine.kernel));
    for (const { cs, chosen } of item.truth.find) {
      const clients = cs.map((name) => functionAt(item, name));
      const where = `${item.truth.name}: ${cs.join(' ')}, seed ${seed}`;
      asked++;
      if (chosen.length === 0) {
        expect(providers.find(clients, context, chance), where).toBeNull();
        none++;
        continue;
      }
      // The kernel was asked 48 times and may have missed one of many; distance.test.ts compares the two sets.
      const nearest = nearestProviders(providers.published(), clients, context).map((fn) => fn.name);
      expect(nearest, where).toEqual(expect.arrayContaining(chosen));
      const rounds = 400 * nearest.length;
      const counts = new Map(nearest.map((name) => [name, 0]));
      for (let round = 0; round < rounds; round++) {
        const name = providers.find(clients, context, chance)?.name ?? 'none';
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      expect([...counts.keys()], where).toEqual(nearest);
      // 400 expected each: five standard deviations are at most 100.
      for (const [name, count] of counts) expect(Math.abs(count - 400), `${where}, ${name}`).toBeLessThan(100);
      if (nearest.length > 1) ties++;
    }
  }
  console.log(`${asked} questions, ${ties} with a tie, ${none} without an answer`);
  expect(Math.min(ties, none)).toBeGreaterThan(0);
});

test('E16: the nearest provider is passed over when it is unpublished or has no pool; then the next nearest is found', () => {
  const chance = new Prng(61);
  let passedOver = 0;
  for (const item of cases) {
    const { providers } = replay(item);
    const context = new JudgeContext(item.machine, policyForKernel(item.machine.kernel));
    const published = providers.published();
    for (const client of item.machine.hierarchy.functions) {
      const nearest = providers.find([client], context, chance);
      if (nearest === null) continue;
      const others = published
        .filter((fn) => fn !== nearest)
        .map((fn) => ({ fn, distance: p2pdmaDistanceMany(fn, [client], context) }))
        .filter(({ distance }) => distance >= 0);
      const next = Math.min(...others.map(({ distance }) => distance));
      const memory = providers.of(nearest) as P2pMemory;

      const expected = others.filter(({ distance }) => distance === next).map(({ fn }) => fn.name);
      const check = (found: PciFunction | null): void => {
        const where = `${item.truth.name}, ${client.name}`;
        if (expected.length === 0) expect(found, where).toBeNull();
        else expect(expected, where).toContain(found?.name);
      };
      memory.publish(false);
      check(providers.find([client], context, chance));
      memory.publish(true);

      const poolLess = new Providers();
      poolLess.provide(nearest).publish(true);
      for (const fn of published) if (fn !== nearest) poolLess.add(providers.of(fn) as P2pMemory);
      check(poolLess.find([client], context, chance));
      passedOver++;
    }
  }
  expect(passedOver).toBeGreaterThan(100);
});
