import { expect, test } from 'vitest';
import { rounds } from '../../tests/soak.ts';
import { Prng } from '../core/prng.ts';
import { blockCount, blockLength, payloadOnWire, wholeBlocks } from './tlp.ts';

test('E64: the number of TLPs by formula is that of cutting one by one, and none crosses a block', () => {
  const prng = new Prng(5);
  for (let round = 0; round < rounds(60, 4000); round++) {
    const block = 64 << prng.below(7);
    const address = prng.below(2 ** 32) + prng.pick([0, 2 ** 31, 2 ** 40]);
    const length = prng.between(1, 20_000);
    let count = 0;
    let payload = 0;
    for (let done = 0; done < length; count++) {
      const bytes = blockLength(address + done, length - done, block);
      expect(bytes).toBeGreaterThan(0);
      expect(Math.floor((address + done) / block)).toBe(Math.floor((address + done + bytes - 1) / block));
      payload += payloadOnWire(address + done, bytes);
      done += bytes;
    }
    expect(blockCount(address, length, block)).toBe(count);
    expect(payloadOnWire(address, length)).toBe(payload);
  }
});

test('a stretch ends with a whole TLP, unless it is the last of the transfer', () => {
  expect(wholeBlocks(0x1000, 1000, 5000, 256, 256)).toBe(1000);
  expect(wholeBlocks(0x1010, 4000, 1000, 256, 240)).toBe(1000 - ((0x1010 + 1000) % 256));
  // The way ends inside the first TLP: one TLP all the same, for the receiver to judge.
  expect(wholeBlocks(0x1000, 4000, 100, 256, 256)).toBe(256);
});

test('payload travels in whole double words', () => {
  expect(payloadOnWire(0, 4)).toBe(4);
  expect(payloadOnWire(3, 1)).toBe(4);
  expect(payloadOnWire(3, 2)).toBe(8);
  expect(payloadOnWire(2 ** 40 + 1, 4)).toBe(8);
});
