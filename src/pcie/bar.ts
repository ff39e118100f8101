/** Base Address Registers. PCIe Base Specification, 7.5.1.2.1. */

import type { BusAddr, PhysAddr } from '../core/address.ts';
import { busAddr } from '../core/address.ts';
import type { ConfigSpace } from './config-space.ts';
import { BAR0 } from './registers.ts';

export interface Bar {
  /** 0 to 5; of a 64-bit BAR the lower of its two slots. */
  readonly index: number;
  readonly space: 'memory' | 'io';
  readonly is64Bit: boolean;
  readonly prefetchable: boolean;
  /** What a TLP must carry to hit it; null where it is not assigned or not known. */
  readonly busAddress: BusAddr | null;
  /** Where the CPU sees it (the kernel's resource start); null where it is not assigned or not known. */
  readonly cpuAddress: PhysAddr | null;
  /** Length in bytes; null where the source cannot tell (a plain hex dump). */
  readonly size: number | null;
}

/** What the six registers say: place and kind, but never a size. */
export interface BarRegister {
  readonly index: number;
  readonly space: 'memory' | 'io';
  readonly is64Bit: boolean;
  readonly prefetchable: boolean;
  /** The address bits as they stand; null where they are beyond what is known or no address at all. */
  readonly value: BusAddr | null;
}

/**
 * Decodes the BAR registers of a type 0 (six) or type 1 (two) header. A register of all zeros is no BAR, as far as a dump
 * can tell. Registers that are not known are left out.
 */
export function barRegisters(config: ConfigSpace, count: number): BarRegister[] {
  const bars: BarRegister[] = [];
  for (let index = 0; index < count; index++) {
    const low = config.u32(BAR0 + index * 4);
    if (low === undefined || low === 0 || low === 0xffffffff) continue;
    if (low & 1) {
      bars.push({ index, space: 'io', is64Bit: false, prefetchable: false, value: busAddr((low & ~3) >>> 0) });
      continue;
    }
    const is64Bit = (low & 6) === 4 && index + 1 < count;
    const high = is64Bit ? config.u32(BAR0 + index * 4 + 4) : 0;
    const base = (low & ~0xf) >>> 0;
    const value = high === undefined || high >= 0x200000 ? null : busAddr(high * 2 ** 32 + base);
    bars.push({ index, space: 'memory', is64Bit, prefetchable: (low & 8) !== 0, value });
    if (is64Bit) index++;
  }
  return bars;
}
