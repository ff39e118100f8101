/** Where certificates end: what the words of src/dma/certified.ts admit, each made to happen. */

import { expect, test } from 'vitest';
import { DESIGNS, design, type Side } from '../../claims/designs.ts';
import { Lab, PAGE, type Place } from '../../claims/lab.ts';
import { BvecList } from '../../src/block/bio-vec.ts';
import { Certifier, certificateWord, GENERATION_LIMIT, readCertificate } from '../../src/dma/certified.ts';
import { KIND_BUS, KIND_RAM, KIND_RESOURCE } from '../../src/dma/classified.ts';
import { DmaDevice } from '../../src/dma/device.ts';
import { MapError } from '../../src/dma/errors.ts';
import { PairTypes } from '../../src/dma/pair-types.ts';
import { RangeTable } from '../../src/dma/range-table.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { POLICIES } from '../../src/p2p/policy.ts';
import { bdfKey, buildTree, type PciFunction, requesterId } from '../../src/pcie/index.ts';

function sideOf(lab: Lab, place: Place): Side {
  return { table: lab.table, pairs: lab.pairs(place), device: lab.device(place) };
}

test('CERT1: a word holds type, requester ID and generation, and gives them back; 0 certifies nothing', () => {
  for (const kind of [null, KIND_RAM, KIND_RESOURCE, KIND_BUS]) {
    for (const requester of [0, 1, 0x0300, 0x7fff, 0x8000, 0xffff]) {
      for (const generation of [0, 1, 0x1fff, 0x2000, GENERATION_LIMIT - 1]) {
        const certificate = { kind, requesterId: requester, generation };
        const word = certificateWord(certificate);
        expect(word).toBe(word >>> 0);
        expect(readCertificate(word)).toEqual(certificate);
      }
    }
  }
  expect(readCertificate(0).kind).toBeNull();
});

test('CERT2: a word matches in one mapper and one generation: any other bit that differs costs a lookup', () => {
  const lab = new Lab();
  const side = sideOf(lab, 'client');
  const { list } = design('certified').submit(side, lab.plain(lab.bar('near').phys), 'fromDevice');
  const word = list.certificate[0] as number;
  const lookupsWith = (changed: number): number => {
    list.certificate[0] = changed;
    const classifier = design('certified').classifier(side);
    try {
      classifier.classify(side.device, list);
    } catch (error) {
      // A generation from before the range was there.
      if (!(error instanceof MapError) || error.code !== 'PROVIDER_GONE') throw error;
      return 1;
    }
    return classifier.counters.lookups;
  };
  expect(lookupsWith(word)).toBe(0);
  for (let bit = 2; bit < 32; bit++) expect(lookupsWith((word ^ (1 << bit)) >>> 0), `bit ${bit}`).toBe(1);
  expect(lookupsWith((word & ~3) >>> 0), 'no type').toBe(1);
});

test('CERT3: a queue across exactly 16,384 changes looks fresh, and the bytes land in the new owner’s memory; one less is noticed', () => {
  for (const changes of [GENERATION_LIMIT - 1, GENERATION_LIMIT]) {
    const lab = new Lab();
    const side = sideOf(lab, 'client');
    const before = lab.bar('near').phys;
    const { list } = design('certified').submit(side, lab.plain(before), 'fromDevice');
    const { generation } = lab.table;
    lab.swapNearAndOther();
    while (lab.table.generation < generation + changes) lab.table.bump();
    const map = () => lab.land(side.device, list, design('certified').classifier(side), []);
    if (changes === GENERATION_LIMIT) {
      map();
      expect(lab.matching(before, 0)).toBe(PAGE);
    } else expect(map).toThrow(MapError);
  }
});

/** The same device twice, in two domains, with equal bus numbers; a provider beside each. */
function twoDomains() {
  const bars = [{ size: 2 ** 22, prefetchable: true }];
  const bus = (domain: number) => ({
    domain,
    children: [
      {
        kind: 'rootPort' as const,
        below: [
          {
            kind: 'switch' as const,
            ports: [
              { below: [{ kind: 'endpoint' as const, name: `client${domain}`, functions: [{ bars }] }] },
              { below: [{ kind: 'endpoint' as const, name: `near${domain}`, functions: [{ bars }] }] },
            ],
          },
        ],
      },
    ],
  });
  const { hierarchy, names } = buildTree({ rootBuses: [bus(0), bus(1)] });
  const machine = { ...new Lab().machine, hierarchy };
  const table = RangeTable.ofMachine(machine);
  const fn = (name: string): PciFunction => hierarchy.at(names.get(name) as never) as PciFunction;
  const context = new JudgeContext(machine, POLICIES['linux-6.12']);
  const side = (name: string): Side => ({
    table,
    pairs: new PairTypes(context, hierarchy.indexOf(fn(name).bdf)),
    device: new DmaDevice({ fn: fn(name), iommu: 'off' }),
  });
  return { fn, side };
}

test('CERT4: where two domains have one requester ID, nobody gets a certificate: right, at the price of a lookup', () => {
  const { fn, side } = twoDomains();
  expect(requesterId(fn('client0').bdf)).toBe(requesterId(fn('client1').bdf));
  expect(bdfKey(fn('client0').bdf)).not.toBe(bdfKey(fn('client1').bdf));
  const address = fn('near0').bars[0]?.cpuAddress as number;
  const list = new BvecList();
  list.push(address, PAGE, 0);
  new Certifier(side('client0').table, side('client0').pairs).certify(list);
  expect(readCertificate(list.certificate[0] as number).kind).toBeNull();
  for (const [name, kind] of [
    ['client0', KIND_BUS],
    ['client1', KIND_RESOURCE],
  ] as const) {
    const classifier = design('certified').classifier(side(name));
    expect(classifier.classify(side(name).device, list).kind[0]).toBe(kind);
    expect(classifier.counters.lookups).toBe(1);
  }
  // Were one issued all the same, the other domain's device would take it for its own.
  const { table } = side('client0');
  const requester = requesterId(fn('client0').bdf);
  list.certificate[0] = certificateWord({ kind: KIND_BUS, requesterId: requester, generation: table.generation });
  expect(design('certified').classifier(side('client1')).classify(side('client1').device, list).kind[0]).toBe(KIND_BUS);
});

test('CERT5: a certificate does not cover the address: moved to another vector it is believed, and the bytes are lost', () => {
  const lab = new Lab();
  const side = sideOf(lab, 'client');
  const { list } = design('certified').submit(side, lab.plain(lab.bar('near').phys), 'fromDevice');
  list.address[0] = 0x200000;
  const { equal, fates } = lab.land(side.device, list, design('certified').classifier(side), [0x200000]);
  expect({ equal, fates }).toEqual({ equal: 0, fates: ['iommuFault: notMapped'] });
});

test('CERT6: a list that is used again has no certificates, and vectors behind the last certificate have none', () => {
  const lab = new Lab();
  const side = sideOf(lab, 'client');
  const near = lab.bar('near').phys;
  const { list } = design('certified').submit(side, lab.plain(near), 'fromDevice');
  list.push(0x200000, PAGE, 0);
  const classifier = design('certified').classifier(side);
  expect([...classifier.classify(side.device, list).kind.subarray(0, 2)]).toEqual([KIND_BUS, KIND_RAM]);
  expect(classifier.counters.lookups).toBe(1);
  list.clear();
  list.push(0x200000, PAGE, 0);
  expect(classifier.classify(side.device, list).kind[0]).toBe(KIND_RAM);
  expect(classifier.counters.lookups).toBe(2);
});

test('CERT7: bus addresses are made at the mapper, also behind a lookup in the middle of a list', () => {
  for (const busOffset of [0, 'ontoVictim'] as const) {
    const lab = new Lab({ busOffset });
    const side = sideOf(lab, 'client');
    const near = lab.bar('near');
    const ram = 0x200000;
    const { list } = design('certified').submit(
      side,
      lab.plain(near.phys, ram, near.phys + PAGE, ram + PAGE),
      'fromDevice',
    );
    for (const without of [[], [1], [2], [0, 3], [0, 1, 2, 3]]) {
      const copy = BvecList.fromVectors(list);
      copy.certificate = list.certificate.slice();
      for (const index of without) copy.certificate[index] = 0;
      const { kind, address } = design('certified').classifier(side).classify(side.device, copy);
      expect([...kind.subarray(0, 4)]).toEqual([KIND_BUS, KIND_RAM, KIND_BUS, KIND_RAM]);
      expect([...address.subarray(0, 4)]).toEqual([near.bus, ram, near.bus + PAGE, ram + PAGE]);
    }
  }
});

test('DESIGN3: on the roads of flags, lookup, premapped and certified not one page descriptor is made', () => {
  for (const wanted of DESIGNS) {
    const lab = new Lab();
    const side = sideOf(lab, 'client');
    const list = lab.plain(0x200000, lab.bar('near').phys, lab.bar('far').phys, lab.bar('client').phys);
    const submitted = wanted.submit(side, list, 'fromDevice');
    const classifier = wanted.classifier(side, submitted.generation);
    lab.land(side.device, submitted.list, classifier, []);
    submitted.end();
    const bytes = 'descriptorBytes' in classifier ? Number(classifier.descriptorBytes) : 0;
    expect(classifier.counters.pages).toBe(wanted.name === 'page' ? 4 : 0);
    expect(bytes > 0).toBe(wanted.name === 'page');
    if (wanted.name === 'flags') expect(classifier.counters).toEqual({ lookups: 0, lastHits: 0, pages: 0 });
  }
});
