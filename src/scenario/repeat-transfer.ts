/**
 * A transfer tried again with the same addresses, after its unmap. What an IOMMU is for: the device still knows the addresses, and
 * must not reach the memory any more. The memory holds the complement of the data before, so that not one byte can look right
 * that did not arrive.
 */

import { hex } from '../core/hex.ts';
import type { DmaSegment } from '../dma/segment.ts';
import type { EngineFault } from '../engine/contract.ts';
import { bdfKey, formatBdf } from '../pcie/bdf.ts';
import { countPattern } from './pattern.ts';
import type { RepeatReport } from './report.ts';
import type { RepeatOutcome } from './scenario-types.ts';
import { type MoveOutcome, spoilMemories, type TransferContext } from './transfer-context.ts';

/** Moves the same segments once more; `move` is whatever moved them before. The mapping is unmapped already. */
export async function repeatTransfer(
  context: TransferContext,
  segments: readonly DmaSegment[],
  expected: RepeatOutcome,
  move: (context: TransferContext, segments: readonly DmaSegment[]) => Promise<MoveOutcome>,
): Promise<RepeatReport> {
  const { engine } = context.world.host;
  await spoilMemories(context);
  const { status } = await move(context, segments);
  const bytesArrived = await countArrived(context);
  const faults = await engine.takeFaults();
  const isNamed = faults.some(({ requester }) => bdfKey(requester) === context.device.fn.key);
  const outcome = bytesArrived === context.totalBytes ? 'moved' : bytesArrived === 0 && isNamed ? 'stopped' : 'partly';
  return {
    outcome,
    expected,
    bytesArrived,
    status,
    iommuFaults: faults.map(faultWords),
    requesters: [...new Set(faults.map(({ requester }) => formatBdf(requester)))],
  };
}

/** `requester 0000:03:00.0, write of 0xfffef000: notMapped`. */
export function faultWords({ requester, access, address, reason }: EngineFault): string {
  return `requester ${formatBdf(requester)}, ${access} of ${hex(address)}: ${reason}`;
}

async function countArrived({ world, vectors, number }: TransferContext): Promise<number> {
  let [done, equal] = [0, 0];
  for (const { cpuAddress, length } of vectors) {
    const bytes = new Uint8Array(length);
    await world.host.engine.readMemory(cpuAddress, bytes);
    equal += countPattern(bytes, number, done);
    done += length;
  }
  return equal;
}
