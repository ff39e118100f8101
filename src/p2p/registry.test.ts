import { expect, test } from 'vitest';
import { functionWithBars, refusal } from '../../tests/p2p/functions.ts';
import { ProviderError } from './errors.ts';
import { P2pMemory } from './provider.ts';
import { Providers } from './registry.ts';

const MIB = 2 ** 20;
const HIGH = functionWithBars([{ index: 0, start: 0x30_0000_0000, size: MIB }], { bdf: '0000:81:00.0' });
const LOW = functionWithBars(
  [
    { index: 0, start: 0x40_0000_0000, size: MIB },
    { index: 2, start: 0x20_0000_0000, size: MIB },
  ],
  { bdf: '0000:03:00.0' },
);

test('what is published is listed by rising BDF, and what is not, has no memory or is leaving is not', () => {
  const providers = new Providers();
  const high = providers.provide(HIGH);
  const low = providers.provide(LOW);
  for (const memory of [high, low]) memory.publish(true);
  expect(providers.published()).toEqual([]);
  high.addResource({ bar: 0 });
  low.addResource({ bar: 0 });
  expect(providers.published()).toEqual([]);
  for (const memory of [high, low]) memory.publish(true);
  expect(providers.published()).toEqual([LOW, HIGH]);
  low.publish(false);
  expect(providers.published()).toEqual([HIGH]);
  high.beginRemoval();
  expect(providers.published()).toEqual([]);
  expect(providers.of(HIGH)).toBe(high);
  high.finishRemoval();
  expect(providers.of(HIGH)).toBeNull();
});

test('ranges are by rising address, and the generation grows with every change of them', () => {
  const providers = new Providers();
  const seen = [providers.generation];
  const step = (action: () => void): void => {
    action();
    seen.push(providers.generation);
  };
  step(() => providers.provide(HIGH));
  step(() => providers.provide(LOW));
  step(() => providers.of(HIGH)?.addResource({ bar: 0 }));
  step(() => providers.of(LOW)?.addResource({ bar: 0 }));
  step(() => providers.of(LOW)?.addResource({ bar: 2 }));
  expect(providers.ranges().map((range) => [range.provider.name, range.bar, range.phys, range.generation])).toEqual([
    ['0000:03:00.0', 2, 0x20_0000_0000, 1],
    ['0000:81:00.0', 0, 0x30_0000_0000, 1],
    ['0000:03:00.0', 0, 0x40_0000_0000, 1],
  ]);
  step(() => providers.of(LOW)?.beginRemoval());
  step(() => providers.of(LOW)?.finishRemoval());
  expect(providers.ranges().map((range) => range.provider)).toEqual([HIGH]);
  step(() => providers.of(HIGH)?.revoke());
  expect(providers.ranges()).toEqual([]);
  for (let index = 1; index < seen.length; index++) expect(seen[index]).toBeGreaterThan(seen[index - 1] as number);
});

test('allocation, publishing and transfers do not change the generation', () => {
  const providers = new Providers();
  const memory = providers.provide(HIGH);
  memory.addResource({ bar: 0 });
  const before = providers.generation;
  memory.publish(true);
  const allocation = memory.allocate(4096);
  if (!allocation) throw new Error('the pool is exhausted');
  memory.get(allocation);
  memory.put(allocation);
  memory.free(allocation);
  expect(providers.generation).toBe(before);
});

test('a function has one memory at a time, and no generation twice', () => {
  const providers = new Providers();
  const first = providers.provide(HIGH);
  const codeOf = (action: () => unknown): string => {
    const error = refusal(ProviderError, action);
    expect([error.path, error.errno]).toEqual(['0000:81:00.0', 'EEXIST']);
    return error.code;
  };
  expect(codeOf(() => providers.provide(HIGH))).toBe('ALREADY_PROVIDED');
  first.beginRemoval();
  expect(codeOf(() => providers.provide(HIGH))).toBe('ALREADY_PROVIDED');
  first.finishRemoval();
  expect(codeOf(() => providers.add(new P2pMemory(HIGH, 1)))).toBe('ALREADY_PROVIDED');
  expect(providers.provide(HIGH).generation).toBe(2);
});

test('E51: a provider that was replaced, or whose BAR moved, while something was queued is ENODEV', () => {
  const providers = new Providers();
  const first = providers.provide(HIGH);
  first.addResource({ bar: 0 });
  const queued = first.allocate(4096);
  if (!queued) throw new Error('the pool is exhausted');
  const check = (): void => providers.checkCurrent(queued.provider, queued.generation);
  const refused = (): (string | undefined)[] => {
    const error = refusal(ProviderError, check);
    return [error.code, error.errno, error.path];
  };
  const ENODEV = ['PROVIDER_GONE', 'ENODEV', '0000:81:00.0'];

  check();
  first.beginRemoval();
  // Removal waits for what is queued, so it is still good.
  check();
  first.free(queued);
  first.finishRemoval();
  expect(refused()).toEqual(ENODEV);

  // The same function with its BAR elsewhere.
  const moved = functionWithBars([{ index: 0, start: 0x50_0000_0000, size: MIB }], { bdf: '0000:81:00.0' });
  const second = providers.provide(moved);
  second.addResource({ bar: 0 });
  expect(refused()).toEqual(ENODEV);
  expect(refusal(ProviderError, () => second.free(queued)).code).toBe('PROVIDER_GONE');
  providers.checkCurrent(moved, second.generation);

  // And back at the old address: the address is right again, the provider is not.
  second.revoke();
  providers.provide(HIGH).addResource({ bar: 0 });
  expect(providers.ranges()[0]?.phys).toBe(queued.phys);
  expect(refused()).toEqual(ENODEV);

  expect(refusal(ProviderError, () => providers.checkCurrent(LOW, 1)).code).toBe('PROVIDER_GONE');
});
