/** What each of the five designs, and flags that are verified, do when something is not as it was: rows 46, 50 and 51, by the bytes. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DESIGNS, design, ROADS, type RoadName, type Side } from '../../claims/designs.ts';
import { Lab, type LabOptions, PAGE, type Place } from '../../claims/lab.ts';
import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from '../../src/block/bio-vec.ts';
import { MapError } from '../../src/dma/errors.ts';

/** `right`, the refusal's code, or what became of the bytes. */
type Result = string;

function sideOf(lab: Lab, place: Place): Side {
  return { table: lab.table, pairs: lab.pairs(place), device: lab.device(place) };
}

function resultOf(action: () => { equal: number; total: number; fates: readonly string[] }): Result {
  try {
    const { equal, total, fates } = action();
    if (equal === total) return 'right';
    return `${equal} bytes right, ${[...new Set(fates)].join(', ')}`;
  } catch (error) {
    if (error instanceof MapError) return error.code;
    throw error;
  }
}

/** One vector in near's memory, submitted for one device and mapped by another. */
function stacked(
  name: RoadName,
  options: LabOptions,
  mapper: Place,
): { result: Result; victim: number; lookups: number } {
  const lab = new Lab(options);
  const wanted = design(name);
  const asked = sideOf(lab, 'client');
  const maps = sideOf(lab, mapper);
  const at = lab.bar('near').phys;
  const submitted = wanted.submit(asked, lab.plain(at), 'fromDevice');
  const classifier = wanted.classifier(maps, submitted.generation);
  const result = resultOf(() => lab.land(maps.device, submitted.list, classifier, [at]));
  return { result, victim: lab.matching(lab.bar('victim').phys, 0), lookups: classifier.counters.lookups };
}

const LOST = '0 bytes right, iommuFault: notMapped';
/** Delivered, and nobody is told. */
const ELSEWHERE = '0 bytes right, delivered';

const EXPECTED = {
  'stacked queue, IOMMU': {
    flags: LOST,
    lookup: 'right',
    page: 'right',
    premapped: LOST,
    certified: 'right',
    'flags verified': 'FLAG_MISMATCH',
  },
  'stacked queue, other bus offset': {
    flags: ELSEWHERE,
    lookup: 'right',
    page: 'right',
    premapped: ELSEWHERE,
    certified: 'right',
    'flags verified': 'FLAG_MISMATCH',
  },
  'BARs changed places': {
    flags: ELSEWHERE,
    lookup: 'PROVIDER_GONE',
    page: 'PROVIDER_GONE',
    premapped: ELSEWHERE,
    certified: 'PROVIDER_GONE',
    'flags verified': 'PROVIDER_GONE',
  },
  'bus flag on RAM': {
    flags: LOST,
    lookup: 'FLAG_NOT_USED',
    page: 'FLAG_NOT_USED',
    premapped: 'FLAG_NOT_USED',
    certified: 'FLAG_NOT_USED',
    'flags verified': 'FLAG_MISMATCH',
  },
  // Mapped, with the attribute of MMIO: the bytes are right, and a CPU with a cache in front would not be told.
  'resource flag on RAM': {
    flags: 'right',
    lookup: 'FLAG_NOT_USED',
    page: 'FLAG_NOT_USED',
    premapped: 'FLAG_NOT_USED',
    certified: 'FLAG_NOT_USED',
    'flags verified': 'FLAG_MISMATCH',
  },
  // Flags take it for RAM: it goes up to the IOMMU and comes down again. A DMA address that nobody mapped is not in the IOMMU.
  'no flag on MMIO': {
    flags: 'right',
    lookup: 'right',
    page: 'right',
    premapped: LOST,
    certified: 'right',
    'flags verified': 'FLAG_MISMATCH',
  },
} as const satisfies Record<string, Record<RoadName, Result>>;

describe('E50: a stacked queue: submitted for client, mapped by another', () => {
  test.each(ROADS)('$name, behind an IOMMU', ({ name }) => {
    expect(stacked(name, {}, 'far').result).toBe(EXPECTED['stacked queue, IOMMU'][name]);
  });

  test.each(ROADS)(
    '$name, where host bridges shift addresses differently: what lands in a stranger’s memory',
    ({ name }) => {
      for (const mapper of ['far', 'second'] as const) {
        const { result, victim } = stacked(name, { iommu: 'off', busOffset: 'ontoVictim' }, mapper);
        // What a flag verified is told depends on where the address falls, read from the other host bridge.
        const isNowhere = name === 'flags verified' && mapper === 'second';
        expect(result).toBe(isNowhere ? 'UNOWNED_ADDRESS' : EXPECTED['stacked queue, other bus offset'][name]);
        // The bytes lie in the memory of a device that has nothing to do with it.
        expect(victim).toBe(result === ELSEWHERE ? PAGE : 0);
      }
    },
  );

  test('where all offsets are 0 and no IOMMU stands between, even the wrong road arrives: the hazard hides on most machines', () => {
    for (const { name } of DESIGNS) expect(stacked(name, { iommu: 'off' }, 'far').result).toBe('right');
    expect(stacked('flags verified', { iommu: 'off' }, 'far').result).toBe('FLAG_MISMATCH');
  });

  test('certified pays for the mismatch what lookup pays for every list, and nothing where it matches', () => {
    expect(stacked('certified', {}, 'client').lookups).toBe(0);
    expect(stacked('certified', {}, 'far').lookups).toBe(1);
    expect(stacked('lookup', {}, 'far').lookups).toBe(1);
    expect(stacked('lookup', {}, 'client').lookups).toBe(1);
  });
});

describe('E51: BARs change places while a bio is queued', () => {
  test.each(ROADS)('$name', ({ name }) => {
    const lab = new Lab();
    const side = sideOf(lab, 'client');
    const before = lab.bar('near').phys;
    const after = lab.bar('other').phys;
    const submitted = design(name).submit(side, lab.plain(before), 'fromDevice');
    lab.swapNearAndOther();
    const classifier = design(name).classifier(side, submitted.generation);
    // Near's memory lies where other's was.
    const result = resultOf(() => lab.land(side.device, submitted.list, classifier, [after]));
    expect(result).toBe(EXPECTED['BARs changed places'][name]);
    expect(lab.matching(before, 0)).toBe(result === 'PROVIDER_GONE' ? 0 : PAGE);
  });

  test('lookup without a generation in the queue writes into the new owner’s memory too: the table alone does not know', () => {
    const lab = new Lab();
    const side = sideOf(lab, 'client');
    const before = lab.bar('near').phys;
    const { list } = design('lookup').submit(side, lab.plain(before), 'fromDevice');
    lab.swapNearAndOther();
    lab.land(side.device, list, design('lookup').classifier(side), []);
    expect(lab.matching(before, 0)).toBe(PAGE);
  });

  test('certified: a range that came or went elsewhere costs a lookup, and the mapping is right', () => {
    const lab = new Lab();
    const side = sideOf(lab, 'client');
    const at = lab.bar('near').phys;
    const { list } = design('certified').submit(side, lab.plain(at), 'fromDevice');
    lab.table.removeProvider(lab.index('victim'));
    const classifier = design('certified').classifier(side);
    expect(resultOf(() => lab.land(side.device, list, classifier, [at]))).toBe('right');
    expect(classifier.counters.lookups).toBe(1);
  });

  test('certified: an ACS bit that changed is noticed once it is told, and the new road is taken', () => {
    const lab = new Lab();
    const side = sideOf(lab, 'client');
    const at = lab.bar('near').phys;
    const { list } = design('certified').submit(side, lab.plain(at), 'fromDevice');
    lab.table.bump();
    side.pairs.forget();
    const classifier = design('certified').classifier(side);
    expect(resultOf(() => lab.land(side.device, list, classifier, [at]))).toBe('right');
    expect(classifier.counters.lookups).toBe(1);
  });
});

describe('E46: what a vector says is not so', () => {
  const RAM = 0x200000;
  const lies = {
    'bus flag on RAM': () => ({ address: RAM, flags: BVEC_MAP_BUS_ADDR, where: RAM }),
    'resource flag on RAM': () => ({ address: RAM, flags: BVEC_MAP_RESOURCE, where: RAM }),
    'no flag on MMIO': (lab: Lab) => {
      const { phys } = lab.bar('near');
      return { address: phys, flags: 0, where: phys };
    },
  };
  type Lie = keyof typeof lies;
  for (const lie of Object.keys(lies) as Lie[]) {
    test.each(ROADS)(`${lie}: $name`, ({ name }) => {
      // Where bus and CPU addresses differ: a DMA address is no CPU address.
      const lab = new Lab({ busOffset: lie === 'no flag on MMIO' ? 'ontoVictim' : 0 });
      const side = sideOf(lab, 'client');
      const { address, flags, where } = lies[lie](lab);
      const list = new BvecList();
      list.push(address, PAGE, flags);
      const result = resultOf(() => lab.land(side.device, list, design(name).classifier(side), [where]));
      expect(result).toBe(EXPECTED[lie][name]);
    });
  }

  test('flags: MMIO without a flag is right by luck: it passes the root complex, where the honest road never goes', () => {
    const lab = new Lab();
    const side = sideOf(lab, 'client');
    const { phys } = lab.bar('near');
    const before = lab.fabric.counters.requestsAtRootComplex;
    lab.land(side.device, lab.plain(phys), design('flags').classifier(side), [phys]);
    const lied = lab.fabric.counters.requestsAtRootComplex;
    expect(lied).toBeGreaterThan(before);
    const honest = design('flags').submit(side, lab.plain(phys), 'fromDevice');
    lab.land(side.device, honest.list, design('flags').classifier(side), [phys]);
    expect(lab.fabric.counters.requestsAtRootComplex).toBe(lied);
  });
});

/** How the record words a result. */
const WORDS: Record<string, RegExp> = {
  right: /^right/,
  [LOST]: /bytes lost/,
  [ELSEWHERE]: /memory/,
  PROVIDER_GONE: /^(ENODEV|same)/,
  FLAG_NOT_USED: /^refused/,
  FLAG_MISMATCH: /^refused/,
};

test('DESIGN10: the decision record says of each hazard and each design what was seen', () => {
  const record = readFileSync(new URL('../../docs/decisions/001-designs.md', import.meta.url), 'utf8');
  const rows = [...record.matchAll(/^\| ((?:stacked|BARs|bus flag|resource flag|no flag).*?) \| (.+) \|$/gm)];
  expect(rows.map(([, hazard]) => hazard)).toEqual(Object.keys(EXPECTED));
  for (const [, hazard, cells] of rows) {
    const said = (cells as string).split(' | ');
    const seen = Object.values(EXPECTED[hazard as keyof typeof EXPECTED]);
    expect(said.length).toBe(seen.length);
    said.forEach((cell, index) => {
      expect(cell, `${hazard}, ${ROADS[index]?.name}`).toMatch(WORDS[seen[index] as string] as RegExp);
    });
  }
});
