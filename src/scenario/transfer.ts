/**
 * One transfer of a scenario, from the submitter to the bytes: memory chosen, vectors mapped, own BARs resolved, engine
 * programmed, every byte compared with a copy that went another way.
 */

import { P2pError } from '../core/errors.ts';
import { dmaMapBvec } from '../dma/map-bvec.ts';
import { DmaMapping } from '../dma/mapping.ts';
import { resolveOwnBar } from '../dma/own-bar.ts';
import type { Hop } from '../fabric/hop.ts';
import { NvmeError } from '../nvme/driver/errors.ts';
import { mailCase } from '../p2p/verdict.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { namedSegments, type Queued, type QueuedWords, queueVectors } from './design.ts';
import { runDma } from './dma-transfer.ts';
import { ScenarioError } from './errors.ts';
import { injectFaults } from './inject.ts';
import { runNvme } from './nvme-transfer.ts';
import { countPattern } from './pattern.ts';
import { faultWords, repeatTransfer } from './repeat-transfer.ts';
import type { SegmentReport, TracedHop, TransferReport, VectorReport } from './report.ts';
import { treeOfWays, waysOf } from './roads.ts';
import type { TransferDescription } from './scenario-types.ts';
import { resubmitVector, submitVector } from './submit.ts';
import type { SubmittedVector } from './submitted-vector.ts';
import { hopName, spoilMemories, type TransferContext } from './transfer-context.ts';
import { unmapAll, unmapFirst } from './unmap.ts';
import type { World } from './world.ts';

/** Runs one transfer. Refusals of the mapping are results; bad scenarios are thrown. */
export async function runTransfer(
  world: World,
  transfer: TransferDescription,
  position: number,
  trace: (hop: TracedHop) => void,
): Promise<TransferReport> {
  world.here = `transfers[${position}]`;
  const fn = world.endpoint(transfer.device, 'device');
  const asked = transfer.askedFor === undefined ? fn : world.endpoint(transfer.askedFor, 'askedFor');
  const { vectors, number } = submitted(world, transfer, asked, position);
  const totalBytes = vectors.reduce((sum, vector) => sum + vector.length, 0);
  const engine = transfer.engine ?? (world.host.controller(fn) !== null || fn.classCode === 0x0108 ? 'nvme' : 'dma');
  const prepared = [fn, ...vectors.flatMap((vector) => (vector.owner === null ? [] : [vector.owner]))];
  await world.prepare(prepared);
  const isReceiving = transfer.direction === 'fromDevice';
  if (isReceiving || transfer.continues === undefined) await spoilMemories({ world, vectors, number });
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
    classify: transfer.classify ?? ('flags' as const),
    trust: transfer.trust === true,
    bytesTotal: totalBytes,
    injected,
  };
  if (queued instanceof P2pError) return refused(base, context, null, queued);
  const { list, classifier } = queued;
  try {
    dmaMapBvec(device, list, transfer.direction, classifier, mapping, { noMerge: transfer.merge === false });
  } catch (error) {
    if (!(error instanceof P2pError)) throw error;
    await unmapFirst(world, queued);
    return refused(base, context, queued, error);
  }
  // Of an address that was mapped before nobody knows any more whether it is a bus address.
  if (queued.premapped === null) resolveOwnBar(fn, mapping);
  if (device.domain !== null) await world.host.syncIommu(device.domain);
  const unmapsEarly = transfer.faults?.some((fault) => fault.at === 'afterMap' && fault.unmap === true) === true;
  const segments = namedSegments(mapping.segments(), queued);
  const { iovaBase, iovaSize } = queued.premapped?.mapping ?? mapping;
  const iova = iovaSize === 0 ? null : { base: iovaBase as number, size: iovaSize };
  injected.push(...(await injectFaults(world, transfer, 'afterMap')));
  let unmapRefusal = unmapsEarly ? await unmapAll(world, device, mapping, queued) : null;

  const stop = world.host.watch((hop) => {
    const { phase } = world;
    trace({ ...hop, transfer: transfer.name, position, phase, name: hopName(world, hop) });
  });
  const move = engine === 'nvme' ? runNvme : runDma;
  const moved = await move(context, segments).catch(driverRefusal);
  stop();
  if (!unmapsEarly) unmapRefusal = await unmapAll(world, device, mapping, queued);
  if (moved instanceof NvmeError) return refused(base, context, queued, moved);

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
    vectors: vectorReports(context, queued.words, perVector),
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
        ...(segment.space === 'bar' ? { bar: segment.bar, offset: segment.offset } : {}),
        fate: result?.fate ?? 'delivered',
        at: result?.at ?? null,
        road: roadOf(world, result?.hops ?? []),
        ways: ways[index] ?? [],
        tlps: world.host.showsHops ? new Set((result?.hops ?? []).map((hop) => `${hop.tlp} ${hop.kind}`)).size : null,
      };
    }),
    tree: treeOfWays(world, walked, lengths),
    iova,
    lookups: lookedUp(queued),
    pageReads: queued.counters.pages,
    commands: moved.commands,
    status: moved.status,
    refusal: null,
    bytesEqual,
    iommuFaults: faults.map(faultWords),
    pointers: moved.pointers,
    swallowedBytes: moved.swallowedBytes,
    unmapRefusal,
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
  base: Pick<
    TransferReport,
    'name' | 'device' | 'engine' | 'direction' | 'iommu' | 'classify' | 'trust' | 'bytesTotal' | 'injected'
  >,
  context: TransferContext,
  queued: Queued | null,
  error: P2pError,
): TransferReport {
  const expected = context.transfer.expect ?? 'equal';
  return {
    ...base,
    vectors: vectorReports(
      context,
      queued?.words ?? context.vectors.map(submitterWords),
      context.vectors.map(() => 0),
    ),
    segments: [],
    tree: [],
    iova: null,
    lookups: queued === null ? 0 : lookedUp(queued),
    pageReads: queued?.counters.pages ?? 0,
    commands: 0,
    pointers: null,
    swallowedBytes: 0,
    unmapRefusal: null,
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

function refusalOnly(error: unknown): P2pError {
  if (error instanceof P2pError && !(error instanceof ScenarioError)) return error;
  throw error;
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
      await world.host.engine.readMemory(cpuAddress, bytes);
    }
    equal.push(countPattern(bytes, number, done));
    done += length;
  }
  return equal;
}

/** Vectors that were looked up, by a search or by the entry of the one before. */
function lookedUp({ counters }: Queued): number {
  return counters.lookups + counters.lastHits;
}

/** Of a vector that was never queued: what its submitter had. */
function submitterWords({ cpuAddress }: SubmittedVector): QueuedWords {
  return { address: cpuAddress, flags: 0, certificate: null };
}

function vectorReports(
  context: TransferContext,
  words: readonly QueuedWords[],
  equal: readonly number[],
): VectorReport[] {
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
      ...(words[input] as QueuedWords),
      length: vector.length,
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
