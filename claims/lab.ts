/**
 * A machine on which every claim of the thread can be tried, with the fabric under it: the five designs map, a DMA engine writes
 * a pattern, and every byte is read back where its owner keeps it.
 *
 *   host bridge 0 (its bus addresses may be shifted)
 *   +- root port -- switch -+- client  BAR 2 4 MiB
 *   |                       +- near    BAR 0 4 MiB
 *   |                       +- other   BAR 0 4 MiB
 *   |                       +- behindAcs  BAR 0 4 MiB, its port redirects
 *   +- root port -- far     BAR 0 4 MiB
 *   host bridge 1
 *   +- root port -- switch -+- second  BAR 0 4 MiB
 *                           +- victim  BAR 0 4 MiB
 */

import { BvecList } from '../src/block/index.ts';
import { present } from '../src/core/index.ts';
import {
  type Classifier,
  DmaDevice,
  DmaMapping,
  dmaMapBvec,
  dmaUnmapBvec,
  engineTarget,
  PairTypes,
  RangeTable,
  reservedWindows,
  resolveOwnBar,
} from '../src/dma/index.ts';
import { DmaEngine, Fabric, type Hop, IommuPort, prepare } from '../src/fabric/index.ts';
import { IommuDomain, IovaAllocator } from '../src/iommu/index.ts';
import type { Machine } from '../src/machine/index.ts';
import { JudgeContext, POLICIES } from '../src/p2p/index.ts';
import { buildTree, type EndpointDescription, type PciFunction, type TreeDescription } from '../src/pcie/index.ts';

export const MIB: number = 2 ** 20;
export const PAGE = 4096;

export type Place = 'client' | 'near' | 'other' | 'behindAcs' | 'far' | 'second' | 'victim';

export interface LabOptions {
  /** Default on. */
  readonly iommu?: 'on' | 'off';
  /** Bus address minus CPU address below host bridge 0, bytes. `ontoVictim`: near's bus address is victim's CPU address. */
  readonly busOffset?: number | 'ontoVictim';
  /** An AMD CPU before Zen, and a host bridge that Linux does not list: P2P through it is not supported. Default false. */
  readonly isUnlisted?: boolean;
  /** Keep IOVAs out of the host bridges' windows. Default true. */
  readonly reserveWindows?: boolean;
}

function endpoint(name: Place, index = 0): EndpointDescription {
  return { kind: 'endpoint', name, functions: [{ bars: [{ index, size: 4 * MIB, prefetchable: true }] }] };
}

function tree(busOffset: number, otherOffset: number, isUnlisted: boolean): TreeDescription {
  return {
    rootBuses: [
      {
        ...(isUnlisted ? { hostBridge: null } : {}),
        busOffset,
        children: [
          {
            kind: 'rootPort',
            below: [
              {
                kind: 'switch',
                ports: [
                  { below: [endpoint('client', 2)] },
                  { name: 'nearPort', below: [endpoint('near')] },
                  { name: 'otherPort', below: [endpoint('other')] },
                  { acs: ['RR', 'CR'], below: [endpoint('behindAcs')] },
                ],
              },
            ],
          },
          { kind: 'rootPort', below: [endpoint('far')] },
        ],
      },
      {
        busOffset: otherOffset,
        children: [
          {
            kind: 'rootPort',
            below: [{ kind: 'switch', ports: [{ below: [endpoint('second')] }, { below: [endpoint('victim')] }] }],
          },
        ],
      },
    ],
  };
}

/** What one transfer did. */
export interface Landed {
  /** Bytes that are right where they belong. */
  readonly equal: number;
  readonly total: number;
  /** What became of each segment: `delivered`, or what went wrong. */
  readonly fates: readonly string[];
  readonly hops: readonly Hop[];
}

export class Lab {
  readonly machine: Machine;
  readonly fabric: Fabric;
  readonly table: RangeTable;
  readonly context: JudgeContext;
  readonly iommu: 'on' | 'off';
  readonly #port: IommuPort | null;
  readonly #names: ReadonlyMap<string, Parameters<Machine['hierarchy']['at']>[0]>;
  readonly #reserve: boolean;

  constructor(options: LabOptions = {}) {
    const { busOffset = 0 } = options;
    const offsets = busOffset === 'ontoVictim' ? ontoVictim() : ([busOffset, 0] as const);
    const { hierarchy, names } = buildTree(tree(...offsets, options.isUnlisted === true));
    this.#names = names;
    this.#reserve = options.reserveWindows ?? true;
    this.iommu = options.iommu ?? 'on';
    const ram = [{ start: MIB, end: 512 * MIB }];
    this.machine = {
      source: 'the lab',
      hierarchy,
      ram,
      iomem: [],
      cpu: { vendor: 'AuthenticAMD', family: options.isUnlisted === true ? 16 : 23 },
      kernel: '6.12.0',
      cmdline: null,
      iommuGroupTypes: new Map(),
      notes: [],
    };
    this.#port = this.iommu === 'on' ? new IommuPort({ otherwise: 'passthrough' }) : null;
    this.fabric = new Fabric({ hierarchy, ram, iommu: this.#port });
    prepare(
      this.fabric,
      hierarchy.functions.map((_, index) => index),
    );
    this.table = RangeTable.ofMachine(this.machine);
    this.context = new JudgeContext(this.machine, POLICIES['linux-6.12']);
  }

  fn(place: string): PciFunction {
    const bdf = this.#names.get(place);
    const fn = bdf && this.machine.hierarchy.at(bdf);
    if (!fn) throw new Error(`no ${place} in the lab`);
    return fn;
  }

  index(place: string): number {
    return this.machine.hierarchy.indexOf(this.fn(place).bdf);
  }

  /** Both views of where a place's memory begins. */
  bar(place: Place): { readonly bar: number; readonly phys: number; readonly bus: number } {
    const bar = this.fn(place).bars.find(({ size }) => size === 4 * MIB);
    if (!bar || bar.cpuAddress === null || bar.busAddress === null) throw new Error(`${place} has no memory`);
    return { bar: bar.index, phys: bar.cpuAddress, bus: bar.busAddress };
  }

  pairs(client: Place): PairTypes {
    return new PairTypes(this.context, this.index(client));
  }

  /** A mapping device, its domain attached to the fabric's IOMMU. */
  device(client: Place): DmaDevice {
    const fn = this.fn(client);
    if (this.#port === null) return new DmaDevice({ fn, iommu: 'off' });
    const reserved = this.#reserve ? reservedWindows(this.machine, fn) : [];
    const domain = new IommuDomain({ allocator: new IovaAllocator({ reserved }) });
    this.#port.attach(fn.key, domain);
    return new DmaDevice({ fn, iommu: 'on', domain });
  }

  /** Plain CPU physical vectors. */
  plain(...addresses: readonly number[]): BvecList {
    const list = new BvecList();
    for (const address of addresses) list.push(address, PAGE, 0);
    return list;
  }

  /** Maps `list`, lets the device write a pattern into it, unmaps, and looks for the bytes at the CPU addresses `where`. */
  land(device: DmaDevice, list: BvecList, classifier: Classifier, where: readonly number[]): Landed {
    const mapping = new DmaMapping();
    dmaMapBvec(device, list, 'fromDevice', classifier, mapping);
    if (classifier.name !== 'premapped') resolveOwnBar(device.fn, mapping);
    const landed = this.run(device, mapping, where);
    dmaUnmapBvec(device, mapping);
    return landed;
  }

  /** The DMA itself, by what the mapping says. */
  run(device: DmaDevice, mapping: DmaMapping, where: readonly number[]): Landed {
    const index = this.machine.hierarchy.indexOf(device.fn.bdf);
    const engine = new DmaEngine(this.fabric, index);
    const own = this.fabric.function(index).bars[0];
    if (own === undefined) throw new Error(`${device.fn.name} has no memory of its own`);
    for (const at of where) this.fabric.cpuWrite(at, new Uint8Array(PAGE));
    const hops: Hop[] = [];
    const fates = mapping.segments().map((segment) => {
      const { length, firstInput } = segment;
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at++) bytes[at] = patternAt(firstInput * PAGE + at);
      const source = { bar: own.index, offset: own.size - length };
      this.fabric.barMemory(index, own.index).write(source.offset, bytes);
      const target = present(engineTarget(segment), 'an address: nothing is bounced here');
      const stop = this.fabric.watch((hop) => hops.push(hop));
      const result = engine.run({ source, target, length });
      stop();
      const fate = result.target?.fate ?? result.source.fate;
      return fate === 'delivered' ? fate : `${fate}: ${(result.target ?? result.source).reason}`;
    });
    let equal = 0;
    where.forEach((at, input) => {
      equal += this.matching(at, input);
    });
    return { equal, total: where.length * PAGE, fates, hops };
  }

  /** How many bytes of the page at a CPU address carry the pattern of vector `input`. */
  matching(at: number, input: number): number {
    const found = new Uint8Array(PAGE);
    this.fabric.cpuRead(at, found);
    let equal = 0;
    for (let byte = 0; byte < PAGE; byte++) if (found[byte] === patternAt(input * PAGE + byte)) equal++;
    return equal;
  }

  /** Near and other change places: registers of devices and ports, and the table. */
  swapNearAndOther(): void {
    for (const [a, b, offsets] of [
      ['near', 'other', [0x10, 0x14]],
      ['nearPort', 'otherPort', [0x24, 0x28, 0x2c]],
    ] as const) {
      const [one, two] = [this.fn(a).bdf, this.fn(b).bdf];
      for (const offset of offsets) {
        const [before, after] = [this.fabric.configRead(one, offset, 4), this.fabric.configRead(two, offset, 4)];
        this.fabric.configWrite(one, offset, 4, after);
        this.fabric.configWrite(two, offset, 4, before);
      }
    }
    const near = this.table.records.filter(({ provider }) => provider === this.index('near'));
    const other = this.table.records.filter(({ provider }) => provider === this.index('other'));
    this.table.removeProvider(this.index('near'));
    this.table.removeProvider(this.index('other'));
    for (const record of near) this.table.add({ ...record, provider: this.index('other') });
    for (const record of other) this.table.add({ ...record, provider: this.index('near') });
  }
}

/** Never 0, so that untouched memory never looks right, and another byte at each page. */
function patternAt(offset: number): number {
  return 1 + ((offset * 7 + (offset >> 8) * 3) % 255);
}

/** Offsets of the two host bridges with which the CPU finds victim where near's bus address points. */
function ontoVictim(): readonly [number, number] {
  const flat = new Lab({ iommu: 'off' });
  return [-(2 ** 41), flat.bar('victim').bus - flat.bar('near').bus];
}
