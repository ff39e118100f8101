/** The submitting driver of the mail, for one vector of a scenario: asks the distance and chooses memory and flag by it. */

import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE } from '../block/bio-vec.ts';
import { addBytes, busFromPhys, type PhysAddr } from '../core/address.ts';
import { present } from '../core/assert.ts';
import { Prng } from '../core/prng.ts';
import { mailDistance, PCI_P2PDMA_THRU_HOST_BRIDGE, p2pdmaDistance } from '../p2p/distance.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import type { TransferDescription, VectorDescription } from './scenario-types.ts';
import type { SubmittedVector } from './submitted-vector.ts';
import type { World } from './world.ts';

/** Chance for ties between equally near providers: fixed, so that one file is one run. */
const TIE_SEED = 1;

/** Chooses memory for vector `index` of a transfer. `asked` is the device whose distance the submitter asks. */
export function submitVector(
  world: World,
  transfer: TransferDescription,
  index: number,
  asked: PciFunction,
): SubmittedVector {
  const vector = present(transfer.vectors?.[index], 'the vector');
  const field = `vectors[${index}]`;
  const provider = providerOf(world, transfer, vector, asked, field);
  if (provider === null)
    return regularMemory(
      world,
      vector,
      null,
      vector.memory === 'find'
        ? `no memory serves all of ${clientsOf(world, transfer, asked)
            .map((fn) => world.nameOf(fn))
            .join(', ')}: RAM instead`
        : 'regular memory',
    );
  if (world.isGone(provider)) {
    return regularMemory(world, vector, null, `${world.nameOf(provider)} was unplugged: RAM instead`);
  }
  const verdict = p2pdmaDistance(provider, asked, world.context);
  const distance = mailDistance(verdict);
  if (vector.flags === undefined && distance < 0) {
    return regularMemory(world, vector, distance, `${world.nameOf(provider)} is not supported: RAM instead`);
  }
  const place = allocate(world, provider, vector, field);
  if (place === null) {
    return regularMemory(
      world,
      vector,
      distance,
      `the pool of ${world.nameOf(provider)} has no ${vector.length} bytes left: RAM instead`,
    );
  }
  const honest = distance >= 0 && distance & PCI_P2PDMA_THRU_HOST_BRIDGE ? BVEC_MAP_RESOURCE : BVEC_MAP_BUS_ADDR;
  const flags = vector.flags ?? honest;
  return {
    address: flags === BVEC_MAP_BUS_ADDR ? busFromPhys(place, provider.busOffset) : place,
    flags,
    length: vector.length,
    cpuAddress: place,
    owner: provider,
    distance,
    why: vector.flags === undefined ? 'by the distance' : 'the scenario sets the flag',
  };
}

/** The vectors of an earlier transfer for another device: the memory is where it is, address and flag follow the new distance. */
export function resubmitVector(world: World, vector: SubmittedVector, asked: PciFunction): SubmittedVector {
  const { owner, cpuAddress } = vector;
  // Of a provider that is gone nobody can ask the distance any more: what was found before is in the queue.
  if (owner === null || world.isGone(owner))
    return { ...vector, distance: null, why: 'the memory of the earlier transfer' };
  const distance = mailDistance(p2pdmaDistance(owner, asked, world.context));
  const flags = distance >= 0 && distance & PCI_P2PDMA_THRU_HOST_BRIDGE ? BVEC_MAP_RESOURCE : BVEC_MAP_BUS_ADDR;
  const address = flags === BVEC_MAP_BUS_ADDR ? busFromPhys(cpuAddress, owner.busOffset) : cpuAddress;
  return { ...vector, address, flags, distance, why: 'the memory of the earlier transfer' };
}

function providerOf(
  world: World,
  transfer: TransferDescription,
  vector: VectorDescription,
  asked: PciFunction,
  field: string,
): PciFunction | null {
  if (vector.memory === 'ram') return null;
  if (vector.memory === 'self') return asked;
  if (vector.memory !== 'find') return world.function(vector.memory, `${field}.memory`);
  world.publishAll();
  return world.providers.find(clientsOf(world, transfer, asked), world.context, new Prng(TIE_SEED));
}

function clientsOf(world: World, transfer: TransferDescription, asked: PciFunction): PciFunction[] {
  return [asked, ...(transfer.clients ?? []).map((name) => world.function(name, 'clients'))];
}

/** CPU address of the vector's memory: at the offset that the scenario names, or from the pool. */
function allocate(world: World, provider: PciFunction, vector: VectorDescription, field: string): PhysAddr | null {
  const memory = world.memoryOf(provider);
  if (vector.offset === undefined) return memory.allocPhys(vector.length);
  const [range] = memory.ranges;
  if (range === undefined || vector.offset + vector.length > range.size) {
    const message = `${vector.length} bytes at offset ${vector.offset} end behind the ${range?.size ?? 0} bytes of ${world.nameOf(provider)}`;
    world.refuse(`${field}.offset`, message, 'choose an offset and length inside the memory');
  }
  return addBytes(range.phys, vector.offset);
}

function regularMemory(world: World, vector: VectorDescription, distance: number | null, why: string): SubmittedVector {
  const phys = world.ram.kmalloc(vector.length);
  if (phys === null) {
    world.refuse(
      'vectors',
      `no ${vector.length} contiguous bytes of RAM are left`,
      'give the machine more RAM: ram: [{ start: 1MiB, size: 512MiB }]',
    );
  }
  return {
    address: phys,
    flags: vector.memory === 'ram' ? (vector.flags ?? 0) : 0,
    length: vector.length,
    cpuAddress: phys,
    owner: null,
    distance,
    why,
  };
}
