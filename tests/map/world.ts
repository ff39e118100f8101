/**
 * A small machine in words, with every road in it, for tests of the mapping.
 *
 *   root bus 0 (listed host bridge)
 *   +- root port -- switch -+- client     BAR 0 64 KiB, BAR 2 4 MiB
 *   |                       +- near       BAR 0 4 MiB                     (b2)
 *   |                       +- next       BAR 0 4 MiB, BAR 2 2 MiB        (b2)
 *   |                       +- behindAcs  BAR 0 4 MiB, its port redirects  (b1)
 *   |                       +- functions  two functions, 2 MiB each        (b2)
 *   +- root port -- far     BAR 0 4 MiB, above 4 GiB                       (b1)
 *   other root bus (host bridge not listed)
 *   +- root port -- foreign BAR 0 4 MiB                                    not supported
 *
 * The large BARs of client, near and next follow each other without a gap.
 */

import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from '../../src/block/bio-vec.ts';
import type { BusAddr, PhysAddr } from '../../src/core/address.ts';
import type { Range } from '../../src/core/range.ts';
import type { Classifier } from '../../src/dma/classifier.ts';
import { TrustingFlags } from '../../src/dma/classify-flags.ts';
import { Lookup } from '../../src/dma/classify-lookup.ts';
import { PageDescriptors } from '../../src/dma/classify-page.ts';
import { VerifiedFlags } from '../../src/dma/classify-verified.ts';
import { DmaDevice, type DmaDeviceOptions } from '../../src/dma/device.ts';
import { PairTypes } from '../../src/dma/pair-types.ts';
import { RangeTable } from '../../src/dma/range-table.ts';
import { reservedWindows } from '../../src/dma/reserved-windows.ts';
import { IommuDomain } from '../../src/iommu/domain.ts';
import { IovaAllocator } from '../../src/iommu/iova-allocator.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { POLICIES, type PolicyName } from '../../src/p2p/policy.ts';
import type { AcsDescription } from '../../src/pcie/describe.ts';
import { buildTree, type PciFunction } from '../../src/pcie/index.ts';

export const MIB = 2 ** 20;
export const GIB = 2 ** 30;
/** Two ranges of RAM, one above 4 GiB. */
export const RAM: readonly Range[] = [
  { start: MIB, end: GIB },
  { start: 4 * GIB, end: 64 * GIB },
];

export interface WorldOptions {
  /** Bus address minus CPU address on root bus 0. */
  readonly busOffset?: number;
  readonly policy?: PolicyName;
  /** Null: not known. */
  readonly cpu?: Machine['cpu'];
  /** The function at 00.0 of root bus 0. */
  readonly hostBridge?: { readonly vendorId: number; readonly deviceId: number };
  /** ACS of the client's own function. */
  readonly clientAcs?: AcsDescription;
}

export type Place = 'client' | 'near' | 'next' | 'behindAcs' | 'function0' | 'function1' | 'far' | 'foreign';

export class World {
  readonly machine: Machine;
  readonly table: RangeTable;
  readonly context: JudgeContext;
  readonly #names: ReadonlyMap<string, Parameters<Machine['hierarchy']['at']>[0]>;

  constructor(options: WorldOptions = {}) {
    const bar = (size: number) => ({ size, prefetchable: true });
    const tree = buildTree({
      rootBuses: [
        {
          busOffset: options.busOffset ?? 0,
          ...(options.hostBridge === undefined ? {} : { hostBridge: options.hostBridge }),
          children: [
            {
              kind: 'rootPort',
              below: [
                {
                  kind: 'switch',
                  ports: [
                    {
                      below: [
                        {
                          kind: 'endpoint',
                          functions: [
                            {
                              name: 'client',
                              bars: [{ size: 2 ** 16 }, bar(4 * MIB)],
                              ...(options.clientAcs === undefined ? {} : { acs: options.clientAcs }),
                            },
                          ],
                        },
                      ],
                    },
                    { below: [{ kind: 'endpoint', name: 'near', functions: [{ bars: [bar(4 * MIB)] }] }] },
                    {
                      below: [{ kind: 'endpoint', name: 'next', functions: [{ bars: [bar(4 * MIB), bar(2 * MIB)] }] }],
                    },
                    {
                      acs: ['RR', 'CR'],
                      below: [{ kind: 'endpoint', name: 'behindAcs', functions: [{ bars: [bar(4 * MIB)] }] }],
                    },
                    {
                      below: [
                        {
                          kind: 'endpoint',
                          functions: [
                            { name: 'function0', bars: [bar(2 * MIB)] },
                            { name: 'function1', bars: [bar(2 * MIB)] },
                          ],
                        },
                      ],
                    },
                  ],
                },
              ],
            },
            {
              kind: 'rootPort',
              below: [{ kind: 'endpoint', name: 'far', functions: [{ bars: [bar(4 * MIB)] }] }],
            },
          ],
        },
        {
          hostBridge: { vendorId: 0x8086, deviceId: 0x1237 },
          children: [
            {
              kind: 'rootPort',
              below: [{ kind: 'endpoint', name: 'foreign', functions: [{ bars: [bar(4 * MIB)] }] }],
            },
          ],
        },
      ],
    });
    this.#names = tree.names;
    this.machine = {
      source: 'a world of tests',
      hierarchy: tree.hierarchy,
      ram: RAM,
      iomem: RAM.map(({ start, end }) => ({ start, end, name: 'System RAM', depth: 0 })),
      cpu: options.cpu === undefined ? { vendor: 'GenuineIntel', family: 6 } : options.cpu,
      kernel: '6.12.0',
      cmdline: null,
      iommuGroupTypes: new Map(),
      notes: [],
    };
    this.table = RangeTable.ofMachine(this.machine);
    this.context = new JudgeContext(this.machine, POLICIES[options.policy ?? 'linux-6.12']);
  }

  fn(place: Place): PciFunction {
    const bdf = this.#names.get(place);
    const fn = bdf && this.machine.hierarchy.at(bdf);
    if (!fn) throw new Error(`no ${place} in this world`);
    return fn;
  }

  index(place: Place): number {
    return this.machine.hierarchy.indexOf(this.fn(place).bdf);
  }

  /** A BAR of memory: both views of its start. */
  bar(place: Place, bar = 0): { phys: PhysAddr; bus: BusAddr; size: number } {
    const found = this.fn(place).bars.find(({ index }) => index === bar);
    if (!found || found.cpuAddress === null || found.busAddress === null || found.size === null) {
      throw new Error(`${place} has no BAR ${bar}`);
    }
    return { phys: found.cpuAddress, bus: found.busAddress, size: found.size };
  }

  pairs(client: Place = 'client'): PairTypes {
    return new PairTypes(this.context, this.index(client));
  }

  /** A domain whose allocator keeps off the host bridge's windows, as in use. */
  domain(client: Place = 'client'): IommuDomain {
    return new IommuDomain({
      allocator: new IovaAllocator({ reserved: reservedWindows(this.machine, this.fn(client)) }),
    });
  }

  device(options: Partial<Omit<DmaDeviceOptions, 'fn'>> & { readonly client?: Place } = {}): DmaDevice {
    const { client = 'client', iommu = 'on', ...rest } = options;
    const domain = iommu === 'on' ? (rest.domain ?? this.domain(client)) : null;
    return new DmaDevice({ ...rest, fn: this.fn(client), iommu, domain });
  }

  trusting(): TrustingFlags {
    return new TrustingFlags();
  }

  verified(client: Place = 'client'): VerifiedFlags {
    return new VerifiedFlags(this.table, this.pairs(client));
  }

  lookup(client: Place = 'client'): Lookup {
    return new Lookup(this.table, this.pairs(client));
  }

  page(client: Place = 'client'): PageDescriptors {
    return new PageDescriptors(this.table, this.pairs(client));
  }
}

/** How a vector is given: by flags, or as a plain CPU physical address for lookup and page. */
export type Tagging = 'flags' | 'plain';

export interface Design {
  readonly name: Classifier['name'];
  readonly tagging: Tagging;
  readonly classifier: (world: World, client?: Place) => Classifier;
}

/** The four ways to classify, for suites that hold for each. */
export const DESIGNS: readonly Design[] = [
  { name: 'flags', tagging: 'flags', classifier: (world) => world.trusting() },
  { name: 'flags-verified', tagging: 'flags', classifier: (world, client) => world.verified(client) },
  { name: 'lookup', tagging: 'plain', classifier: (world, client) => world.lookup(client) },
  { name: 'page', tagging: 'plain', classifier: (world, client) => world.page(client) },
];

/** A vector in words: RAM by its address, or a place, a BAR and an offset. */
export type Piece =
  | { readonly ram: number; readonly length?: number }
  | { readonly at: Place; readonly bar?: number; readonly offset?: number; readonly length?: number };

/** The list of these pieces for a client, as an honest submitter would tag them, or plain. Lengths default to 4096. */
export function listOf(world: World, pieces: readonly Piece[], tagging: Tagging, client: Place = 'client'): BvecList {
  const pairs = world.pairs(client);
  const list = new BvecList();
  for (const piece of pieces) {
    const length = piece.length ?? 4096;
    if ('ram' in piece) {
      list.push(piece.ram, length, 0);
      continue;
    }
    const bar = world.bar(piece.at, piece.bar);
    const offset = piece.offset ?? 0;
    const type = pairs.verdict(world.index(piece.at)).type;
    if (tagging === 'plain') list.push(bar.phys + offset, length, 0);
    else if (type === 'busAddr') list.push(bar.bus + offset, length, BVEC_MAP_BUS_ADDR);
    else list.push(bar.phys + offset, length, BVEC_MAP_RESOURCE);
  }
  return list;
}
