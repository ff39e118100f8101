/** The movers that there are. Whoever adds a kind of device adds an entry here, and its name in scenario-types.ts. */

import type { PciFunction } from '../pcie/pci-function.ts';
import { DMA_MOVER } from './dma-mover.ts';
import type { MoverKind } from './mover.ts';
import { NVME_MOVER } from './nvme-mover.ts';
import type { DeviceNode, MoverName } from './scenario-types.ts';

export const MOVERS: Readonly<Record<MoverName, MoverKind>> = { dma: DMA_MOVER, nvme: NVME_MOVER };

/** All of them, in the order in which the file's complaints list them. */
export const MOVER_NAMES: readonly MoverName[] = ['dma', 'nvme'];

/** The mover of a function: the first special one that drives it, else the generic DMA engine, which drives anything. */
export function moverOf(fn: PciFunction, node: DeviceNode | null): MoverKind {
  return Object.values(MOVERS).find((kind) => kind !== DMA_MOVER && kind.drives(fn, node)) ?? DMA_MOVER;
}
