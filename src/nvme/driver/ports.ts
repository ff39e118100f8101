/** What the driver uses beside the engine: memory for its queues and lists, and the place of the function's own BARs. */

import type { BusAddr, DmaAddr, PhysAddr } from '../../core/address.ts';
import type { BarOffset } from '../../dma/own-bar.ts';
import type { Answer } from '../../engine/register.ts';

/** Memory that CPU and controller both reach, contiguous for both. */
export interface DmaBuffer {
  /** Where the CPU, that is the engine's `readMemory` and `writeMemory`, finds it. */
  readonly phys: PhysAddr;
  /** What the controller is programmed with. */
  readonly dma: DmaAddr;
  readonly lengthBytes: number;
}

/** Gives and takes back memory for queues and lists; mapped for the controller where an IOMMU wants it. */
export interface DmaMemory {
  /** `alignBytes` is a power of two, at least 4096. */
  allocate(lengthBytes: number, alignBytes: number): Answer<DmaBuffer>;
  free(buffer: DmaBuffer): Answer<void>;
}

/** The function that the driver drives, as the machine has placed it. */
export interface OwnFunction {
  /** For messages: `0000:03:00.0`. */
  readonly name: string;
  /** CPU address of BAR 0. */
  readonly registers: PhysAddr;
  /** Bus address of a memory BAR, or null where it has none. */
  busAddress(bar: number): BusAddr | null;
  /**
   * `pci_bus_addr_in_bar(pdev, addr, &bar, &off)` of the mail for this function: the BAR that holds the whole range, or null.
   * Asked of bus addresses only, while a command is programmed.
   */
  resolveOwnBar(address: BusAddr, lengthBytes: number): BarOffset | null;
}
