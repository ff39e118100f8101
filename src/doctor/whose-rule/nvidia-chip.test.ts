import { expect, test } from 'vitest';
import { generationWord, nvidiaChip } from './nvidia-chip.ts';

const chip = (deviceId: number): ReturnType<typeof nvidiaChip> => nvidiaChip({ vendorId: 0x10de, deviceId });

test.each([
  [0x1b06, 'GP102', true],
  [0x1b38, 'GP102', false],
  [0x1e07, 'TU102', true],
  [0x1e30, 'TU102', false],
  [0x20b0, 'GA100', false],
  [0x2204, 'GA102', true],
  [0x2230, 'GA102', false],
  [0x2235, 'GA102', false],
  [0x2684, 'AD102', true],
  [0x26b1, 'AD102', false],
  [0x26f5, 'AD102', false],
  [0x27b8, 'AD104', false],
  [0x2322, 'GH100', false],
  [0x2b85, 'GB202', true],
  [0x2bb1, 'GB202', false],
  [0x2d04, 'GB206', true],
  [0x2c31, 'GB203', false],
])(
  'the chip is the block of 128 IDs, and professional cards have bits 5:4 set: %i is %s, GeForce %s',
  (id, name, isGeForce) => {
    expect(chip(id)).toMatchObject({ name, isGeForce });
  },
);

test('blocks do not overlap, and what is in none is not known', () => {
  for (let id = 0; id < 0x10000; id++) {
    const found = chip(id);
    if (found !== null) expect(chip(id - (id % 0x80))?.name).toBe(found.name);
  }
  expect(chip(0x0040)).toBeNull();
  expect(nvidiaChip({ vendorId: 0x1002, deviceId: 0x2204 })).toBeNull();
  expect(nvidiaChip({ vendorId: 0x10de, deviceId: null })).toBeNull();
});

test('a generation is a name in a sentence', () => {
  expect(generationWord('ada')).toBe('Ada');
});
