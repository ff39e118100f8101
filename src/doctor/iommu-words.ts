/**
 * What the command line asks of IOMMUs: DMA without translation, or none at all. Linux iommu_setup() (x86), iommu_set_def_domain_type(),
 * the drivers' own intel_iommu= and amd_iommu=.
 */

import type { Machine } from '../machine/machine.ts';
import { type CommandLine, lastValue, plainKey, type Token } from './command-line.ts';
import { isX86 } from './is-x86.ts';

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
export function passthroughAsked({ cpu }: Pick<Machine, 'cpu'>, { tokens }: CommandLine): boolean | null {
  const isHeard = ({ key }: Token): boolean => plainKey(key) !== 'iommu' || cpu === null || isX86(cpu.vendor);
  const last = tokens.findLast((token) => passthroughOf(token) !== null && isHeard(token));
  return last === undefined ? null : passthroughOf(last);
}

/** Whether the line switches the machine's IOMMU off: each maker's word is for its own. */
export function isIommuOff({ cpu }: Pick<Machine, 'cpu'>, line: CommandLine): boolean {
  const vendor = cpu?.vendor ?? null;
  if (vendor !== null && !isX86(vendor)) return false;
  const isAmd = vendor === null ? null : /AMD|Hygon/.test(vendor);
  const words = ['iommu', ...(isAmd === true ? [] : ['intel_iommu']), ...(isAmd === false ? [] : ['amd_iommu'])];
  return words.some((key) => (lastValue(line, key) ?? '').split(',').includes('off'));
}
