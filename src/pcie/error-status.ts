/** Errors that a function has recorded: the Uncorrectable Error Status of Advanced Error Reporting. PCIe 7.8.4.2. */

import { EXT_CAP_AER, findExtendedCapability } from './capability.ts';
import type { PciFunction } from './pci-function.ts';

/** Errors that peer traffic leads to, by the names that lspci prints. */
export type UncorrectableError =
  | 'PoisonedTLP'
  | 'CmpltTO'
  | 'CmpltAbrt'
  | 'UnxCmplt'
  | 'MalfTLP'
  | 'UnsupReq'
  | 'ACSViol';

export const UNCORRECTABLE_ERRORS: Readonly<Record<UncorrectableError, number>> = {
  PoisonedTLP: 1 << 12,
  CmpltTO: 1 << 14,
  CmpltAbrt: 1 << 15,
  UnxCmplt: 1 << 16,
  MalfTLP: 1 << 18,
  UnsupReq: 1 << 20,
  ACSViol: 1 << 21,
};

export interface ErrorStatus {
  readonly errors: readonly UncorrectableError[];
  /** Offset of the register in the configuration space. */
  readonly register: number;
  /** As it stands there, 32 bits. */
  readonly status: number;
}

/** What a function has recorded and nobody has cleared; null without the capability, or where the register is not known. */
export function errorStatusOf(fn: PciFunction): ErrorStatus | null {
  const offset = fn.poweredDown ? undefined : findExtendedCapability(fn.config, EXT_CAP_AER);
  if (offset === undefined || offset === 0) return null;
  const status = fn.config.u32(offset + 4);
  if (status === undefined) return null;
  const names = Object.keys(UNCORRECTABLE_ERRORS) as UncorrectableError[];
  const errors = names.filter((name) => (status & UNCORRECTABLE_ERRORS[name]) !== 0);
  return { errors, register: offset + 4, status };
}
