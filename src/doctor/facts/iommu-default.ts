/**
 * How the kernel treats devices whose IOMMU group is not in the capture: what it logged of its default, and what it was built with. Linux
 * drivers/iommu/Kconfig and iommu.c, "Default domain type".
 */

import { hostEvidenceOf, type IommuMode, type Machine } from '../../machine/machine.ts';
import type { CommandLine } from '../command-line/command-line.ts';
import { passthroughAsked } from '../command-line/iommu-words.ts';

/** The mode of all devices that nobody told otherwise; null where that is not known. What the command line asks for stands above it. */
export function defaultMode(machine: Machine, commandLine: CommandLine | null): IommuMode | null {
  const { kernelConfig, kernelLog } = hostEvidenceOf(machine);
  if (kernelLog?.some(({ text }) => /\biommu: Default domain type: Passthrough\b/.test(text))) return 'passthrough';
  if (kernelConfig === null || commandLine === null || passthroughAsked(machine, commandLine) === false) return null;
  const isOff = (symbol: string): boolean => kernelConfig.options.get(symbol)?.value === 'n';
  const isX86 = kernelConfig.options.get('X86_64')?.value === 'y';
  // No driver of an IOMMU: whatever the hardware has, nothing is translated.
  if (isX86 && isOff('INTEL_IOMMU') && isOff('AMD_IOMMU')) return 'off';
  return kernelConfig.options.get('IOMMU_DEFAULT_PASSTHROUGH')?.value === 'y' ? 'passthrough' : null;
}
