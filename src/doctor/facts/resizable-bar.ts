/** The Resizable BAR capability. PCIe Base Specification, 7.8.6: one pair of registers a BAR, sizes from 1 MiB on as bits from 4 on. */

import { EXT_CAP_REBAR, findExtendedCapability } from '../../pcie/capability.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

export interface ResizableBar {
  readonly bar: number;
  /** Bytes. */
  readonly size: number;
  /** The largest that the device can, bytes. */
  readonly maxSize: number;
  /** Offset of the Control register. */
  readonly register: number;
  readonly control: number;
}

const MIB = 2 ** 20;

/** What a function's BARs could be; null where the extended registers are not known, empty where they cannot be resized. */
export function resizableBars(fn: PciFunction): ResizableBar[] | null {
  const offset = fn.poweredDown ? undefined : findExtendedCapability(fn.config, EXT_CAP_REBAR);
  if (offset === undefined) return isNotListed(fn) ? [] : null;
  if (offset === 0) return [];
  const count = ((fn.config.u32(offset + 8) ?? 0) >>> 5) & 7;
  const bars: ResizableBar[] = [];
  for (let entry = 0; entry < Math.min(count, 6); entry++) {
    const at = offset + 4 + entry * 8;
    const sizes = fn.config.u32(at);
    const control = fn.config.u32(at + 4);
    if (sizes === undefined || control === undefined) return null;
    // Bits 4 to 31 are 1 MiB to 128 TiB; bits 31:16 of Control go on from 256 TiB, which nobody has.
    const largest = 31 - Math.clz32(sizes >>> 4);
    bars.push({
      bar: control & 7,
      size: MIB * 2 ** ((control >>> 8) & 0x3f),
      maxSize: largest < 0 ? 0 : MIB * 2 ** largest,
      register: at + 4,
      control,
    });
  }
  return bars;
}

/** Text that lists a function’s extended capabilities, and this is none of them. Listings that do not know it print its number, 15h. */
function isNotListed({ facts: { text } }: PciFunction): boolean {
  return (
    text?.extendedListed === true && !(text.capabilities ?? []).some(({ name }) => /Resizable BAR|^#15$/i.test(name))
  );
}
