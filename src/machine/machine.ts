/** One computer as a snapshot: what the hardware is and what the kernel on it said. Nothing here is a judgement. */

import { checkObject, isObject } from '../core/argument.ts';
import type { Range } from '../core/range.ts';
import type { Hierarchy } from '../pcie/hierarchy.ts';
import type { PciFunction } from '../pcie/pci-function.ts';
import { type HostEvidence, NO_HOST_EVIDENCE } from './host-evidence.ts';

export interface Cpu {
  /** CPUID vendor string: `AuthenticAMD`, `GenuineIntel`, `HygonGenuine`. */
  readonly vendor: string;
  /** Displayed family, decimal in /proc/cpuinfo. Null where the source gives none (ARM, POWER). */
  readonly family: number | null;
}

/** A line of /proc/iomem, `end` exclusive, CPU addresses. */
export interface IomemEntry extends Range {
  readonly name: string;
  /** 0 at the left margin. */
  readonly depth: number;
}

/** How a device's DMA meets the IOMMU. */
export type IommuMode = 'on' | 'off' | 'passthrough';

/** Something the reader noticed; it never costs the file. */
export interface ReadNote {
  readonly code: string;
  readonly file: string;
  /** 1-based, or null. */
  readonly line: number | null;
  readonly message: string;
}

export interface Machine {
  /** What the user called it. */
  readonly source: string;
  readonly hierarchy: Hierarchy;
  /** `System RAM` of the memory map, sorted, joined; empty where none is known. */
  readonly ram: readonly Range[];
  readonly iomem: readonly IomemEntry[];
  readonly cpu: Cpu | null;
  /** Kernel release, `6.12.117`; null where not known. */
  readonly kernel: string | null;
  /** Kernel command line; null where not known. */
  readonly cmdline: string | null;
  /** The machine field of `uname -a`, or lscpu's architecture: `aarch64`. Left out or null where not known. */
  readonly architecture?: string | null | undefined;
  /** Type of each IOMMU group as sysfs prints it: `DMA`, `DMA-FQ`, `identity`, ... */
  readonly iommuGroupTypes: ReadonlyMap<number, string>;
  /** What the kernel says beside PCI; left out of machines that were described, and never part of a verdict. */
  readonly host?: HostEvidence | undefined;
  readonly notes: readonly ReadNote[];
}

/** What the kernel of a machine says beside PCI; every part is null where nothing was captured. */
export function hostEvidenceOf(machine: Machine): HostEvidence {
  return machine.host ?? NO_HOST_EVIDENCE;
}

const IOMMU_MODES: Readonly<Record<string, IommuMode>> = {
  DMA: 'on',
  'DMA-FQ': 'on',
  identity: 'passthrough',
};

/**
 * How the machine's evidence says that a function's DMA meets the IOMMU: by the type of its group; no group in a capture
 * of sysfs means that there is no IOMMU for it. Null where nothing tells (a dump of registers or text without groups).
 */
export function iommuModeOf(machine: Machine, fn: PciFunction): IommuMode | null {
  if (!isObject(machine)) checkObject(machine, 'hierarchy', 'iommuModeOf: machine', 'a Machine, as readMachine gives');
  if (!isObject(fn)) checkObject(fn, 'bdf', 'iommuModeOf: fn', 'a PciFunction of machine.hierarchy');
  const group = fn.iommuGroup;
  if (group === null) return fn.facts.sysfs === null ? null : 'off';
  const type = machine.iommuGroupTypes.get(group);
  return type === undefined ? null : (IOMMU_MODES[type] ?? null);
}
