/** The end of a mapping. */

import type { DmaDevice } from '../dma/device.ts';
import { MapError } from '../dma/errors.ts';
import { dmaUnmapBvec } from '../dma/map-bvec.ts';
import type { DmaMapping } from '../dma/mapping.ts';
import type { ScenarioHost } from './host.ts';

/** What a submitter has mapped already, and the device that it was mapped for. */
export interface Premapped {
  readonly device: DmaDevice;
  readonly mapping: DmaMapping;
}

/** Unmaps. Returns what the unmap notices, memory that was removed meanwhile: everything is unmapped all the same. */
export async function unmap(
  host: Pick<ScenarioHost, 'syncIommu'>,
  device: DmaDevice,
  mapping: DmaMapping,
): Promise<MapError | null> {
  let refusal: MapError | null = null;
  try {
    dmaUnmapBvec(device, mapping);
  } catch (error) {
    if (!(error instanceof MapError) || error.code !== 'PROVIDER_GONE') throw error;
    refusal = error;
  }
  if (device.domain !== null) await host.syncIommu(device.domain);
  return refusal;
}
