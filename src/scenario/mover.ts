/**
 * Movers: what makes a device of one kind move the data of a mapped transfer. One entry in the table of movers (movers.ts) is all that a
 * new kind of device needs of a scenario.
 */

import type { P2pError } from '../core/errors.ts';
import type { Range } from '../core/range.ts';
import type { DmaDevice } from '../dma/device.ts';
import type { DmaMapping } from '../dma/mapping.ts';
import type { DmaSegment } from '../dma/segment.ts';
import type { MemoryPlace, MoveOutcome } from '../engine/transfer.ts';
import { NOT_MOVED } from '../engine/transfer.ts';
import type { Hop } from '../fabric/hop.ts';
import type { RamAllocator } from '../machine/ram-allocator.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import type { ScenarioHost } from './host.ts';
import type { HopPhase } from './report.ts';
import type { DeviceNode, MoverName } from './scenario-types.ts';

/** Where a mover works: as much of a scenario's world as it uses. */
export interface Workplace {
  readonly host: ScenarioHost;
  readonly ram: RamAllocator;
  /** Does a part of a transfer whose hops are of another phase. */
  during<T>(phase: HopPhase, work: () => T | Promise<T>): Promise<T>;
  /** Where a hop was, in the scenario's words. */
  hopName(hop: Hop): string;
  /** Refuses a field of the transfer that runs now. */
  refuse(field: string, message: string, hint: string): never;
}

/** A transfer that is mapped. */
export interface MoveJob {
  readonly device: DmaDevice;
  readonly direction: 'toDevice' | 'fromDevice';
  readonly mapping: DmaMapping;
  /** The outputs of the mapping. */
  readonly segments: readonly DmaSegment[];
  /** See `Transfer` (engine/transfer.ts). */
  readonly places: readonly MemoryPlace[];
  readonly data: Uint8Array;
  readonly relative: boolean;
}

export interface Mover {
  /** Moves the data. What the driver refuses to say to the device is returned, not thrown; nothing has moved then. */
  move(job: MoveJob): Promise<MoveOutcome | P2pError>;
}

export interface MoverKind {
  readonly name: MoverName;
  /** Whether it is the mover of a function where the scenario names none. `node`: what the author of the machine said of it. */
  drives(fn: PciFunction, node: DeviceNode | null): boolean;
  /** Memory BARs of such a function that hold registers, and so no memory to give. */
  readonly registerBars: readonly number[];
  /** Addresses that such a function takes for its own before any IOMMU is asked: no IOVA may be there. */
  ownAddresses(node: DeviceNode | null): readonly Range[];
  /** A mover for one run; it keeps what it brought up. */
  create(place: Workplace): Mover;
}

/** Nothing was moved, and why. */
export function neverBegan({ segments }: MoveJob, status: string): MoveOutcome {
  const none = { fate: NOT_MOVED, at: null, tlps: null };
  return {
    began: false,
    status,
    segments: segments.map(() => none),
    commands: 0,
    pointers: null,
    swallowedBytes: 0,
  };
}
