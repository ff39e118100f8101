/**
 * An NVMe controller as a mover: the driver builds PRPs or an SGL from the mapped segments. What lies on the disk is brought there, or
 * fetched, through ordinary RAM: a way of its own, against which the bytes are compared.
 */

import { busAddr, dmaAddr, type PhysAddr, physAddr } from '../core/address.ts';
import { present } from '../core/assert.ts';
import type { P2pError } from '../core/errors.ts';
import type { DmaDevice } from '../dma/device.ts';
import { dmaMapPage, dmaUnmapPage } from '../dma/map-page.ts';
import { busAddrInBar } from '../dma/own-bar.ts';
import type { DmaSegment } from '../dma/segment.ts';
import type { MoveOutcome } from '../engine/transfer.ts';
import type { Hop } from '../fabric/hop.ts';
import type { CmbFacts } from '../nvme/driver/cmb-setup.ts';
import { NvmeError } from '../nvme/driver/errors.ts';
import type { IoQueue } from '../nvme/driver/io-queue.ts';
import type { IoOutcome, IoRequest } from '../nvme/driver/io-run.ts';
import { NvmeDriver } from '../nvme/driver/nvme-driver.ts';
import type { PlannedCommand } from '../nvme/driver/plan.ts';
import type { DmaBuffer, DmaMemory } from '../nvme/driver/ports.ts';
import { DataSegments } from '../nvme/driver/segments.ts';
import { statusName } from '../nvme/spec/status.ts';
import { CLASS_NVM_EXPRESS } from '../pcie/registers.ts';
import { type MoveJob, type Mover, type MoverKind, neverBegan, type Workplace } from './mover.ts';
import { segmentOutcomes } from './nvme-outcomes.ts';
import { type OwnBuffer, swallowedBytes } from './nvme-swallowed.ts';

const NAMESPACE = 1;
const QUEUE = 1;
const BLOCK = 512;

/** Drives controllers by their class, and what a described machine calls `nvme`. */
export const NVME_MOVER: MoverKind = {
  name: 'nvme',
  drives: (fn, node) => node?.nvme !== undefined || fn.classCode === CLASS_NVM_EXPRESS,
  registerBars: [0],
  ownAddresses: (node) =>
    node?.cba === undefined || node.reserveCba === false ? [] : [{ start: node.cba, end: node.cba + (node.cmb ?? 0) }],
  create: (place) => new NvmeMover(place),
};

/** A controller that is up. */
interface Running {
  readonly queue: IoQueue;
  /** Its buffer, as its driver switched it on. */
  readonly cmb: CmbFacts | null;
}

class NvmeMover implements Mover {
  readonly #place: Workplace;
  readonly #drivers = new Map<string, NvmeDriver>();
  /** By function name. One that is lost is brought up again at its next transfer. */
  readonly #running = new Map<string, Running>();

  constructor(place: Workplace) {
    this.#place = place;
  }

  /** Runs the transfer as one request of the driver. */
  async move(job: MoveJob): Promise<MoveOutcome | P2pError> {
    const { length } = job.data;
    if (length % BLOCK !== 0) {
      const message = `moves ${length} bytes, which are not whole blocks of ${BLOCK}`;
      this.#place.refuse('vectors', message, 'let the lengths add up to a multiple of 512');
    }
    try {
      return await this.#request(job);
    } catch (error) {
      if (error instanceof NvmeError) return error;
      throw error;
    }
  }

  async #request(job: MoveJob): Promise<MoveOutcome> {
    const { device, direction, segments, data } = job;
    const running = await this.#place.during('bringUp', () => this.#bringUp(device));
    if (typeof running === 'string') return neverBegan(job, running);
    const { queue } = running;
    const request: IoRequest = {
      kind: direction === 'toDevice' ? 'write' : 'read',
      namespace: NAMESPACE,
      block: 0,
      segments: DataSegments.ofMapping(job.mapping, (output) => meetsDeviceMemory(job, segments[output])),
      relative: job.relative,
    };
    const pointers = pointerWords(queue.plan(request), segments.length);
    // What the driver refuses is refused by now, in the words of the transfer itself.
    const notOnDisk = await this.#throughRam(device, queue, 'write', data);
    if (notOnDisk !== null) return neverBegan(job, `data to the disk of ${device.fn.name}: ${notOnDisk}`);

    const hops: Hop[] = [];
    const stop = this.#place.host.watch((hop) => hops.push(hop));
    const [outcome] = await this.#place.during('transfer', () => queue.execute([request]));
    stop();
    let status = this.#statusOf(device, outcome);
    if (direction === 'toDevice') {
      const notFetched = await this.#throughRam(device, queue, 'read', data);
      if (notFetched !== null) status ??= `data from the disk of ${device.fn.name}: ${notFetched}`;
    }
    const swallowed = await swallowedBytes(this.#place.host.engine, job, ownBuffer(device, running.cmb));
    return {
      began: true,
      status,
      segments: segmentOutcomes(this.#place, segments, hops, { succeeded: status === null, ...swallowed }),
      commands: outcome?.commands ?? 0,
      pointers,
      swallowedBytes: swallowed.bytes.reduce((sum, bytes) => sum + bytes, 0),
    };
  }

  /** Null where every command succeeded, else what came back, or why nothing did. */
  #statusOf({ fn }: DmaDevice, outcome: IoOutcome | undefined): string | null {
    if (outcome?.kind === 'completed') return outcome.status === 0 ? null : statusName(outcome.status);
    // Lost: its queues are void.
    this.#running.delete(fn.name);
    return outcome === undefined ? 'nothing was executed' : outcome.kind;
  }

  /** Moves bytes between the start of the namespace and a RAM buffer of their own. Returns the status where that failed. */
  async #throughRam(
    device: DmaDevice,
    queue: IoQueue,
    kind: 'read' | 'write',
    bytes: Uint8Array,
  ): Promise<string | null> {
    const { host, ram } = this.#place;
    const phys = ram.kmalloc(bytes.length);
    if (phys === null) {
      const message = `no ${bytes.length} contiguous bytes of RAM are left to bring the data to the disk and fetch it`;
      return this.#place.refuse('vectors', message, 'give the machine more RAM: ram: [{ start: 1MiB, size: 512MiB }]');
    }
    const address = dmaMapPage(device, phys, bytes.length, 'bidirectional');
    if (device.domain !== null) await host.syncIommu(device.domain);
    const segments = DataSegments.of([{ kind: 'dma', address, length: bytes.length }]);
    // Before a read it holds what the data is not: a byte that does not come from the disk does not look right.
    await host.engine.writeMemory(phys, bytes);
    const [outcome] = await queue.execute([{ kind, namespace: NAMESPACE, block: 0, segments }]);
    const status = this.#statusOf(device, outcome);
    if (kind === 'read' && status === null) await host.engine.readMemory(phys, bytes);
    dmaUnmapPage(device, address, bytes.length);
    if (device.domain !== null) await host.syncIommu(device.domain);
    ram.free(phys);
    return status;
  }

  /** A controller with an I/O queue, brought up at its first transfer; a text where that failed. */
  async #bringUp(device: DmaDevice): Promise<Running | string> {
    const { name } = device.fn;
    const known = this.#running.get(name);
    if (known !== undefined) return known;
    const driver = this.#drivers.get(name) ?? this.#newDriver(device);
    this.#drivers.set(name, driver);
    const up = await driver.bringUp();
    if (up.kind !== 'up') return `bring-up of ${name}: ${up.kind}`;
    const made = await driver.createIoQueue(QUEUE);
    if (made.kind !== 'made') return `queue of ${name}: ${made.kind}`;
    const running: Running = { queue: made.queue, cmb: up.controller.cmb };
    this.#running.set(name, running);
    return running;
  }

  #newDriver(device: DmaDevice): NvmeDriver {
    const { host } = this.#place;
    const { fn } = device;
    const base = host.controller(fn)?.cba;
    return new NvmeDriver({
      engine: host.engine,
      fn: {
        name: fn.name,
        registers: fn.bars.find((bar) => bar.index === 0)?.cpuAddress ?? physAddr(0),
        busAddress: (bar) => fn.bars.find((one) => one.index === bar)?.busAddress ?? null,
        resolveOwnBar: (address, length) => busAddrInBar(fn, address, length),
      },
      memory: this.#queueMemory(device),
      limits: host.driverLimits,
      ...(base === undefined ? {} : { cmb: { base: dmaAddr(busAddr(base)) } }),
    });
  }

  /** Memory for queues and lists: RAM, mapped for the controller. */
  #queueMemory(device: DmaDevice): DmaMemory {
    const { host, ram } = this.#place;
    return {
      allocate: async (lengthBytes): Promise<DmaBuffer> => {
        const phys: PhysAddr = present(ram.kmalloc(lengthBytes), 'RAM for queues');
        const address = dmaMapPage(device, phys, lengthBytes, 'bidirectional');
        if (device.domain !== null) await host.syncIommu(device.domain);
        return { phys, dma: address, lengthBytes };
      },
      free: ({ phys, dma, lengthBytes }) => {
        dmaUnmapPage(device, dma, lengthBytes);
        ram.free(phys);
      },
    };
  }
}

/** Where the controller finds its buffer, and where the CPU does; null where there is none. */
function ownBuffer({ fn }: DmaDevice, cmb: CmbFacts | null): OwnBuffer | null {
  const bar = fn.bars.find(({ index }) => index === cmb?.bar)?.cpuAddress ?? null;
  if (cmb === null || bar === null) return null;
  return { start: cmb.base, end: cmb.base + cmb.sizeBytes, bar, startBytes: cmb.startBytes };
}

/** Whether device memory lies behind an output that is no bus address. */
function meetsDeviceMemory({ places }: MoveJob, segment: DmaSegment | undefined): boolean {
  if (segment === undefined) return false;
  return places.slice(segment.firstInput, segment.lastInput + 1).some(({ isDevice }) => isDevice);
}

/** What the commands are told of the memory: how many descriptors, or that it is PRPs. */
function pointerWords(commands: readonly PlannedCommand[], segments: number): string {
  const formats = new Set(commands.map((command) => command.format));
  if (!formats.has('sgl')) return 'PRPs';
  if (formats.has('prp')) return 'PRPs and SGLs';
  return commands.length === 1 ? `${segments} SGL descriptor${segments === 1 ? '' : 's'}` : 'SGLs';
}
