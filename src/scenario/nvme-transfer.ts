/**
 * A transfer by an NVMe controller: the driver builds PRPs or an SGL from the mapped segments. What lies on the disk is brought
 * there, or fetched, through ordinary RAM: a road of its own, against which the bytes are compared.
 */

import { addBytes, busAddr, dmaAddr, type PhysAddr, physAddr } from '../core/address.ts';
import { present } from '../core/assert.ts';
import type { Range } from '../core/range.ts';
import { dmaMapPage, dmaUnmapPage } from '../dma/map-page.ts';
import { busAddrInBar } from '../dma/own-bar.ts';
import type { DmaSegment } from '../dma/segment.ts';
import type { Hop } from '../fabric/hop.ts';
import type { IoQueue } from '../nvme/driver/io-queue.ts';
import type { IoOutcome, IoRequest } from '../nvme/driver/io-run.ts';
import { NvmeDriver } from '../nvme/driver/nvme-driver.ts';
import type { PlannedCommand } from '../nvme/driver/plan.ts';
import type { DmaBuffer, DmaMemory } from '../nvme/driver/ports.ts';
import { DataSegments } from '../nvme/driver/segments.ts';
import { statusName } from '../nvme/spec/status.ts';
import { countPattern, fillComplement, fillPattern } from './pattern.ts';
import {
  during,
  fillMemories,
  hopName,
  type MoveOutcome,
  NOTHING_MOVED,
  type SegmentOutcome,
  type TransferContext,
} from './transfer-context.ts';

const NAMESPACE = 1;
const QUEUE = 1;
const BLOCK = 512;

/** Runs the transfer as one request of the driver. */
export async function runNvme(context: TransferContext, segments: readonly DmaSegment[]): Promise<MoveOutcome> {
  const { world, transfer, totalBytes, number } = context;
  if (totalBytes % BLOCK !== 0) {
    const message = `moves ${totalBytes} bytes, which are no whole blocks of ${BLOCK}`;
    world.refuse('vectors', message, 'let the lengths add up to a multiple of 512');
  }
  const queue = await during(world, 'bringUp', () => queueOf(context));
  if (typeof queue === 'string') return { ...NOTHING_MOVED, status: queue };
  const data = DataSegments.ofMapping(context.mapping, (output) =>
    meetsDeviceMemory(context, segments[output] as DmaSegment),
  );
  const kind = transfer.direction === 'toDevice' ? 'write' : 'read';
  const request: IoRequest = {
    kind,
    namespace: NAMESPACE,
    block: 0,
    segments: data,
    relative: transfer.relativeSgl === true,
  };
  const pointers = pointerWords(queue.plan(request), segments.length);
  // What the driver refuses is refused by now, in the words of the transfer itself.
  const onDisk = new Uint8Array(totalBytes);
  if (transfer.direction === 'fromDevice') fillPattern(onDisk, number, 0);
  else fillComplement(onDisk, number, 0);
  await throughRam(context, queue, 'write', onDisk);
  if (transfer.direction === 'toDevice' && transfer.continues === undefined) await fillMemories(context);

  const hops: Hop[] = [];
  const stop = world.host.watch((hop) => hops.push(hop));
  const [outcome] = await during(world, 'transfer', () => queue.execute([request]));
  stop();
  const { commands } = outcome as IoOutcome;
  let received: Uint8Array | null = null;
  if (transfer.direction === 'toDevice') {
    received = new Uint8Array(totalBytes);
    await throughRam(context, queue, 'read', received);
  }
  const swallowedBytes = await swallowed(context, segments, received);
  const status = statusOf(outcome);
  return { segments: byAddress(context, segments, hops), commands, pointers, status, received, swallowedBytes };
}

/**
 * Bytes of the data that are in the controller's own buffer, or came from there, although they belong elsewhere: what its CMB
 * base address covers, the controller keeps to itself. NVM Express Base Specification 1.4, 3.1. A vector that lies in the buffer
 * is at home there, by whatever address it was named.
 */
async function swallowed(
  context: TransferContext,
  segments: readonly DmaSegment[],
  received: Uint8Array | null,
): Promise<number> {
  const { world, device, number } = context;
  const buffer = world.buffers.get(device.fn.name);
  const bar = device.fn.bars.find(({ index }) => index === buffer?.bar)?.cpuAddress;
  if (buffer === undefined || bar === null || bar === undefined) return 0;
  const own: Range = { start: buffer.base, end: buffer.base + buffer.sizeBytes };
  let [done, found] = [0, 0];
  for (const { space, address, length } of segments) {
    const from = done;
    done += length;
    if (space === 'bar' || address === null) continue;
    const start = Math.max(own.start, address);
    const end = Math.min(own.end, address + length);
    if (start >= end) continue;
    const at = from + start - address;
    const place = addBytes(bar, buffer.startBytes + start - own.start);
    for (const piece of strangers(context, { at, place, length: end - start })) {
      const bytes = new Uint8Array(piece.length);
      await world.host.engine.readMemory(piece.place, bytes);
      found +=
        received === null ? countPattern(bytes, number, piece.at) : countEqual(bytes, received.subarray(piece.at));
    }
  }
  return found;
}

/** A run of bytes of the data, `at` from its begin on, and where the CPU finds it in the buffer. */
interface BufferPiece {
  readonly at: number;
  readonly place: PhysAddr;
  readonly length: number;
}

/** The parts of a piece whose vectors do not lie at that place. */
function strangers({ vectors }: TransferContext, { at, place, length }: BufferPiece): BufferPiece[] {
  const pieces: BufferPiece[] = [];
  let behind = 0;
  for (const vector of vectors) {
    const first = behind;
    behind += vector.length;
    const start = Math.max(at, first);
    const end = Math.min(at + length, behind);
    const found = place + start - at;
    if (start >= end || vector.cpuAddress + start - first === found) continue;
    pieces.push({ at: start, place: addBytes(place, start - at), length: end - start });
  }
  return pieces;
}

function countEqual(bytes: Uint8Array, others: Uint8Array): number {
  let equal = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === others[at]) equal++;
  return equal;
}

/** Whether device memory lies behind an output that is no bus address: one of its vectors is flagged. */
function meetsDeviceMemory({ vectors }: TransferContext, segment: DmaSegment): boolean {
  for (let input = segment.firstInput; input <= segment.lastInput; input++) {
    if (vectors[input]?.owner !== null) return true;
  }
  return false;
}

/** What the commands are told of the memory: how many descriptors, or that it is PRPs. */
function pointerWords(commands: readonly PlannedCommand[], segments: number): string {
  const formats = new Set(commands.map((command) => command.format));
  if (!formats.has('sgl')) return 'PRPs';
  if (formats.has('prp')) return 'PRPs and SGLs';
  return commands.length === 1 ? `${segments} SGL descriptor${segments === 1 ? '' : 's'}` : 'SGLs';
}

/** Null where every command succeeded, else what came back. */
function statusOf(outcome: IoOutcome | undefined): string | null {
  if (outcome === undefined) return 'nothing was executed';
  if (outcome.kind !== 'completed') return outcome.kind;
  return outcome.status === 0 ? null : statusName(outcome.status);
}

/** Moves bytes between the start of the namespace and a RAM buffer of their own. */
async function throughRam(
  context: TransferContext,
  queue: IoQueue,
  kind: 'read' | 'write',
  bytes: Uint8Array,
): Promise<void> {
  const { world, device } = context;
  const phys = world.ram.kmalloc(bytes.length);
  if (phys === null) {
    const message = `no ${bytes.length} contiguous bytes of RAM are left to bring the data to the disk and fetch it`;
    return world.refuse('vectors', message, 'give the machine more RAM: ram: [{ start: 1MiB, size: 512MiB }]');
  }
  const address = dmaMapPage(device, phys, bytes.length, 'bidirectional');
  if (device.domain !== null) await world.host.syncIommu(device.domain);
  const segments = DataSegments.of([{ kind: 'dma', address, length: bytes.length }]);
  if (kind === 'write') await world.host.engine.writeMemory(phys, bytes);
  else {
    fillComplement(bytes, context.number, 0);
    await world.host.engine.writeMemory(phys, bytes);
  }
  await queue.execute([{ kind, namespace: NAMESPACE, block: 0, segments }]);
  if (kind === 'read') await world.host.engine.readMemory(phys, bytes);
  dmaUnmapPage(device, address, bytes.length);
  if (device.domain !== null) await world.host.syncIommu(device.domain);
  world.ram.free(phys);
}

/** The I/O queue of a controller, brought up at its first transfer; a text where that failed. */
async function queueOf(context: TransferContext): Promise<IoQueue | string> {
  const { world, device } = context;
  const known = world.queues.get(device.fn.name);
  if (known !== undefined) return known;
  const { fn } = device;
  const registers = fn.bars.find((bar) => bar.index === 0)?.cpuAddress;
  const base = world.host.controller(fn)?.cba;
  const driver = new NvmeDriver({
    engine: world.host.engine,
    fn: {
      name: fn.name,
      registers: physAddr(registers ?? 0),
      busAddress: (bar) => fn.bars.find((one) => one.index === bar)?.busAddress ?? null,
      resolveOwnBar: (address, length) => busAddrInBar(fn, address, length),
    },
    memory: queueMemory(context),
    limits: world.host.driverLimits,
    ...(base === undefined ? {} : { cmb: { base: dmaAddr(busAddr(base)) } }),
  });
  const up = await driver.bringUp();
  if (up.kind !== 'up') return `bring-up of ${fn.name}: ${up.kind}`;
  const made = await driver.createIoQueue(QUEUE);
  if (made.kind !== 'made') return `queue of ${fn.name}: ${made.kind}`;
  world.queues.set(fn.name, made.queue);
  if (up.controller.cmb !== null) world.buffers.set(fn.name, up.controller.cmb);
  return made.queue;
}

/** Memory for queues and lists: RAM, mapped for the controller. */
function queueMemory({ world, device }: TransferContext): DmaMemory {
  return {
    allocate: async (lengthBytes): Promise<DmaBuffer> => {
      const phys: PhysAddr = present(world.ram.kmalloc(lengthBytes), 'RAM for queues');
      const address = dmaMapPage(device, phys, lengthBytes, 'bidirectional');
      if (device.domain !== null) await world.host.syncIommu(device.domain);
      return { phys, dma: address, lengthBytes };
    },
    free: ({ phys, dma, lengthBytes }) => {
      dmaUnmapPage(device, dma, lengthBytes);
      world.ram.free(phys);
    },
  };
}

/** The hops of each segment: a TLP belongs to the segment that its first address lies in. */
function byAddress(
  { world }: TransferContext,
  segments: readonly DmaSegment[],
  hops: readonly Hop[],
): SegmentOutcome[] {
  const outcomes = segments.map(() => ({ fate: 'delivered', at: null as string | null, hops: [] as Hop[] }));
  const segmentOfTlp = new Map<number, number>();
  for (const hop of hops) {
    let index = segmentOfTlp.get(hop.tlp);
    if (index === undefined) {
      index = segments.findIndex(
        ({ address, length, space }) =>
          space !== 'bar' && address !== null && hop.address >= address && hop.address < address + length,
      );
      segmentOfTlp.set(hop.tlp, index);
    }
    const outcome = outcomes[index];
    if (outcome === undefined) continue;
    outcome.hops.push(hop);
    if (hop.fate !== 'delivered' && hop.action === 'stop') {
      outcome.fate = `${hop.fate} (${hop.reason})`;
      outcome.at = hopName(world, hop);
    }
  }
  return outcomes;
}
