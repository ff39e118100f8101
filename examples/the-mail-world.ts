/** A captured machine brought to life for the example: providers with their pools, RAM, an IOMMU, a fabric with a DMA engine. */

import { readFileSync } from 'node:fs';
import {
  BVEC_MAP_BUS_ADDR,
  BvecList,
  DmaDevice,
  DmaMapping,
  dmaUnmapBvec,
  IommuDomain,
  IovaAllocator,
  iommuModeOf,
  JudgeContext,
  type LookupCounters,
  type Machine,
  P2pMemory,
  type PciFunction,
  parseBdf,
  policyForKernel,
  RamAllocator,
  readMachine,
  reservedWindows,
  TrustingFlags,
} from 'p2pdma';
import { DmaEngine, Fabric, type Hop, IommuPort, prepare } from 'p2pdma/fabric';
import { map, type Programmed, type Submitted, submit } from './the-mail.ts';

const PAGE = 4096;

/** What ran, for whoever prints it. */
export interface MailRun {
  readonly machine: Machine;
  readonly mapping: PciFunction;
  readonly device: DmaDevice;
  /** Provider of each vector, null for regular memory. */
  readonly providers: readonly (PciFunction | null)[];
  readonly submitted: readonly Submitted[];
  readonly iova: { readonly base: number; readonly size: number };
  /** Vectors that met the IOMMU. */
  readonly iommuVectors: number;
  readonly counters: LookupCounters;
  readonly programmed: readonly (Programmed & { readonly space: string; readonly address: number | null })[];
  /** Per vector the hops that its transfer made. */
  readonly hops: readonly (readonly Hop[])[];
  readonly bytesEqual: number;
  readonly bytesTotal: number;
}

/** Reads a bundled machine. `cpu` stands in for the one of the capture. */
export async function bundledMachine(name: string, cpu: Machine['cpu'] = null): Promise<Machine> {
  const file = new URL(`../../examples/machines/${name}.tar.gz`, import.meta.url);
  const machine = await readMachine(readFileSync(file), name);
  return cpu === null ? machine : { ...machine, cpu };
}

/**
 * Submits one page of each provider (null: of regular memory) for `mapping`, maps all five at once, and lets the engine of the
 * mapping device write a pattern into them.
 */
export function runTheMail(machine: Machine, mapping: string, providers: readonly (string | null)[]): MailRun {
  const at = (name: string): PciFunction => {
    const bdf = parseBdf(name);
    const fn = bdf === null ? undefined : machine.hierarchy.at(bdf);
    if (fn === undefined) throw new Error(`${name} is not in ${machine.source}`);
    return fn;
  };
  const fn = at(mapping);
  const context = new JudgeContext(machine, policyForKernel(machine.kernel));
  const ram = new RamAllocator(machine.ram);
  const memories = new Map<string, P2pMemory>();
  const functions = providers.map((name) => (name === null ? null : at(name)));
  const submitted = functions.map((provider) => {
    const memory = provider === null ? null : (memories.get(provider.name) ?? providerMemory(provider));
    if (memory !== null && provider !== null) memories.set(provider.name, memory);
    return submit(fn, { provider: memory, ram, context }, PAGE);
  });

  const vectors = BvecList.fromVectors(submitted.map((one) => one.vector));
  const device = mappingDevice(machine, fn);
  const mapped = new DmaMapping();
  const flags = new TrustingFlags();
  const programmed = map(device, vectors, 'fromDevice', mapped, flags);
  const segments = mapped.segments();

  const fabric = new Fabric({ hierarchy: machine.hierarchy, ram: machine.ram, iommu: iommuPort(device) });
  const indices = [fn, ...functions].filter((one) => one !== null).map((one) => machine.hierarchy.indexOf(one.bdf));
  prepare(fabric, indices);
  const transfers = transfer(fabric, machine.hierarchy.indexOf(fn.bdf), programmed);
  const iova = { base: mapped.iovaBase as number, size: mapped.iovaSize };
  const { iommuVectors } = mapped;
  const bytesEqual = compare(fabric, machine, submitted, functions);
  dmaUnmapBvec(device, mapped);
  return {
    machine,
    mapping: fn,
    device,
    providers: functions,
    submitted,
    iova,
    iommuVectors,
    counters: flags.counters,
    programmed: programmed.map((one, index) => ({
      ...one,
      space: segments[index]?.space ?? '',
      address: segments[index]?.address ?? null,
    })),
    hops: transfers,
    bytesEqual,
    bytesTotal: providers.length * PAGE,
  };
}

/** The largest memory BAR of a provider as a pool. What its driver held when the machine was captured is taken first. */
function providerMemory(fn: PciFunction): P2pMemory {
  const memory = new P2pMemory(fn);
  const bars = fn.bars.filter((bar) => bar.space === 'memory').sort((a, b) => (b.size ?? 0) - (a.size ?? 0));
  memory.addResource({ bar: bars[0]?.index ?? 0 });
  memory.publish(true);
  const captured = fn.facts.sysfs?.p2pmem;
  if (captured !== undefined && captured.size > captured.available) memory.allocate(captured.size - captured.available);
  return memory;
}

function mappingDevice(machine: Machine, fn: PciFunction): DmaDevice {
  const iommu = iommuModeOf(machine, fn) ?? 'off';
  const allocator = new IovaAllocator({ reserved: reservedWindows(machine, fn) });
  return new DmaDevice({ fn, iommu, domain: iommu === 'on' ? new IommuDomain({ allocator }) : null });
}

function iommuPort(device: DmaDevice): IommuPort | null {
  if (device.iommu === 'off') return null;
  const port = new IommuPort();
  port.attach(device.fn.key, device.domain ?? 'passthrough');
  return port;
}

/** What the engine writes at byte `offset` of vector `vector`: no two pages alike. */
function patternAt(vector: number, offset: number): number {
  return (vector * 37 + offset * 11 + (offset >> 8)) & 0xff;
}

/** Runs one descriptor a segment; the source is the engine's own memory, the target what the driver programmed. */
function transfer(fabric: Fabric, index: number, programmed: readonly Programmed[]): Hop[][] {
  const engine = new DmaEngine(fabric, index);
  const own = fabric.function(index).bars.find((bar) => bar.size >= 64 * PAGE);
  if (own === undefined) throw new Error('the mapping device has no memory of its own to read from');
  return programmed.map(({ target, length, firstInput }) => {
    const source = { bar: own.index, offset: own.size - length };
    const bytes = new Uint8Array(length);
    // A segment may hold several vectors: each page has the pattern of its own.
    for (let at = 0; at < length; at++) bytes[at] = patternAt(firstInput + Math.floor(at / PAGE), at % PAGE);
    fabric.barMemory(index, own.index).write(source.offset, bytes);
    const hops: Hop[] = [];
    const stop = fabric.watch((hop) => hops.push(hop));
    engine.run({ source, target, length });
    stop();
    return hops;
  });
}

/** Reads every vector where its owner keeps it, past all mappings, and counts the bytes that are right. */
function compare(
  fabric: Fabric,
  machine: Machine,
  submitted: readonly Submitted[],
  providers: readonly (PciFunction | null)[],
): number {
  let equal = 0;
  submitted.forEach(({ vector }, index) => {
    const found = new Uint8Array(vector.length);
    const provider = providers[index] ?? null;
    const isRam = vector.flags === 0 || provider === null;
    if (isRam) fabric.ram.read(vector.address, found);
    else {
      const bar = provider.bars.find((one) => {
        const start = vector.flags === BVEC_MAP_BUS_ADDR ? one.busAddress : one.cpuAddress;
        return start !== null && vector.address >= start && vector.address < start + (one.size ?? 0);
      });
      const start = vector.flags === BVEC_MAP_BUS_ADDR ? bar?.busAddress : bar?.cpuAddress;
      const at = machine.hierarchy.indexOf(provider.bdf);
      fabric.barMemory(at, bar?.index ?? 0).read(vector.address - (start ?? 0), found);
    }
    for (let at = 0; at < found.length; at++) if (found[at] === patternAt(index, at)) equal++;
  });
  return equal;
}
