/**
 * One transfer of a scenario, from the submitter to the bytes: memory chosen, vectors mapped, own BARs resolved, engine
 * programmed, every byte compared with a copy that went another way.
 */

import type { PhysAddr } from '../core/address.ts';
import { P2pError } from '../core/errors.ts';
import type { DmaDevice } from '../dma/device.ts';
import { dmaMapBvec, dmaUnmapBvec } from '../dma/map-bvec.ts';
import { DmaMapping } from '../dma/mapping.ts';
import { resolveOwnBar } from '../dma/own-bar.ts';
import type { Hop } from '../fabric/index.ts';
import { NvmeError } from '../nvme/driver/index.ts';
import { mailCase } from '../p2p/verdict.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { namedSegments, type Queued, queueVectors } from './design.ts';
import { runDma } from './dma-transfer.ts';
import { ScenarioError } from './errors.ts';
import { injectFaults } from './inject.ts';
import { runNvme } from './nvme-transfer.ts';
import { countPattern } from './pattern.ts';
import { faultWords, repeatTransfer } from './repeat-transfer.ts';
import type { SegmentReport, TracedHop, TransferReport, VectorReport } from './report.ts';
import { treeOfWays, waysOf } from './roads.ts';
import type { TransferDescription } from './scenario-types.ts';
import { resubmitVector, type SubmittedVector, submitVector } from './submit.ts';
import { hopName, type TransferContext } from './transfer-context.ts';
import type { World } from './world.ts';

/** Runs one transfer. Refusals of the mapping are results; bad scenarios are thrown. */
export async function runTransfer(
  world: World,
  transfer: TransferDescription,
  position: number,
  trace: (hop: TracedHop) => void,
): Promise<TransferReport> {
  world.here = `transfers[${position}]`;
  const fn = world.function(transfer.device, 'device');
  const asked = transfer.askedFor === undefined ? fn : world.function(transfer.askedFor, 'askedFor');
  const { vectors, number } = submitted(world, transfer, asked, position);
  const totalBytes = vectors.reduce((sum, vector) => sum + vector.length, 0);
  const engine = transfer.engine ?? (world.host.controller(fn) !== null || fn.classCode === 0x0108 ? 'nvme' : 'dma');
  const prepared = [fn, ...vectors.flatMap((vector) => (vector.owner === null ? [] : [vector.owner]))];
  await world.prepare(prepared);
  if (transfer.continues === undefined) await clearMemories(world, vectors);
  const queued = await queueVectors(world, transfer, vectors, asked).catch(refusalOnly);
  const injected = await injectFaults(world, transfer, 'afterSubmit');
  const device = await world.mappingDevice(fn);
  const mapping = new DmaMapping();
  const context: TransferContext = { world, transfer, number, device, mapping, vectors, totalBytes };
  const base = {
    name: transfer.name,
    device: world.nameOf(fn),
    engine,
    direction: transfer.direction,
    iommu: device.iommu,
    bytesTotal: totalBytes,
    injected,
  };
  if (queued instanceof P2pError) return refused(base, context, queued);
  const { list, classifier } = queued;
  try {
    dmaMapBvec(device, list, transfer.direction, classifier, mapping, { noMerge: transfer.merge === false });
  } catch (error) {
    if (!(error instanceof P2pError)) throw error;
    await unmapFirst(world, queued);
    return refused(base, context, error);
  }
  // Of an address that was mapped before nobody knows any more whether it is a bus address.
  if (queued.premapped === null) resolveOwnBar(fn, mapping);
  if (device.domain !== null) await world.host.syncIommu(device.domain);
  const unmapsEarly = transfer.faults?.some((fault) => fault.at === 'afterMap' && fault.unmap === true) === true;
  const segments = namedSegments(mapping.segments(), queued);
  const { iovaBase, iovaSize } = queued.premapped?.mapping ?? mapping;
  const iova = iovaSize === 0 ? null : { base: iovaBase as number, size: iovaSize };
  injected.push(...(await injectFaults(world, transfer, 'afterMap')));
  if (unmapsEarly) await unmapAll(world, device, mapping, queued);

  const stop = world.host.watch((hop) => trace({ ...hop, transfer: transfer.name, name: hopName(world, hop) }));
  const move = engine === 'nvme' ? runNvme : runDma;
  const moved = await move(context, segments).catch(driverRefusal);
  stop();
  if (!unmapsEarly) await unmapAll(world, device, mapping, queued);
  if (moved instanceof NvmeError) return refused(base, context, moved);

  const perVector = await compareVectors(context, moved.received);
  const bytesEqual = perVector.reduce((sum, bytes) => sum + bytes, 0);
  const faults = await world.host.engine.takeFaults();
  const outcome = bytesEqual === totalBytes && moved.status === null ? 'equal' : 'damaged';
  const wanted = transfer.repeatAfterUnmap;
  const repeat = wanted === undefined ? null : await repeatTransfer(context, segments, wanted, move);
  const lengths = context.vectors.map(({ length }) => length);
  const walked = segments.map((segment, index) => {
    const { hops } = moved.segments[index] ?? moved.segments[0] ?? { hops: [] };
    return { ...segment, address: segment.space === 'bar' ? null : segment.address, hops };
  });
  const ways = waysOf(world, walked, lengths);
  return {
    ...base,
    vectors: vectorReports(context, perVector),
    segments: segments.map((segment, index): SegmentReport => {
      const result = moved.segments[index] ?? moved.segments[0];
      const inputs = Array.from(
        { length: segment.lastInput - segment.firstInput + 1 },
        (_, at) => segment.firstInput + at,
      );
      return {
        space: segment.space,
        address: segment.address,
        length: segment.length,
        inputs,
        bar: segment.bar,
        offset: segment.offset,
        fate: result?.fate ?? 'delivered',
        at: result?.at ?? null,
        road: roadOf(world, result?.hops ?? []),
        ways: ways[index] ?? [],
        tlps: world.host.showsHops ? new Set((result?.hops ?? []).map((hop) => `${hop.tlp} ${hop.kind}`)).size : null,
      };
    }),
    tree: treeOfWays(world, walked, lengths),
    iova,
    lookups: classifier.counters.lookups,
    commands: moved.commands,
    status: moved.status,
    refusal: null,
    bytesEqual,
    iommuFaults: faults.map(faultWords),
    pointers: moved.pointers,
    swallowedBytes: moved.swallowedBytes,
    repeat,
    errors: moved.segments
      .filter((one) => one.fate !== 'delivered')
      .map((one) => `${one.fate}${one.at === null ? '' : ` at ${one.at}`}`),
    expected: transfer.expect ?? 'equal',
    asExpected: (transfer.expect ?? 'equal') === outcome && (repeat === null || repeat.outcome === repeat.expected),
  };
}

/** What the driver refuses to say in a command is a result, as what the mapping refuses; all else is thrown on. */
function driverRefusal(error: unknown): NvmeError {
  if (error instanceof NvmeError) return error;
  throw error;
}

function refused(
  base: Pick<TransferReport, 'name' | 'device' | 'engine' | 'direction' | 'iommu' | 'bytesTotal' | 'injected'>,
  context: TransferContext,
  error: P2pError,
): TransferReport {
  const expected = context.transfer.expect ?? 'equal';
  return {
    ...base,
    vectors: vectorReports(
      context,
      context.vectors.map(() => 0),
    ),
    segments: [],
    tree: [],
    iova: null,
    lookups: 0,
    commands: 0,
    pointers: null,
    swallowedBytes: 0,
    repeat: null,
    status: null,
    refusal: { code: error.code, message: `${error.path}: ${error.message}` },
    bytesEqual: 0,
    iommuFaults: [],
    errors: [],
    expected,
    asExpected: expected === 'refused',
  };
}

/** The vectors of a transfer, new or of the transfer that it continues, and the number of the pattern that they carry. */
function submitted(
  world: World,
  transfer: TransferDescription,
  asked: PciFunction,
  position: number,
): { readonly vectors: readonly SubmittedVector[]; readonly number: number } {
  const { continues } = transfer;
  const earlier = continues === undefined ? undefined : world.submitted.get(continues);
  if (continues !== undefined && earlier === undefined) {
    const message = `continues '${continues}', which is no earlier transfer`;
    const hint = `earlier: ${[...world.submitted.keys()].join(', ') || 'none'}`;
    world.refuse('continues', message, hint);
  }
  const vectors =
    earlier === undefined
      ? (transfer.vectors ?? []).map((_, index) => submitVector(world, transfer, index, asked))
      : earlier.vectors.map((vector) => resubmitVector(world, vector, asked));
  const answer = { vectors, number: earlier?.number ?? position };
  world.submitted.set(transfer.name, answer);
  return answer;
}

/** Zeros in all memories, so that old bytes never look right. */
async function clearMemories(world: World, vectors: readonly SubmittedVector[]): Promise<void> {
  for (const { cpuAddress, length } of vectors) {
    await world.host.engine.writeMemory(cpuAddress as PhysAddr, new Uint8Array(length));
  }
}

function refusalOnly(error: unknown): P2pError {
  if (error instanceof P2pError && !(error instanceof ScenarioError)) return error;
  throw error;
}

async function unmapAll(world: World, device: DmaDevice, mapping: DmaMapping, queued: Queued): Promise<void> {
  await unmap(world, device, mapping);
  await unmapFirst(world, queued);
}

/** Undoes what the submitter mapped. */
async function unmapFirst(world: World, { premapped }: Queued): Promise<void> {
  if (premapped !== null) await unmap(world, premapped.device, premapped.mapping);
}

async function unmap(world: World, device: DmaDevice, mapping: DmaMapping): Promise<void> {
  dmaUnmapBvec(device, mapping);
  if (device.domain !== null) await world.host.syncIommu(device.domain);
}

/** Bytes of each vector that are right: read where its owner keeps them, or taken from what the device received. */
async function compareVectors(context: TransferContext, received: Uint8Array | null): Promise<number[]> {
  const { world, vectors, number } = context;
  const equal: number[] = [];
  let done = 0;
  for (const { cpuAddress, length } of vectors) {
    let bytes: Uint8Array;
    if (received !== null) bytes = received.subarray(done, done + length);
    else {
      bytes = new Uint8Array(length);
      await world.host.engine.readMemory(cpuAddress as PhysAddr, bytes);
    }
    equal.push(countPattern(bytes, number, done));
    done += length;
  }
  return equal;
}

function vectorReports(context: TransferContext, equal: readonly number[]): VectorReport[] {
  const { world, device } = context;
  return context.vectors.map((vector, input): VectorReport => {
    const { owner } = vector;
    const type =
      owner === null ? null : world.pairs(device.fn).verdict(world.machine.hierarchy.indexOf(owner.bdf)).type;
    return {
      input,
      case: owner === null || type === null ? 'a' : mailCase(type, owner === device.fn),
      owner: owner === null ? null : world.nameOf(owner),
      distance: vector.distance,
      address: vector.address,
      length: vector.length,
      flags: vector.flags,
      why: vector.why,
      bytesEqual: equal[input] ?? 0,
    };
  });
}

/** The places that the TLPs passed, in order, each once. */
function roadOf(world: World, hops: readonly Hop[]): string[] {
  const road: string[] = [];
  for (const hop of hops) {
    const name = hopName(world, hop);
    if (!road.includes(name)) road.push(name);
  }
  return road;
}
