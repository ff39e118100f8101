/** The machine of these tests is what its drawing says. */

import { expect, test } from 'vitest';
import { type Place, World } from './world.ts';

test('the roads of the small machine are those of its drawing', () => {
  const world = new World();
  const pairs = world.pairs();
  const types = (['client', 'near', 'next', 'function0', 'behindAcs', 'far', 'foreign'] as Place[]).map(
    (place) => pairs.verdict(world.index(place)).type,
  );
  expect(types).toEqual([
    'busAddr',
    'busAddr',
    'busAddr',
    'busAddr',
    'thruHostBridge',
    'thruHostBridge',
    'notSupported',
  ]);
  expect(world.bar('client', 2).phys + world.bar('client', 2).size).toBe(world.bar('near').phys);
  expect(world.bar('near').phys + world.bar('near').size).toBe(world.bar('next').phys);
  expect(world.bar('client', 2).bus).toBe(world.bar('client', 2).phys);
  expect(new World({ busOffset: -(2 ** 32) }).bar('client', 2)).toMatchObject({
    phys: world.bar('client', 2).phys + 2 ** 32,
    bus: world.bar('client', 2).bus,
  });
});
