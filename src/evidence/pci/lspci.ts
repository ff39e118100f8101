/**
 * Where a listing of lspci begins and ends, in a text with other things around it. What it says is read by machine/read/lspci, from the
 * bytes of the block; here only its functions are counted.
 */

import { latin1 } from '../../core/text.ts';
import type { CleanLine } from '../clean/clean-line.ts';
import type { BlockResult, ItemPlace, Reading, Recogniser, Taken } from '../recogniser.ts';
import { BDF_WORDS, leadingBdf } from './bdf-words.ts';
import { isBodyText } from './lspci-keywords.ts';
import type { DrawnExcerpt } from './lspci-tree.ts';

export type LspciItem = ListedFunction | DrawnExcerpt;

/** A header of a listing. */
export interface ListedFunction extends ItemPlace {
  readonly kind: 'lspci';
  readonly what: 'function';
  readonly function: string;
  /** What follows the address: class, maker, device. */
  readonly name: string;
}

/** Functions that are kept. */
const ITEMS_MAX = 5000;

/** As much of a header is kept. */
const NAME_MAX = 200;

// 0000:03:00.0 or a path of -PP, then `Class name [0604]: `, `0604: 8086:2030`, or the quotes of -mm.
const HEADER =
  /^\s*((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7](?:\/(?:[0-9a-f]{2}:)?[01][0-9a-f]\.[0-7]){0,32})\s+(?:([0-9a-f]{4}): [0-9a-f]{4}:[0-9a-f]{4}|([A-Z0-9][^:"]{1,70}): ?(?=\S)|(")[^"]{1,70}" ")/i;
/** Words of which every name of a class has one. */
const CLASS =
  /\[[0-9a-f]{4}\]$|\b(?:bridge|controllers?|devices?|interface|accelerators?|memory|processor|co-?processor|smbus|iommu|peripheral|pic|rtc|timer|modem|infiniband|instrumentation|counters|firewire|fibre channel|class|module|encryption|bluetooth|station|host|synchronizer|serial|management|subsystem|canbus|card)\b/i;
const HEX_ROW = /^\s*[0-9a-f]{2,3}: ?(?:[0-9a-f]{2}(?: |$)){1,16}/i;
/** The rest of a line that a mail program broke: bits with their signs, the end of a bracket. */
const REST = /^[\w<>[\]().,:/+ -]{1,70}$/;

/** A line of a body whose indentation was lost: bits with their signs, `Name: value`, sizes. */
const FLAT = /[+-](?:[\s,(]|$)|^[A-Z][\w ]{1,24}: |^(?:Max|Atomic|Equalization|Compliance|Latency)/;

/** A line of that many columns or more may have been broken. */
const BROKEN_COLUMNS = 56;

const isHeader = (text: string): boolean => {
  const match = HEADER.exec(text);
  if (match === null) return false;
  return match[2] !== undefined || match[4] !== undefined || CLASS.test(match[3] as string);
};

/** Recognises listings of lspci, with or without decoded text and hex. */
export const lspci: Recogniser<LspciItem> = {
  kind: 'lspci',
  manner: 'table',
  words: BDF_WORDS,
  open: (line, { file }) => (isHeader(line.text) ? new LspciReading(line, file) : null),
};

class LspciReading implements Reading<LspciItem> {
  readonly #file: string;
  readonly #items: LspciItem[] = [];
  #leftOut = 0;
  /** Lines of bodies, and those of them that are ACSCtl or ACSCap. */
  #bodyLines = 0;
  #acsLines = 0;
  #hexRows = 0;
  /** A blank line stands above. */
  #gap = false;
  #columns = 0;
  /** The indentation of the body was lost. */
  #flat = false;
  /** Columns by which headers are indented. */
  #margin = 0;

  constructor(header: CleanLine, file: string) {
    this.#file = file;
    this.#header(header);
  }

  take(line: CleanLine): Taken {
    const { text } = line;
    if (line.isBlank) {
      this.#gap = true;
      return 'taken';
    }
    if (line.stamp !== null || line.program !== null) return 'passed';
    const taken = this.#takes(line);
    if (!taken) return 'ended';
    this.#gap = false;
    this.#columns = text.length;
    return 'taken';
  }

  /** Bodies and rows of hex are most of a listing, and are told by their first bytes. */
  skim(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#gap || this.#margin > 0 || end - start < 4) return false;
    if (bytes[start] !== 0x09) return false;
    let at = start;
    while (bytes[at] === 0x09) at++;
    this.#body(latin1(bytes, at, Math.min(at + 4, end)));
    this.#columns = end - start;
    return true;
  }

  close(): BlockResult<LspciItem> | null {
    // Headers and ACSCtl lines alone were grepped out of a listing.
    if (this.#bodyLines > 0 && this.#bodyLines === this.#acsLines && this.#hexRows === 0) return null;
    return { items: this.#items, leftOut: this.#leftOut };
  }

  #takes(line: CleanLine): boolean {
    const { text, bare, indent } = line;
    if (isHeader(text)) {
      this.#header(line);
      return true;
    }
    if (HEX_ROW.test(text)) {
      this.#hexRows++;
      return true;
    }
    const isBody = isBodyText(bare);
    const isInside = !this.#gap && (indent > this.#margin || (this.#flat && FLAT.test(bare)));
    if (isBody || isInside) {
      this.#flat ||= isBody && indent <= this.#margin;
      this.#body(bare);
      return true;
    }
    return !this.#gap && this.#columns >= BROKEN_COLUMNS && REST.test(bare) && /[+\-)\]](?:[ ,]|$)/.test(bare);
  }

  #body(bare: string): void {
    this.#bodyLines++;
    if (bare.startsWith('ACSC')) this.#acsLines++;
  }

  #header({ text, indent, number }: CleanLine): void {
    this.#margin = indent;
    const bdf = leadingBdf(text.replace(/^\s*(?:\S{1,160}\/)?(?=\S)/, ''));
    if (bdf === null) return;
    if (this.#items.length === ITEMS_MAX) {
      this.#leftOut++;
      return;
    }
    const name = text
      .trim()
      .replace(/^\S+\s*/, '')
      .slice(0, NAME_MAX);
    this.#items.push({ kind: 'lspci', what: 'function', file: this.#file, line: number, function: bdf, name });
  }
}
