/** ACS Control of one function, now and then: the unit that fixes, parameters and undo lines are made of. PCIe 7.7.11. */

import { assert } from '../core/assert.ts';
import { REDIRECT_BITS } from '../pcie/acs.ts';
import type { Source } from '../pcie/function-facts.ts';
import type { Hierarchy } from '../pcie/hierarchy.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { devicePath } from './command-line/device-path.ts';

/** ACS Control of one function, now and then. */
export interface PortChange {
  readonly at: PciFunction;
  /** In the form that survives renumbering; null where the way from the root is not known. */
  readonly devicePath: string | null;
  /** Offset of ACS Control in the configuration space; null where it is known from text alone. */
  readonly register: number | null;
  readonly before: number;
  readonly after: number;
  /** Bits that are written; the others stay. */
  readonly mask: number;
  /** Where the present value was read. */
  readonly source: Source | null;
}

/** Values of ACS Control by `bdfKey`, as a copy of the machine takes them. */
export function controlsOf(ports: readonly Pick<PortChange, 'at' | 'after'>[]): Map<number, number> {
  return new Map(ports.map(({ at, after }) => [at.key, after]));
}

/** The change of the function at `index`, whose ACS registers must be known. `after` makes the new value of the present one. */
export function portChange(
  hierarchy: Hierarchy,
  index: number,
  after: (control: number) => number,
  mask: number = REDIRECT_BITS,
): PortChange {
  const fn = hierarchy.functions[index] as PciFunction;
  const { acs } = fn;
  assert(acs.state === 'present', `ACS of ${fn.name} is known`);
  return {
    at: fn,
    devicePath: devicePath(hierarchy, index),
    register: acs.offset === null ? null : acs.offset + 6,
    before: acs.control,
    after: after(acs.control),
    mask,
    source: fn.sourceOf('acs'),
  };
}
