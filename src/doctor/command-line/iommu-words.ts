/**
 * What the command line asks of IOMMUs: DMA without translation, or none at all. Linux iommu_setup() (x86), iommu_set_def_domain_type(),
 * the drivers' own intel_iommu= and amd_iommu=.
 */

import { processorOf } from '../../machine/infer/processor.ts';
import type { Machine } from '../../machine/machine.ts';
import { type CommandLine, lastValue, plainKey, type Token } from './command-line.ts';

/** Whether a machine is x86, or nothing shows what else it is: some words are heard there alone. Linux arch/x86/kernel/pci-dma.c: iommu_setup(). */
export function mayBeX86(machine: Machine): boolean {
  const { architecture } = processorOf(machine);
  return architecture === null || architecture === 'x86';
}

/** Whether a word asks for DMA that is not translated (true) or for translation (false); null where it is about neither. */
export function passthroughOf(token: Token): boolean | null {
  const { value } = token;
  const key = plainKey(token.key);
  if (key === 'iommu') {
    const last = (value ?? '').split(',').findLast((word) => word === 'pt' || word === 'nopt');
    return last === undefined ? null : last === 'pt';
  }
  if (key !== 'iommu.passthrough' || value === null) return null;
  if (/^(?:1|y|yes|on|t)/i.test(value)) return true;
  return /^(?:0|n|off|f)/i.test(value) ? false : null;
}

/**
 * What the whole line asks for: the last word about it counts, whichever of the two it is. Null where there is none. `iommu=` is heard
 * on x86 alone; of a processor that is not known it is taken to be.
 */
export function passthroughAsked(machine: Machine, { tokens }: CommandLine): boolean | null {
  const isHeard = ({ key }: Token): boolean => plainKey(key) !== 'iommu' || mayBeX86(machine);
  const last = tokens.findLast((token) => passthroughOf(token) !== null && isHeard(token));
  return last === undefined ? null : passthroughOf(last);
}

/** Base class and subclass of an IOMMU as a PCI function: AMD's is one, Intel's is none. PCI Code and ID Assignment 1.9. */
const CLASS_IOMMU = 0x0806;

/**
 * Whose IOMMU an x86 machine has, which its processor does not tell in a guest. AMD's is a PCI function by its specification; one that
 * works and is none is Intel's, where the line has asked for that. Null where nothing tells.
 */
export function iommuMaker(machine: Machine, line: CommandLine | null): 'intel' | 'amd' | null {
  const { vendor } = processorOf(machine);
  if (machine.hierarchy.functions.some((fn) => fn.classCode === CLASS_IOMMU)) return 'amd';
  if (vendor === null) return null;
  if (!/AMD|Hygon/.test(vendor)) return 'intel';
  if (machine.iommuGroupTypes.size === 0) return 'amd';
  const asked = line === null ? '' : (lastValue(line, 'intel_iommu') ?? '');
  return asked.split(',').includes('on') ? 'intel' : null;
}

/** Whether the line switches the machine's IOMMU off: each maker's word is for its own, and `before` is the line that runs. */
export function isIommuOff(machine: Machine, line: CommandLine, before: CommandLine = line): boolean {
  if (!mayBeX86(machine)) return false;
  const { vendor } = processorOf(machine);
  // Of a guest's IOMMU that nothing tells of, the processor's own word is the likelier.
  const maker = iommuMaker(machine, before) ?? (vendor === null ? null : 'amd');
  const words = ['iommu', ...(maker === 'amd' ? [] : ['intel_iommu']), ...(maker === 'intel' ? [] : ['amd_iommu'])];
  return words.some((key) => (lastValue(line, key) ?? '').split(',').includes('off'));
}
