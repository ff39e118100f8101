/** Random trees, fabrics and accesses from a seed. */

import type { Iova, PhysAddr, Prng } from '../../src/core/index.ts';
import { type FabricRules, IommuPort, type RootComplexBehaviour, type SamePortRule } from '../../src/fabric/index.ts';
import { IommuDomain, IovaAllocator } from '../../src/iommu/index.ts';
import {
  type AcsDescription,
  type BarDescription,
  bdfKey,
  type DeviceDescription,
  type EndpointFunctionDescription,
  type PortDescription,
  type RootPortDescription,
  type TreeDescription,
} from '../../src/pcie/index.ts';
import { Bench, RAM } from './trees.ts';

const PAYLOADS = [128, 256, 256, 256, 512];
const SAME_PORT: readonly SamePortRule[] = ['unsupportedRequest', 'drop', 'reflect', 'upstream'];
const BEHAVIOURS: readonly RootComplexBehaviour[] = [
  'forward',
  'forward',
  'forward',
  'sameHostBridgeOnly',
  'unsupportedRequest',
  'drop',
  'corrupt',
  'writesOnly',
];

export interface RandomOptions {
  /** Probability that a register is not as it should be. */
  readonly faults: number;
  readonly depth: number;
  readonly fanOut: number;
}

class Grower {
  readonly #prng: Prng;
  readonly #options: RandomOptions;
  readonly endpoints: string[] = [];
  readonly ports: string[] = [];

  constructor(prng: Prng, options: RandomOptions) {
    this.#prng = prng;
    this.#options = options;
  }

  tree(): TreeDescription {
    const prng = this.#prng;
    const offsets = [0, 0, 2 ** 29, -(2 ** 32)];
    const rootBuses = Array.from({ length: prng.between(1, 2) }, () => ({
      busOffset: prng.pick(offsets),
      children: Array.from({ length: prng.between(1, 3) }, (): RootPortDescription | DeviceDescription => {
        if (prng.chance(0.15)) return this.#endpoint();
        return { kind: 'rootPort', ...this.#port(0) };
      }),
    }));
    return { rootBuses };
  }

  #faulty(): boolean {
    return this.#prng.chance(this.#options.faults);
  }

  #acs(): AcsDescription {
    const prng = this.#prng;
    if (prng.chance(0.4)) return 'absent';
    const control = prng.chance(0.3) ? 0x1d : prng.below(128);
    return { control, egressVector: [prng.next()] };
  }

  #port(depth: number): PortDescription {
    const prng = this.#prng;
    const name = `port${this.ports.length}`;
    this.ports.push(name);
    const goesOn = depth < this.#options.depth && prng.chance(0.6);
    const below = prng.chance(0.05) ? [] : [goesOn ? this.#switch(depth + 1) : this.#device()];
    return {
      name,
      acs: this.#acs(),
      memorySpace: !this.#faulty(),
      busMaster: !this.#faulty(),
      maxPayload: this.#faulty() ? prng.pick(PAYLOADS) : 512,
      spareMemory: prng.chance(0.2) ? 2 ** 20 : 0,
      link: { speedGts: prng.pick([2.5, 8, 16, 32]), width: prng.pick([1, 4, 16]) },
      below,
    };
  }

  #switch(depth: number): DeviceDescription {
    const ports = Array.from({ length: this.#prng.between(1, this.#options.fanOut) }, () => this.#port(depth));
    const upstream = { busMaster: !this.#faulty(), memorySpace: !this.#faulty(), maxPayload: 512, spareMemory: 0 };
    return { kind: 'switch', upstream, ports };
  }

  #device(): DeviceDescription {
    if (this.#prng.chance(0.07)) return { kind: 'pciBridge', below: [this.#endpoint(), this.#endpoint()] };
    return this.#endpoint();
  }

  #endpoint(): DeviceDescription {
    const functions = Array.from({ length: this.#prng.chance(0.3) ? 2 : 1 }, () => this.#function());
    return { kind: 'endpoint', functions };
  }

  #function(): EndpointFunctionDescription {
    const prng = this.#prng;
    const name = `e${this.endpoints.length}`;
    this.endpoints.push(name);
    const bars: BarDescription[] = [];
    if (prng.chance(0.8)) bars.push({ size: 2 ** prng.between(12, 22), prefetchable: true });
    if (prng.chance(0.5)) bars.push({ size: 2 ** prng.between(6, 15), prefetchable: false, is64Bit: prng.chance(0.5) });
    if (bars.length === 0) bars.push({ size: 8192 });
    return {
      name,
      bars,
      acs: prng.chance(0.3)
        ? { control: prng.below(128) & 0x6c, capability: 0x6c, egressVector: [prng.next()] }
        : 'absent',
      memorySpace: !this.#faulty(),
      busMaster: !this.#faulty(),
      maxPayload: prng.pick(PAYLOADS),
      maxReadRequest: prng.pick([128, 512, 4096]),
    };
  }
}

/** Everything random about a fabric, drawn once: building from it twice gives two equal fabrics. */
export interface RandomFabric {
  readonly tree: TreeDescription;
  readonly endpoints: readonly string[];
  readonly rootComplex: RootComplexBehaviour;
  readonly rules: FabricRules;
  readonly iommuSeed: number | null;
}

export function randomFabric(prng: Prng, options: RandomOptions): RandomFabric {
  const grower = new Grower(prng, options);
  let tree = grower.tree();
  while (grower.endpoints.length < 2) tree = { rootBuses: [...tree.rootBuses, ...grower.tree().rootBuses] };
  return {
    tree,
    endpoints: grower.endpoints,
    rootComplex: prng.pick(BEHAVIOURS),
    rules: {
      samePortAtRootPort: prng.pick(SAME_PORT),
      samePortAtDownstreamPort: prng.pick(SAME_PORT),
      internalPeerRoute: prng.chance(0.5),
      unclaimedInSwitch: prng.chance(0.8) ? 'unsupportedRequest' : 'upstream',
      rootComplexCutsAtRcb: prng.chance(0.3),
      completionTimeoutNs: 1_000_000,
    },
    iommuSeed: prng.chance(0.5) ? prng.next() : null,
  };
}

/** Where IOVAs of random fabrics begin; every endpoint has IOVA_PAGES pages from here. */
export const IOVA_BASE = 0x40_0000_0000;
export const IOVA_PAGES = 24;

export function build(random: RandomFabric, makePrng: (seed: number) => Prng): Bench {
  const { rootComplex, rules, iommuSeed } = random;
  const iommu = iommuSeed === null ? null : new IommuPort({ otherwise: 'passthrough' });
  const bench = new Bench(random.tree, { rootComplex, rules, iommu });
  if (iommu === null || iommuSeed === null) return bench;
  const prng = makePrng(iommuSeed);
  for (const name of random.endpoints) {
    if (prng.chance(0.2)) continue;
    const domain = new IommuDomain({ allocator: new IovaAllocator(), lazy: prng.chance(0.5) });
    for (let page = 0; page < IOVA_PAGES; page++) {
      if (prng.chance(0.05)) continue;
      const peer = prng.pick(random.endpoints);
      const size = bench.fn(peer).bars[0]?.size ?? 0;
      const intoBar = prng.chance(0.4) && size >= 4096;
      const base = intoBar
        ? bench.cpu(peer, bench.fn(peer).bars[0]?.index) + 4096 * prng.below(size / 4096)
        : 0x100000 + 4096 * prng.below(64);
      const rights = { read: !prng.chance(0.05), write: true, mmio: intoBar };
      domain.map((IOVA_BASE + page * 4096) as Iova, base as PhysAddr, 4096, rights);
    }
    iommu.attach(bdfKey(bench.fn(name).fn.bdf), domain);
  }
  return bench;
}

export interface RandomAccess {
  readonly requester: string;
  readonly isWrite: boolean;
  readonly address: number;
  readonly length: number;
  readonly attributes: { addressType: 'untranslated' | 'translated'; relaxedOrdering: boolean };
}

/** An access that begins or ends near some edge: of a BAR, of RAM, of a page, of nothing. */
export function randomAccess(prng: Prng, bench: Bench, endpoints: readonly string[], hasIommu: boolean): RandomAccess {
  const length = prng.chance(0.5) ? prng.between(1, 600) : prng.between(1, 20_000);
  const peer = bench.fn(prng.pick(endpoints));
  const bar = prng.pick(peer.bars);
  const shift = bench.fabric.topology.rootBuses[peer.bus.root]?.busOffset ?? 0;
  const start = (bar.start ?? 0) - (prng.chance(0.5) ? shift : 0);
  const ram = prng.pick(RAM);
  const [low, high] = prng.pick([
    [start, start + bar.size],
    [start, start + bar.size],
    [ram.start, ram.end],
    [2 ** 32 - 1000, 2 ** 32],
    hasIommu ? [IOVA_BASE, IOVA_BASE + IOVA_PAGES * 4096] : [start, start + bar.size],
  ]) as [number, number];
  const near = prng.pick([low, high - length, high - 100, low + prng.below(Math.max(1, high - low)), low - 50]);
  return {
    requester: prng.pick(endpoints),
    isWrite: prng.chance(0.5),
    address: Math.max(0, Math.floor(near)),
    length,
    attributes: { addressType: prng.chance(0.8) ? 'untranslated' : 'translated', relaxedOrdering: prng.chance(0.3) },
  };
}
