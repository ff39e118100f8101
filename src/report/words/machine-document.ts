/** The machine as every JSON document names it. */

import type { Machine } from '../../machine/machine.ts';
import { type CpuInferred, cpuInferred, cpuText } from './cpu-text.ts';

export interface MachineDocument {
  readonly source: string;
  readonly functions: number;
  readonly cpu: string | null;
  readonly cpuInferred: CpuInferred | null;
  readonly kernel: string | null;
}

/** The part `machine` of a document. */
export function machineDocument(machine: Machine): MachineDocument {
  return {
    source: machine.source,
    functions: machine.hierarchy.functions.length,
    cpu: cpuText(machine.cpu),
    cpuInferred: cpuInferred(machine),
    kernel: machine.kernel,
  };
}
