/**
 * ACSCtl lines that were grepped out of `lspci -vvv`, with or without the headers of the functions that they belong to. A function
 * without the capability prints none, and so does every function where lspci ran without root.
 *
 *   $ lspci -vvv | grep -E '^[0-9a-f]|ACSCtl'
 *   00:01.1 PCI bridge: ...
 *           ACSCtl: SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-
 */

import { ACS_BITS } from '../../pcie/acs.ts';
import type { CleanLine } from '../clean/clean-line.ts';
import { type ItemPlace, type Recogniser, tableOf } from '../recogniser.ts';
import { BDF_WORDS, leadingBdf } from './bdf-words.ts';

export interface AcsControlItem extends ItemPlace {
  readonly kind: 'lspci-acsctl';
  /** The function that the header above names; null where there is no header. */
  readonly function: string | null;
  /** What the header says of it, behind the address; null where there is none. */
  readonly name: string | null;
  /** ACS Control register, of the bits that are printed. */
  readonly control: number;
  /** Bits that are printed: all seven, unless the line was cut. */
  readonly printed: number;
  /** ACS Capability register, where its line was grepped as well. */
  readonly capability: number | null;
}

const ACS_LINE = /\bACS(Ctl|Cap):?\s+(?=\w)/;
const HEADER = /^\s*(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7](?:\s+(?:[A-Z0-9]|ACSC)|:?$|\s*:\s*ACSC|$)/i;

/** Recognises grepped ACSCtl lines. Whole listings belong to the recogniser of lspci, which stands before this one. */
export const lspciAcsctl: Recogniser<AcsControlItem> = tableOf<AcsControlItem>({
  kind: 'lspci-acsctl',
  words: ['ACSCtl', 'ACSCap', ...BDF_WORDS],
  begins: ({ text }) => bitsOf(text) !== null || HEADER.test(text),
  continues: ({ text, isBlank }) => {
    if (isBlank) return 'passed';
    return bitsOf(text) !== null || HEADER.test(text) ? 'taken' : 'ended';
  },
  read: (lines, { file, above }) => {
    const items = itemsOf(lines, file, above === null || !HEADER.test(above) ? null : leadingBdf(above));
    return items.length === 0 ? null : { items };
  },
});

/** @param above the function whose address alone stands right above the block */
function itemsOf(lines: readonly CleanLine[], file: string, above: string | null): AcsControlItem[] {
  const items: AcsControlItem[] = [];
  let header = above === null ? null : { function: above, name: null as string | null };
  let capability: number | null = null;
  for (const { text, number } of lines) {
    const bits = bitsOf(text);
    const bdf = leadingBdf(text);
    if (bdf !== null) {
      capability = null;
      header = { function: bdf, name: bits === null ? nameOf(text) : null };
    }
    if (bits === null) continue;
    if (bits.register === 'Cap') {
      capability = bits.on;
      continue;
    }
    const { on: control, printed } = bits;
    items.push({
      kind: 'lspci-acsctl',
      file,
      line: number,
      function: header?.function ?? null,
      name: header?.name ?? null,
      control,
      printed,
      capability,
    });
    // One function has one register: a second line below the same header is of a function whose header was not grepped.
    if (bdf === null) header = null;
    capability = null;
  }
  return items;
}

function nameOf(text: string): string | null {
  const name = text.trim().replace(/^\S+\s*/, '');
  return name === '' ? null : name;
}

/** Bits of an ACSCtl or ACSCap line; null where the line is none, or shows not even the redirects' first. */
function bitsOf(
  text: string,
): { readonly register: 'Ctl' | 'Cap'; readonly on: number; readonly printed: number } | null {
  const match = ACS_LINE.exec(text);
  if (match === null) return null;
  let on = 0;
  let printed = 0;
  for (const token of text.slice(match.index + match[0].length).split(/[\s,]+/)) {
    const sign = token.at(-1);
    const bit = ACS_BITS.find(({ lspci }) => token.length === lspci.length + 1 && token.startsWith(lspci));
    if (bit === undefined || (sign !== '+' && sign !== '-')) continue;
    printed |= bit.mask;
    if (sign === '+') on |= bit.mask;
  }
  return printed === 0 ? null : { register: match[1] as 'Ctl' | 'Cap', on, printed };
}
