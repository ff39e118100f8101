import { expect, test } from 'vitest';
import { rounds } from '../../tests/soak.ts';
import { Prng } from '../core/prng.ts';
import { ceilLog2, floorLog2, floorToPower, POWERS } from './powers.ts';

test('logarithms are exact at every power of two and one beside it', () => {
  for (let order = 0; order <= 52; order++) {
    const power = 2 ** order;
    expect(POWERS[order]).toBe(power);
    expect(floorLog2(power)).toBe(order);
    expect(ceilLog2(power)).toBe(order);
    if (order === 0) continue;
    expect(floorLog2(power - 1)).toBe(order - 1);
    expect(ceilLog2(power + 1)).toBe(order + 1);
    if (order > 1) expect(ceilLog2(power - 1)).toBe(order);
  }
});

test('rounding down to a power of two is exact up to 2^53', () => {
  const prng = new Prng(11);
  for (let round = 0; round < rounds(1000, 100_000); round++) {
    const value = prng.below(2 ** 21) * 2 ** 32 + prng.next();
    const order = prng.below(53);
    const exact = (BigInt(value) >> BigInt(order)) << BigInt(order);
    expect(floorToPower(value, order)).toBe(Number(exact));
  }
});
