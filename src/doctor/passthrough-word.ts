/** Words of the command line that ask for DMA without translation, or with it. Linux iommu_setup() (x86) and iommu_set_def_domain_type(). */

import { type CommandLine, plainKey, type Token } from './command-line.ts';

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

/** What the whole line asks for: the last word about it counts, whichever of the two it is. Null where there is none. */
export function passthroughAsked({ tokens }: CommandLine): boolean | null {
  const last = tokens.findLast((token) => passthroughOf(token) !== null);
  return last === undefined ? null : passthroughOf(last);
}
