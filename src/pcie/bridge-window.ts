/** The windows of a PCI-to-PCI bridge. PCIe Base Specification, 7.5.1.3.5 to 7.5.1.3.10. */

import { addressFromWords } from '../core/address.ts';
import type { ConfigSpace } from './config-space.ts';
import {
  IO_BASE,
  IO_BASE_UPPER,
  MEMORY_BASE,
  PREFETCHABLE_BASE,
  PREFETCHABLE_BASE_UPPER,
  PREFETCHABLE_LIMIT_UPPER,
} from './registers.ts';

/** An open window, `end` exclusive. */
export interface BridgeWindow {
  readonly start: number;
  readonly end: number;
}

/** null is a closed window, undefined one that the source says nothing about. */
export type WindowFact = BridgeWindow | null | undefined;

/** The window of a base and an inclusive limit; base > limit means closed. */
export function windowOf(base: number, limit: number): BridgeWindow | null {
  return base > limit ? null : { start: base, end: limit + 1 };
}

/** Memory Base and Limit, 1 MiB granularity. */
export function memoryWindow(config: ConfigSpace): WindowFact {
  const register = config.u32(MEMORY_BASE);
  if (register === undefined) return undefined;
  const base = (register & 0xfff0) * 0x10000;
  const limit = (register >>> 20) * 0x100000 + 0xfffff;
  return windowOf(base, limit);
}

/** Prefetchable Memory Base and Limit with their upper halves. */
export function prefetchableWindow(config: ConfigSpace): WindowFact {
  const register = config.u32(PREFETCHABLE_BASE);
  if (register === undefined) return undefined;
  const is64Bit = (register & 0xf) === 1;
  const upperBase = is64Bit ? config.u32(PREFETCHABLE_BASE_UPPER) : 0;
  const upperLimit = is64Bit ? config.u32(PREFETCHABLE_LIMIT_UPPER) : 0;
  if (upperBase === undefined || upperLimit === undefined) return undefined;
  const base = addressFromWords(upperBase, (register & 0xfff0) * 0x10000);
  const limit = addressFromWords(upperLimit, (register >>> 20) * 0x100000 + 0xfffff);
  // Firmware closes a window with a base of all ones, which is no address of ours.
  if (base === null || limit === null) return null;
  return windowOf(base, limit);
}

/** I/O Base and Limit, 4 KiB granularity. */
export function ioWindow(config: ConfigSpace): WindowFact {
  const register = config.u16(IO_BASE);
  if (register === undefined) return undefined;
  const is32Bit = (register & 0xf) === 1;
  const upper = is32Bit ? config.u32(IO_BASE_UPPER) : 0;
  if (upper === undefined) return undefined;
  const base = (upper & 0xffff) * 0x10000 + (register & 0xf0) * 0x100;
  const limit = (upper >>> 16) * 0x10000 + ((register >> 8) & 0xf0) * 0x100 + 0xfff;
  return windowOf(base, limit);
}
