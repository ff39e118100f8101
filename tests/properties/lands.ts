/**
 * Machines and lists by chance, for properties of the mapping: the small machine of tests/map in several forms, and every
 * machine of the truth. A case is a device with limits and a list in both forms, as an honest submitter would tag it and plain.
 */

import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from '../../src/block/bio-vec.ts';
import type { Prng } from '../../src/core/prng.ts';
import type { Range } from '../../src/core/range.ts';
import { DmaDevice, type MapRules, type Swiotlb } from '../../src/dma/device.ts';
import type { DmaDirection } from '../../src/dma/direction.ts';
import type { DmaLimits } from '../../src/dma/limits.ts';
import { PairTypes } from '../../src/dma/pair-types.ts';
import { RangeTable } from '../../src/dma/range-table.ts';
import { reservedWindows } from '../../src/dma/reserved-windows.ts';
import { IommuDomain } from '../../src/iommu/domain.ts';
import { IovaAllocator } from '../../src/iommu/iova-allocator.ts';
import type { IommuMode, Machine } from '../../src/machine/machine.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { POLICIES, type PolicyName } from '../../src/p2p/policy.ts';
import type { PciFunction } from '../../src/pcie/pci-function.ts';
import { readTruth } from '../kernel/truth.ts';
import { World } from '../map/world.ts';

/** Memory that a client reaches, and how. */
export interface Reach extends Range {
  readonly kind: 'ram' | 'resource' | 'bus' | 'own';
  /** Bus address minus CPU address. */
  readonly busOffset: number;
}

/** One client on one machine under one policy. */
export interface Land {
  readonly name: string;
  readonly machine: Machine;
  readonly fn: PciFunction;
  readonly table: RangeTable;
  readonly pairs: PairTypes;
  /** In CPU addresses; own BARs only where the pair is by bus address. */
  readonly reach: readonly Reach[];
  readonly reserved: readonly Range[];
}

/** All lands; `truth` adds the machines of the truth. */
export async function allLands(truth: boolean): Promise<Land[]> {
  const lands: Land[] = [];
  for (const policy of ['linux-6.12', 'directional'] as const) {
    for (const busOffset of [0, 2 ** 31, -(2 ** 32)]) {
      const world = new World({ busOffset, policy });
      for (const client of ['client', 'far'] as const) {
        lands.push(landOf(world.machine, world.fn(client), policy, `world ${policy} ${busOffset} ${client}`));
      }
    }
  }
  if (!truth) return lands;
  for (const { truth: answers, machine } of await readTruth()) {
    const clients = machine.hierarchy.functions.filter((fn) => !fn.isBridge && fn.bars.length > 0);
    const chosen = clients.map((fn) => landOf(machine, fn, 'linux-6.12', `${answers.name} ${fn.name}`));
    lands.push(...chosen.filter((land) => land.reach.some((range) => range.kind !== 'ram')).slice(0, 4));
  }
  return lands;
}

function landOf(machine: Machine, fn: PciFunction, policy: PolicyName, name: string): Land {
  const table = RangeTable.ofMachine(machine);
  const client = machine.hierarchy.indexOf(fn.bdf);
  const pairs = new PairTypes(new JudgeContext(machine, POLICIES[policy]), client);
  const reach: Reach[] = [];
  for (const { kind, start, end, provider, busOffset } of table.records) {
    if (kind === 'ram') {
      reach.push({ kind, start, end, busOffset: 0 });
      continue;
    }
    const { type } = pairs.verdict(provider);
    if (type === 'thruHostBridge') reach.push({ kind: 'resource', start, end, busOffset });
    if (type === 'busAddr') reach.push({ kind: provider === client ? 'own' : 'bus', start, end, busOffset });
  }
  return { name, machine, fn, table, pairs, reach, reserved: reservedWindows(machine, fn) };
}

export interface Case {
  readonly land: Land;
  readonly direction: DmaDirection;
  /** Ready for flags, and for lookup and page. */
  readonly flagged: BvecList;
  readonly plain: BvecList;
  /** Of each vector. */
  readonly reach: readonly Reach[];
}

export interface ListOptions {
  /** Most vectors. Default 12. */
  readonly count?: number;
  /** Most bytes of one vector. Default 20000. */
  readonly length?: number;
}

/** A list of RAM and memory within reach, aligned or not, of 1 byte to a few granules each. */
export function randomList(prng: Prng, land: Land, options: ListOptions = {}): Case {
  const flagged = new BvecList();
  const plain = new BvecList();
  const reach: Reach[] = [];
  const count = prng.between(1, options.count ?? 12);
  const kinds = [...new Set(land.reach.map(({ kind }) => kind))];
  // Lists of one kind have roads of their own: a third of all.
  const only = prng.chance(0.33) ? prng.pick(kinds) : null;
  for (let index = 0; index < count; index++) {
    const kind = only ?? prng.pick(kinds);
    const range = prng.pick(land.reach.filter((candidate) => candidate.kind === kind));
    const room = range.end - range.start;
    const longest = Math.min(room, options.length ?? 20_000);
    let length = prng.chance(0.5) ? 4096 * prng.between(1, 4) : prng.between(1, longest);
    length = Math.min(length, longest);
    let offset = prng.below(Math.min(room - length + 1, 2 ** 32 - 1));
    if (prng.chance(0.6)) offset -= offset % 4096;
    if (prng.chance(0.05)) offset = room - length; // to the last byte
    const address = range.start + offset;
    reach.push(range);
    plain.push(address, length, 0);
    if (kind === 'ram') flagged.push(address, length, 0);
    else if (kind === 'resource') flagged.push(address, length, BVEC_MAP_RESOURCE);
    else flagged.push(address + range.busOffset, length, BVEC_MAP_BUS_ADDR);
  }
  return { land, direction: prng.pick(['toDevice', 'fromDevice', 'bidirectional'] as const), flagged, plain, reach };
}

export interface DeviceChoice {
  readonly rules?: MapRules;
  readonly iommu?: IommuMode;
  readonly domain?: IommuDomain;
  readonly limits?: Partial<DmaLimits>;
  readonly swiotlb?: Swiotlb;
}

/** A device of the land with limits by chance, except what `fixed` says. All limits let the memory through. */
export function randomDevice(prng: Prng, land: Land, fixed: DeviceChoice = {}): DmaDevice {
  const iommu = fixed.iommu ?? prng.pick(['on', 'on', 'on', 'off', 'passthrough'] as const);
  return new DmaDevice({
    fn: land.fn,
    iommu,
    domain: iommu === 'on' ? (fixed.domain ?? newDomain(land)) : null,
    rules: fixed.rules ?? prng.pick(['linux', 'own'] as const),
    swiotlb: fixed.swiotlb ?? 'none',
    limits: fixed.limits ?? randomLimits(prng),
  });
}

export function randomLimits(prng: Prng): Partial<DmaLimits> {
  return {
    maxSegmentSize: prng.pick([4096, 8192, 5000, 65536, 2 ** 20, 2 ** 32 - 1]),
    segmentBoundaryMask: prng.pick([0xfff, 0x1fff, 0x3fff, 0xffff, 0xffffffff, Number.POSITIVE_INFINITY]),
  };
}

export function newDomain(land: Land): IommuDomain {
  return new IommuDomain({ allocator: new IovaAllocator({ reserved: land.reserved }) });
}

/** Everything an observer can see of a domain, to compare before and after. */
export function snapshotOf(domain: IommuDomain | null): unknown {
  if (domain === null) return null;
  return {
    allocator: domain.allocator.snapshot(),
    liveBytes: domain.allocator.liveBytes,
    leaves: [...domain.leaves()],
    tables: domain.tableCount,
    mappedBytes: domain.mappedBytes,
  };
}

/** The seed of a property: its own, or `P2PDMA_SEED` to replay. Printed, so that a failure can be. */
export function seedOf(own: number, name: string): number {
  const seed = Number(process.env['P2PDMA_SEED'] ?? own);
  console.log(`seed ${seed}: ${name}`);
  return seed;
}
