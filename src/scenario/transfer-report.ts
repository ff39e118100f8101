/** What is reported of a transfer: as it was queued and mapped, what moved, and what that came to. */

import type { P2pError } from '../core/errors.ts';
import type { DmaDevice } from '../dma/device.ts';
import type { DmaSegment } from '../dma/segment.ts';
import { DELIVERED, type MoveOutcome, NOT_MOVED, type SegmentOutcome, SWALLOWED, UNSEEN } from '../engine/transfer.ts';
import type { Hop } from '../fabric/hop.ts';
import { mailCase } from '../p2p/verdict.ts';
import type { Chosen } from './choose.ts';
import type { Queued, QueuedWords } from './design.ts';
import type { RepeatReport, SegmentReport, TransferReport, VectorReport } from './report.ts';
import { treeOfWays, type WalkedSegment, waysOf } from './roads.ts';
import type { MoverName, TransferDescription } from './scenario-types.ts';
import type { SubmittedVector } from './submitted-vector.ts';
import type { World } from './world.ts';

/** What is known of a transfer however it ends. */
export interface Ran {
  readonly world: World;
  readonly transfer: TransferDescription;
  readonly chosen: Chosen;
  readonly device: DmaDevice;
  readonly mover: MoverName;
  /** Null where its submitter was refused already. */
  readonly queued: Queued | null;
  readonly injected: readonly string[];
}

/** What a transfer that was mapped came to. */
export interface Ended {
  /** As whoever mapped first names them. */
  readonly segments: readonly DmaSegment[];
  readonly iova: TransferReport['iova'];
  readonly moved: MoveOutcome;
  readonly unmapRefusal: P2pError | null;
  /** Bytes of each vector that are right. */
  readonly equal: readonly number[];
  readonly iommuFaults: readonly string[];
  readonly repeat: RepeatReport | null;
  /** Hops of the transfer's own TLPs. */
  readonly hops: readonly Hop[];
}

/** Of a transfer that ended. */
export function endedReport(ran: Ran, ended: Ended): TransferReport {
  const { world, transfer, chosen } = ran;
  const { moved, equal, repeat, unmapRefusal } = ended;
  const bytesEqual = equal.reduce((sum, bytes) => sum + bytes, 0);
  const expected = transfer.expect ?? 'equal';
  const outcome = bytesEqual === chosen.totalBytes && moved.status === null ? 'equal' : 'damaged';
  const lengths = chosen.vectors.map(({ length }) => length);
  const walked = walkedSegments(ended);
  const ways = waysOf(world, walked, lengths);
  const segments = ended.segments.map(
    (segment, index): SegmentReport => ({
      ...segmentReport(ran, ended, segment, index),
      road: placesOnce(world, walked[index]?.hops ?? []),
      ways: ways[index] ?? [],
      tlps: world.host.showsHops ? new Set(walked[index]?.hops.map(({ tlp, kind }) => `${tlp} ${kind}`)).size : null,
    }),
  );
  return {
    ...commonReport(ran, equal),
    segments,
    tree: treeOfWays(world, walked, lengths),
    iova: ended.iova,
    began: moved.began,
    commands: moved.commands,
    status: moved.status,
    refusal: null,
    bytesEqual,
    iommuFaults: ended.iommuFaults,
    pointers: moved.pointers,
    swallowedBytes: moved.swallowedBytes,
    unmapRefusal: unmapRefusal === null ? null : refusalWords(unmapRefusal),
    repeat,
    errors: segments
      .filter(({ fate }) => isLoss(fate))
      .map(({ fate, at }) => `${fate}${at === null ? '' : ` at ${at}`}`),
    expected,
    asExpected: expected === outcome && (repeat === null || repeat.outcome === repeat.expected),
  };
}

/** Of a transfer that the queue, the mapping or the driver refused. */
export function refusedReport(ran: Ran, error: P2pError): TransferReport {
  const expected = ran.transfer.expect ?? 'equal';
  return {
    ...commonReport(ran, []),
    segments: [],
    tree: [],
    iova: null,
    began: false,
    commands: 0,
    pointers: null,
    swallowedBytes: 0,
    unmapRefusal: null,
    repeat: null,
    status: null,
    refusal: refusalWords(error),
    bytesEqual: 0,
    iommuFaults: [],
    errors: [],
    expected,
    asExpected: expected === 'refused',
  };
}

type Common =
  | 'name'
  | 'device'
  | 'engine'
  | 'direction'
  | 'iommu'
  | 'classify'
  | 'trust'
  | 'bytesTotal'
  | 'injected'
  | 'vectors'
  | 'lookups'
  | 'pageReads';

function commonReport(ran: Ran, equal: readonly number[]): Pick<TransferReport, Common> {
  const { world, transfer, chosen, device, mover, queued, injected } = ran;
  return {
    name: transfer.name,
    device: world.nameOf(device.fn),
    engine: mover,
    direction: transfer.direction,
    iommu: device.iommu,
    classify: transfer.classify ?? 'flags',
    trust: transfer.trust === true,
    bytesTotal: chosen.totalBytes,
    injected,
    vectors: vectorReports(ran, queued?.words ?? chosen.vectors.map(submitterWords), equal),
    // By a search, or by the entry of the vector before.
    lookups: queued === null ? 0 : queued.counters.lookups + queued.counters.lastHits,
    pageReads: queued?.counters.pages ?? 0,
  };
}

/** `path: message`, with the code. */
function refusalWords({ code, path, message }: P2pError): { readonly code: string; readonly message: string } {
  return { code, message: `${path}: ${message}` };
}

/** Of a vector that was never queued: what its submitter had. */
function submitterWords({ cpuAddress }: SubmittedVector): QueuedWords {
  return { address: cpuAddress, flags: 0, certificate: null };
}

function vectorReports(
  { world, chosen, device }: Ran,
  words: readonly QueuedWords[],
  equal: readonly number[],
): VectorReport[] {
  return chosen.vectors.map((vector, input): VectorReport => {
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

/** The segments with the hops of the TLPs that carried each. */
function walkedSegments({ segments, moved, hops }: Ended): WalkedSegment[] {
  const byTlp = new Map<number, Hop[]>();
  for (const hop of hops) {
    const known = byTlp.get(hop.tlp);
    if (known === undefined) byTlp.set(hop.tlp, [hop]);
    else known.push(hop);
  }
  return segments.map((segment, index) => ({
    address: segment.space === 'bar' ? null : segment.address,
    length: segment.length,
    firstInput: segment.firstInput,
    lastInput: segment.lastInput,
    hops: [...(moved.segments[index]?.tlps ?? [])].flatMap((tlp) => byTlp.get(tlp) ?? []),
  }));
}

function segmentReport(
  { chosen }: Ran,
  { moved, equal }: Ended,
  segment: DmaSegment,
  index: number,
): Omit<SegmentReport, 'road' | 'ways' | 'tlps'> {
  const inputs = Array.from({ length: segment.lastInput - segment.firstInput + 1 }, (_, at) => segment.firstInput + at);
  const isRight = inputs.every((input) => equal[input] === chosen.vectors[input]?.length);
  return {
    space: segment.space,
    address: segment.address,
    length: segment.length,
    inputs,
    ...(segment.space === 'bar' ? { bar: segment.bar, offset: segment.offset } : {}),
    ...fateOf(moved.segments[index], isRight),
  };
}

/** Where no transaction is shown, bytes that are all right were delivered; of others nobody knows which. */
function fateOf(outcome: SegmentOutcome | undefined, isRight: boolean): { fate: string; at: string | null } {
  const { fate, at } = outcome ?? { fate: NOT_MOVED, at: null };
  return { fate: fate === UNSEEN && isRight ? DELIVERED : fate, at };
}

/** Whether something that was sent did not arrive. */
function isLoss(fate: string): boolean {
  return ![DELIVERED, NOT_MOVED, SWALLOWED, UNSEEN].includes(fate);
}

/** The places that the TLPs passed, in order, each once. */
function placesOnce(world: World, hops: readonly Hop[]): string[] {
  return [...new Set(hops.map((hop) => world.hopName(hop)))];
}
