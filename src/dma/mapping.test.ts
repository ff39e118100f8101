import { expect, test } from 'vitest';
import type { BusAddr, Iova } from '../core/address.ts';
import { DmaMapping, SPACE_BAR, SPACE_BOUNCE, SPACE_BUS, SPACE_IOVA, SPACE_PHYS } from './mapping.ts';
import { engineTarget } from './segment.ts';

/** Segments given by hand: space, address, length, first input. */
function filled(...rows: [space: number, address: number, length: number, firstInput: number][]): DmaMapping {
  const mapping = new DmaMapping(2);
  rows.forEach(([space, address, length, firstInput], index) => {
    mapping.reserve(index + 1);
    mapping.space[index] = space;
    mapping.address[index] = address;
    mapping.length[index] = length;
    mapping.firstInput[index] = firstInput;
  });
  mapping.count = rows.length;
  return mapping;
}

test('segments know the inputs in them: one each, several joined, one cut', () => {
  const mapping = filled(
    [SPACE_BUS, 0x1000, 10, 99], // its first input is not read: one to one
    [SPACE_BUS, 0x2000, 10, 99],
    [SPACE_IOVA, 0x3000, 30, 2],
    [SPACE_IOVA, 0x4000, 10, 4],
    [SPACE_PHYS, 0x5000, 10, 5],
  );
  mapping.oneToOne = 2;
  mapping.inputCount = 7;
  mapping.setCut(3);
  const inputs = mapping.segments().map(({ firstInput, lastInput }) => [firstInput, lastInput]);
  expect(inputs).toEqual([
    [0, 0],
    [1, 1],
    [2, 4],
    [4, 4],
    [5, 6],
  ]);
});

test('a bounced segment has no address, a segment of the own BAR has BAR and offset beside its bus address', () => {
  const mapping = filled([SPACE_BOUNCE, 0x1000, 512, 0], [SPACE_BUS, 0x2000, 512, 1]);
  mapping.inputCount = 2;
  mapping.setOwnBar(1, 4, 0x20);
  expect(mapping.segments()).toEqual([
    { space: 'bounce', address: null, length: 512, firstInput: 0, lastInput: 0 },
    { space: 'bar', address: 0x2000, length: 512, firstInput: 1, lastInput: 1, bar: 4, offset: 0x20 },
  ]);
  expect(mapping.space[1]).toBe(SPACE_BAR);
});

test('room is made without losing what is there, own BARs and cuts included', () => {
  const mapping = filled([SPACE_BUS, 0x1000, 512, 0], [SPACE_BUS, 0x2000, 512, 0]);
  mapping.inputCount = 1;
  mapping.setOwnBar(0, 2, 8);
  mapping.setCut(1);
  const before = mapping.segments();
  mapping.reserve(1000);
  expect(mapping.space.length).toBeGreaterThanOrEqual(1000);
  expect(mapping.segments()).toEqual(before);
  mapping.setOwnBar(1, 2, 16);
  expect(mapping.at(1)).toMatchObject({ bar: 2, offset: 16, firstInput: 0 });
  expect(mapping.at(0)).toMatchObject({ bar: 2, offset: 8 });
});

test('a mapping begun again has nothing of the one before', () => {
  const mapping = filled([SPACE_IOVA, 0x1000, 512, 0], [SPACE_IOVA, 0x2000, 512, 0]);
  mapping.inputCount = 1;
  mapping.iovaSize = 8192;
  mapping.iommuVectors = 1;
  mapping.setCut(1);
  mapping.begin('toDevice');
  expect(mapping).toMatchObject({ count: 0, iovaSize: 0, iovaBase: 0, iommuVectors: 0, inputCount: 0, oneToOne: 0 });
  mapping.count = 2;
  mapping.inputCount = 2;
  mapping.oneToOne = 2;
  expect(mapping.lastInputOf(0)).toBe(0);
});

test('an engine is programmed with BAR and offset for its own BAR, with nothing for a bounce, else with the address', () => {
  const mapping = filled(
    [SPACE_IOVA, 0x1000, 512, 0],
    [SPACE_PHYS, 0x2000, 512, 1],
    [SPACE_BUS, 0x3000, 512, 2],
    [SPACE_BUS, 0x4000, 512, 3],
    [SPACE_BOUNCE, 0x5000, 512, 4],
  );
  mapping.setOwnBar(3, 4, 0x20);
  expect(mapping.segments().map(engineTarget)).toEqual([
    { address: 0x1000 },
    { address: 0x2000 },
    { address: 0x3000 },
    { bar: 4, offset: 0x20 },
    null,
  ]);
});

test('the space of a segment says what its address is: what is of another space does not compile', () => {
  const segment = filled([SPACE_BUS, 0x1000, 512, 0]).at(0);
  if (segment.space === 'bus') {
    const bus: BusAddr = segment.address;
    // @ts-expect-error a bus address is not an I/O virtual one
    const iova: Iova = segment.address;
    expect(iova).toBe(bus);
    // @ts-expect-error only a segment in an own BAR has one
    expect(segment.bar).toBeUndefined();
  }
  expect(segment.space).toBe('bus');
});
