/** Transfers over a `RegisterEngine`: map, move, unmap, with our own mapper and one mover. */

import { P2pError } from '../core/errors.ts';
import { dmaMapBvec, dmaUnmapBvec } from '../dma/map-bvec.ts';
import { DmaMapping } from '../dma/mapping.ts';
import { resolveOwnBar } from '../dma/own-bar.ts';
import type { MoveOutcome, Transfer, TransferEngine, TransferOutcome } from '../engine/transfer.ts';
import type { ScenarioHost } from './host.ts';
import type { MoveJob, Mover } from './mover.ts';
import type { MoverName } from './scenario-types.ts';
import { unmap } from './unmap.ts';

export class RegisterTransfers implements TransferEngine {
  readonly name: MoverName;
  readonly #mover: Mover;
  readonly #host: Pick<ScenarioHost, 'syncIommu'>;

  constructor(name: MoverName, mover: Mover, host: Pick<ScenarioHost, 'syncIommu'>) {
    this.name = name;
    this.#mover = mover;
    this.#host = host;
  }

  async submit(transfer: Transfer): Promise<TransferOutcome> {
    const { device, direction, places, data, relative } = transfer;
    const mapping = new DmaMapping();
    const refusal = map(transfer, mapping);
    if (refusal !== null) return { kind: 'refused', error: refusal };
    if (device.domain !== null) await this.#host.syncIommu(device.domain);
    const segments = mapping.segments();
    const iova = mapping.iovaSize === 0 ? null : { base: mapping.iovaBase, size: mapping.iovaSize };
    const isEarly = (await transfer.mapped?.()) === 'unmap';
    let unmapRefusal = isEarly ? await unmap(this.#host, device, mapping) : null;
    const job: MoveJob = { device, direction, mapping, segments, places, data, relative };
    const moved = await this.#mover.move(job);
    if (!isEarly) unmapRefusal = await unmap(this.#host, device, mapping);
    if (moved instanceof P2pError) return { kind: 'refused', error: moved };
    return { kind: 'ended', segments, iova, moved, unmapRefusal, again: () => this.#again(job) };
  }

  async #again(job: MoveJob): Promise<MoveOutcome> {
    const moved = await this.#mover.move(job);
    if (moved instanceof P2pError) throw moved;
    return moved;
  }
}

/** Maps the vectors into `mapping`, own BARs resolved. Returns why not; nothing is mapped then. */
function map(transfer: Transfer, mapping: DmaMapping): P2pError | null {
  const { device, direction, vectors, classifier, merge, isPremapped } = transfer;
  try {
    dmaMapBvec(device, vectors, direction, classifier, mapping, { noMerge: !merge });
    // Once premapped, an address no longer says whether it is a bus address.
    if (!isPremapped) resolveOwnBar(device.fn, mapping);
  } catch (error) {
    if (mapping.live) dmaUnmapBvec(device, mapping);
    if (error instanceof P2pError) return error;
    throw error;
  }
  return null;
}
