/** The first step of a transfer: who does the DMA, whom its submitter asked, and what memory he took. */

import type { MemoryPlace } from '../engine/transfer.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import type { TransferDescription } from './scenario-types.ts';
import { resubmitVector, submitVector } from './submit.ts';
import type { SubmittedVector } from './submitted-vector.ts';
import type { World } from './world.ts';

export interface Chosen {
  /** The mapping device. */
  readonly fn: PciFunction;
  /** Whose distance the submitter asked: the mapping device, but for a stacked queue. */
  readonly asked: PciFunction;
  readonly vectors: readonly SubmittedVector[];
  /** Number of the pattern that the data carries: of the transfer that it began with. */
  readonly number: number;
  readonly totalBytes: number;
}

/** Chooses memory for a transfer, or takes that of the one that it continues. */
export function choose(world: World, transfer: TransferDescription, position: number): Chosen {
  const fn = world.endpoint(transfer.device, 'device');
  const asked = transfer.askedFor === undefined ? fn : world.endpoint(transfer.askedFor, 'askedFor');
  const { continues } = transfer;
  const earlier = continues === undefined ? undefined : world.submitted.get(continues);
  if (continues !== undefined && earlier === undefined) {
    const message = `continues '${continues}', which is not an earlier transfer`;
    const hint = `earlier: ${[...world.submitted.keys()].join(', ') || 'none'}`;
    world.refuse('continues', message, hint);
  }
  const vectors =
    earlier === undefined
      ? (transfer.vectors ?? []).map((_, index) => submitVector(world, transfer, index, asked))
      : earlier.vectors.map((vector) => resubmitVector(world, vector, asked));
  const number = earlier?.number ?? position;
  world.submitted.set(transfer.name, { vectors, number });
  return { fn, asked, vectors, number, totalBytes: vectors.reduce((sum, { length }) => sum + length, 0) };
}

/** Where the data belongs. */
export function placesOf({ vectors }: Chosen): MemoryPlace[] {
  return vectors.map(({ cpuAddress, length, owner }) => ({ address: cpuAddress, length, isDevice: owner !== null }));
}
