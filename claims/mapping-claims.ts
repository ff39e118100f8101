/** Claims about vectors and their mapping, shown on the lab's fabric. */

import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList, checkSubmission, createBio } from '../src/block/index.ts';
import { type BusAddr, storedAddress } from '../src/core/index.ts';
import {
  busAddrInBar,
  DmaDevice,
  DmaMapping,
  dmaMapBvec,
  dmaUnmapBvec,
  Lookup,
  reservedWindows,
  resolveOwnBar,
  TrustingFlags,
} from '../src/dma/index.ts';
import { ROOT_COMPLEX } from '../src/fabric/index.ts';
import { IommuDomain, IovaAllocator } from '../src/iommu/index.ts';
import { P2pMemory } from '../src/p2p/index.ts';
import type { Claim } from './claim.ts';
import { DESIGNS, type DesignName, design, type Side } from './designs.ts';
import { Lab, MIB, PAGE, type Place } from './lab.ts';
import { certified, chosen, distanceOf, flagged, type Memory, pageOf, ramAt, timesAsked } from './mail-submitter.ts';

const RAM = 0x200000;

function sideOf(lab: Lab, place: Place): Side {
  return { table: lab.table, pairs: lab.pairs(place), device: lab.device(place) };
}

/** Memory chosen by the distance and flagged so, mapped, own BARs resolved, and run. */
function byFlags(lab: Lab, memories: readonly Memory[], place: Place = 'client') {
  const device = lab.device(place);
  const mapping = new DmaMapping();
  const list = flagged(lab, memories, place);
  dmaMapBvec(device, list, 'fromDevice', new TrustingFlags(), mapping);
  resolveOwnBar(device.fn, mapping);
  const landed = lab.run(
    device,
    mapping,
    memories.map(({ phys }) => phys),
  );
  return { ...landed, list, mapping, spaces: mapping.segments().map(({ space }) => space) };
}

/** A page of near, submitted for client, mapped by another device. */
function stacked(name: 'flags' | 'lookup' | 'premapped', lab: Lab, mapper: Place): number {
  const { phys } = lab.bar('near');
  const submitted = design(name).submit(sideOf(lab, 'client'), lab.plain(phys), 'fromDevice');
  const list = name === 'flags' ? flagged(lab, [pageOf(lab, 'near')], 'client') : submitted.list;
  const maps = sideOf(lab, mapper);
  return lab.land(maps.device, list, design(name).classifier(maps), [phys]).equal;
}

/** RAM, (b2), (b1), (c). */
function fourKinds(lab: Lab): Memory[] {
  return [ramAt(RAM), pageOf(lab, 'near'), pageOf(lab, 'behindAcs'), pageOf(lab, 'client')];
}

/** Runs of I/O virtual addresses without a gap between the outputs. */
function iovaRuns(mapping: DmaMapping): number {
  const outputs = mapping.segments().filter(({ space }) => space === 'iova');
  const isNewRun = outputs.map(({ address }, index) => {
    const before = outputs[index - 1];
    return before === undefined || (before.address ?? 0) + before.length !== address;
  });
  return isNewRun.filter(Boolean).length;
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
      const { hops, equal } = byFlags(lab, [pageOf(lab, 'client')]);
      // That nothing leaves by BAR and offset is what such an engine is. What is shown: by the address, the same bytes do leave.
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
        const { mapping, equal } = byFlags(lab, [pageOf(lab, 'client')]);
        const segment = mapping.at(0);
        targets.push(segment.space === 'bar' ? `BAR ${segment.bar} + ${segment.offset}` : segment.space);
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
      timesTableAsked: 0,
    },
    run: () => {
      let bytes = 0;
      let asked = 0;
      const choose = (lab: Lab, place: Place): string => {
        let form = '';
        asked += timesAsked(lab.table, () => {
          const choice = chosen(lab, pageOf(lab, place), 'client', RAM);
          const list = new BvecList();
          list.push(choice.address, PAGE, choice.flags);
          const at = choice.flags === 0 ? RAM : lab.bar(place).phys;
          bytes += lab.land(lab.device('client'), list, new TrustingFlags(), [at]).equal;
          form = choice.form;
        });
        return form;
      };
      const lab = new Lab({ busOffset: -(2 ** 41) });
      return {
        belowTheSwitch: choose(lab, 'near'),
        behindTheHostBridge: choose(lab, 'far'),
        notSupported: choose(new Lab({ isUnlisted: true }), 'far'),
        bytes,
        timesTableAsked: asked,
      };
    },
  },
  {
    name: 'submitter-sees-alike',
    who: 'Gunthorpe',
    claim: 'To the submitting driver (b2) and (c) are the same.',
    verdict: 'holds',
    expected: { flagOfPeer: 'BVEC_MAP_BUS_ADDR', flagOfOwn: 'BVEC_MAP_BUS_ADDR', distances: '4 and 0' },
    run: () => {
      const lab = new Lab();
      const list = flagged(lab, [pageOf(lab, 'near'), pageOf(lab, 'client')], 'client');
      const flagAt = (index: number): string =>
        list.at(index).flags === BVEC_MAP_BUS_ADDR ? 'BVEC_MAP_BUS_ADDR' : 'another';
      return {
        flagOfPeer: flagAt(0),
        flagOfOwn: flagAt(1),
        distances: `${distanceOf(lab, 'near', 'client')} and ${distanceOf(lab, 'client', 'client')}`,
      };
    },
  },
  {
    name: 'lookup-absolutely-needed',
    who: 'Hellwig',
    claim: 'Without a pgmap a lookup is absolutely needed, to find which addresses belong to which device.',
    verdict: 'refuted',
    expected: {
      byFlags: 4 * PAGE,
      byCertificates: 4 * PAGE,
      timesTableAsked: 0,
      timesTableAskedByLookup: 'some',
      comparedWithOwnBars: 2,
    },
    run: () => {
      const lab = new Lab();
      const memories = fourKinds(lab);
      const where = memories.map(({ phys }) => phys);
      const side = sideOf(lab, 'client');
      const landed = (name: 'flags' | 'certified' | 'lookup', listed: () => BvecList) => {
        let equal = 0;
        const asked = timesAsked(lab.table, () => {
          equal = lab.land(side.device, listed(), design(name).classifier(side), where).equal;
        });
        return { equal, asked };
      };
      const flags = landed('flags', () => flagged(lab, memories, 'client'));
      const certificates = landed('certified', () => certified(lab, memories, 'client'));
      const lookup = landed('lookup', () => lab.plain(...where));
      // What is left to the mapper: which of the bus addresses are its own.
      const compared = [...flagged(lab, memories, 'client')].filter(({ flags: flag }) => flag === BVEC_MAP_BUS_ADDR);
      return {
        byFlags: flags.equal,
        byCertificates: certificates.equal,
        timesTableAsked: flags.asked + certificates.asked,
        timesTableAskedByLookup: lookup.asked > 0 ? 'some' : 'none',
        comparedWithOwnBars: compared.length,
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
      const memories = fourKinds(lab);
      const where = memories.map(({ phys }) => phys);
      const side = sideOf(lab, 'client');
      const bio = createBio({ vectors: lab.plain(...where), operation: 'read', mayContainP2p: true });
      checkSubmission(bio, { p2p: true });
      const mapping = new DmaMapping();
      dmaMapBvec(side.device, bio.vectors, 'fromDevice', new Lookup(side.table, side.pairs), mapping);
      resolveOwnBar(side.device.fn, mapping);
      const { equal } = lab.run(side.device, mapping, where);
      const unannounced = createBio({
        vectors: flagged(lab, memories, 'client'),
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
        bioWithoutTheFlag: codeOf(() => checkSubmission(unannounced, { p2p: true })),
      };
    },
  },
  {
    name: 'lookup-not-necessary',
    who: 'Gunthorpe',
    claim: 'The lookup is not necessary: the submitter had to ask the distance and knows.',
    verdict: 'holds on a condition',
    expected: {
      timesTableAsked: 0,
      bytes: 4 * PAGE,
      bytesBehindStackedQueue: 0,
      bytesBehindStackedQueueByLookup: PAGE,
      inAStrangersMemory: PAGE,
    },
    run: () => {
      const lab = new Lab();
      let bytes = 0;
      const asked = timesAsked(lab.table, () => {
        bytes = byFlags(lab, fourKinds(lab)).equal;
      });
      const shifted = new Lab({ iommu: 'off', busOffset: 'ontoVictim' });
      stacked('flags', shifted, 'second');
      return {
        timesTableAsked: asked,
        bytes,
        bytesBehindStackedQueue: stacked('flags', new Lab(), 'far'),
        bytesBehindStackedQueueByLookup: stacked('lookup', new Lab(), 'far'),
        inAStrangersMemory: shifted.matching(shifted.bar('victim').phys, 0),
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
      const { spaces, equal } = byFlags(lab, [...fourKinds(lab), ramAt(RAM + MIB)]);
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
    expected: { vectors: 16, timesTableAskedByFlags: 0, lookupsByBioFlag: 16 },
    run: () => {
      const lab = new Lab();
      const memories = Array.from({ length: 16 }, (_, index) =>
        index % 2 === 0 ? ramAt(RAM + index * PAGE) : pageOf(lab, 'near', index),
      );
      const side = sideOf(lab, 'client');
      const lookup = new Lookup(side.table, side.pairs);
      lookup.classify(side.device, lab.plain(...memories.map(({ phys }) => phys)));
      return {
        vectors: memories.length,
        timesTableAskedByFlags: timesAsked(lab.table, () => void byFlags(lab, memories)),
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
    verdict: 'holds on a condition',
    expected: {
      wholePages: '3 vectors of 5 through the IOMMU, 1 allocation, 1 run of 12288 bytes',
      bytes: 5 * PAGE,
      first512Bytes: '2 vectors of 2 through the IOMMU, 1 allocation, 2 runs of 4608 bytes',
      bytesThen: 512 + PAGE,
    },
    run: () => {
      const said = (mapping: DmaMapping): string => {
        const runs = iovaRuns(mapping);
        const bytes = mapping.segments().reduce((sum, { space, length }) => sum + (space === 'iova' ? length : 0), 0);
        const allocations = mapping.device?.domain?.allocator.liveCount ?? 0;
        const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
        return `${mapping.iommuVectors} vectors of ${mapping.inputCount} through the IOMMU, ${plural(allocations, 'allocation')}, ${plural(runs, 'run')} of ${bytes} bytes`;
      };
      const lab = new Lab();
      const peers = [pageOf(lab, 'other'), pageOf(lab, 'behindAcs')];
      const whole = byFlags(lab, [ramAt(RAM), pageOf(lab, 'near'), ramAt(RAM + MIB), ...peers]);
      // The condition: a vector that ends inside a page, and one behind it.
      const small = new Lab();
      const list = new BvecList();
      list.push(RAM, 512, 0);
      list.push(RAM + MIB, PAGE, 0);
      const device = small.device('client');
      const mapping = dmaMapBvec(device, list, 'fromDevice', new TrustingFlags(), new DmaMapping());
      const { equal } = small.run(device, mapping, [RAM, RAM + MIB]);
      return {
        wholePages: said(whole.mapping),
        bytes: whole.equal,
        first512Bytes: said(mapping),
        bytesThen: equal,
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
      const { spaces, mapping } = byFlags(lab, [ramAt(RAM), pageOf(lab, 'client'), ramAt(RAM + MIB)]);
      // Folded in all the same, as a resource: an IOVA that leads out and back to where it came from.
      const device = lab.device('client');
      const folded = new DmaMapping();
      const own = new BvecList();
      own.push(lab.bar('client').phys, PAGE, BVEC_MAP_RESOURCE);
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
        const found = busAddrInBar(fn, storedAddress<BusAddr>(address ?? 0), length);
        return found === null ? 'none' : `RAM taken for BAR ${found.bar}`;
      };
      // Addresses are given out from the top: below the end of the BAR, the first is in it.
      const limit = own.bus + 4 * MIB - 1;
      const shadowed = mapped(new IommuDomain({ allocator: new IovaAllocator({ limit, prefer32Bit: false }) }));
      const reserved = reservedWindows(lab.machine, fn);
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
    verdict: 'holds on a condition',
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
    verdict: 'holds on a condition',
    expected: {
      flags: 'written into the new owner',
      lookup: 'PROVIDER_GONE',
      certified: 'PROVIDER_GONE',
      whileAllocated: 'REMOVAL_BLOCKED',
      betweenMapAndDma: 'written into the new owner by flags, lookup, page, premapped, certified',
      toldAtUnmap: 'by lookup, page, certified',
    },
    run: () => {
      const fates = DESIGNS.map(({ name }) => swappedAfterMapping(name));
      const named = (chosenOnes: readonly (typeof fates)[number][]): string =>
        chosenOnes.map(({ name }) => name).join(', ');
      return {
        flags: swappedInTheQueue('flags'),
        lookup: swappedInTheQueue('lookup'),
        certified: swappedInTheQueue('certified'),
        whileAllocated: removalWhileAllocated(),
        betweenMapAndDma: `written into the new owner by ${named(fates.filter(({ isWritten }) => isWritten))}`,
        toldAtUnmap: `by ${named(fates.filter(({ isTold }) => isTold))}`,
      };
    },
  },
];

/** Near and other change places while near's page is in the queue: an address that outlived its allocation. */
function swappedInTheQueue(name: 'flags' | 'lookup' | 'certified'): string {
  const lab = new Lab();
  const side = sideOf(lab, 'client');
  const at = lab.bar('near').phys;
  const submitted = design(name).submit(side, lab.plain(at), 'fromDevice');
  lab.swapNearAndOther();
  const code = codeOf(() =>
    lab.land(side.device, submitted.list, design(name).classifier(side, submitted.generation), []),
  );
  if (code !== 'taken') return code;
  return lab.matching(at, 0) === PAGE ? 'written into the new owner' : 'lost';
}

/** They change places when the page has been mapped, and before the device writes. */
function swappedAfterMapping(name: DesignName): { name: DesignName; isWritten: boolean; isTold: boolean } {
  const lab = new Lab();
  const side = sideOf(lab, 'client');
  const at = lab.bar('near').phys;
  const submitted = design(name).submit(side, lab.plain(at), 'fromDevice');
  const mapping = new DmaMapping();
  dmaMapBvec(side.device, submitted.list, 'fromDevice', design(name).classifier(side, submitted.generation), mapping);
  lab.swapNearAndOther();
  lab.run(side.device, mapping, []);
  const isWritten = lab.matching(at, 0) === PAGE;
  return { name, isWritten, isTold: codeOf(() => dmaUnmapBvec(side.device, mapping)) === 'PROVIDER_GONE' };
}

/** Why memory of a pool does not change its owner: removal waits for whoever holds an allocation. */
function removalWhileAllocated(): string {
  const memory = new P2pMemory(new Lab().fn('near'));
  memory.addResource({ bar: 0 });
  const held = memory.allocate(PAGE);
  const code = codeOf(() => memory.finishRemoval());
  if (held !== null) memory.free(held);
  memory.finishRemoval();
  return code;
}
