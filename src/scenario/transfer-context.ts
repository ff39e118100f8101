/** What the engines of a transfer share: its parts, and what moving the data came to. */

import type { DmaDevice } from '../dma/device.ts';
import type { DmaMapping } from '../dma/mapping.ts';
import type { Hop } from '../fabric/hop.ts';
import { ROOT_COMPLEX } from '../fabric/outcome.ts';
import { fillComplement, fillPattern } from './pattern.ts';
import type { HopPhase } from './report.ts';
import type { TransferDescription } from './scenario-types.ts';
import type { SubmittedVector } from './submitted-vector.ts';
import type { World } from './world.ts';

/** What one segment of the mapping came to. */
export interface SegmentOutcome {
  readonly fate: string;
  readonly at: string | null;
  readonly hops: readonly Hop[];
}

/** What moving the data came to, whichever engine did it. */
export interface MoveOutcome {
  /** One entry a segment, or a single one for all where the engine takes them together. */
  readonly segments: readonly SegmentOutcome[];
  readonly commands: number;
  readonly pointers: string | null;
  readonly status: string | null;
  /** `toDevice`: what the device received, in the order of the data. */
  readonly received: Uint8Array | null;
  /** See `TransferReport`. */
  readonly swallowedBytes: number;
}

export const NOTHING_MOVED: MoveOutcome = {
  segments: [],
  commands: 0,
  pointers: null,
  status: null,
  received: null,
  swallowedBytes: 0,
};

export interface TransferContext {
  readonly world: World;
  readonly transfer: TransferDescription;
  /** Number of the transfer in the file, from 0 on. */
  readonly number: number;
  readonly device: DmaDevice;
  readonly mapping: DmaMapping;
  readonly vectors: readonly SubmittedVector[];
  readonly totalBytes: number;
}

/** What fills memory needs of a transfer. */
export type FilledMemory = Pick<TransferContext, 'world' | 'vectors' | 'number'>;

/** Writes the pattern where the vectors lie, by the CPU. */
export async function fillMemories(memory: FilledMemory): Promise<void> {
  await writeMemories(memory, fillPattern);
}

/** Writes the complement of the pattern where the vectors lie, by the CPU: no byte looks right that does not arrive. */
export async function spoilMemories(memory: FilledMemory): Promise<void> {
  await writeMemories(memory, fillComplement);
}

async function writeMemories(
  { world, vectors, number }: FilledMemory,
  fill: (bytes: Uint8Array, transfer: number, from: number) => void,
): Promise<void> {
  let done = 0;
  for (const { cpuAddress, length } of vectors) {
    const bytes = new Uint8Array(length);
    fill(bytes, number, done);
    await world.host.engine.writeMemory(cpuAddress, bytes);
    done += length;
  }
}

/** Does a part of a transfer whose hops are of another phase. */
export async function during<T>(world: World, phase: HopPhase, work: () => T | Promise<T>): Promise<T> {
  const before = world.phase;
  world.phase = phase;
  try {
    return await work();
  } finally {
    world.phase = before;
  }
}

/** Where a hop was, in the scenario's words. */
export function hopName(world: World, hop: Hop): string {
  const fn = world.machine.hierarchy.functions[hop.at];
  return hop.at === ROOT_COMPLEX ? 'root complex' : fn === undefined ? 'nowhere' : world.nameOf(fn);
}
