/** The generic DMA engine as a mover: one descriptor a segment, the far side an address, or BAR and offset. */

import { engineTarget } from '../dma/segment.ts';
import { type MoveOutcome, NOT_MOVED, type SegmentOutcome } from '../engine/transfer.ts';
import type { EngineOutcome } from './host.ts';
import type { MoveJob, Mover, MoverKind, Workplace } from './mover.ts';

/** Drives whatever nobody else does. */
export const DMA_MOVER: MoverKind = {
  name: 'dma',
  drives: () => true,
  registerBars: [],
  ownAddresses: () => [],
  create: (place) => new DmaMover(place),
};

const BOUNCED: EngineOutcome = { sent: false, fate: 'bounced: this engine has no swiotlb', at: null };

class DmaMover implements Mover {
  readonly #place: Workplace;

  constructor(place: Workplace) {
    this.#place = place;
  }

  async move({ device, direction, segments, data }: MoveJob): Promise<MoveOutcome> {
    const { host } = this.#place;
    const { dma } = host;
    if (dma === null) {
      const message = `${host.engine.name} has no generic DMA engine`;
      return this.#place.refuse('engine', message, 'let an NVMe controller do the transfer, or run with --engine sim');
    }
    const outcomes: SegmentOutcome[] = [];
    let firstFate: string | null = null;
    let began = false;
    let done = 0;
    for (const segment of segments) {
      const bytes = data.subarray(done, done + segment.length);
      const side = engineTarget(segment);
      const tlps = new Set<number>();
      const stop = host.watch((hop) => tlps.add(hop.tlp));
      const { sent, fate, at } =
        side === null ? BOUNCED : await this.#place.during('transfer', () => dma(device.fn, side, bytes, direction));
      stop();
      began ||= sent;
      firstFate ??= fate;
      outcomes.push({ fate, at, tlps: host.showsHops ? tlps : null });
      done += segment.length;
    }
    const status = began ? null : (firstFate ?? NOT_MOVED);
    return { began, status, segments: outcomes, commands: 0, pointers: null, swallowedBytes: 0 };
  }
}
