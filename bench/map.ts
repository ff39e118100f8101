/**
 * What a mapping costs, vector by vector: map and unmap of a bio, one warm provider and device, into structures of arrays that the
 * caller owns. Beside it, in the same rounds, the bare loop over typed arrays that only tests windows and adds offsets.
 *
 *   npm run bench -- map
 *
 * Ends with 1 where a bound is not kept. All lists rotate over four copies, with four outputs, so that no engine can take their
 * addresses for constants.
 */

import { PerformanceObserver } from 'node:perf_hooks';
import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from 'p2pdma/block';
import { Prng, physAddr } from 'p2pdma/core';
import {
  type Classifier,
  DmaDevice,
  DmaMapping,
  dmaMapBvec,
  dmaMapPage,
  dmaUnmapBvec,
  dmaUnmapPage,
  Lookup,
  PageDescriptors,
  PairTypes,
  RangeTable,
  reservedWindows,
  resolveOwnBar,
  TrustingFlags,
  VerifiedFlags,
} from 'p2pdma/dma';
import { IommuDomain, IovaAllocator } from 'p2pdma/iommu';
import type { Machine } from 'p2pdma/machine';
import { JudgeContext, POLICIES } from 'p2pdma/p2p';
import { type BarDescription, buildTree, type DeviceDescription, type PciFunction } from 'p2pdma/pcie';
import { Bounds, type Candidate, type Figure, measure, platformLine, printTable, ratioOf } from './harness.ts';
import { bareLoop, mapObjects, unmapObjects, type VectorObject, type Windows } from './map-losers.ts';

const MIB = 2 ** 20;
const COPIES = 4;
const RAM_START = 2 ** 30;
const bounds = new Bounds();

interface Bench {
  readonly machine: Machine;
  readonly client: PciFunction;
  readonly near: readonly PciFunction[];
  readonly far: PciFunction;
  readonly table: RangeTable;
  readonly pairs: PairTypes;
}

/** A client and 64 providers below one switch of switches, and one provider behind another root port. */
function newBench(): Bench {
  const bars: BarDescription[] = [{ size: 16 * MIB, prefetchable: true }];
  const endpoint = (name: string): { below: DeviceDescription[] } => ({
    below: [{ kind: 'endpoint', name, functions: [{ bars }] }],
  });
  const group = (first: number): { below: DeviceDescription[] } => ({
    below: [{ kind: 'switch', ports: Array.from({ length: 16 }, (_, index) => endpoint(`near${first + index}`)) }],
  });
  const { hierarchy, names } = buildTree({
    rootBuses: [
      {
        children: [
          {
            kind: 'rootPort',
            below: [{ kind: 'switch', ports: [endpoint('client'), group(0), group(16), group(32), group(48)] }],
          },
          { kind: 'rootPort', ...endpoint('far') },
        ],
      },
    ],
  });
  const machine: Machine = {
    source: 'bench',
    hierarchy,
    ram: [{ start: MIB, end: 2 ** 31 }],
    iomem: [],
    cpu: { vendor: 'AuthenticAMD', family: 25 },
    kernel: '6.12.0',
    cmdline: null,
    iommuGroupTypes: new Map(),
    notes: [],
  };
  const fn = (name: string): PciFunction => {
    const bdf = names.get(name);
    const found = bdf && hierarchy.at(bdf);
    if (!found) throw new Error(`no ${name}`);
    return found;
  };
  const client = fn('client');
  return {
    machine,
    client,
    near: Array.from({ length: 64 }, (_, index) => fn(`near${index}`)),
    far: fn('far'),
    table: RangeTable.ofMachine(machine),
    pairs: new PairTypes(new JudgeContext(machine, POLICIES['linux-6.12']), hierarchy.indexOf(client.bdf)),
  };
}

function barOf(fn: PciFunction): { phys: number; bus: number } {
  const bar = fn.bars[0];
  return { phys: bar?.cpuAddress as number, bus: bar?.busAddress as number };
}

type Kind = 'bus' | 'own' | 'ram' | 'resource';

/** Lists of `count` vectors of 4 KiB; `provider` chooses the provider of a bus vector. */
function lists(
  bench: Bench,
  count: number,
  kinds: readonly Kind[],
  flagged: boolean,
  provider: (copy: number, index: number) => number = () => 0,
): BvecList[] {
  return Array.from({ length: COPIES }, (_, copy) => {
    const list = new BvecList(count);
    for (let index = 0; index < count; index++) {
      const kind = kinds[index % kinds.length] as Kind;
      const offset = 8192 * index;
      if (kind === 'ram') list.push(RAM_START + copy * 16 * MIB + offset, 4096, 0);
      else if (kind === 'resource') list.push(barOf(bench.far).phys + offset, 4096, flagged ? BVEC_MAP_RESOURCE : 0);
      else {
        const fn = kind === 'own' ? bench.client : (bench.near[provider(copy, index)] as PciFunction);
        const { phys, bus } = barOf(fn);
        list.push((flagged ? bus : phys) + offset, 4096, flagged ? BVEC_MAP_BUS_ADDR : 0);
      }
    }
    return list;
  });
}

function newDevice(bench: Bench, iommu: 'on' | 'off' = 'on'): DmaDevice {
  const allocator = new IovaAllocator({ reserved: reservedWindows(bench.machine, bench.client) });
  return new DmaDevice({ fn: bench.client, iommu, domain: iommu === 'on' ? new IommuDomain({ allocator }) : null });
}

/** Map and unmap, the outputs in arrays that stay. */
function mapping(
  name: string,
  device: DmaDevice,
  inputs: readonly BvecList[],
  classifier: Classifier,
  resolve = false,
): Candidate {
  const units = inputs[0]?.count as number;
  const outputs = inputs.map(() => new DmaMapping(units));
  const run = (turn: number): void => {
    const output = outputs[turn % COPIES] as DmaMapping;
    dmaMapBvec(device, inputs[turn % COPIES] as BvecList, 'bidirectional', classifier, output);
    if (resolve) resolveOwnBar(device.fn, output);
    dmaUnmapBvec(device, output);
  };
  return { name, run, units };
}

function bare(name: string, bench: Bench, inputs: readonly BvecList[]): Candidate {
  const units = inputs[0]?.count as number;
  const own = barOf(bench.client).bus;
  const peer = barOf(bench.near[0] as PciFunction).bus;
  const windows: Windows = {
    ownStart: own,
    ownEnd: own + 16 * MIB,
    peerStart: peer,
    peerEnd: peer + 64 * 16 * MIB,
    offset: 0,
  };
  const outputs = inputs.map(() => ({ address: new Float64Array(units), length: new Float64Array(units) }));
  const run = (turn: number): void => {
    const output = outputs[turn % COPIES] as (typeof outputs)[0];
    bareLoop(inputs[turn % COPIES] as BvecList, windows, output.address, output.length);
  };
  return { name, run, units };
}

function objects(name: string, device: DmaDevice, inputs: readonly BvecList[]): Candidate {
  const domain = device.domain as IommuDomain;
  const vectors: VectorObject[][] = inputs.map((list) => [...list]);
  const run = (turn: number): void =>
    unmapObjects(domain, mapObjects(vectors[turn % COPIES] as VectorObject[], domain));
  return { name, run, units: inputs[0]?.count as number };
}

function rows(figures: readonly Figure[], base: Figure): string[][] {
  return figures.map((figure) => [
    figure.name,
    figure.medianNs.toFixed(2),
    figure.bestNs.toFixed(2),
    figure.spreadNs.toFixed(2),
    `${ratioOf(figure, base).toFixed(2)} x`,
  ]);
}

const HEAD = ['', 'ns/vector', 'best', 'spread', 'bare loop'];

/** The bounds of the mapping: a bio of 256 vectors of 4 KiB. */
function perVector(bench: Bench): void {
  const flags = new TrustingFlags();
  const on = newDevice(bench);
  const off = newDevice(bench, 'off');
  const bus = lists(bench, 256, ['bus'], true);
  const ram = lists(bench, 256, ['ram'], true);
  const four: readonly Kind[] = ['ram', 'bus', 'resource', 'own'];
  const figures = measure([
    bare('bare loop', bench, bus),
    mapping('(b2) flags', on, bus, flags),
    mapping('(b2) flags, with resolveOwnBar', on, bus, flags, true),
    mapping('(c) flags, with resolveOwnBar', on, lists(bench, 256, ['own'], true), flags, true),
    mapping('(b2) flags, IOMMU off', off, bus, flags),
    mapping('(a) RAM, IOMMU off', off, ram, flags),
    mapping('(a) RAM with IOMMU', on, ram, flags),
    mapping('(b1) with IOMMU', on, lists(bench, 256, ['resource'], true), flags),
    mapping('(a) (b2) (b1) (c) in turns, with IOMMU', on, lists(bench, 256, four, true), flags, true),
    objects('(b2) one object a segment: lost', on, bus),
    objects('(a) RAM with IOMMU, one object a segment: lost', on, ram),
  ]);
  const [base, b2] = figures as [Figure, Figure];
  const iommu = figures[6] as Figure;
  console.log('\n256 vectors of 4 KiB, map and unmap');
  printTable([HEAD, ...rows(figures, base)]);
  console.log(`(b2) to bare loop ${ratioOf(b2, base).toFixed(2)}, ${bounds.check(ratioOf(b2, base), 2)}`);
  console.log(
    `RAM with IOMMU to bare loop ${ratioOf(iommu, base).toFixed(2)}, ${bounds.check(ratioOf(iommu, base), 8)}`,
  );
}

/** The three designs, 64 providers in the machine. A bio's memory is of one provider, as one allocation gives it; each bio of another. */
function designs(bench: Bench): void {
  const on = newDevice(bench);
  const { table, pairs } = bench;
  const provider = (copy: number): number => (copy * 21) % 64;
  const each = (copy: number, index: number): number => (copy + index) % 64;
  const four: readonly Kind[] = ['ram', 'bus', 'resource', 'own'];
  const flags = new TrustingFlags();
  const lookup = new Lookup(table, pairs);
  const page = new PageDescriptors(table, pairs);
  const verified = new VerifiedFlags(table, pairs);
  const sets: [string, readonly Kind[], typeof each, number | null][] = [
    ['(b2)', ['bus'], provider, 1.5],
    ['RAM with IOMMU', ['ram'], provider, 1.5],
    ['(b1) with IOMMU', ['resource'], provider, 1.5],
    ['(b2), every vector of another provider', ['bus'], each, null],
    ['(a) (b2) (b1) (c) in turns', four, each, null],
  ];
  console.log(
    `\nflags, lookup and page: ${bench.near.length + 1} providers, ${table.records.length} ranges, 256 vectors of 4 KiB`,
  );
  for (const [name, kinds, chosen, bound] of sets) {
    const flagged = lists(bench, 256, kinds, true, chosen);
    const plain = lists(bench, 256, kinds, false, chosen);
    const figures = measure([
      mapping(`${name}, flags`, on, flagged, flags),
      mapping(`${name}, lookup`, on, plain, lookup),
      mapping(`${name}, page`, on, plain, page),
      mapping(`${name}, flags verified`, on, flagged, verified),
    ]);
    const [base, looked] = figures as [Figure, Figure];
    printTable([[...HEAD.slice(0, 4), 'flags'], ...rows(figures, base)]);
    const ratio = ratioOf(looked, base);
    if (bound !== null) console.log(`lookup to flags ${ratio.toFixed(2)}, ${bounds.check(ratio, bound)}`);
  }
  console.log(
    `page descriptors made for this: ${page.descriptorBytes} bytes; ranges, as C lays them out: ${table.records.length * 40} bytes`,
  );
}

/** Short bios: no bound, since what is done once a bio counts most. */
function shortBios(bench: Bench): void {
  const on = newDevice(bench);
  const flags = new TrustingFlags();
  for (const count of [1, 16]) {
    const bus = lists(bench, count, ['bus'], true);
    const figures = measure([
      bare('bare loop', bench, bus),
      mapping('(b2)', on, bus, flags),
      mapping('RAM with IOMMU', on, lists(bench, count, ['ram'], true), flags),
      mapping('(b2) lookup', on, lists(bench, count, ['bus'], false), new Lookup(bench.table, bench.pairs)),
    ]);
    console.log(`\n${count} vector${count === 1 ? '' : 's'} of 4 KiB, no bound`);
    printTable([HEAD, ...rows(figures, figures[0] as Figure)]);
  }
}

/** The cost of one more mapping beside 100 and beside 1,000,000 that live, of one to eight pages, with holes where others ended. */
function liveMappings(bench: Bench): void {
  const flags = new TrustingFlags();
  const counts = [100, 1_000_000] as const;
  const devices = counts.map((count) => {
    const device = newDevice(bench);
    const prng = new Prng(1);
    const live: { at: ReturnType<typeof dmaMapPage>; length: number }[] = [];
    const add = (): void => {
      const length = 4096 * prng.between(1, 8);
      live.push({ at: dmaMapPage(device, physAddr(RAM_START), length, 'toDevice'), length });
    };
    while (live.length < count * 1.25) add();
    while (live.length > count) {
      const index = prng.below(live.length);
      const gone = live[index] as (typeof live)[0];
      live[index] = live[live.length - 1] as (typeof live)[0];
      live.pop();
      dmaUnmapPage(device, gone.at, gone.length);
    }
    return device;
  });
  console.log('\none more mapping beside those that live');
  for (const count of [256, 16, 1]) {
    const inputs = lists(bench, count, ['ram'], true);
    const figures = measure(
      counts.map((live, index) =>
        mapping(`${count} RAM vectors, ${live} mappings live`, devices[index] as DmaDevice, inputs, flags),
      ),
    );
    const [few, many] = figures as [Figure, Figure];
    const ratio = ratioOf(many, few);
    printTable([[...HEAD.slice(0, 4), 'with 100'], ...rows(figures, few)]);
    console.log(`1,000,000 to 100 live ${ratio.toFixed(2)}, ${bounds.check(ratio, 1.5)}`);
  }
}

/** Garbage: bytes on the heap for each vector of a long loop, and collections in it. */
async function garbage(bench: Bench): Promise<void> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) {
    console.log('\ngarbage: not measured, run with --expose-gc');
    return;
  }
  let collections = 0;
  const observer = new PerformanceObserver((entries) => {
    collections += entries.getEntries().length;
  });
  observer.observe({ entryTypes: ['gc'] });
  const flags = new TrustingFlags();
  const on = newDevice(bench);
  const four: readonly Kind[] = ['ram', 'bus', 'resource', 'own'];
  const candidates = [
    mapping('(b2) flags, with resolveOwnBar', on, lists(bench, 256, ['bus'], true), flags, true),
    mapping('(c) flags, with resolveOwnBar', on, lists(bench, 256, ['own'], true), flags, true),
    mapping('RAM with IOMMU', on, lists(bench, 256, ['ram'], true), flags),
    mapping('(a) (b2) (b1) (c) in turns', on, lists(bench, 256, four, true), flags, true),
    mapping('(b2) lookup', on, lists(bench, 256, ['bus'], false), new Lookup(bench.table, bench.pairs)),
    objects('RAM, one object a segment: lost', on, lists(bench, 256, ['ram'], true)),
  ];
  const table: string[][] = [['', 'bytes/vector', 'collections in 5,000 bios']];
  for (const { name, run, units } of candidates) {
    for (let turn = 0; turn < 5000; turn++) run(turn);
    gc();
    await settled();
    collections = 0;
    const before = process.memoryUsage().heapUsed;
    const bios = 500;
    for (let turn = 0; turn < bios; turn++) run(turn);
    const bytes = (process.memoryUsage().heapUsed - before) / (bios * units);
    for (let turn = 0; turn < 5000; turn++) run(turn);
    await settled();
    table.push([name, bytes.toFixed(2), String(collections)]);
    // A bio may cost an object or two; a vector nothing.
    if (!name.includes('lost')) console.log(`${name}: ${bytes.toFixed(2)} bytes a vector, ${bounds.check(bytes, 2)}`);
  }
  observer.disconnect();
  printTable(table);
}

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

console.log(platformLine());
const bench = newBench();
perVector(bench);
designs(bench);
shortBios(bench);
liveMappings(bench);
console.log('\ngarbage of a long map and unmap loop');
await garbage(bench);
bounds.end();
