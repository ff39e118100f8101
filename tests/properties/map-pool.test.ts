/** The submitter's half: memory from pools by the distance, mapped, unmapped and given back, 10,000 times from a printed seed. */

import { expect, test } from 'vitest';
import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from '../../src/block/bio-vec.ts';
import type { PhysAddr } from '../../src/core/address.ts';
import { Prng } from '../../src/core/prng.ts';
import { dmaMapBvec, dmaUnmapBvec } from '../../src/dma/map-bvec.ts';
import { DmaMapping } from '../../src/dma/mapping.ts';
import { resolveOwnBar } from '../../src/dma/own-bar.ts';
import { RamAllocator } from '../../src/machine/ram-allocator.ts';
import { mailDistance, PCI_P2PDMA_THRU_HOST_BRIDGE, p2pdmaDistance } from '../../src/p2p/distance.ts';
import type { P2pAllocation } from '../../src/p2p/pool.ts';
import { P2pMemory } from '../../src/p2p/provider.ts';
import { RAM, World } from '../map/world.ts';
import { seedOf, snapshotOf } from './lands.ts';

const CASES = 10_000;

test('mapping and unmapping leave pools, allocator and page table as they found them, and giving back restores the pools', () => {
  const prng = new Prng(seedOf(8, 'pools'));
  const world = new World({ busOffset: 2 ** 31 });
  const device = world.device();
  const memories = (['near', 'client', 'far', 'foreign'] as const).map((place) => {
    const memory = new P2pMemory(world.fn(place));
    memory.addResource({ bar: place === 'client' ? 2 : 0 });
    memory.publish(true);
    return memory;
  });
  const ram = new RamAllocator(RAM);
  const classifiers = [world.trusting(), world.verified()];
  const poolsNow = () =>
    JSON.stringify([...memories.map(({ available, users }) => [available, users.allocations.length]), ram.available]);
  const fresh = { pools: poolsNow(), domain: JSON.stringify(snapshotOf(device.domain)) };
  const mapping = new DmaMapping();
  let full = 0;
  for (let index = 0; index < CASES; index++) {
    const list = new BvecList();
    const held: [P2pMemory, P2pAllocation][] = [];
    const pages: PhysAddr[] = [];
    for (let vector = prng.between(1, 8); vector > 0; vector--) {
      const length = prng.chance(0.1) ? 2 ** 20 * prng.between(1, 3) : prng.between(1, 20_000);
      const memory = prng.pick(memories);
      const dist = mailDistance(p2pdmaDistance(memory.provider, device.fn, world.context));
      const allocation = dist < 0 ? null : memory.allocate(length);
      if (allocation === null) {
        if (dist >= 0) full++;
        const page = ram.kmalloc(length) as PhysAddr;
        pages.push(page);
        list.push(page, length, 0);
      } else {
        held.push([memory, allocation]);
        memory.get(allocation);
        if (dist & PCI_P2PDMA_THRU_HOST_BRIDGE) list.push(allocation.phys, length, BVEC_MAP_RESOURCE);
        else list.push(allocation.bus, length, BVEC_MAP_BUS_ADDR);
      }
    }
    const pools = poolsNow();
    dmaMapBvec(device, list, 'bidirectional', prng.pick(classifiers), mapping);
    resolveOwnBar(device.fn, mapping);
    expect(mapping.count).toBeGreaterThan(0);
    dmaUnmapBvec(device, mapping);
    if (poolsNow() !== pools) throw new Error(`seed ${prng.seed}, case ${index}: a pool was changed by the mapping`);
    for (const [memory, allocation] of held) {
      memory.put(allocation);
      memory.free(allocation);
    }
    for (const page of pages) ram.free(page);
    if (poolsNow() !== fresh.pools || JSON.stringify(snapshotOf(device.domain)) !== fresh.domain) {
      throw new Error(`seed ${prng.seed}, case ${index}: something is left, or missing`);
    }
  }
  console.log(`${full} times a pool was full and RAM took its place`);
  expect(full).toBeGreaterThan(10);
});
