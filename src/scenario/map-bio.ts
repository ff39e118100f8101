/** Maps the bio of a file for a machine: through the queue, classified, mapped, and what to say of it. */

import { BVEC_MAP_BUS_ADDR, BvecList } from '../block/bio-vec.ts';
import { type IsP2p, saysP2p } from '../block/submit.ts';
import { addressFromWords, busAddr, physAddr } from '../core/address.ts';
import { hex } from '../core/hex.ts';
import type { Range } from '../core/range.ts';
import { nearest } from '../core/text.ts';
import { formatWord64 } from '../core/word64.ts';
import { Certifier } from '../dma/certified.ts';
import { type Classified, KIND_BUS, KIND_RAM, KIND_RESOURCE } from '../dma/classified.ts';
import type { Classifier } from '../dma/classifier.ts';
import { type ClassifyMode, classifierFor, classifierName } from '../dma/classifier-for.ts';
import { DmaDevice } from '../dma/device.ts';
import { MapError } from '../dma/errors.ts';
import { refuseFlag } from '../dma/flag-refusals.ts';
import { classifyVectors, dmaMapClassified, dmaUnmapBvec } from '../dma/map-bvec.ts';
import { DmaMapping } from '../dma/mapping.ts';
import { resolveOwnBar } from '../dma/own-bar.ts';
import { PairTypes } from '../dma/pair-types.ts';
import { RangeTable } from '../dma/range-table.ts';
import { reservedWindows } from '../dma/reserved-windows.ts';
import type { DmaSegment } from '../dma/segment.ts';
import { IommuDomain } from '../iommu/domain.ts';
import { IovaAllocator } from '../iommu/iova-allocator.ts';
import { type IommuMode, iommuModeOf, type Machine } from '../machine/machine.ts';
import { swiotlbOf } from '../machine/swiotlb.ts';
import { JudgeContext } from '../p2p/judge.ts';
import type { Policy } from '../p2p/policy.ts';
import { mailCase } from '../p2p/verdict.ts';
import { parseBdf } from '../pcie/bdf.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import type { BioFile } from './bio-file.ts';
import { withDeclaredRam } from './captured-machine.ts';
import { checkDecoding, mappingWarnings } from './map-warnings.ts';
import type { MappedBio, MappedVector } from './mapped-bio.ts';
import { throughQueue } from './queue-door.ts';

export interface MapSettings {
  /** Null: flags where a vector has one, else lookup. */
  readonly classify: ClassifyMode | null;
  /** The flags decide, no table is consulted. */
  readonly trust: boolean;
  /** Null: what the machine says of the device. */
  readonly iommu: IommuMode | null;
  readonly noMerge: boolean;
  /** RAM declared besides the memory map. */
  readonly ram: readonly Range[];
}

/** Maps bios for one machine; tables and domains are made once. */
export class BioMapper {
  readonly #machine: Machine;
  readonly #policy: Policy;
  readonly #settings: MapSettings;
  readonly #table: RangeTable;
  readonly #context: JudgeContext;
  readonly #pairs = new Map<number, PairTypes>();
  readonly #domains = new Map<number, IommuDomain>();
  readonly #result = new DmaMapping();

  /** By a flag, or because the machine has a BAR at the CPU address. */
  readonly #isP2p: IsP2p = (vectors, index) => {
    if (vectors.flags[index] !== 0) return true;
    const owner = this.#table.find(vectors.address[index] as number);
    return owner >= 0 && this.#table.at(owner).kind === 'bar';
  };

  constructor(machine: Machine, policy: Policy, settings: MapSettings) {
    this.#machine = settings.ram.length === 0 ? machine : withDeclaredRam(machine, settings.ram);
    this.#policy = policy;
    this.#settings = settings;
    this.#table = RangeTable.ofMachine(this.#machine);
    this.#context = new JudgeContext(this.#machine, policy);
  }

  /**
   * Maps one bio, reports, and unmaps it again.
   *
   * @throws MapError, BlockError: nothing is mapped then
   */
  map(bio: BioFile): MappedBio {
    const fn = this.#device(bio.device);
    const index = this.#machine.hierarchy.indexOf(fn.bdf);
    const given = vectorsOf(bio);
    const classify = this.#settings.classify ?? (given.hasFlags ? 'flags' : 'lookup');
    if (classify !== 'flags') this.#refuseFlags(given);
    const trusted = this.#settings.trust && classify === 'flags';
    const { direction, mayContainP2p, queueP2p } = bio;
    const isP2p = trusted ? saysP2p : this.#isP2p;
    const vectors = throughQueue({ vectors: given, direction, mayContainP2p, queueP2p, isP2p });
    const pairs = this.#pairsOf(index);
    const classifier = this.#classifier(classify, pairs);
    const mode = this.#settings.iommu ?? iommuModeOf(this.#machine, fn);
    const device = this.#dmaDevice(fn, index, mode, bio);
    if (classify === 'certified') new Certifier(this.#table, pairs).certify(vectors);
    // Without knowing the IOMMU nothing can be said of masks.
    const classified =
      mode === null ? classifier.classify(device, vectors) : classifyVectors(device, vectors, classifier);
    const meetsIommu = classified.kind.subarray(0, vectors.count).some((kind) => kind !== KIND_BUS);
    if (mode === null && meetsIommu) refuseUnknownIommu(fn);
    const owners = this.#describe(device, vectors, classified, trusted);
    if (this.#policy.acsRule === 'divergence') checkDecoding(this.#machine, owners);
    const table = classifier.table ?? null;
    const options = { noMerge: this.#settings.noMerge };
    const result = dmaMapClassified(device, vectors, bio.direction, classified, table, this.#result, options);
    const iova = result.iovaSize === 0 ? null : { base: result.iovaBase as number, size: result.iovaSize };
    const segments = resolvedSegments(device, result);
    return {
      device: fn,
      classify,
      iommu: mode,
      granule: device.domain?.granule ?? 4096,
      iova,
      vectors: owners,
      segments,
      lookups: lookupsOf(classifier),
      warnings: device.rules === 'linux' ? mappingWarnings(this.#machine, device, owners, vectors, segments) : [],
    };
  }

  #device(name: string): PciFunction {
    const { hierarchy } = this.#machine;
    const bdf = parseBdf(name);
    const fn = bdf === null ? undefined : hierarchy.at(bdf);
    if (fn) return fn;
    const names = nearest(
      name,
      hierarchy.functions.map((other) => other.name),
    );
    const message = bdf === null ? `'${name}' is no function's name` : `${name} is not in this machine`;
    throw new MapError('DEVICE_UNKNOWN', 'device', message, `nearest: ${names.join(', ')}`);
  }

  #refuseFlags(vectors: BvecList): void {
    for (let index = 0; index < vectors.count; index++) if (vectors.flags[index] !== 0) refuseFlag(vectors, index);
  }

  #pairsOf(client: number): PairTypes {
    let pairs = this.#pairs.get(client);
    if (pairs === undefined) {
      pairs = new PairTypes(this.#context, client);
      this.#pairs.set(client, pairs);
    }
    return pairs;
  }

  #classifier(mode: ClassifyMode, pairs: PairTypes): Classifier {
    // Mapping first is what a lookup at the submitter comes to: the same addresses, earlier.
    const name = classifierName(mode === 'premapped' ? 'lookup' : mode, this.#settings.trust);
    return classifierFor(name, { table: this.#table, pairs });
  }

  #dmaDevice(fn: PciFunction, index: number, mode: IommuMode | null, bio: BioFile): DmaDevice {
    return new DmaDevice({
      fn,
      // Where the mode is not known only bus addresses are mapped, and they never meet the IOMMU.
      iommu: mode ?? 'off',
      domain: mode === 'on' ? this.#domainOf(fn, index) : null,
      limits: bio.limits,
      rules: this.#policy.acsRule === 'divergence' ? 'own' : 'linux',
      swiotlb: swiotlbOf(this.#machine),
    });
  }

  #domainOf(fn: PciFunction, index: number): IommuDomain {
    let domain = this.#domains.get(index);
    if (domain === undefined) {
      domain = new IommuDomain({ allocator: new IovaAllocator({ reserved: reservedWindows(this.#machine, fn) }) });
      this.#domains.set(index, domain);
    }
    return domain;
  }

  #describe(device: DmaDevice, vectors: BvecList, classified: Classified, trusted: boolean): MappedVector[] {
    const client = this.#machine.hierarchy.indexOf(device.fn.bdf);
    return Array.from({ length: vectors.count }, (_, input): MappedVector => {
      const what = classified.kind[input] as number;
      const address = classified.address[input] as number;
      if (what === KIND_RAM) return { input, case: 'a', owner: null };
      if (trusted) return trustedVector(device, input, what, address, vectors);
      const cpu = what === KIND_BUS ? address - device.fn.busOffset : address;
      const record = this.#table.at(this.#table.find(cpu));
      const type = what === KIND_BUS ? 'busAddr' : 'thruHostBridge';
      const owner = this.#machine.hierarchy.functions[record.provider] as PciFunction;
      return {
        input,
        case: mailCase(type, record.provider === client),
        owner: owner.name,
        bar: record.bar,
        offset: cpu - record.start,
      };
    });
  }
}

function lookupsOf({ name, counters }: Classifier): number {
  return name === 'flags-verified' ? 0 : counters.lookups + counters.lastHits;
}

/** The outputs, own BARs resolved; the mapping is undone, whatever comes. */
function resolvedSegments(device: DmaDevice, mapping: DmaMapping): DmaSegment[] {
  try {
    resolveOwnBar(device.fn, mapping);
    return mapping.segments();
  } finally {
    dmaUnmapBvec(device, mapping);
  }
}

/** Under trust the only test is against the mapping device's own BARs. */
function trustedVector(
  device: DmaDevice,
  input: number,
  kind: number,
  address: number,
  vectors: BvecList,
): MappedVector {
  if (kind === KIND_RESOURCE) return { input, case: 'b1', owner: null };
  const last = address + (vectors.length[input] as number);
  const own = device.ownBars().find((bar) => address >= bar.start && last <= bar.end);
  if (!own) return { input, case: 'b2', owner: null };
  return { input, case: 'c', owner: device.fn.name, bar: own.bar, offset: address - own.start };
}

/** The list as the block layer has it. Throws `MapError` or `BlockError` for vectors that cannot be. */
function vectorsOf(bio: BioFile): BvecList {
  const list = new BvecList(bio.vectors.length);
  bio.vectors.forEach(({ address, length, flags }, index) => {
    const value = addressFromWords(address.high, address.low);
    if (value === null) {
      const message = `${formatWord64(address)} (words ${hex(address.high)} and ${hex(address.low)}) is not below 2^53`;
      throw new MapError(
        'ADDRESS_OVERFLOW',
        `vectors[${index}].address`,
        message,
        'x86 addresses have at most 52 bits',
      );
    }
    list.add({ address: flags === BVEC_MAP_BUS_ADDR ? busAddr(value) : physAddr(value), length, flags });
  });
  return list;
}

function refuseUnknownIommu(fn: PciFunction): never {
  const message = `the capture does not tell whether an IOMMU translates for ${fn.name}`;
  throw new MapError(
    'IOMMU_UNKNOWN',
    fn.name,
    message,
    'give --iommu on, off or passthrough, or capture sys/kernel/iommu_groups: p2pdma capture',
  );
}
