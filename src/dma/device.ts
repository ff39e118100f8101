/** The mapping device: whoever does the DMA, and what its DMA passes on the way. `mapping_dev` of the mail. */

import { checkObject } from '../core/argument.ts';
import type { Range } from '../core/range.ts';
import type { IommuDomain } from '../iommu/domain.ts';
import type { IommuMode } from '../machine/machine.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { MapError } from './errors.ts';
import { type DmaLimits, dmaLimits } from './limits.ts';
import { SlotList } from './slot-list.ts';

/** Whether RAM above the mask can be bounced: never, where needed, or always (`swiotlb=force`). */
export type Swiotlb = 'none' | 'available' | 'force';

/** `linux`: the scatterlist path with its quirks. `own`: every limit holds for every output. */
export type MapRules = 'linux' | 'own';

export interface DmaDeviceOptions {
  readonly fn: PciFunction;
  readonly iommu: IommuMode;
  /** The device's translation domain; needed when `iommu` is `on`. */
  readonly domain?: IommuDomain | null;
  readonly limits?: Partial<DmaLimits>;
  readonly rules?: MapRules;
  readonly swiotlb?: Swiotlb;
  /**
   * Behind an external-facing port: it may see nothing but what was mapped for it, so with an IOMMU only whole granules.
   * Linux bounces the rest of RAM and refuses that of device memory; here nothing is bounced, and both are refused.
   */
  readonly untrusted?: boolean;
}

export class DmaDevice {
  readonly fn: PciFunction;
  readonly iommu: IommuMode;
  /** Null where DMA is direct (IOMMU off or passthrough). */
  readonly domain: IommuDomain | null;
  readonly limits: DmaLimits;
  readonly rules: MapRules;
  readonly swiotlb: Swiotlb;
  readonly untrusted: boolean;
  /** Scratch of the mapping functions. */
  readonly slots: SlotList = new SlotList();

  /** Throws `MapError`: LIMITS_INVALID, or IOMMU_UNKNOWN where the IOMMU is on and no domain was given. */
  constructor(options: DmaDeviceOptions) {
    checkObject(options?.fn, 'bdf', 'DmaDevice: options.fn', 'the PciFunction that does the DMA');
    this.fn = options.fn;
    this.iommu = options.iommu;
    this.domain = options.iommu === 'on' ? (options.domain ?? null) : null;
    this.limits = dmaLimits(options.limits);
    this.rules = options.rules ?? 'linux';
    this.swiotlb = options.swiotlb ?? 'none';
    this.untrusted = options.untrusted ?? false;
    if (options.iommu === 'on' && this.domain === null) {
      throw new MapError(
        'IOMMU_UNKNOWN',
        options.fn.name,
        'the IOMMU is on and no domain is given',
        'hand in an IommuDomain',
      );
    }
    const granule = this.domain?.granule ?? 4096;
    if (this.domain !== null && this.limits.minAlignMask > granule - 1) {
      const message = `asks for ${this.limits.minAlignMask + 1}-byte alignment, more than the IOMMU's granule of ${granule}`;
      throw new MapError('LIMITS_INVALID', 'limits.minAlignMask', message, `use at most ${granule - 1}`);
    }
  }

  /** The bus ranges of the device's own memory BARs, for `pci_bus_addr_in_bar`. */
  ownBars(): (Range & { readonly bar: number })[] {
    const bars: (Range & { bar: number })[] = [];
    for (const bar of this.fn.bars) {
      if (bar.space !== 'memory' || bar.busAddress === null || bar.size === null || bar.size === 0) continue;
      bars.push({ bar: bar.index, start: bar.busAddress, end: bar.busAddress + bar.size });
    }
    return bars;
  }
}
