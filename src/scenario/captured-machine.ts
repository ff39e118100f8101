/**
 * A captured machine made fit to run: a listing of lspci tells neither where RAM lies nor whether an IOMMU translates. The scenario
 * may say it; what it leaves open is assumed, and the report says so.
 */

import { hex } from '../core/hex.ts';
import { joinRanges, type Range, withoutRanges } from '../core/range.ts';
import type { Machine } from '../machine/machine.ts';

const MIB = 2 ** 20;
/** Where machines have RAM: above the first megabyte, below the hole for 32-bit BARs. */
const LOW_MEMORY: Range = { start: MIB, end: 3 * 2 ** 30 };
/** More than a scenario needs. */
const ASSUMED_BYTES = 512 * MIB;

export interface MachineWithRam {
  readonly machine: Machine;
  /** What was assumed, in words. */
  readonly assumed: readonly string[];
}

/**
 * The machine with the RAM that the scenario declares besides its memory map, and where both say nothing with some in the widest
 * gap between BARs and windows below 3 GiB.
 */
export function withRam(machine: Machine, declared: readonly { start: number; size: number }[]): MachineWithRam {
  if (declared.length > 0) {
    const ranges = declared.map(({ start, size }) => ({ start, end: start + size }));
    return { machine: withDeclaredRam(machine, ranges), assumed: [] };
  }
  if (machine.ram.length > 0) return { machine, assumed: [] };
  const taken = [...memoryBars(machine), ...barsOfUnknownSize(machine), ...windows(machine)];
  const free = withoutRanges([LOW_MEMORY], taken);
  const [widest] = free.sort((a, b) => b.end - b.start - (a.end - a.start));
  if (widest === undefined) return { machine, assumed: [] };
  const ram = { start: widest.start, end: Math.min(widest.end, widest.start + ASSUMED_BYTES) };
  const size = `${(ram.end - ram.start) / MIB} MiB`;
  const message = `the capture does not tell where RAM lies: taken as ${size} from ${hex(ram.start)} on (ram: in the scenario says otherwise)`;
  return { machine: { ...machine, ram: [ram] }, assumed: [message] };
}

/** The machine with RAM that is declared besides its memory map. It is often declared generously: a BAR stays a BAR. */
export function withDeclaredRam(machine: Machine, declared: readonly Range[]): Machine {
  return { ...machine, ram: joinRanges([...machine.ram, ...withoutRanges(declared, memoryBars(machine))]) };
}

/** CPU addresses of the memory BARs of known size. */
function memoryBars({ hierarchy }: Machine): Range[] {
  return hierarchy.functions.flatMap(({ bars }) =>
    bars.flatMap(({ space, cpuAddress, size }) =>
      space === 'memory' && cpuAddress !== null && size !== null ? [{ start: cpuAddress, end: cpuAddress + size }] : [],
    ),
  );
}

/** What BARs of unknown size can have at most: a BAR lies at a multiple of its size. */
function barsOfUnknownSize({ hierarchy }: Machine): Range[] {
  return hierarchy.functions.flatMap(({ bars }) =>
    bars.flatMap(({ space, cpuAddress, size }) => {
      if (space !== 'memory' || cpuAddress === null || size !== null || cpuAddress === 0) return [];
      let most = 16;
      while (cpuAddress % (most * 2) === 0) most *= 2;
      return [{ start: cpuAddress, end: cpuAddress + most }];
    }),
  );
}

/** CPU addresses of the open windows of bridges. */
function windows({ hierarchy }: Machine): Range[] {
  return hierarchy.functions.flatMap(({ memoryWindow, prefetchableWindow, busOffset }) =>
    [memoryWindow, prefetchableWindow].flatMap((window) =>
      window ? [{ start: window.start - busOffset, end: window.end - busOffset }] : [],
    ),
  );
}
