/** Every mapping of the truth: what the kernel answered, segment by segment, under each of the three designs. */

import { expect, test } from 'vitest';
import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from '../../src/block/bio-vec.ts';
import type { Iova } from '../../src/core/address.ts';
import type { Classifier } from '../../src/dma/classifier.ts';
import { TrustingFlags } from '../../src/dma/classify-flags.ts';
import { Lookup } from '../../src/dma/classify-lookup.ts';
import { PageDescriptors } from '../../src/dma/classify-page.ts';
import { VerifiedFlags } from '../../src/dma/classify-verified.ts';
import { DmaDevice } from '../../src/dma/device.ts';
import { MapError } from '../../src/dma/errors.ts';
import { dmaMapBvec, dmaUnmapBvec } from '../../src/dma/map-bvec.ts';
import { DmaMapping } from '../../src/dma/mapping.ts';
import { PairTypes } from '../../src/dma/pair-types.ts';
import { RangeTable } from '../../src/dma/range-table.ts';
import { IommuDomain } from '../../src/iommu/domain.ts';
import { IovaAllocator } from '../../src/iommu/iova-allocator.ts';
import { iommuModeOf } from '../../src/machine/machine.ts';
import { swiotlbOf } from '../../src/machine/swiotlb.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { policyForKernel } from '../../src/p2p/policy.ts';
import { type Bdf, parseBdf } from '../../src/pcie/bdf.ts';
import { expectedOf, limitsOf, type Outcome, plain } from './expected-mapping.ts';
import { readTruth, type TruthMapping } from './truth.ts';

const cases = await readTruth();
const ERRNO: Record<string, number> = { EREMOTEIO: -121, EIO: -5 };

/** The vectors as the mail's submitter would tag them: it asks the distance of each provider. */
function tagged(mapping: TruthMapping, table: RangeTable, pairs: PairTypes): BvecList {
  const list = new BvecList();
  for (const [, address, length] of mapping.in) {
    const record = table.at(table.find(Number(address)));
    const type = record.kind === 'ram' ? null : pairs.verdict(record.provider).type;
    if (type === 'busAddr') list.push(Number(address) + record.busOffset, length, BVEC_MAP_BUS_ADDR);
    // A pair that is not supported has no honest flag; the verified road refuses it whatever it says.
    else list.push(Number(address), length, type === null ? 0 : BVEC_MAP_RESOURCE);
  }
  return list;
}

function outcomeOf(device: DmaDevice, list: BvecList, classifier: Classifier, mapping: DmaMapping): Outcome {
  try {
    dmaMapBvec(device, list, 'bidirectional', classifier, mapping);
  } catch (error) {
    if (error instanceof MapError) return { ret: ERRNO[error.errno ?? ''] ?? Number.NaN };
    throw error;
  }
  const base = mapping.iovaBase;
  const segments = mapping.segments();
  const pages: [number, number][] = [];
  for (const { space, address, length } of segments) {
    if (space !== 'iova' || address === null) continue;
    for (let page = address - (address % 4096); page < address + length; page += 4096) {
      const found = device.domain?.translate(page as Iova, 'read');
      pages.push([page - base, found && 'phys' in found ? found.phys : Number.NaN]);
    }
  }
  dmaUnmapBvec(device, mapping);
  return {
    ret: 0,
    out: segments.map(({ space, address, length }) => [
      space === 'bounce' ? 'bounce' : (address as number) - (space === 'iova' ? base : 0),
      length,
      space === 'bus' ? 1 : 0,
    ]),
    iova: pages,
  };
}

test('MAP: outcome, segments, bus marks, targets and relative IOVA layout are the kernel’s, by flags, lookup and page', () => {
  let compared = 0;
  const names = { flags: 0, verified: 0, lookup: 0, page: 0 };
  for (const item of cases) {
    const { machine, truth } = item;
    const context = new JudgeContext(machine, policyForKernel(machine.kernel));
    const table = RangeTable.ofMachine(machine);
    const swiotlb = swiotlbOf(machine);
    const result = new DmaMapping();
    const domain = new IommuDomain({ allocator: new IovaAllocator() });
    const pairsOf = new Map<string, PairTypes>();
    for (const mapping of truth.mappings) {
      const fn = machine.hierarchy.at(parseBdf(mapping.c) as Bdf);
      if (!fn) throw new Error(`${mapping.c} is not in ${machine.source}`);
      const iommu = iommuModeOf(machine, fn);
      if (iommu === null) throw new Error('a capture of sysfs tells');
      const pairs = pairsOf.get(mapping.c) ?? new PairTypes(context, machine.hierarchy.indexOf(fn.bdf));
      pairsOf.set(mapping.c, pairs);
      const device = new DmaDevice({ fn, iommu, domain, limits: limitsOf(item, mapping), swiotlb });
      const wanted = expectedOf(mapping, swiotlb === 'force' && iommu !== 'on');
      const label = `${truth.name} ${mapping.c} ${mapping.set} ${mapping.pat}`;
      const honest = tagged(mapping, table, pairs);
      if (mapping.ret !== -121) {
        expect(outcomeOf(device, honest, new TrustingFlags(), result), `flags: ${label}`).toEqual(wanted);
        names.flags++;
      }
      expect(outcomeOf(device, honest, new VerifiedFlags(table, pairs), result), `verified: ${label}`).toEqual(wanted);
      expect(outcomeOf(device, plain(mapping), new Lookup(table, pairs), result), `lookup: ${label}`).toEqual(wanted);
      expect(outcomeOf(device, plain(mapping), new PageDescriptors(table, pairs), result), `page: ${label}`).toEqual(
        wanted,
      );
      names.verified++;
      names.lookup++;
      names.page++;
      compared++;
    }
    expect(domain.mappedBytes, 'unmap leaves nothing in the page table').toBe(0);
    expect(domain.allocator.liveBytes, 'unmap gives every address back').toBe(0);
  }
  console.log(`compared ${compared} mappings of ${cases.length} machines:`, JSON.stringify(names));
  expect(compared).toBeGreaterThan(0);
});
