/** Whatever software writes into registers and devices put into requests: the fabric answers, and never breaks. */

import { expect, test } from 'vitest';
import { Prng } from '../../src/core/index.ts';
import { NOWHERE, ROOT_COMPLEX } from '../../src/fabric/index.ts';
import { build, randomAccess, randomFabric } from './random-tree.ts';

const SEED = 4711;
const SIZES = [1, 2, 4] as const;

function anyAddress(prng: Prng): number {
  const bits = prng.between(1, 53);
  return Math.floor((prng.next() / 2 ** 32) * 2 ** bits);
}

test(`random register contents and random requests are answered (seed ${SEED})`, () => {
  let answers = 0;
  for (let round = 0; round < 120; round++) {
    const prng = new Prng(SEED * 1000 + round);
    const random = randomFabric(prng, { faults: 0.1, depth: 3, fanOut: 3 });
    const bench = build(random, (seed) => new Prng(seed));
    const { fabric } = bench;
    const count = fabric.topology.functions.length;
    for (let step = 0; step < 40; step++) {
      const node = fabric.function(prng.below(count));
      const size = prng.pick(SIZES);
      // Most of what decides is in the header; the rest anywhere.
      const offset = size * Math.floor(prng.below(prng.chance(0.7) ? 0x40 : 0x200) / size);
      if (prng.chance(0.5)) fabric.configWrite(node.fn.bdf, offset, size, prng.pick([0, 0xffffffff, prng.next()]));
      else node.writeConfig(offset, size, prng.next());
      fabric.configRead(node.fn.bdf, offset, size);
      if (prng.chance(0.1)) fabric.unplug(node.index);
      if (prng.chance(0.1)) fabric.replug(node.index);
      const access = randomAccess(prng, bench, random.endpoints, random.iommuSeed !== null);
      const address = prng.chance(0.5) ? access.address : anyAddress(prng);
      const bytes = new Uint8Array(prng.below(3000));
      const attributes = {
        addressType: prng.pick(['untranslated', 'translated', 'translationRequest'] as const),
        relaxedOrdering: prng.chance(0.5),
        ...(prng.chance(0.3) ? { requesterId: prng.below(65536) } : {}),
      };
      // Bridges as requesters too: nothing in the fabric forbids it.
      const requester = prng.below(count);
      const answer = prng.pick([
        () => fabric.memoryWrite(requester, address, bytes, attributes),
        () => fabric.memoryRead(requester, address, bytes, attributes),
        () => fabric.cpuWrite(address, bytes),
        () => fabric.cpuRead(address, bytes),
        () =>
          fabric.sendWrite(requester, address, bytes.subarray(0, 64), prng.pick(['3DW', '4DW'] as const), attributes),
        () =>
          fabric.sendRead(requester, address, bytes.subarray(0, 64), prng.pick(['3DW', '4DW'] as const), attributes),
      ])();
      answers++;
      expect(answer.at >= 0 || answer.at === ROOT_COMPLEX || answer.at === NOWHERE).toBe(true);
      expect((answer.fate === 'delivered') === (answer.at === NOWHERE)).toBe(true);
    }
  }
  expect(answers).toBe(120 * 40);
});
