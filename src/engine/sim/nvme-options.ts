/** What may be said of one NVMe controller of the simulator. */

import type { CmbOptions, SglOptions } from '../../nvme/device/options.ts';
import type { BlockStore } from '../../nvme/device/ports.ts';

/** What a scenario may say of one controller. All of it has defaults. */
export interface NvmeOptions {
  /** Bytes of the namespace. Default 64 MiB. */
  readonly namespaceBytes?: number;
  readonly store?: BlockStore;
  /** `false`: none. Default: the largest memory BAR from BAR 2 on, where there is one. */
  readonly cmb?: Partial<CmbOptions> | false;
  readonly sgl?: SglOptions | false;
  readonly mdts?: number;
}
