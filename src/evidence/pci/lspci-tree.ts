/**
 * Drawings of `lspci -t`, `-tv`, `-nntv`. lspci(8): a bus in brackets hangs behind the bridge that leads to it, a range of buses where
 * there are more below, and functions that share a bus hang from one branch.
 *
 *   -+-[0000:20]-+-00.0
 *    |           \-01.1-[21-23]----00.0-[22-23]--+-00.0-[22]----00.0  NVMe drive
 *    |                                           \-01.0-[23]--
 *    \-[0000:00]---02.0  Network card
 *
 * Where a branch stands in its line says which bus it belongs to, so a drawing whose indentation is lost is only read where each line
 * says all by itself.
 */

import { formatBdf } from '../../pcie/bdf.ts';
import type { CleanLine } from '../clean/clean-line.ts';
import { type ItemPlace, type Recogniser, tableOf } from '../recogniser.ts';

/** One function of the drawing. */
export interface TreeItem extends ItemPlace {
  readonly kind: 'lspci-tree';
  readonly function: string;
  /** The bridge whose bus it is on; null on a root bus, undefined where the part of the drawing above is missing. */
  readonly parent: string | null | undefined;
  /** First and last bus below a bridge; null where the function is drawn without a bus. */
  readonly buses: { readonly secondary: number; readonly subordinate: number } | null;
  /** What `-v` prints behind the function; null where nothing is printed. */
  readonly name: string | null;
  /** `[10de:2684]` of `-nn`, or the bare numbers of `-n`. */
  readonly ids: { readonly vendor: number; readonly device: number } | null;
}

const ROOT = /^\s*-(?:\+-)?\[(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}(?:-[0-9a-f]{2})?\]-/i;
const BRANCH = /^[ |]*[+\\]-(?:\[[0-9a-f:-]{2,16}\]-|[01][0-9a-f]\.[0-7](?:-\[| {2}|$))/i;

/** A function in lines of a drawing whose root is not shown: an excerpt of a listing, and no tree. */
export interface DrawnExcerpt extends Omit<TreeItem, 'kind'> {
  readonly kind: 'lspci';
  readonly what: 'drawn';
}

/** Recognises a drawing, from its root on. */
export const lspciTree: Recogniser<TreeItem> = tableOf<TreeItem>({
  kind: 'lspci-tree',
  words: ['-[0', '-[1', '-[2', '-[3', '-[4', '-[5', '-[6', '-[7', '-[8', '-[9', ...[...'abcdef'].map((d) => `-[${d}`)],
  begins: ({ text }) => ROOT.test(text),
  continues: (line, lines) => (isRoot(line) && lines.some(isRoot) ? 'ended' : goesOn(line)),
  read: (lines, { file }) => {
    const { items, lost } = drawingOf(lines, file);
    return items.length === 0
      ? null
      : { items, isComplete: lost === 0, subject: 'drawing', doubt: lost === 0 ? null : lostWords(lost) };
  },
});

/** Recognises lines that were taken out of a drawing: `lspci -nntv | grep -A1 GPU`. */
export const lspciTreeExcerpt: Recogniser<DrawnExcerpt> = tableOf<DrawnExcerpt>({
  kind: 'lspci',
  words: ['+-', '\\-'],
  begins: ({ text }) => BRANCH.test(text),
  continues: (line) => (isRoot(line) ? 'ended' : goesOn(line)),
  read: (lines, { file }) => {
    const { items, lost } = drawingOf(lines, file);
    const excerpt = items.map((item): DrawnExcerpt => ({ ...item, kind: 'lspci', what: 'drawn' }));
    return items.length === 0 ? null : { items: excerpt, isComplete: false, doubt: lostWords(lost) };
  },
});

/** Another drawing begins: the same one pasted again, or the tree of another machine. */
const isRoot = ({ text }: CleanLine): boolean => ROOT.test(text);

const goesOn = ({ text }: CleanLine): 'taken' | 'ended' => (BRANCH.test(text) || ROOT.test(text) ? 'taken' : 'ended');

const lostWords = (lost: number): string => `${lost} functions hang from a branch that is not in the paste`;

function drawingOf(lines: readonly CleanLine[], file: string): TreeReader {
  const reader = new TreeReader(file);
  for (const line of lines) reader.line(line);
  return reader;
}

/** A bus that functions are drawn on. */
interface DrawnBus {
  readonly domain: number;
  readonly bus: number;
  /** The bridge above; null for a root bus. */
  readonly bridge: string | null | undefined;
}

class TreeReader {
  readonly items: TreeItem[] = [];
  /** Functions whose bus is not to be seen. */
  lost = 0;
  readonly #file: string;
  /** The bus that branches at a column belong to; null for the branch that root buses hang from. */
  readonly #branches = new Map<number, DrawnBus | null>();
  #domain = 0;

  constructor(file: string) {
    this.#file = file;
  }

  line({ text, number }: CleanLine): void {
    let at = text.search(/[^ |]/);
    let bus: DrawnBus | null | undefined = null;
    if (text[at] === '+' || text[at] === '\\') {
      bus = this.#branches.has(at) ? this.#branches.get(at) : undefined;
      at++;
    } else this.#branches.clear();
    /** The last function of this line, as long as a bus may follow it. */
    let above: string | null | undefined = bus === undefined ? undefined : null;
    while (at < text.length) {
      const rest = text.slice(at);
      const element = ELEMENT.exec(rest);
      if (element === null) return;
      at += element[0].length;
      const [, dashes = '', branch, domain, first, last, device, fn] = element;
      if (branch !== undefined) this.#branches.set(at - 1, bus ?? null);
      else if (first !== undefined) {
        if (domain !== undefined) this.#domain = Number.parseInt(domain, 16);
        bus = { domain: this.#domain, bus: Number.parseInt(first, 16), bridge: above };
        if (typeof above === 'string') this.#leadsTo(bus, Number.parseInt(last ?? first, 16));
      } else if (device !== undefined && fn !== undefined) {
        const tail = NAME.exec(text.slice(at));
        above = this.#add(bus, { device, fn, name: tail?.[1]?.trim() ?? null, line: number });
        if (tail !== null) return;
      } else if (dashes === '') return;
    }
  }

  #add(
    bus: DrawnBus | null | undefined,
    drawn: { readonly device: string; readonly fn: string; readonly name: string | null; readonly line: number },
  ): string | undefined {
    // Without its bus a function has no address.
    if (bus === undefined || bus === null) {
      this.lost++;
      return undefined;
    }
    const { device, fn, name, line } = drawn;
    const bdf = { domain: bus.domain, bus: bus.bus, device: Number.parseInt(device, 16), function: Number(fn) };
    const ids = name === null ? null : IDS.exec(name);
    this.items.push({
      kind: 'lspci-tree',
      file: this.#file,
      line,
      function: formatBdf(bdf),
      parent: bus.bridge,
      buses: null,
      name: ids === null || name === null ? name : nameWithout(name, ids[0]),
      ids:
        ids === null
          ? null
          : { vendor: Number.parseInt(ids[1] as string, 16), device: Number.parseInt(ids[2] as string, 16) },
    });
    return formatBdf(bdf);
  }

  /** The last function was a bridge to this bus. */
  #leadsTo({ bus }: DrawnBus, last: number): void {
    const bridge = this.items.pop() as TreeItem;
    this.items.push({ ...bridge, buses: { secondary: bus, subordinate: last } });
  }
}

/** Dashes, then a branch, a bus or a function. */
const ELEMENT =
  /^(-*)(?:([+\\])(?=-)|\[(?:([0-9a-f]{4,8}):)?([0-9a-f]{2})(?:-([0-9a-f]{2}))?\]|([01][0-9a-f])\.([0-7])|$)/i;
/** Behind a function: its name, or the end of the line. */
const NAME = /^(?: {1,4}(\S.*)|\s*$)/;
const IDS = /(?:\[|^)([0-9a-f]{4}):([0-9a-f]{4})(?:\]|$)/i;

function nameWithout(name: string, ids: string): string | null {
  const rest = name
    .replace(ids, '')
    .replace(/\s{2,}/g, ' ')
    .trim();
  return rest === '' ? null : rest;
}
