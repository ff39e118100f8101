/** The end of a transfer's mappings: the mapper's own, and the submitter's where he mapped first. */

import type { DmaDevice } from '../dma/device.ts';
import { MapError } from '../dma/errors.ts';
import { dmaUnmapBvec } from '../dma/map-bvec.ts';
import type { DmaMapping } from '../dma/mapping.ts';
import type { TransferReport } from './report.ts';
import type { World } from './world.ts';

/** What a submitter has mapped already, and the device that it was mapped for. */
export interface Premapped {
  readonly device: DmaDevice;
  readonly mapping: DmaMapping;
}

/** A queue's content, as far as it has to be undone; null where the submitter mapped nothing. */
interface Queued {
  readonly premapped: Premapped | null;
}

/** Undoes both. Returns what the unmap noticed, or null. */
export async function unmapAll(
  world: World,
  device: DmaDevice,
  mapping: DmaMapping,
  queued: Queued,
): Promise<TransferReport['unmapRefusal']> {
  const own = await unmap(world, device, mapping);
  return (await unmapFirst(world, queued)) ?? own;
}

/** Undoes what the submitter mapped. */
export async function unmapFirst(world: World, { premapped }: Queued): Promise<TransferReport['unmapRefusal']> {
  return premapped === null ? null : await unmap(world, premapped.device, premapped.mapping);
}

/** Unmaps. Memory that was removed meanwhile is what the unmap notices: everything is unmapped all the same. */
async function unmap(world: World, device: DmaDevice, mapping: DmaMapping): Promise<TransferReport['unmapRefusal']> {
  let refusal: TransferReport['unmapRefusal'] = null;
  try {
    dmaUnmapBvec(device, mapping);
  } catch (error) {
    if (!(error instanceof MapError) || error.code !== 'PROVIDER_GONE') throw error;
    refusal = { code: error.code, message: `${error.path}: ${error.message}` };
  }
  if (device.domain !== null) await world.host.syncIommu(device.domain);
  return refusal;
}
