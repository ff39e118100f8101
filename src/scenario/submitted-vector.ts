/** A vector as its submitter has it, with the memory behind it. */

import type { BusAddr, PhysAddr } from '../core/address.ts';
import type { PciFunction } from '../pcie/pci-function.ts';

/** A vector with its memory. */
export interface SubmittedVector {
  /** `bv_addr` and `bv_flags` of the mail, for designs with flags: what the queue holds of others says design.ts. */
  readonly address: PhysAddr | BusAddr;
  readonly flags: number;
  readonly length: number;
  /** Where the CPU finds the memory. */
  readonly cpuAddress: PhysAddr;
  readonly owner: PciFunction | null;
  /** The mail's `int`; null where nobody was asked. */
  readonly distance: number | null;
  readonly why: string;
}
