/** A CPU in a few words: as it was captured, or as the root complex shows it. */

import { processorOf } from '../../machine/infer/processor.ts';
import type { Cpu, Machine } from '../../machine/machine.ts';

/** `AuthenticAMD:23`, or null where the CPU or its family is not known. */
export function cpuText(cpu: Cpu | null): string | null {
  return cpu === null || cpu.family === null ? null : `${cpu.vendor}:${cpu.family}`;
}

/** `AuthenticAMD:23`; `AMD Zen or newer (family 23 or 25), from root complex 1022:1480 (0000:00:00.0)`; `not known`. */
export function cpuWords(machine: Machine): string {
  const text = cpuText(machine.cpu);
  if (text !== null) return text;
  const { evidence, name, families, from } = processorOf(machine);
  if (evidence === 'told' || name === null) return machine.cpu?.vendor ?? 'not known';
  const which = families.length === 0 ? '' : ` (family ${families.join(' or ')})`;
  return `${name}${which}, from ${from}`;
}

/** The contract's `machine.cpuInferred`: what the root complex shows of a CPU that the capture does not name. */
export interface CpuInferred {
  /** CPUID vendor string. */
  readonly vendor: string;
  /** All that it may be of. */
  readonly families: readonly number[];
  readonly from: string;
}

/** Null where the CPU was captured or given, and where the families are not known. */
export function cpuInferred(machine: Machine): CpuInferred | null {
  const { evidence, vendor, families, from } = processorOf(machine);
  if (evidence !== 'inferred' || vendor === null || from === null || families.length === 0) return null;
  return { vendor, families, from };
}
