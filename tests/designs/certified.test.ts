/** Certificates that match, that do not, and lists of both: the mapping is lookup's, whatever the words say of mapper and time. */

import { expect, test } from 'vitest';
import { design, type Side } from '../../claims/designs.ts';
import { Lab, PAGE, type Place } from '../../claims/lab.ts';
import { BvecList } from '../../src/block/bio-vec.ts';
import { createBio, segmentsOf, splitBio, splitToLimits } from '../../src/block/index.ts';
import { queueLimits } from '../../src/block/queue-limits.ts';
import { Prng } from '../../src/core/prng.ts';
import { Certifier, certificateWord, readCertificate } from '../../src/dma/certified.ts';
import { Certified } from '../../src/dma/classify-certified.ts';
import { Lookup } from '../../src/dma/classify-lookup.ts';
import { DmaDevice } from '../../src/dma/device.ts';
import { MapError } from '../../src/dma/errors.ts';
import { dmaMapBvec, dmaUnmapBvec } from '../../src/dma/map-bvec.ts';
import { DmaMapping } from '../../src/dma/mapping.ts';
import { allLands, newDomain, randomDevice, randomList, seedOf } from '../properties/lands.ts';

const LISTS = 10_000;
const RAM = 0x200000;

function sideOf(lab: Lab, place: Place): Side {
  return { table: lab.table, pairs: lab.pairs(place), device: lab.device(place) };
}

test('CERT8: a certified bio that is cut at every byte is mapped without a lookup, and every byte is right', () => {
  const lab = new Lab({ busOffset: 'ontoVictim' });
  const side = sideOf(lab, 'client');
  const where = [RAM, lab.bar('near').phys, lab.bar('behindAcs').phys, lab.bar('client').phys];
  const { list } = design('certified').submit(side, lab.plain(...where), 'fromDevice');
  const bio = createBio({ vectors: list, operation: 'read', mayContainP2p: true });
  const classifier = design('certified').classifier(side);
  for (const at of [1, 512, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 100, 3 * PAGE, 4 * PAGE - 1]) {
    const parts = splitBio(bio, at).map(({ vectors }) => {
      const mapping = new DmaMapping();
      dmaMapBvec(side.device, vectors, 'fromDevice', classifier, mapping);
      const wanted = new DmaMapping();
      const uncertified = BvecList.fromVectors(
        [...vectors].map(({ address, length }) => ({ address, length, flags: 0 })),
      );
      dmaMapBvec(side.device, uncertified, 'fromDevice', new Lookup(side.table, side.pairs), wanted);
      const moved = (one: DmaMapping) =>
        one.segments().map((segment) => ({
          ...segment,
          address: segment.space === 'iova' ? (segment.address ?? 0) - one.iovaBase : segment.address,
        }));
      expect(moved(mapping)).toEqual(moved(wanted));
      dmaUnmapBvec(side.device, mapping);
      dmaUnmapBvec(side.device, wanted);
      return vectors.count;
    });
    expect(parts.every((count) => count > 0)).toBe(true);
  }
  const pieces = splitToLimits(bio, queueLimits({ maxSegmentSize: 512, maxSegments: 3 }));
  expect(pieces.length).toBeGreaterThan(8);
  for (const { vectors } of pieces) classifier.classify(side.device, vectors);
  expect(classifier.counters).toEqual({ lookups: 0, lastHits: 0, pages: 0 });
});

test('CERT9: RAM that was joined keeps an equal certificate and is not looked up; a joined pair that differed is, and is right', () => {
  const lab = new Lab();
  const side = sideOf(lab, 'client');
  const { list } = design('certified').submit(side, lab.plain(RAM, RAM + PAGE), 'fromDevice');
  for (const lookups of [0, 1]) {
    const joined = segmentsOf(list, queueLimits());
    expect(joined.count).toBe(1);
    const classifier = design('certified').classifier(side);
    expect(lab.land(side.device, joined, classifier, []).fates).toEqual(['delivered']);
    expect(classifier.counters.lookups).toBe(lookups);
    list.certify(1, 0);
  }
});

/** What may have become of a certificate on its way. */
const FATES = ['kept', 'kept', 'none', 'other mapper', 'other generation', 'no type'] as const;

test(`CERT10: ${LISTS} lists with certificates kept, lost, of other mappers and of other times: the mapping is lookup's`, async () => {
  const prng = new Prng(seedOf(8002, 'certificates that match and do not'));
  const lands = await allLands(true);
  // Every range was there before: of 300 changes since, none concerns one of them.
  for (const { table } of lands) for (let change = 0; change < 300; change++) table.bump();
  const classifiers = new Map(lands.map((land) => [land, new Certified(land.table, land.pairs)]));
  const counts = { throughout: 0, mixed: 0, none: 0 };
  for (let index = 0; index < LISTS; index++) {
    const land = prng.pick(lands);
    const { plain, direction } = randomList(prng, land, { count: prng.chance(0.1) ? 80 : 12 });
    const list = BvecList.fromVectors(plain);
    new Certifier(land.table, land.pairs).certify(list);
    // One fate for all, or each its own.
    const one = prng.chance(0.5) ? prng.pick(FATES) : null;
    let kept = 0;
    for (let at = 0; at < list.count; at++) {
      const fate = one ?? prng.pick(FATES);
      const { kind, requesterId, generation } = readCertificate(list.certificateAt(at));
      if (fate === 'kept') kept += kind === null ? 0 : 1;
      if (fate === 'none') list.certify(at, 0);
      // Kinds of a stranger's certificate are chance: nothing of it may be believed.
      if (fate === 'other mapper') {
        const other = (requesterId ^ (1 << prng.below(16))) >>> 0;
        list.certify(at, certificateWord({ kind: prng.below(3), requesterId: other, generation }));
      }
      if (fate === 'other generation') {
        const earlier = generation - prng.between(1, 300);
        list.certify(at, certificateWord({ kind: prng.below(3), requesterId, generation: earlier }));
      }
      if (fate === 'no type') list.certify(at, certificateWord({ kind: null, requesterId, generation }));
    }
    counts[kept === list.count ? 'throughout' : kept === 0 ? 'none' : 'mixed']++;
    const made = randomDevice(prng, land, {});
    const outcome = (vectors: BvecList, classifier: Certified | Lookup) => {
      const { fn, iommu, limits, rules, swiotlb } = made;
      const domain = made.domain === null ? null : newDomain(land);
      const device = new DmaDevice({ fn, iommu, domain, limits, rules, swiotlb });
      const mapping = new DmaMapping(4);
      try {
        dmaMapBvec(device, vectors, direction, classifier, mapping);
      } catch (error) {
        if (error instanceof MapError) return `${error.code} ${error.path}`;
        throw error;
      }
      const leaves = domain === null ? [] : [...domain.leaves()];
      const segments = mapping.segments();
      dmaUnmapBvec(device, mapping);
      return { segments, leaves, base: mapping.iovaBase, size: mapping.iovaSize };
    };
    const classifier = classifiers.get(land) as Certified;
    const before = classifier.counters.lookups;
    const found = outcome(list, classifier);
    const wanted = outcome(plain, new Lookup(land.table, land.pairs));
    expect(found, `seed ${prng.seed}, list ${index}, ${land.name}, ${one}`).toEqual(wanted);
    expect(found).toBeTypeOf('object');
    if (kept === list.count) expect(classifier.counters.lookups).toBe(before);
    else expect(classifier.counters.lookups).toBeGreaterThan(before);
  }
  console.log(`${counts.throughout} lists matched throughout, ${counts.mixed} in part, ${counts.none} nowhere`);
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(LISTS / 20);
}, 300_000);

test('CERT11: what cannot be mapped is refused alike, certified or not, also behind certificates that match', () => {
  const lab = new Lab();
  const near = lab.bar('near').phys;
  for (const iommu of ['on', 'off'] as const) {
    const side = sideOf(new Lab({ iommu }), 'client');
    const whole = [RAM, 4096] as const;
    const bad: readonly (readonly [number, number])[] = [
      [RAM, 0],
      [near, 0],
      [near + 4 * 2 ** 20 - 100, 4096],
      [2 ** 52 - 4096, 4096],
    ];
    for (const one of bad) {
      for (const places of [
        [one],
        [whole, one],
        [one, whole],
        [whole, one, one],
        [whole, [near, 4096], one],
      ] as const) {
        const plain = new BvecList();
        for (const [address, length] of places) plain.push(address, length, 0);
        const list = new BvecList();
        list.pushAll(plain);
        new Certifier(side.table, side.pairs).certify(list);
        const refusal = (vectors: BvecList, classifier: Certified | Lookup): string => {
          try {
            dmaMapBvec(side.device, vectors, 'fromDevice', classifier, new DmaMapping());
            return 'mapped';
          } catch (error) {
            if (error instanceof MapError) return `${error.code} ${error.path}`;
            throw error;
          }
        };
        const wanted = refusal(plain, new Lookup(side.table, side.pairs));
        expect(wanted).not.toBe('mapped');
        expect(refusal(list, new Certified(side.table, side.pairs)), `${iommu} ${JSON.stringify(places)}`).toBe(wanted);
      }
    }
  }
});

test('CERT12: a flagged list gets no certificates: a flag may mean another reading of the address, and takes the same room', () => {
  const lab = new Lab();
  const side = sideOf(lab, 'client');
  const list = new BvecList();
  list.push(lab.bar('near').bus, PAGE, 2);
  expect(() => new Certifier(side.table, side.pairs).certify(list)).toThrow(
    expect.objectContaining({ code: 'FLAG_NOT_USED', path: 'vectors[0]' }),
  );
});
