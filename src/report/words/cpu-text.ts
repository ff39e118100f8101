/** A CPU in one word. */

import type { Cpu } from '../../machine/machine.ts';

/** `AuthenticAMD:23`, or null where the CPU or its family is not known. */
export function cpuText(cpu: Cpu | null): string | null {
  return cpu === null || cpu.family === null ? null : `${cpu.vendor}:${cpu.family}`;
}
