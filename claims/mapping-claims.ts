/** Claims about vectors and their mapping, shown on the lab's fabric. */

import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList, checkSubmission, createBio } from '../src/block/index.ts';
import type { BusAddr } from '../src/core/index.ts';
import {
  busAddrInBar,
  DmaDevice,
  DmaMapping,
  dmaMapBvec,
  Lookup,
  MapError,
  resolveOwnBar,
  TrustingFlags,
} from '../src/dma/index.ts';
import { ROOT_COMPLEX } from '../src/fabric/index.ts';
import { IommuDomain, IovaAllocator } from '../src/iommu/index.ts';
import { mailDistance, PCI_P2PDMA_THRU_HOST_BRIDGE, p2pdmaDistance } from '../src/p2p/index.ts';
import type { Claim } from './claim.ts';
import { design, type Side, tagged } from './designs.ts';
import { Lab, MIB, PAGE, type Place } from './lab.ts';

const RAM = 0x200000;

function sideOf(lab: Lab, place: Place): Side {
  return { table: lab.table, pairs: lab.pairs(place), device: lab.device(place) };
}

/** Maps a list of plain addresses by honest flags, resolves own BARs, and runs it. */
function byFlags(lab: Lab, where: readonly number[], place: Place = 'client') {
  const side = sideOf(lab, place);
  const mapping = new DmaMapping();
  const flags = new TrustingFlags();
  dmaMapBvec(side.device, tagged(side, lab.plain(...where)), 'fromDevice', flags, mapping);
  resolveOwnBar(side.device.fn, mapping);
  const landed = lab.run(side.device, mapping, where);
  return { ...landed, mapping, spaces: mapping.segments().map(({ space }) => space), lookups: flags.counters.lookups };
}

/** Submitted for client, mapped by another device. */
function stacked(name: 'flags' | 'lookup' | 'premapped', lab: Lab, mapper: Place): number {
  const at = lab.bar('near').phys;
  const submitted = design(name).submit(sideOf(lab, 'client'), lab.plain(at), 'fromDevice');
  const maps = sideOf(lab, mapper);
  return lab.land(maps.device, submitted.list, design(name).classifier(maps), [at]).equal;
}

/** RAM, (b2), (b1), (c). */
function fourKinds(lab: Lab): number[] {
  return [RAM, lab.bar('near').phys, lab.bar('behindAcs').phys, lab.bar('client').phys];
}

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'taken';
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
}

export const MAPPING_CLAIMS: readonly Claim[] = [
  {
    name: 'own-bar-no-wire',
    who: 'Hellwig',
    claim: 'Case (c) never goes out to the wire.',
    verdict: 'holds on a condition',
    expected: { hopsByBarAndOffset: 0, bytes: PAGE, hopsByAddress: 'some' },
    run: () => {
      const lab = new Lab({ iommu: 'off' });
      const at = lab.bar('client');
      const { hops, equal } = byFlags(lab, [at.phys]);
      // The condition: an engine that is given the address and does not look for itself in it sends a TLP.
      const device = lab.device('client');
      const mapping = new DmaMapping();
      const list = new BvecList();
      list.push(at.bus, PAGE, BVEC_MAP_BUS_ADDR);
      dmaMapBvec(device, list, 'fromDevice', new TrustingFlags(), mapping);
      const sent = lab.run(device, mapping, []);
      return { hopsByBarAndOffset: hops.length, bytes: equal, hopsByAddress: sent.hops.length > 0 ? 'some' : 'none' };
    },
  },
  {
    name: 'own-bar-address-irrelevant',
    who: 'Hellwig',
    claim: 'For (c) the physical address on the wire does not matter.',
    verdict: 'holds',
    expected: { targets: 'BAR 2 + 0, BAR 2 + 0, BAR 2 + 0', bytes: 3 * PAGE, addresses: 3 },
    run: () => {
      const targets: string[] = [];
      const addresses = new Set<number>();
      let bytes = 0;
      for (const busOffset of [0, -(2 ** 40), -(2 ** 41)]) {
        const lab = new Lab({ busOffset });
        const { mapping, equal } = byFlags(lab, [lab.bar('client').phys]);
        const { bar, offset } = mapping.at(0);
        targets.push(`BAR ${bar} + ${offset}`);
        addresses.add(lab.bar('client').phys);
        bytes += equal;
      }
      return { targets: targets.join(', '), bytes, addresses: addresses.size };
    },
  },
  {
    name: 'distance-chooses',
    who: 'Gunthorpe',
    claim: 'The distance alone tells the submitter which memory to take, in which form and with which flag.',
    verdict: 'holds',
    expected: {
      belowTheSwitch: 'bus address, BVEC_MAP_BUS_ADDR',
      behindTheHostBridge: 'physical address, BVEC_MAP_RESOURCE',
      notSupported: 'regular memory, no flag',
      bytes: 3 * PAGE,
      lookups: 0,
    },
    run: () => {
      let bytes = 0;
      let lookups = 0;
      const choose = (lab: Lab, place: Place): string => {
        const dist = mailDistance(p2pdmaDistance(lab.fn(place), lab.fn('client'), lab.context));
        const at = lab.bar(place);
        const list = new BvecList();
        let form = 'regular memory, no flag';
        if (dist < 0) list.push(RAM, PAGE, 0);
        else if (dist & PCI_P2PDMA_THRU_HOST_BRIDGE) {
          list.push(at.phys, PAGE, BVEC_MAP_RESOURCE);
          form = 'physical address, BVEC_MAP_RESOURCE';
        } else {
          list.push(at.bus, PAGE, BVEC_MAP_BUS_ADDR);
          form = 'bus address, BVEC_MAP_BUS_ADDR';
        }
        const flags = new TrustingFlags();
        bytes += lab.land(lab.device('client'), list, flags, [dist < 0 ? RAM : at.phys]).equal;
        lookups += flags.counters.lookups;
        return form;
      };
      const lab = new Lab({ busOffset: -(2 ** 41) });
      return {
        belowTheSwitch: choose(lab, 'near'),
        behindTheHostBridge: choose(lab, 'far'),
        notSupported: choose(new Lab({ isUnlisted: true }), 'far'),
        bytes,
        lookups,
      };
    },
  },
  {
    name: 'submitter-sees-alike',
    who: 'Gunthorpe',
    claim: 'To the submitting driver (b2) and (c) are the same.',
    verdict: 'holds',
    expected: { flagOfPeer: BVEC_MAP_BUS_ADDR, flagOfOwn: BVEC_MAP_BUS_ADDR, distances: '4 and 0' },
    run: () => {
      const lab = new Lab();
      const side = sideOf(lab, 'client');
      const list = tagged(side, lab.plain(lab.bar('near').phys, lab.bar('client').phys));
      const distance = (place: Place): number =>
        mailDistance(p2pdmaDistance(lab.fn(place), lab.fn('client'), lab.context));
      return {
        flagOfPeer: list.at(0).flags,
        flagOfOwn: list.at(1).flags,
        distances: `${distance('near')} and ${distance('client')}`,
      };
    },
  },
  {
    name: 'lookup-absolutely-needed',
    who: 'Hellwig',
    claim: 'Without a pgmap a lookup is absolutely needed, to find which addresses belong to which device.',
    verdict: 'refuted',
    expected: { byFlags: 4 * PAGE, lookupsByFlags: 0, byCertificates: 4 * PAGE, lookupsByCertificates: 0, pages: 0 },
    run: () => {
      const lab = new Lab();
      const where = fourKinds(lab);
      const side = sideOf(lab, 'client');
      const landed = (name: 'flags' | 'certified') => {
        const { list } = design(name).submit(side, lab.plain(...where), 'fromDevice');
        const classifier = design(name).classifier(side);
        return { bytes: lab.land(side.device, list, classifier, where).equal, counters: classifier.counters };
      };
      const [flags, certified] = [landed('flags'), landed('certified')];
      return {
        byFlags: flags.bytes,
        lookupsByFlags: flags.counters.lookups,
        byCertificates: certified.bytes,
        lookupsByCertificates: certified.counters.lookups,
        pages: flags.counters.pages + certified.counters.pages,
      };
    },
  },
  {
    name: 'lookup-tells-the-rest',
    who: 'Hellwig',
    claim: 'One flag on the bio, and everything else is in what the lookup returns.',
    verdict: 'holds',
    expected: {
      flagsOnVectors: 0,
      spaces: 'iova bus iova bar',
      bytes: 4 * PAGE,
      bioWithoutTheFlag: 'P2P_NOT_ANNOUNCED',
    },
    run: () => {
      const lab = new Lab();
      const where = fourKinds(lab);
      const side = sideOf(lab, 'client');
      const bio = createBio({ vectors: lab.plain(...where), operation: 'read', mayContainP2p: true });
      checkSubmission(bio, { p2p: true });
      const mapping = new DmaMapping();
      dmaMapBvec(side.device, bio.vectors, 'fromDevice', new Lookup(side.table, side.pairs), mapping);
      resolveOwnBar(side.device.fn, mapping);
      const { equal } = lab.run(side.device, mapping, where);
      const flagged = createBio({
        vectors: tagged(side, lab.plain(...where)),
        operation: 'read',
        mayContainP2p: false,
      });
      return {
        flagsOnVectors: [...bio.vectors].filter(({ flags }) => flags !== 0).length,
        spaces: mapping
          .segments()
          .map(({ space }) => space)
          .join(' '),
        bytes: equal,
        bioWithoutTheFlag: codeOf(() => checkSubmission(flagged, { p2p: true })),
      };
    },
  },
  {
    name: 'lookup-not-necessary',
    who: 'Gunthorpe',
    claim: 'The lookup is not necessary: the submitter had to ask the distance and knows.',
    verdict: 'holds on a condition',
    expected: { lookups: 0, bytes: 4 * PAGE, bytesBehindStackedQueue: 0, bytesBehindStackedQueueByLookup: PAGE },
    run: () => {
      const lab = new Lab();
      const where = fourKinds(lab);
      const { lookups, equal } = byFlags(lab, where);
      return {
        lookups,
        bytes: equal,
        bytesBehindStackedQueue: stacked('flags', new Lab(), 'far'),
        bytesBehindStackedQueueByLookup: stacked('lookup', new Lab(), 'far'),
      };
    },
  },
  {
    name: 'fall-back-to-ram',
    who: 'Hellwig',
    claim: 'What the lookup does not find can be treated as (a).',
    verdict: 'holds on a condition',
    expected: { literally: 'mapped, then unsupportedRequest: noSuchAddress', honestly: 'UNOWNED_ADDRESS', ram: PAGE },
    run: () => {
      const lab = new Lab();
      const side = sideOf(lab, 'client');
      const nobody = 700 * MIB;
      // Literally: whatever is not found goes the way of RAM, as a vector without a flag does.
      const literally = lab.land(side.device, lab.plain(nobody), new TrustingFlags(), []);
      const lookup = new Lookup(side.table, side.pairs);
      const honestly = codeOf(() => lab.land(side.device, lab.plain(nobody), lookup, []));
      const ram = lab.land(side.device, lab.plain(RAM), lookup, [RAM]).equal;
      return { literally: `mapped, then ${literally.fates.join()}`, honestly, ram };
    },
  },
  {
    name: 'free-mixing',
    who: 'Hellwig, Gunthorpe',
    claim: 'Memory types may mix freely, as long as each has a vector of its own.',
    verdict: 'holds',
    expected: { spaces: 'iova bus iova bar iova', bytes: 5 * PAGE, oneVectorOfTwoTypes: 'RANGE_STRADDLES' },
    run: () => {
      const lab = new Lab();
      const where = [RAM, lab.bar('near').phys, lab.bar('behindAcs').phys, lab.bar('client').phys, RAM + MIB];
      const { spaces, equal } = byFlags(lab, where);
      const side = sideOf(lab, 'client');
      const straddling = lab.plain(lab.bar('near').phys + 4 * MIB - PAGE / 2);
      const code = codeOf(() => new Lookup(side.table, side.pairs).classify(side.device, straddling));
      return { spaces: spaces.join(' '), bytes: equal, oneVectorOfTwoTypes: code };
    },
  },
  {
    name: 'queue-flag-needed',
    who: 'Gunthorpe',
    claim: 'A queue flag must say that the driver can map such vectors.',
    verdict: 'holds',
    expected: { queueWithoutFlag: 'QUEUE_WITHOUT_P2P', bytesByDriverThatIgnoresFlags: 0 },
    run: () => {
      const list = new BvecList();
      list.push(new Lab().bar('near').bus, PAGE, BVEC_MAP_BUS_ADDR);
      const bio = createBio({ vectors: list, operation: 'read' });
      const code = codeOf(() => checkSubmission(bio, { p2p: false }));
      // A driver of old takes every address for RAM: through the IOMMU here, where nobody answers for a bus address.
      const deaf = new Lab({ busOffset: -(2 ** 41) });
      const device = deaf.device('client');
      const at = deaf.bar('near');
      const taken = deaf.land(device, deaf.plain(at.bus), new TrustingFlags(), [at.phys]).equal;
      return { queueWithoutFlag: code, bytesByDriverThatIgnoresFlags: taken };
    },
  },
  {
    name: 'bio-flag-extra-work',
    who: 'Gunthorpe',
    claim: 'A flag on the bio alone makes the driver work to tell the types apart.',
    verdict: 'holds',
    expected: { vectors: 16, lookupsByFlags: 0, lookupsByBioFlag: 16 },
    run: () => {
      const lab = new Lab();
      const where = Array.from({ length: 16 }, (_, index) =>
        index % 2 === 0 ? RAM + index * PAGE : lab.bar('near').phys + index * PAGE,
      );
      const side = sideOf(lab, 'client');
      const lookup = new Lookup(side.table, side.pairs);
      lookup.classify(side.device, lab.plain(...where));
      return {
        vectors: where.length,
        lookupsByFlags: byFlags(lab, where).lookups,
        lookupsByBioFlag: lookup.counters.lookups,
      };
    },
  },
  {
    name: 'caching-makes-it-free',
    who: 'J. Gunthorpe',
    claim: 'With simple caching the cost of the lookup vanishes.',
    verdict: 'holds on a condition',
    expected: { oneProvider: '1 of 16', alternating: '16 of 16' },
    run: () => {
      const lab = new Lab();
      const side = sideOf(lab, 'client');
      const count = (of: (index: number) => number): string => {
        const lookup = new Lookup(side.table, side.pairs);
        lookup.classify(side.device, lab.plain(...Array.from({ length: 16 }, (_, index) => of(index))));
        return `${lookup.counters.lookups} of 16`;
      };
      const [near, other] = [lab.bar('near').phys, lab.bar('other').phys];
      return {
        oneProvider: count((index) => near + index * PAGE),
        alternating: count((index) => (index % 2 === 0 ? near : other) + index * PAGE),
      };
    },
  },
  {
    name: 'one-iova',
    who: 'Gunthorpe',
    claim: 'Every vector that meets the IOMMU can be folded into one contiguous IOVA.',
    verdict: 'holds',
    expected: { vectors: 5, throughIommu: 3, iovaBytes: 3 * PAGE, allocations: 1, bytes: 5 * PAGE },
    run: () => {
      const lab = new Lab();
      const where = [RAM, lab.bar('near').phys, RAM + MIB, lab.bar('other').phys, lab.bar('behindAcs').phys];
      const { mapping, equal } = byFlags(lab, where);
      return {
        vectors: where.length,
        throughIommu: mapping.iommuVectors,
        iovaBytes: mapping.iovaSize,
        allocations: mapping.device?.domain?.allocator.liveCount ?? 0,
        bytes: equal,
      };
    },
  },
  {
    name: 'own-bar-does-not-fit',
    who: 'Gunthorpe',
    claim: '(c) is hard to fit into the one IOVA.',
    verdict: 'holds',
    expected: { spaces: 'iova bar iova', iovaBytes: 2 * PAGE, foldedInAnyway: 'through the root complex' },
    run: () => {
      const lab = new Lab();
      const where = [RAM, lab.bar('client').phys, RAM + MIB];
      const { spaces, mapping } = byFlags(lab, where);
      // Folded in all the same, as a resource: an IOVA that leads out and back to where it came from.
      const device = lab.device('client');
      const folded = new DmaMapping();
      const own = lab.plain(lab.bar('client').phys);
      dmaMapBvec(device, own, 'fromDevice', new TrustingFlags(), folded);
      const { hops } = lab.run(device, folded, []);
      const isOut = hops.some(({ at }) => at === ROOT_COMPLEX);
      return {
        spaces: spaces.join(' '),
        iovaBytes: mapping.iovaSize,
        foldedInAnyway: isOut ? 'through the root complex' : 'inside',
      };
    },
  },
  {
    name: 'check-results-afterwards',
    who: 'Gunthorpe',
    claim: 'It is enough that the driver checks each resulting vector for its own BAR.',
    verdict: 'holds on a condition',
    expected: { everyResultChecked: 'RAM taken for BAR 2', busAddressesChecked: 'none', windowsReserved: 'none' },
    run: () => {
      const lab = new Lab();
      const { fn } = lab.device('client');
      const own = lab.bar('client');
      const mapped = (domain: IommuDomain): DmaMapping => {
        const mapping = new DmaMapping();
        const device = new DmaDevice({ fn, iommu: 'on', domain });
        return dmaMapBvec(device, lab.plain(RAM), 'fromDevice', new TrustingFlags(), mapping);
      };
      const naive = (mapping: DmaMapping): string => {
        const { address, length } = mapping.at(0);
        const found = busAddrInBar(fn, (address ?? 0) as BusAddr, length);
        return found === null ? 'none' : `RAM taken for BAR ${found.bar}`;
      };
      // Addresses are given out from the top: below the end of the BAR, the first is in it.
      const limit = own.bus + 4 * MIB - 1;
      const shadowed = mapped(new IommuDomain({ allocator: new IovaAllocator({ limit, prefer32Bit: false }) }));
      const reserved = [{ start: own.bus, end: own.bus + 4 * MIB }];
      const kept = mapped(new IommuDomain({ allocator: new IovaAllocator({ limit, reserved, prefer32Bit: false }) }));
      const everyResultChecked = naive(shadowed);
      return {
        everyResultChecked,
        busAddressesChecked: resolveOwnBar(fn, shadowed) === 0 ? 'none' : 'RAM taken for a BAR',
        windowsReserved: naive(kept),
      };
    },
  },
  {
    name: 'map-first-then-submit',
    who: 'the RFC',
    claim: 'The block layer can carry addresses that were mapped before the submission.',
    verdict: 'refuted',
    expected: { sameDevice: PAGE, behindAnotherHostBridge: 0, inAStrangersMemory: PAGE },
    run: () => {
      const lab = new Lab({ iommu: 'off', busOffset: 'ontoVictim' });
      const sameDevice = stacked('premapped', lab, 'client');
      const behindAnotherHostBridge = stacked('premapped', lab, 'second');
      return { sameDevice, behindAnotherHostBridge, inAStrangersMemory: lab.matching(lab.bar('victim').phys, 0) };
    },
  },
  {
    name: 'removed-provider',
    who: 'Williams',
    claim: 'An undecorated address cannot say what holds for it; a side object can.',
    verdict: 'holds',
    expected: { flags: 'written into the new owner', lookup: 'PROVIDER_GONE', certified: 'PROVIDER_GONE' },
    run: () => {
      const after = (name: 'flags' | 'lookup' | 'certified'): string => {
        const lab = new Lab();
        const side = sideOf(lab, 'client');
        const at = lab.bar('near').phys;
        const submitted = design(name).submit(side, lab.plain(at), 'fromDevice');
        lab.swapNearAndOther();
        try {
          lab.land(side.device, submitted.list, design(name).classifier(side, submitted.generation), []);
        } catch (error) {
          if (error instanceof MapError) return error.code;
          throw error;
        }
        return lab.matching(at, 0) === PAGE ? 'written into the new owner' : 'lost';
      };
      return { flags: after('flags'), lookup: after('lookup'), certified: after('certified') };
    },
  },
];
