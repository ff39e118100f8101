/**
 * One transfer of a scenario, from the submitter to the bytes:
 *
 *   choose    who does the DMA, and memory for its data             choose.ts, submit.ts
 *   queue     what the design puts into the queue                   design.ts, queue-door.ts
 *   map, move, unmap                                                a TransferEngine: register-transfers.ts and a mover
 *   compare   every byte, with a copy that went another way         compare.ts
 *   report                                                          transfer-report.ts
 */

import { P2pError } from '../core/errors.ts';
import type { TransferOutcome } from '../engine/transfer.ts';
import type { Hop } from '../fabric/hop.ts';
import { choose, placesOf } from './choose.ts';
import { compareAgain, compareVectors, deviceData, faultWords, fillMemories, spoilMemories } from './compare.ts';
import { namedSegments, type Queued, queueVectors } from './design.ts';
import { ScenarioError } from './errors.ts';
import { injectFaults } from './inject.ts';
import type { TracedHop, TransferReport } from './report.ts';
import type { TransferDescription } from './scenario-types.ts';
import { endedReport, type Ran, refusedReport } from './transfer-report.ts';
import { unmap } from './unmap.ts';
import type { World } from './world.ts';

/** Runs one transfer. Refusals of queue, mapping and driver are results; bad scenarios are thrown. */
export async function runTransfer(
  world: World,
  transfer: TransferDescription,
  position: number,
  trace: (hop: TracedHop) => void,
): Promise<TransferReport> {
  world.here = `transfers[${position}]`;
  const chosen = choose(world, transfer, position);
  await world.prepare([chosen.fn, ...chosen.vectors.flatMap(({ owner }) => owner ?? [])]);
  const isSending = transfer.direction === 'toDevice';
  if (!isSending) await spoilMemories(world, chosen);
  const watch = watchTransfer(world, transfer, position, trace);
  if (isSending && transfer.continues === undefined) await fillMemories(world, chosen);

  const queued = await queueVectors(world, transfer, chosen.vectors, chosen.asked).catch(refusalOnly);
  const injected = await injectFaults(world, transfer, 'afterSubmit');
  const device = await world.mappingDevice(chosen.fn);
  const engine = world.transferEngine(chosen.fn, transfer.engine);
  const ran = { world, transfer, chosen, device, mover: engine.name, injected };
  if (queued instanceof P2pError) {
    watch.stop();
    return refusedReport({ ...ran, queued: null }, queued);
  }

  const data = deviceData(transfer, chosen);
  const first = new FirstMapping(world, queued);
  const outcome = await engine.submit({
    device,
    direction: transfer.direction,
    vectors: queued.list,
    classifier: queued.classifier,
    isPremapped: queued.premapped !== null,
    merge: transfer.merge !== false,
    relative: transfer.relativeSgl === true,
    places: placesOf(chosen),
    data,
    mapped: async () => {
      injected.push(...(await injectFaults(world, transfer, 'afterMap')));
      if (!unmapsEarly(transfer)) return 'move';
      await first.undo();
      return 'unmap';
    },
  });
  watch.stop();
  await first.undo();
  return await reportOf({ ...ran, queued }, outcome, data, first.refusal, watch.hops);
}

/** Compares the bytes of what ended, and reports. */
async function reportOf(
  ran: Ran & { readonly queued: Queued },
  outcome: TransferOutcome,
  data: Uint8Array,
  firstRefusal: P2pError | null,
  hops: readonly Hop[],
): Promise<TransferReport> {
  const { world, transfer, chosen, queued } = ran;
  if (outcome.kind === 'refused') return refusedReport(ran, outcome.error);
  const equal = await compareVectors(world, transfer, chosen, data);
  const iommuFaults = (await world.host.engine.takeFaults()).map(faultWords);
  const wanted = transfer.repeatAfterUnmap;
  return endedReport(ran, {
    segments: namedSegments(outcome.segments, queued),
    iova: queued.premapped === null ? outcome.iova : iovaOf(queued.premapped.mapping),
    moved: outcome.moved,
    unmapRefusal: firstRefusal ?? outcome.unmapRefusal,
    equal,
    iommuFaults,
    repeat: wanted === undefined ? null : await compareAgain(world, chosen, outcome, wanted),
    hops,
  });
}

/** What the submitter mapped first, if he did: undone once. */
class FirstMapping {
  /** What the unmap noticed. */
  refusal: P2pError | null = null;
  readonly #world: World;
  #premapped: Queued['premapped'];

  constructor(world: World, { premapped }: Queued) {
    this.#world = world;
    this.#premapped = premapped;
  }

  async undo(): Promise<void> {
    const premapped = this.#premapped;
    this.#premapped = null;
    if (premapped !== null) this.refusal = await unmap(this.#world.host, premapped.device, premapped.mapping);
  }
}

/** Hands every hop on, and keeps those of the transfer's own TLPs. */
function watchTransfer(
  world: World,
  transfer: TransferDescription,
  position: number,
  trace: (hop: TracedHop) => void,
): { readonly hops: readonly Hop[]; readonly stop: () => void } {
  const hops: Hop[] = [];
  const stop = world.host.watch((hop) => {
    const { phase } = world;
    if (phase === 'transfer') hops.push(hop);
    trace({ ...hop, transfer: transfer.name, position, phase, name: world.hopName(hop) });
  });
  return { hops, stop };
}

function unmapsEarly({ faults }: TransferDescription): boolean {
  return faults?.some((fault) => fault.at === 'afterMap' && fault.unmap === true) === true;
}

function iovaOf({ iovaBase, iovaSize }: NonNullable<Queued['premapped']>['mapping']): TransferReport['iova'] {
  return iovaSize === 0 ? null : { base: iovaBase, size: iovaSize };
}

/** A refusal of the queue or of the first mapping is a result; bad scenarios are thrown on. */
function refusalOnly(error: unknown): P2pError {
  if (error instanceof P2pError && !(error instanceof ScenarioError)) return error;
  throw error;
}
