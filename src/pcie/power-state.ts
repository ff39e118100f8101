/** The power state that a function says it is in. PCI Power Management 1.2, 3.2.4 (PMCSR); PCIe 5.3.1. */

import { findCapability } from './capability.ts';
import type { PciFunction } from './pci-function.ts';

const CAP_POWER_MANAGEMENT = 0x01;
/** Power Management Control and Status, in the capability; bits 1:0 are the state. */
export const POWER_CONTROL = 4;

export interface PowerState {
  /** 0 to 3: D0 to D3hot. */
  readonly state: 0 | 1 | 2 | 3;
  /** Offset of the register in the configuration space. */
  readonly register: number;
  /** As it stands there, 16 bits. */
  readonly control: number;
}

/** The state of a function that answers; null without the capability, where it is not known, and where all ones came back. */
export function powerStateOf(fn: PciFunction): PowerState | null {
  if (fn.poweredDown) return null;
  const offset = findCapability(fn.config, CAP_POWER_MANAGEMENT);
  if (offset === undefined || offset === 0) return null;
  const register = offset + POWER_CONTROL;
  const control = fn.config.u16(register);
  return control === undefined ? null : { state: (control & 3) as 0 | 1 | 2 | 3, register, control };
}
