/** What stands in for an operating system in the tests: memory, mappings, and controllers that are up. */

import { type BioVec, BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from '../../src/block/index.ts';
import { type BusAddr, type DmaAddr, dmaAddr, type PhysAddr, physAddr } from '../../src/core/index.ts';
import {
  busAddrInBar,
  DmaDevice,
  type DmaDirection,
  DmaMapping,
  dmaMapBvec,
  dmaMapPage,
  dmaUnmapBvec,
  dmaUnmapPage,
  reservedWindows,
  resolveOwnBar,
  TrustingFlags,
} from '../../src/dma/index.ts';
import { IommuDomain, IovaAllocator } from '../../src/iommu/index.ts';
import { RamAllocator } from '../../src/machine/index.ts';
import {
  type ControllerFacts,
  type DataSegment,
  DataSegments,
  type DmaBuffer,
  type DmaMemory,
  type IoOutcome,
  type IoQueue,
  type IoRequest,
  NvmeDriver,
  type NvmeDriverOptions,
  type PointerFormat,
} from '../../src/nvme/driver/index.ts';
import type { PciFunction } from '../../src/pcie/index.ts';
import { type Bed, BLOCK } from './bed.ts';

export interface HostOptions {
  /** Of the domains; needed where the bed has an IOMMU. */
  readonly levels?: 3 | 4;
  readonly lazy?: boolean;
  /** Untranslated, though there is an IOMMU. */
  readonly passthrough?: boolean;
  /** Keep IOVAs out of the bridges' windows. Default true. */
  readonly reserve?: boolean;
}

/** A piece of memory: where the CPU finds it, and how a vector would say it. */
export interface Piece {
  readonly address: PhysAddr;
  readonly length: number;
  /** The function whose BAR it lies in, null for RAM. */
  readonly owner: PciFunction | null;
}

export class Host {
  readonly bed: Bed;
  readonly ram: RamAllocator;
  readonly #options: HostOptions;

  constructor(bed: Bed, options: HostOptions = {}) {
    this.bed = bed;
    this.ram = new RamAllocator(bed.machine.ram);
    this.#options = options;
  }

  /** RAM, contiguous. */
  ramPiece(length: number): Piece {
    const address = this.ram.kmalloc(length);
    if (address === null) throw new Error(`no ${length} bytes of RAM`);
    return { address, length, owner: null };
  }

  /** Memory of a function's BAR 2. */
  piece(name: string, offset: number, length: number): Piece {
    const owner = this.bed.fn(name);
    return { address: physAddr(barOf(owner, 2) + offset), length, owner };
  }

  async fill(piece: Piece, bytes: Uint8Array): Promise<void> {
    await this.bed.engine.writeMemory(piece.address, bytes);
  }

  async read(piece: Piece): Promise<Uint8Array> {
    const bytes = new Uint8Array(piece.length);
    await this.bed.engine.readMemory(piece.address, bytes);
    return bytes;
  }

  /** Brings a controller up with one I/O queue. */
  async controller(name: string, more: Partial<NvmeDriverOptions> & { depth?: number } = {}): Promise<Controller> {
    const fn = this.bed.fn(name);
    const device = this.#device(fn);
    const driver = new NvmeDriver({
      engine: this.bed.engine,
      fn: {
        name: fn.name,
        registers: physAddr(barOf(fn, 0)),
        busAddress: (bar) => fn.bars.find((one) => one.index === bar)?.busAddress ?? null,
        resolveOwnBar: (address, length) => busAddrInBar(fn, address, length),
      },
      memory: this.queueMemory(device),
      limits: this.bed.limits,
      ...more,
    });
    const up = await driver.bringUp();
    if (up.kind !== 'up') throw new Error(`${name}: ${JSON.stringify(up)}`);
    const made = await driver.createIoQueue(1, more.depth === undefined ? {} : { depth: more.depth });
    if (made.kind !== 'made') throw new Error(`${name}: ${JSON.stringify(made)}`);
    return new Controller(this, name, device, driver, up.controller, made.queue);
  }

  #device(fn: PciFunction): DmaDevice {
    const { levels, lazy, passthrough, reserve } = this.#options;
    if (levels === undefined) return new DmaDevice({ fn, iommu: 'off' });
    if (passthrough === true) {
      this.bed.attachIommu(fn, 'passthrough');
      return new DmaDevice({ fn, iommu: 'passthrough' });
    }
    const reserved = reserve === false ? [] : reservedWindows(this.bed.machine, fn);
    const allocator = new IovaAllocator({ limit: 2 ** 38, reserved });
    const domain = new IommuDomain({ allocator, levels, lazy: lazy === true });
    this.bed.attachIommu(fn, domain);
    return new DmaDevice({ fn, iommu: 'on', domain });
  }

  queueMemory(device: DmaDevice): DmaMemory {
    return {
      allocate: (lengthBytes): DmaBuffer => {
        const { address } = this.ramPiece(lengthBytes);
        return { phys: address, dma: dmaMapPage(device, address, lengthBytes, 'bidirectional'), lengthBytes };
      },
      free: ({ phys, dma, lengthBytes }) => {
        dmaUnmapPage(device, dma, lengthBytes);
        this.ram.free(phys);
      },
    };
  }
}

function barOf(fn: PciFunction, index: number): number {
  const address = fn.bars.find((bar) => bar.index === index)?.cpuAddress;
  if (address === null || address === undefined) throw new Error(`${fn.name} has no BAR ${index} with a place`);
  return address;
}

export interface MoveOptions {
  readonly format?: PointerFormat;
}

/** A controller that is up. */
export class Controller {
  readonly host: Host;
  readonly name: string;
  readonly device: DmaDevice;
  readonly driver: NvmeDriver;
  readonly facts: ControllerFacts;
  readonly queue: IoQueue;

  constructor(host: Host, name: string, device: DmaDevice, driver: NvmeDriver, facts: ControllerFacts, queue: IoQueue) {
    this.host = host;
    this.name = name;
    this.device = device;
    this.driver = driver;
    this.facts = facts;
    this.queue = queue;
  }

  get fn(): PciFunction {
    return this.device.fn;
  }

  /** The flag that an honest submitter sets, where transactions between peers are not translated. */
  vectorOf(piece: Piece): BioVec {
    const { address, length, owner } = piece;
    if (owner === null) return { address, length, flags: 0 };
    // Its own buffer is told by bus address; peers go through the IOMMU where there is one.
    if (owner === this.fn || this.device.domain === null) {
      return { address: address as number as BusAddr, length, flags: BVEC_MAP_BUS_ADDR };
    }
    return { address, length, flags: BVEC_MAP_RESOURCE };
  }

  /** Maps pieces with `dmaMapBvec`. */
  map(pieces: readonly Piece[], direction: DmaDirection): DmaMapping {
    const mapping = new DmaMapping();
    const vectors = BvecList.fromVectors(pieces.map((piece) => this.vectorOf(piece)));
    dmaMapBvec(this.device, vectors, direction, new TrustingFlags(), mapping);
    resolveOwnBar(this.fn, mapping);
    return mapping;
  }

  unmap(mapping: DmaMapping): void {
    dmaUnmapBvec(this.device, mapping);
  }

  segmentsOf(mapping: DmaMapping, pieces: readonly Piece[]): DataSegments {
    return DataSegments.ofMapping(mapping, (output) => {
      const first = mapping.firstInputOf(output);
      const last = mapping.lastInputOf(output);
      return pieces.slice(first, last + 1).some(({ owner }) => owner !== null);
    });
  }

  async execute(requests: readonly IoRequest[]): Promise<IoOutcome[]> {
    return this.queue.execute(requests);
  }

  /** One request over segments given by hand. */
  async move(
    kind: 'read' | 'write',
    block: number,
    list: readonly DataSegment[],
    options: MoveOptions = {},
  ): Promise<IoOutcome> {
    const segments = DataSegments.of(list);
    const [outcome] = await this.execute([{ kind, namespace: 1, block, segments, ...options }]);
    return outcome as IoOutcome;
  }

  /** Maps, runs one request, unmaps. */
  async transfer(
    kind: 'read' | 'write',
    block: number,
    pieces: readonly Piece[],
    options: MoveOptions = {},
  ): Promise<IoOutcome> {
    const mapping = this.map(pieces, kind === 'read' ? 'fromDevice' : 'toDevice');
    const segments = this.segmentsOf(mapping, pieces);
    const [outcome] = await this.execute([{ kind, namespace: 1, block, segments, ...options }]);
    this.unmap(mapping);
    return outcome as IoOutcome;
  }

  /** Puts bytes on the medium at a block, past the controller. */
  put(block: number, bytes: Uint8Array): void {
    this.host.bed.writeMedium(this.name, block * BLOCK, bytes);
  }

  /** Bytes of the medium from a block on, past the controller. */
  stored(block: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.host.bed.readMedium(this.name, block * BLOCK, bytes);
    return bytes;
  }
}

/** A segment by hand. */
export function dmaSegment(address: number, length: number, mmio = false): DataSegment {
  return { kind: 'dma', address: dmaAddr(address as PhysAddr) as DmaAddr, length, mmio };
}
