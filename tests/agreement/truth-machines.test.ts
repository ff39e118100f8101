/**
 * Every pair that a real kernel mapped, run on our fabric: the machines of tests/truth, prepared as drivers would, with a root complex
 * that forwards. The kernel's answer chooses the road; every byte is compared, and every memory of the machine is audited.
 */

import { expect, test } from 'vitest';
import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from '../../src/block/bio-vec.ts';
import { Prng } from '../../src/core/prng.ts';
import type { Classifier } from '../../src/dma/classifier.ts';
import { TrustingFlags } from '../../src/dma/classify-flags.ts';
import { Lookup } from '../../src/dma/classify-lookup.ts';
import { DmaDevice } from '../../src/dma/device.ts';
import { dmaMapBvec, dmaUnmapBvec } from '../../src/dma/map-bvec.ts';
import { DmaMapping } from '../../src/dma/mapping.ts';
import { resolveOwnBar } from '../../src/dma/own-bar.ts';
import { PairTypes } from '../../src/dma/pair-types.ts';
import { RangeTable } from '../../src/dma/range-table.ts';
import { reservedWindows } from '../../src/dma/reserved-windows.ts';
import { Fabric, type FabricRules, IommuPort, prepare, type SparseMemory } from '../../src/fabric/index.ts';
import { IommuDomain } from '../../src/iommu/domain.ts';
import { IovaAllocator } from '../../src/iommu/iova-allocator.ts';
import { iommuModeOf } from '../../src/machine/machine.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { policyForKernel } from '../../src/p2p/policy.ts';
import { type Bdf, parseBdf } from '../../src/pcie/bdf.ts';
import type { PciFunction } from '../../src/pcie/pci-function.ts';
import { readTruth, type TruthBlock, type TruthCase, truthType } from '../kernel/truth.ts';

const cases = await readTruth();

/** What the kernel takes for granted where the specification leaves it open. */
const AS_THE_KERNEL_ASSUMES: Partial<FabricRules> = { internalPeerRoute: true };

interface Pair {
  readonly provider: PciFunction;
  readonly client: PciFunction;
  readonly block: TruthBlock;
  readonly type: string;
}

/** Providers of a machine with every client that the kernel mapped for, where the kernel supports the pair. */
function supportedPairs(item: TruthCase): Pair[] {
  const at = (name: string): PciFunction => {
    const fn = item.machine.hierarchy.at(parseBdf(name) as Bdf);
    if (!fn) throw new Error(`${name} is not in ${item.machine.source}`);
    return fn;
  };
  const clients = new Set(item.truth.mappings.map(({ c }) => c));
  const pairs: Pair[] = [];
  for (const { p, c, ...rest } of item.truth.distance) {
    const provider = item.truth.providers.find(({ bdf }) => bdf === p);
    if (provider === undefined || !clients.has(c)) continue;
    const type = truthType(item.truth, { p, c, ...rest });
    if (type === 'notSupported') continue;
    for (const block of [provider, provider.second]) {
      if (block !== undefined) pairs.push({ provider: at(p), client: at(c), block, type });
    }
  }
  return pairs;
}

interface Outcome {
  readonly arrived: boolean;
  readonly bytes: number;
  readonly reason: string;
  readonly case: 'b1' | 'b2' | 'c';
}

/** One machine, alive. */
class World {
  readonly #item: TruthCase;
  readonly #fabric: Fabric;
  /** Null where the kernel had none. */
  readonly #iommu: IommuPort | null;
  readonly #context: JudgeContext;
  readonly #table: RangeTable;
  readonly #domains = new Map<number, IommuDomain>();
  readonly #mapping = new DmaMapping();

  constructor(item: TruthCase, rules: Partial<FabricRules>) {
    const { machine } = item;
    this.#item = item;
    const translates = machine.hierarchy.functions.some((fn) => iommuModeOf(machine, fn) !== 'off');
    this.#iommu = translates ? new IommuPort() : null;
    this.#fabric = new Fabric({ hierarchy: machine.hierarchy, ram: machine.ram, iommu: this.#iommu, rules });
    this.#context = new JudgeContext(machine, policyForKernel(machine.kernel));
    this.#table = RangeTable.ofMachine(machine);
  }

  #index(fn: PciFunction): number {
    return this.#item.machine.hierarchy.indexOf(fn.bdf);
  }

  #device(fn: PciFunction): DmaDevice {
    const { machine } = this.#item;
    const iommu = iommuModeOf(machine, fn);
    if (iommu === null) throw new Error('a capture of sysfs tells');
    const index = this.#index(fn);
    let domain = this.#domains.get(index) ?? null;
    if (iommu === 'on' && domain === null) {
      domain = new IommuDomain({ allocator: new IovaAllocator({ reserved: reservedWindows(machine, fn) }) });
      this.#domains.set(index, domain);
    }
    this.#iommu?.attach(fn.key, domain ?? 'passthrough');
    return new DmaDevice({ fn, iommu, domain });
  }

  /** The client writes a pattern into the provider's block, and reads another one back. */
  run({ provider, client, block, type }: Pair, chance: Prng): Outcome {
    const [p, c] = [this.#index(provider), this.#index(client)];
    prepare(this.#fabric, [p, c]);
    const bar = provider.bars.find(({ index }) => index === block.bar);
    const offset = Number(block.alloc_phys) - (bar?.cpuAddress ?? Number.NaN);
    const length = Math.min(block.alloc_pages * 4096, 4 * 4096);
    const memory = this.#fabric.barMemory(p, block.bar);
    const before = this.#snapshot();
    const written = pattern(length, chance);
    // Once by lookup of the physical address, once by the flag that the mail's submitter would set.
    const vector = new BvecList();
    vector.push(Number(block.alloc_phys), length, 0);
    const lookup = new Lookup(this.#table, new PairTypes(this.#context, c));
    let reason = this.#move(client, vector, lookup, written, 'fromDevice');
    const road = this.#lastRoad;
    const landed = new Uint8Array(length);
    memory.read(offset, landed);
    const wrote = equal(landed, written);

    const there = pattern(length, chance);
    memory.write(offset, there);
    const read = new Uint8Array(length);
    const flagged = new BvecList();
    if (type === 'busAddr') flagged.push(Number(block.alloc_bus), length, BVEC_MAP_BUS_ADDR);
    else flagged.push(Number(block.alloc_phys), length, BVEC_MAP_RESOURCE);
    const readReason = this.#move(client, flagged, new TrustingFlags(), read, 'toDevice');
    if (reason === '') reason = readReason;
    const restored = new Uint8Array(length);
    before.get(memory)?.read(offset, restored);
    memory.write(offset, restored);
    expect(this.#changed(before), `${client.name} -> ${provider.name}: nothing else was touched`).toEqual([]);
    expect(road, `${client.name} -> ${provider.name}: ${type}`).toBe(
      type === 'thruHostBridge' ? 'b1' : provider === client ? 'c' : 'b2',
    );
    return { arrived: wrote && equal(read, there), bytes: 2 * length, reason, case: road };
  }

  #lastRoad: 'b1' | 'b2' | 'c' = 'b1';

  /** One list of one vector, mapped, moved segment by segment and unmapped. Returns why it did not arrive, or ''. */
  #move(
    client: PciFunction,
    vectors: BvecList,
    classifier: Classifier,
    bytes: Uint8Array,
    direction: 'toDevice' | 'fromDevice',
  ): string {
    const c = this.#index(client);
    const device = this.#device(client);
    dmaMapBvec(device, vectors, direction, classifier, this.#mapping);
    resolveOwnBar(client, this.#mapping);
    let reason = '';
    let done = 0;
    for (const segment of this.#mapping.segments()) {
      const part = bytes.subarray(done, done + segment.length);
      done += segment.length;
      if (segment.space === 'bar') {
        // Inside the device: its engine reaches its own memory without the fabric.
        this.#lastRoad = 'c';
        const own = this.#fabric.barMemory(c, segment.bar as number);
        if (direction === 'fromDevice') own.write(segment.offset as number, part);
        else own.read(segment.offset as number, part);
        continue;
      }
      this.#lastRoad = segment.space === 'bus' ? 'b2' : 'b1';
      const address = segment.address as number;
      const answer =
        direction === 'fromDevice'
          ? this.#fabric.memoryWrite(c, address, part)
          : this.#fabric.memoryRead(c, address, part);
      if (answer.fate !== 'delivered' && reason === '') reason = answer.reason;
    }
    dmaUnmapBvec(device, this.#mapping);
    return reason;
  }

  #memories(): SparseMemory[] {
    const bars = this.#fabric.topology.functions.flatMap((node) =>
      node.bars.map((bar) => this.#fabric.barMemory(node.index, bar.index)),
    );
    return [this.#fabric.ram, ...bars];
  }

  #snapshot(): Map<SparseMemory, SparseMemory> {
    return new Map(this.#memories().map((memory) => [memory, memory.snapshot()]));
  }

  /** Where memories differ from what they were. */
  #changed(before: ReadonlyMap<SparseMemory, SparseMemory>): number[] {
    return this.#memories()
      .map((memory) => memory.firstDifference(before.get(memory) as SparseMemory))
      .filter((at) => at !== null);
  }
}

function pattern(length: number, chance: Prng): Uint8Array {
  const seed = chance.below(256);
  return Uint8Array.from({ length }, (_, at) => (seed + at * 7 + (at >> 8) * 13) & 0xff);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

test('every pair that the kernel supports moves bytes, by the road that the kernel chose, and touches nothing else', () => {
  const chance = new Prng(20190627);
  const counts = { b1: 0, b2: 0, c: 0 };
  const failed: string[] = [];
  let bytes = 0;
  for (const item of cases) {
    const world = new World(item, AS_THE_KERNEL_ASSUMES);
    for (const pair of supportedPairs(item)) {
      const outcome = world.run(pair, chance);
      counts[outcome.case]++;
      bytes += outcome.bytes;
      if (!outcome.arrived) {
        failed.push(`${item.truth.name} ${pair.client.name} -> ${pair.provider.name}: ${pair.type}, ${outcome.reason}`);
      }
    }
  }
  const pairs = counts.b1 + counts.b2 + counts.c;
  console.log(`${cases.length} machines, ${pairs} pairs moved ${bytes} bytes: ${JSON.stringify(counts)}`);
  expect(failed).toEqual([]);
  expect(Math.min(counts.b1, counts.b2, counts.c)).toBeGreaterThan(0);
});

test('with the safe answer to what the specification leaves open, the pairs that fail are those of the findings', () => {
  const chance = new Prng(20190627);
  const reasons = new Map<string, number>();
  let pairs = 0;
  for (const item of cases) {
    const world = new World(item, {});
    for (const pair of supportedPairs(item)) {
      const { arrived, reason } = world.run(pair, chance);
      pairs++;
      if (!arrived) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
  }
  console.log(`of ${pairs} pairs these do not arrive: ${JSON.stringify([...reasons])}`);
  // Functions of one device without a way inside it (docs/FINDINGS.md).
  expect([...reasons.keys()]).toEqual(['samePort']);
});
