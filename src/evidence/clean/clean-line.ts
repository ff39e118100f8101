/**
 * One line of a text as it was before it was pasted: end of line, colours, marks of quoted mail, hard blanks, entities of a web page and
 * the prefixes of logs are taken off, in this order. The indentation stays: formats use it, and what is common to a block is taken off
 * when the block is read.
 */

import { decodeText } from './decode.ts';
import { type NcclHead, type TakenPrefix, takePrefix } from './prefixes.ts';

/** As many bytes of a line are read; no format that is recognised by lines has longer ones. */
export const LINE_MAX = 4096;

/** As many bytes of a line are handed out to readers of JSON, which may be one line. */
const WHOLE_MAX = 8 * 1024 * 1024;

/** What a line is when it is no text: a fence of Markdown or a tag around a block, or a mark that something was left out. */
export type LineMark = 'fence' | 'cut' | null;

/** A cleaned line. Made only for lines that somebody may want: a log has a million others. */
export class CleanLine {
  /** 1-based, in the file. */
  readonly number: number;
  /** Without prefix and trailing blanks; at most `LINE_MAX` bytes of the line. */
  readonly text: string;
  /** The line was longer than `LINE_MAX`. */
  readonly cut: boolean;
  readonly #prefix: TakenPrefix | null;
  readonly #place: { readonly bytes: Uint8Array; readonly start: number; readonly end: number };

  constructor(bytes: Uint8Array, start: number, end: number, number: number, peel: RegExp | null = null) {
    this.#place = { bytes, start, end };
    this.number = number;
    this.cut = end - start > LINE_MAX;
    const plain = plainText(decodeText(bytes, start, Math.min(end, start + LINE_MAX)));
    const peeled = peel === null ? plain : plain.replace(peel, '');
    this.#prefix = takePrefix(peeled);
    this.text = this.#prefix === null ? peeled : peeled.slice(this.#prefix.length);
  }

  /** Without the indentation. */
  get bare(): string {
    return this.text.trimStart();
  }

  /** Columns of the indentation, a tab to the next multiple of eight. */
  get indent(): number {
    return indentOf(this.text);
  }

  get isBlank(): boolean {
    return this.text === '';
  }

  /** The time that was taken off, as it stood; null where none was. */
  get stamp(): string | null {
    return this.#prefix?.stamp ?? null;
  }

  /** The program that a log names before the line; `kernel` also where the kernel's time stands there. */
  get program(): string | null {
    return this.#prefix?.program ?? null;
  }

  /** NCCL's head that was taken off. */
  get nccl(): NcclHead | null {
    return this.#prefix?.nccl ?? null;
  }

  get mark(): LineMark {
    return markOf(this.text);
  }

  /** The line where `text` is its beginning only, cleaned of all but log prefixes: for JSON. */
  whole(): string {
    const { bytes, start, end } = this.#place;
    return plainText(decodeText(bytes, start, Math.min(end, start + WHOLE_MAX)));
  }
}

function indentOf(text: string): number {
  let columns = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x09) columns = (columns | 7) + 1;
    else if (code === 0x20) columns++;
    else break;
  }
  return columns;
}

// Colours and other sequences of a terminal, also where the escape was pasted as ^[ or as its picture.
const ESCAPE = String.raw`(?:\u001b|\^\[|\u241b)`;
const TERMINAL = new RegExp(
  String.raw`${ESCAPE}(?:\[[0-9;?]{0,16}[ -/]{0,2}[@-~]|\][^\u0007\u001b]{0,256}(?:\u0007|\u001b\\)?|[()][A-Z0-9])`,
  'g',
);
/** Characters that take no room: zero-width blanks and joiners, the byte order mark. */
const NO_WIDTH: ReadonlySet<number> = new Set([0x200b, 0x200c, 0x200d, 0xfeff]);
const HARD_BLANK = /[\u00a0\u2007\u202f]/g;
const ENTITY = /&(lt|gt|amp|quot|apos|nbsp|#39|#x27|#34);/g;
const ENTITIES: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  '#39': "'",
  '#x27': "'",
  '#34': '"',
};
/** Marks of quoted mail. A `>` of the text itself (`>TAbort-`) has no blank behind it. */
const QUOTE = /^ {0,8}(?:>(?: |(?=[>\t])|$))+/;

/** Whether anything but printable ASCII and tabs is there. */
const UNUSUAL = /[^\t\x20-\x7e]/;

/** A line without end, colours, quote marks, entities and trailing blanks. */
export function plainText(line: string): string {
  let text = line;
  if (UNUSUAL.test(text) || text.includes('^[')) {
    // What a program drew over with a return is gone from the screen as well.
    const drawn = text.trimEnd();
    const over = drawn.lastIndexOf('\r');
    text = (over < 0 ? drawn : drawn.slice(over + 1)).replace(TERMINAL, '').replace(HARD_BLANK, ' ');
    text = printable(text);
  }
  if (text.includes('&')) text = text.replace(ENTITY, (_entity, name: string) => ENTITIES[name] as string);
  const first = text.trimStart().charCodeAt(0);
  if (first === 0x3e) text = text.replace(QUOTE, '');
  return text.trimEnd();
}

/** Without control characters and characters that take no room. Tabs stay. */
function printable(text: string): string {
  let kept = '';
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code >= 0x20 || code === 0x09) && code !== 0x7f && !NO_WIDTH.has(code)) continue;
    kept += text.slice(from, at);
    from = at + 1;
  }
  return from === 0 ? text : kept + text.slice(from);
}

const FENCE =
  /^\s{0,8}(?:`{3,}[\w+.-]{0,20}|~{3,}[\w+.-]{0,20}|(?:<\/?(?:details|summary|pre|code|p|br|blockquote|div)(?: [^<>]{0,80})?\/?>\s?){1,4}|<summary>.{0,200}<\/summary>|<details>\s?<summary>.{0,200})$/i;
const CUT =
  /^\s{0,40}(?:\.{3,}|\u2026+|\[?\(?(?:\.{3}|\u2026)\)?\]?|[<[(]?-{0,3} ?(?:snip|snipped|cut|truncated|omitted|output truncated|lines? omitted)(?: here)? ?-{0,3}[>\])]?|\.{2,} ?\[?\d{1,9} more lines\]? ?\.{0,3})$/i;

function markOf(text: string): LineMark {
  if (text.length > 300) return null;
  if (FENCE.test(text)) return 'fence';
  return CUT.test(text) ? 'cut' : null;
}
