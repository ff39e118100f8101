/** The bytes of a transfer: what the memory and the device hold before, and what is right of it afterwards. */

import { hex } from '../core/hex.ts';
import type { EngineFault } from '../engine/register.ts';
import type { TransferEnd } from '../engine/transfer.ts';
import { bdfKey, formatBdf } from '../pcie/bdf.ts';
import type { Chosen } from './choose.ts';
import { countPattern, fillComplement, fillPattern } from './pattern.ts';
import type { RepeatReport } from './report.ts';
import type { RepeatOutcome, TransferDescription } from './scenario-types.ts';
import type { World } from './world.ts';

/** Bytes of the device: the data that it writes, or the complement of what it has to read. */
export function deviceData({ direction }: TransferDescription, { number, totalBytes }: Chosen): Uint8Array {
  const data = new Uint8Array(totalBytes);
  if (direction === 'fromDevice') fillPattern(data, number, 0);
  else fillComplement(data, number, 0);
  return data;
}

/** Writes the pattern where the vectors lie, by the CPU. */
export async function fillMemories(world: World, chosen: Chosen): Promise<void> {
  await writeMemories(world, chosen, fillPattern);
}

/** Writes the complement of the pattern where the vectors lie, by the CPU: no byte looks right that does not arrive. */
export async function spoilMemories(world: World, chosen: Chosen): Promise<void> {
  await writeMemories(world, chosen, fillComplement);
}

async function writeMemories(
  { host }: World,
  { vectors, number }: Chosen,
  fill: (bytes: Uint8Array, transfer: number, from: number) => void,
): Promise<void> {
  let done = 0;
  for (const { cpuAddress, length } of vectors) {
    const bytes = new Uint8Array(length);
    fill(bytes, number, done);
    await host.engine.writeMemory(cpuAddress, bytes);
    done += length;
  }
}

/** Bytes of each vector that are right: in what the device read, or where the owner of the memory keeps them. */
export async function compareVectors(
  world: World,
  { direction }: TransferDescription,
  chosen: Chosen,
  data: Uint8Array,
): Promise<number[]> {
  if (direction === 'fromDevice') return countArrived(world, chosen);
  let done = 0;
  return chosen.vectors.map(({ length }) => {
    const equal = countPattern(data.subarray(done, done + length), chosen.number, done);
    done += length;
    return equal;
  });
}

async function countArrived({ host }: World, { vectors, number }: Chosen): Promise<number[]> {
  const equal: number[] = [];
  let done = 0;
  for (const { cpuAddress, length } of vectors) {
    const bytes = new Uint8Array(length);
    await host.engine.readMemory(cpuAddress, bytes);
    equal.push(countPattern(bytes, number, done));
    done += length;
  }
  return equal;
}

/**
 * The transfer tried again with the same addresses, after its unmap. What an IOMMU is for: the device still knows the addresses, and
 * must not reach the memory any more. The memory holds the complement of the data before, so that not one byte can look right that did
 * not arrive.
 */
export async function compareAgain(
  world: World,
  chosen: Chosen,
  end: TransferEnd,
  expected: RepeatOutcome,
): Promise<RepeatReport> {
  await spoilMemories(world, chosen);
  const { status } = await end.again();
  const bytesArrived = (await countArrived(world, chosen)).reduce((sum, bytes) => sum + bytes, 0);
  const faults = await world.host.engine.takeFaults();
  const isNamed = faults.some(({ requester }) => bdfKey(requester) === chosen.fn.key);
  const outcome = bytesArrived === chosen.totalBytes ? 'moved' : bytesArrived === 0 && isNamed ? 'stopped' : 'partly';
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
