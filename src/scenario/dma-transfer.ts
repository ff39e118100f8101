/** A transfer by the generic DMA engine: one descriptor a segment, each side an address, or BAR and offset. */

import { type DmaSegment, engineTarget } from '../dma/segment.ts';
import type { Hop } from '../fabric/hop.ts';
import { fillComplement, fillPattern } from './pattern.ts';
import {
  during,
  fillMemories,
  type MoveOutcome,
  NOTHING_MOVED,
  type SegmentOutcome,
  type TransferContext,
} from './transfer-context.ts';

/** The generic engine: one descriptor a segment. */
export async function runDma(context: TransferContext, segments: readonly DmaSegment[]): Promise<MoveOutcome> {
  const { world, transfer, device, totalBytes, number } = context;
  const { host } = world;
  const { dma } = host;
  if (dma === null) {
    const message = `${host.engine.name} has no generic DMA engine`;
    return world.refuse('engine', message, 'let an NVMe controller do the transfer, or run with --engine sim');
  }
  if (transfer.direction === 'toDevice' && transfer.continues === undefined) await fillMemories(context);
  const received = transfer.direction === 'toDevice' ? new Uint8Array(totalBytes) : null;
  const outcomes: SegmentOutcome[] = [];
  let done = 0;
  for (const segment of segments) {
    const bytes = new Uint8Array(segment.length);
    if (transfer.direction === 'fromDevice') fillPattern(bytes, number, done);
    else fillComplement(bytes, number, done);
    const side = engineTarget(segment);
    const hops: Hop[] = [];
    const stop = host.watch((hop) => hops.push(hop));
    const { fate, at } =
      side === null
        ? { fate: 'bounced: this engine has no swiotlb', at: null }
        : await during(world, 'transfer', () => dma(device.fn, side, bytes, transfer.direction));
    stop();
    received?.set(bytes, done);
    outcomes.push({ fate, at, hops });
    done += segment.length;
  }
  return { ...NOTHING_MOVED, segments: outcomes, received };
}
