/** ACSCtl lines that were grepped with their functions' addresses, given back to the functions. */

import type { AcsControlItem } from '../evidence/pci/lspci-acsctl.ts';
import { bdfKey, parseBdf } from '../pcie/bdf.ts';
import type { FunctionFacts, TextFacts } from '../pcie/function-facts.ts';

/** All bits that the path-wide rule and the directional one ask for. */
const ALL_BITS = 0x7f;

/** `functions` with the ACS Control of lines that name them, where the functions' own evidence shows none. */
export function withAcsLines(
  functions: readonly FunctionFacts[],
  lines: readonly AcsControlItem[],
): readonly FunctionFacts[] {
  const byKey = new Map<number, AcsControlItem>();
  for (const item of lines) {
    const bdf = item.function === null ? null : parseBdf(item.function);
    // A line that was cut does not show every bit, and what it does not show may be set.
    if (bdf !== null && item.printed === ALL_BITS) byKey.set(bdfKey(bdf), item);
  }
  if (byKey.size === 0) return functions;
  return functions.map((facts) => {
    const item = byKey.get(bdfKey(facts.bdf));
    // 256 bytes and more of registers, or text that prints the capability, know better.
    if (item === undefined || facts.config.length > 256 || facts.text?.acs !== undefined) return facts;
    const text: TextFacts = { ...(facts.text ?? { lines: {}, file: item.file }) };
    text.lines = { ...text.lines, acs: item.line };
    // What the port could do was not grepped: at least what is on.
    text.acs = { state: 'present', offset: null, capability: item.capability ?? item.control, control: item.control };
    return { ...facts, text };
  });
}
