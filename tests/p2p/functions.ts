/** Functions with BARs where a test wants them, without a machine around them. */

import { expect } from 'vitest';
import { parseBdf } from '../../src/pcie/bdf.ts';
import { ConfigSpace } from '../../src/pcie/config-space.ts';
import type { SysfsResource } from '../../src/pcie/function-facts.ts';
import { PciFunction } from '../../src/pcie/pci-function.ts';

const IO = 0x40101;
const MEMORY_64_PREFETCH = 0x14220c;
const UNUSED: SysfsResource = { start: 0, end: 0, flags: 0 };

export interface BarWish {
  readonly index: number;
  /** CPU address. */
  readonly start: number;
  readonly size: number;
  readonly space?: 'memory' | 'io';
}

/** A function as sysfs shows it. `busOffset` is bus minus CPU address. */
export function functionWithBars(
  bars: readonly BarWish[],
  { bdf = '0000:03:00.0', busOffset = 0 }: { bdf?: string; busOffset?: number } = {},
): PciFunction {
  const resources = Array.from({ length: 6 }, (_, index): SysfsResource => {
    const bar = bars.find((wish) => wish.index === index);
    if (!bar) return UNUSED;
    const flags = bar.space === 'io' ? IO : MEMORY_64_PREFETCH;
    return { start: bar.start, end: bar.start + bar.size - 1, flags };
  });
  const address = parseBdf(bdf);
  if (!address) throw new Error(`${bdf} is no address of a function`);
  return new PciFunction(
    {
      bdf: address,
      config: ConfigSpace.UNKNOWN,
      configSource: null,
      text: null,
      sysfs: {
        folder: `sys/bus/pci/devices/${bdf}`,
        parent: null,
        rootBus: 0,
        vendorId: 0x1234,
        deviceId: 0x5678,
        classCode: 0x010802,
        subsystemVendorId: undefined,
        subsystemId: undefined,
        resources,
        numaNode: undefined,
        iommuGroup: undefined,
        driver: undefined,
        physicalFunction: undefined,
        link: undefined,
        p2pmem: undefined,
      },
    },
    { busOffset, extendedVisible: true },
  );
}

/** A function known from text that prints no size: what a plain hex dump leaves open. */
export function functionWithoutSizes(): PciFunction {
  const known = functionWithBars([{ index: 4, start: 0x2000_0000_0000, size: 0x1000 }]);
  const [bar] = known.bars;
  if (!bar) throw new Error('the function has no BAR');
  return new PciFunction({
    ...known.facts,
    sysfs: null,
    text: { file: 'dump.txt', lines: {}, classCode: 0x0108, bars: [{ ...bar, size: null }] },
  });
}

/** The error of type `kind` that `action` must end in. */
export function refusal<E>(kind: new (...args: never[]) => E, action: () => unknown): E {
  try {
    action();
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** `expect(is).toBe(wanted)` for loops of millions of steps: the matcher is called only where it fails. */
export function same(is: unknown, wanted: unknown, context: string): void {
  if (!Object.is(is, wanted)) expect(is, context).toBe(wanted);
}
