/**
 * The design that a transfer is mapped by: what its submitter puts into the queue, for the device whose distance was asked, and what
 * classifies it at the mapping device. The table of designs is in dma/classifier-for.ts.
 */

import { BvecList } from '../block/bio-vec.ts';
import { saysP2p } from '../block/submit.ts';
import { Certifier } from '../dma/certified.ts';
import type { Classifier, LookupCounters } from '../dma/classifier.ts';
import { classifierFor, classifierName } from '../dma/classifier-for.ts';
import { Lookup } from '../dma/classify-lookup.ts';
import { premap } from '../dma/classify-premapped.ts';
import { DmaMapping } from '../dma/mapping.ts';
import type { DmaSegment } from '../dma/segment.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { throughQueue } from './queue-door.ts';
import type { TransferDescription } from './scenario-types.ts';
import type { SubmittedVector } from './submitted-vector.ts';
import { type Premapped, unmap } from './unmap.ts';
import type { World } from './world.ts';

/** What is in the queue for one vector. */
export interface QueuedWords {
  /** Of vectors that the submitter merged into one DMA range: where in it this one begins. */
  readonly address: number;
  /** `BVEC_` bits. */
  readonly flags: number;
  /** 32 bits, or null where the design has none. */
  readonly certificate: number | null;
}

/** What is in the queue. */
export interface Queued {
  readonly list: BvecList;
  readonly classifier: Classifier;
  /** What the list holds for each vector of the submitter. */
  readonly words: readonly QueuedWords[];
  /** Counts what classified for the queue: the mapping device's classifier, or where the submitter maps, his. */
  readonly counters: LookupCounters;
  /** To be unmapped after the transfer; null but for `premapped`. */
  readonly premapped: Premapped | null;
}

/**
 * Submits the vectors by the transfer's design, for `asked`.
 *
 * @throws BlockError where the queue does not take them, MapError where mapping comes first and is refused; nothing is mapped then
 */
export async function queueVectors(
  world: World,
  transfer: TransferDescription,
  vectors: readonly SubmittedVector[],
  asked: PciFunction,
): Promise<Queued> {
  const fn = world.function(transfer.device, 'device');
  const { classify = 'flags' } = transfer;
  const list = BvecList.fromVectors(
    vectors.map(({ address, cpuAddress, length, flags }) =>
      classify === 'flags' ? { address, length, flags } : { address: cpuAddress, length, flags: 0 },
    ),
  );
  const submission = {
    direction: transfer.direction,
    mayContainP2p: transfer.mayContainP2p ?? null,
    queueP2p: transfer.queue?.p2p ?? true,
  };
  if (classify === 'premapped') {
    const device = await world.mappingDevice(asked);
    const mapping = new DmaMapping();
    const lookup = new Lookup(world.table, world.pairs(asked));
    const mapped = premap(device, list, transfer.direction, lookup, mapping);
    if (device.domain !== null) await world.host.syncIommu(device.domain);
    const premapped = { device, mapping };
    try {
      // Of a DMA address nobody can tell what it reaches: its submitter announces what he mapped.
      const announced = submission.mayContainP2p ?? vectors.some(({ owner }) => owner !== null);
      const inQueue = throughQueue({ ...submission, vectors: mapped, mayContainP2p: announced, isP2p: saysP2p });
      const words = premappedWords(vectors, inQueue);
      const classifier = classifierFor('premapped', { table: world.table, pairs: world.pairs(fn) });
      return { list: inQueue, classifier, words, counters: lookup.counters, premapped };
    } catch (error) {
      await unmap(world.host, device, mapping);
      throw error;
    }
  }
  if (classify === 'certified') new Certifier(world.table, world.pairs(asked)).certify(list);
  const name = classifierName(classify, transfer.trust === true);
  const classifier = classifierFor(name, { table: world.table, pairs: world.pairs(fn) });
  const inQueue = throughQueue({
    ...submission,
    vectors: list,
    isP2p: (queued, index) => saysP2p(queued, index) || vectors[index]?.owner !== null,
  });
  const words = vectors.map(
    (_, index): QueuedWords => ({
      address: inQueue.address[index] as number,
      flags: inQueue.flags[index] as number,
      certificate: classify === 'certified' ? inQueue.certificateAt(index) : null,
    }),
  );
  return { list: inQueue, classifier, words, counters: classifier.counters, premapped: null };
}

/** Where each vector lies in the list of DMA addresses, which has the order of the data. */
function premappedWords(vectors: readonly SubmittedVector[], list: BvecList): QueuedWords[] {
  let [at, into] = [0, 0];
  return vectors.map(({ length }): QueuedWords => {
    const address = (list.address[at] as number) + into;
    into += length;
    while (at < list.count && into >= (list.length[at] as number)) into -= list.length[at++] as number;
    return { address, flags: 0, certificate: null };
  });
}

/** The segments in the words of whoever mapped first: a DMA address does not say what it is. */
export function namedSegments(segments: readonly DmaSegment[], { premapped }: Queued): readonly DmaSegment[] {
  if (premapped === null) return segments;
  const first = premapped.mapping.segments();
  // As many, unless a segment was longer than a dma_vec can be.
  return first.length === segments.length ? first : segments;
}
