/** Flags against the machine: what each way to classify makes of vectors that are not what they say. Rows 1, 3, 46, 47, 50, 66. */

import { describe, expect, test } from 'vitest';
import { type BioVec, BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from '../../src/block/bio-vec.ts';
import { type BusAddr, busAddr, physAddr } from '../../src/core/address.ts';
import type { Classifier } from '../../src/dma/classifier.ts';
import { Lookup } from '../../src/dma/classify-lookup.ts';
import type { DmaDevice } from '../../src/dma/device.ts';
import { MapError, type MapErrorCode } from '../../src/dma/errors.ts';
import { dmaMapBvec, dmaUnmapBvec } from '../../src/dma/map-bvec.ts';
import { DmaMapping } from '../../src/dma/mapping.ts';
import { busAddrInBar, resolveOwnBar } from '../../src/dma/own-bar.ts';
import { RangeTable } from '../../src/dma/range-table.ts';
import { buildTree } from '../../src/pcie/index.ts';
import { DESIGNS, GIB, listOf, MIB, RAM, World } from './world.ts';

/** The error of a refused list; checks that it is complete and that nothing was mapped. */
function refused(device: DmaDevice, list: BvecList, classifier: Classifier): MapError {
  const before = device.domain && { live: device.domain.allocator.snapshot(), generation: device.domain.generation };
  const mapping = new DmaMapping();
  try {
    dmaMapBvec(device, list, 'bidirectional', classifier, mapping);
  } catch (error) {
    if (!(error instanceof MapError)) throw error;
    expect(error.message).not.toBe('');
    expect(error.hint).not.toBe('');
    expect(error.path).toMatch(/^vectors\[\d+\]$/);
    expect(mapping).toMatchObject({ live: false, count: 0 });
    const after = device.domain && { live: device.domain.allocator.snapshot(), generation: device.domain.generation };
    expect(after).toEqual(before);
    return error;
  }
  throw new Error('nothing was refused');
}

const vectors = (...items: BioVec[]): BvecList => BvecList.fromVectors(items);
const RAM_VECTOR = { address: physAddr(0x200000), length: 4096, flags: 0 };

describe('a flag and the machine', () => {
  const world = new World({ busOffset: 2 ** 31 });
  const near = world.bar('near');
  const far = world.bar('far');
  const dishonest: [what: string, vector: BioVec, code: MapErrorCode][] = [
    [
      'MAP_BUS_ADDR on RAM',
      { address: busAddr(0x200000 + 2 ** 31), length: 4096, flags: BVEC_MAP_BUS_ADDR },
      'FLAG_MISMATCH',
    ],
    ['MAP_RESOURCE on RAM', { address: physAddr(0x200000), length: 4096, flags: BVEC_MAP_RESOURCE }, 'FLAG_MISMATCH'],
    ['none on MMIO', { address: near.phys, length: 4096, flags: 0 }, 'FLAG_MISMATCH'],
    ['MAP_RESOURCE on b2', { address: near.phys, length: 4096, flags: BVEC_MAP_RESOURCE }, 'FLAG_MISMATCH'],
    ['MAP_BUS_ADDR on b1', { address: far.bus, length: 4096, flags: BVEC_MAP_BUS_ADDR }, 'FLAG_MISMATCH'],
    [
      'a CPU address as a bus address',
      { address: far.phys, length: 4096, flags: BVEC_MAP_BUS_ADDR },
      'UNOWNED_ADDRESS',
    ],
    [
      'a bus address as a CPU address',
      { address: near.bus, length: 4096, flags: BVEC_MAP_RESOURCE },
      'UNOWNED_ADDRESS',
    ],
    [
      'a bus address below the offset',
      { address: busAddr(4096), length: 4096, flags: BVEC_MAP_BUS_ADDR },
      'UNOWNED_ADDRESS',
    ],
    ['nobody', { address: physAddr(100 * GIB), length: 4096, flags: 0 }, 'UNOWNED_ADDRESS'],
  ];

  test.each(dishonest)('E46: %s is refused by verified flags', (_what, vector, code) => {
    for (const iommu of ['on', 'off'] as const) {
      const error = refused(world.device({ iommu }), vectors(RAM_VECTOR, vector), world.verified());
      expect({ code: error.code, errno: error.errno, path: error.path }).toEqual({
        code,
        errno: 'EINVAL',
        path: 'vectors[1]',
      });
    }
  });

  test('E46: trusting flags map what they are told, and look nothing up', () => {
    for (const [, vector] of dishonest) {
      const classifier = world.trusting();
      const device = world.device();
      const mapping = dmaMapBvec(device, vectors(RAM_VECTOR, vector), 'bidirectional', classifier, new DmaMapping());
      expect(classifier.counters).toEqual({ lookups: 0, lastHits: 0, pages: 0 });
      expect(mapping.at(mapping.count - 1).space).toBe(vector.flags === BVEC_MAP_BUS_ADDR ? 'bus' : 'iova');
      dmaUnmapBvec(device, mapping);
    }
  });

  test('E46: lookup and page take no flags: an address says itself what it is', () => {
    for (const classifier of [world.lookup(), world.page()]) {
      for (const flags of [BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE]) {
        const error = refused(
          world.device(),
          vectors(RAM_VECTOR, { address: near.phys, length: 4096, flags }),
          classifier,
        );
        expect(error).toMatchObject({ code: 'FLAG_NOT_USED', errno: 'EINVAL', path: 'vectors[1]' });
      }
      const error = refused(
        world.device(),
        vectors(RAM_VECTOR, { address: physAddr(100 * GIB), length: 4096, flags: 0 }),
        classifier,
      );
      expect(error).toMatchObject({ code: 'UNOWNED_ADDRESS', errno: 'EINVAL', path: 'vectors[1]' });
    }
  });

  test('E46: both flags at once are refused by every design that reads flags', () => {
    const both = BVEC_MAP_BUS_ADDR | BVEC_MAP_RESOURCE;
    const list = new BvecList();
    list.push(0x200000, 4096, 0);
    list.push(near.bus, 4096, both);
    for (const classifier of [world.trusting(), world.verified()]) {
      expect(refused(world.device(), list, classifier)).toMatchObject({ code: 'FLAGS_CONFLICT', path: 'vectors[1]' });
    }
  });
});

describe.each(DESIGNS.filter(({ name }) => name !== 'flags'))('by $name', (design) => {
  test('E47: a vector over the end of a BAR, over two BARs, over RAM and a hole, or that begins before a BAR, is refused', () => {
    const world = new World();
    const end = 4 * MIB;
    const cases = [
      listOf(world, [{ ram: 0x200000 }, { at: 'next', offset: end - 4096, length: 4097 }], design.tagging),
      // near's BAR ends where next's begins: the addresses go on, the memory does not.
      listOf(world, [{ ram: 0x200000 }, { at: 'near', offset: end - 4096, length: 8192 }], design.tagging),
      listOf(world, [{ ram: 0x200000 }, { at: 'client', bar: 2, offset: end - 1, length: 2 }], design.tagging),
      listOf(world, [{ ram: 0x200000 }, { ram: GIB - 4096, length: 4097 }], design.tagging),
      listOf(world, [{ ram: 0x200000 }, { ram: MIB - 1, length: 2 }], design.tagging),
    ];
    for (const list of cases) {
      const error = refused(world.device(), list, design.classifier(world));
      expect(error).toMatchObject({ code: 'RANGE_STRADDLES', errno: 'EINVAL', path: 'vectors[1]' });
    }
  });

  test('E47: the last byte of a range belongs to it', () => {
    const world = new World();
    const device = world.device();
    const end = 4 * MIB;
    const pieces = [
      { ram: GIB - 4096 },
      { at: 'near', offset: end - 1, length: 1 },
      { at: 'client', bar: 2, offset: end - 4096 },
    ] as const;
    const mapping = dmaMapBvec(
      device,
      listOf(world, pieces, design.tagging),
      'toDevice',
      design.classifier(world),
      new DmaMapping(),
    );
    expect(mapping.count).toBe(3);
    dmaUnmapBvec(device, mapping);
  });

  test('E66: a pair that is not supported is refused with EREMOTEIO, and the whole list with it', () => {
    const world = new World();
    for (const iommu of ['on', 'off', 'passthrough'] as const) {
      const list = listOf(world, [{ ram: 0x200000 }, { at: 'near' }, { at: 'foreign' }], design.tagging);
      const error = refused(world.device({ iommu }), list, design.classifier(world));
      expect(error).toMatchObject({ code: 'PAIR_NOT_SUPPORTED', errno: 'EREMOTEIO', path: 'vectors[2]' });
      expect(error.message).toContain(world.fn('foreign').name);
    }
  });

  test('a pair of which the evidence does not tell is refused as unknown, not as impossible', () => {
    const world = new World({ cpu: null, hostBridge: { vendorId: 0x1b21, deviceId: 1 } });
    const error = refused(
      world.device(),
      listOf(world, [{ at: 'near' }, { at: 'far' }], design.tagging),
      design.classifier(world),
    );
    expect(error).toMatchObject({ code: 'PAIR_UNKNOWN', path: 'vectors[1]' });
    expect(error.errno).toBeUndefined();
  });

  test('without an IOMMU the first vector that fails is the one told of, as in Linux; with one, pairs come first', () => {
    const world = new World();
    const limits = { dmaMask: 2 ** 32 - 1 };
    const list = listOf(world, [{ ram: 2 ** 33 }, { at: 'foreign' }], design.tagging);
    const direct = refused(world.device({ iommu: 'off', limits }), list, design.classifier(world));
    expect(direct).toMatchObject({ code: 'MASK_TOO_SMALL', errno: 'EIO', path: 'vectors[0]' });
    const translated = refused(world.device({ limits }), list, design.classifier(world));
    expect(translated).toMatchObject({ code: 'PAIR_NOT_SUPPORTED', errno: 'EREMOTEIO', path: 'vectors[1]' });
  });

  test('E1: a function whose own ACS redirects goes through the host bridge even to itself in Linux, and is (c) to us', () => {
    for (const [policy, space] of [
      ['linux-6.12', 'iova'],
      ['linux-7.0', 'iova'],
      ['directional', 'bar'],
    ] as const) {
      const world = new World({ clientAcs: ['RR'], policy });
      const device = world.device();
      const list = listOf(world, [{ at: 'client', bar: 2 }], design.tagging);
      const mapping = dmaMapBvec(device, list, 'toDevice', design.classifier(world), new DmaMapping());
      resolveOwnBar(device.fn, mapping);
      expect(mapping.at(0).space).toBe(space);
      dmaUnmapBvec(device, mapping);
    }
  });
});

test('E3: memory of a Virtual Function is not the own BAR of its Physical Function, nor the other way round', () => {
  const bar = { size: 2 * MIB, prefetchable: true };
  const { hierarchy, names } = buildTree({
    rootBuses: [
      {
        children: [
          {
            kind: 'rootPort',
            below: [{ kind: 'endpoint', functions: [{ name: 'pf', bars: [bar], sriov: { vfs: 2, bars: [bar] } }] }],
          },
        ],
      },
    ],
  });
  const physical = hierarchy.functions.find((fn) => fn.bdf.bus === names.get('pf')?.bus && fn.bdf.function === 0);
  const virtual = hierarchy.functions.filter((fn) => fn.facts.sysfs?.physicalFunction !== undefined);
  expect(virtual).toHaveLength(2);
  for (const fn of virtual) {
    const address = fn.bars[0]?.busAddress as BusAddr;
    expect(busAddrInBar(fn, address, 4096)).toEqual({ bar: 0, offset: 0 });
    expect(physical && busAddrInBar(physical, address, 4096)).toBeNull();
    expect(busAddrInBar(fn, physical?.bars[0]?.busAddress as BusAddr, 4096)).toBeNull();
  }
});

test('E50: behind a stacked queue a flag that was right for one mapper is wrong for another: lookup is right for both', () => {
  const world = new World();
  // Tagged for the client, below one switch with near; then mapped for far, from where near is reached through the root.
  const flagged = listOf(world, [{ at: 'near' }], 'flags', 'client');
  const plain = listOf(world, [{ at: 'near' }], 'plain');
  const spaceOf = (client: 'client' | 'far', list: BvecList, classifier: Classifier) => {
    const device = world.device({ client });
    const mapping = dmaMapBvec(device, list, 'toDevice', classifier, new DmaMapping());
    const { space } = mapping.at(0);
    dmaUnmapBvec(device, mapping);
    return space;
  };
  expect(spaceOf('client', flagged, world.trusting())).toBe('bus');
  expect(spaceOf('client', plain, world.lookup('client'))).toBe('bus');
  expect(spaceOf('far', plain, world.lookup('far'))).toBe('iova');
  // The trusting road hands far a bus address, which the IOMMU will take for an IOVA; verification notices.
  expect(spaceOf('far', flagged, world.trusting())).toBe('bus');
  expect(refused(world.device({ client: 'far' }), flagged, world.verified('far'))).toMatchObject({
    code: 'FLAG_MISMATCH',
  });
});

describe('the own BAR', () => {
  test('every byte of every memory BAR is found, and none outside', () => {
    const world = new World({ busOffset: 2 ** 31 });
    for (const place of ['client', 'near', 'next'] as const) {
      const fn = world.fn(place);
      for (const index of [0, 2]) {
        if (!fn.bars.some((bar) => bar.index === index)) continue;
        const { bus, size } = world.bar(place, index);
        const find = (address: number, length: number) => busAddrInBar(fn, address as BusAddr, length);
        expect(find(bus, size)).toEqual({ bar: index, offset: 0 });
        expect(find(bus + size - 1, 1)).toEqual({ bar: index, offset: size - 1 });
        expect(find(bus + 4096, 4096)).toEqual({ bar: index, offset: 4096 });
        for (const [address, length] of [
          [bus - 1, 1],
          [bus + size, 1],
          [bus - 1, 2],
          [bus + size - 1, 2],
          [bus, size + 1],
          [bus, 0],
        ] as const) {
          expect(find(address, length)?.bar).not.toBe(index); // next's own BARs lie side by side
        }
      }
    }
  });

  test('E47: a bus address that lies partly in an own BAR is refused by resolveOwnBar, and nothing is turned', () => {
    const world = new World();
    const { bus, size } = world.bar('client', 2);
    for (const [address, length] of [
      [bus - 4096, 8192],
      [bus + size - 4096, 8192],
      [bus - 4096, size + 8192],
    ] as const) {
      const device = world.device();
      const list = vectors(
        { address: bus, length: 4096, flags: BVEC_MAP_BUS_ADDR },
        { address: busAddr(address), length, flags: BVEC_MAP_BUS_ADDR },
      );
      const mapping = dmaMapBvec(device, list, 'toDevice', world.trusting(), new DmaMapping());
      expect(() => resolveOwnBar(device.fn, mapping)).toThrow(MapError);
      expect(mapping.segments().map(({ space }) => space)).toEqual(['bus', 'bus']);
      dmaUnmapBvec(device, mapping);
    }
  });

  test('a function without a memory BAR, or with one whose place is not known, owns nothing', () => {
    const world = new World();
    const port = world.machine.hierarchy.functions.find((fn) => fn.bars.length === 0);
    expect(port && busAddrInBar(port, 0 as BusAddr, 4096)).toBeNull();
    const mapping = dmaMapBvec(
      world.device(),
      listOf(world, [{ at: 'near' }], 'flags'),
      'toDevice',
      world.trusting(),
      new DmaMapping(),
    );
    expect(port && resolveOwnBar(port, mapping)).toBe(0);
  });
});

describe('the range table', () => {
  test('it holds RAM and every memory BAR, sorted, without overlap, and finds the owner of each first and last byte', () => {
    const { table, machine } = new World();
    const { records } = table;
    expect(records.filter(({ kind }) => kind === 'ram').map(({ start, end }) => ({ start, end }))).toEqual(RAM);
    const bars = machine.hierarchy.functions.flatMap((fn) => fn.bars.filter((bar) => bar.space === 'memory'));
    expect(records.filter(({ kind }) => kind === 'bar')).toHaveLength(bars.length);
    records.forEach((record, index) => {
      const next = records[index + 1];
      if (next) expect(record.end).toBeLessThanOrEqual(next.start);
      for (const address of [record.start, record.end - 1, record.start]) expect(table.find(address)).toBe(index);
    });
    for (const address of [0, GIB, 2 ** 52]) expect(table.find(address)).toBe(-1);
  });

  test('ranges come and go: the generation grows, an overlap is refused, what was removed is remembered', () => {
    const world = new World();
    const { table } = world;
    const provider = world.index('near');
    const [record] = table.records.filter((candidate) => candidate.provider === provider);
    if (!record) throw new Error('near has a BAR');
    const { generation: _generation, ...range } = record;
    expect(() => table.add({ ...range, start: range.start + 4096, end: range.end + 4096 })).toThrow(MapError);
    expect(table.generation).toBe(1);
    expect(table.removeProvider(provider)).toBe(1);
    expect(table.generation).toBe(2);
    expect(table.removeProvider(provider)).toBe(0);
    expect(table.generation).toBe(2);
    expect(table.find(range.start)).toBe(-1);
    expect(table.removedAt(range.start)).toMatchObject({ provider });
    expect(table.removedAt(range.start - 1)).toBeNull();
    table.add(range);
    expect(table.at(table.find(range.start))).toMatchObject({ provider, generation: 3 });
  });

  test('where a BAR claims RAM, or two BARs the same place, the first owner keeps it', () => {
    const world = new World();
    const near = world.bar('near');
    const table = RangeTable.ofMachine({ ...world.machine, ram: [{ start: near.phys + 4096, end: near.phys + 8192 }] });
    expect(table.records.some(({ start }) => start === near.phys)).toBe(false);
    expect(table.at(table.find(near.phys + 4096)).kind).toBe('ram');
  });
});

test('E17: what was judged is kept until it is forgotten, also by a lookup', () => {
  const world = new World();
  const pairs = world.pairs();
  const lookup = new Lookup(world.table, pairs);
  let asked = 0;
  const judge = pairs.verdict.bind(pairs);
  pairs.verdict = (provider) => {
    asked++;
    return judge(provider);
  };
  const list = listOf(world, [{ at: 'near' }, { at: 'far' }, { at: 'near' }], 'plain');
  const device = world.device();
  for (let turn = 0; turn < 3; turn++) {
    dmaUnmapBvec(device, dmaMapBvec(device, list, 'toDevice', lookup, new DmaMapping()));
  }
  expect(asked).toBe(2);
  pairs.forget();
  dmaUnmapBvec(device, dmaMapBvec(device, list, 'toDevice', lookup, new DmaMapping()));
  expect(asked).toBe(4);
});

describe('counters', () => {
  test('flags look nothing up; lookup searches once for each change of range; page reads a descriptor for each vector', () => {
    const world = new World();
    const pieces = [
      { ram: 0x200000 },
      { ram: 0x300000 },
      { at: 'near' },
      { at: 'near', offset: 8192 },
      { at: 'far' },
      { ram: 0x400000 },
    ] as const;
    const count = (classifier: Classifier, tagging: 'flags' | 'plain') => {
      const device = world.device();
      dmaUnmapBvec(
        device,
        dmaMapBvec(device, listOf(world, pieces, tagging), 'toDevice', classifier, new DmaMapping()),
      );
      return classifier.counters;
    };
    expect(count(world.trusting(), 'flags')).toEqual({ lookups: 0, lastHits: 0, pages: 0 });
    expect(count(world.verified(), 'flags')).toEqual({ lookups: 6, lastHits: 0, pages: 0 });
    expect(count(world.lookup(), 'plain')).toEqual({ lookups: 4, lastHits: 2, pages: 0 });
    expect(count(world.page(), 'plain')).toEqual({ lookups: 0, lastHits: 0, pages: 6 });
  });

  test('page descriptors take 64 bytes for each 4 KiB touched by section, and a BAR below 2 MiB has none', () => {
    const world = new World();
    const page = world.page();
    const device = world.device();
    dmaUnmapBvec(
      device,
      dmaMapBvec(device, listOf(world, [{ at: 'near' }], 'plain'), 'toDevice', page, new DmaMapping()),
    );
    expect(page.descriptorBytes).toBe(((4 * MIB) / 4096) * 64);
    const error = refused(device, listOf(world, [{ at: 'client', bar: 0 }], 'plain'), page);
    expect(error).toMatchObject({ code: 'UNOWNED_ADDRESS', path: 'vectors[0]' });
    expect(error.message).toContain('65536');
  });
});
