/**
 * One pass over the bytes of a listing of lspci: where each function's header, decoded text and rows of hex are. The rows
 * are decoded on the way; of the text only the place is kept, for `decodeText` to read when somebody asks.
 *
 *   0000:03:00.0 Non-Volatile memory controller [0108]: ...    header, at the margin
 *   <tab>Subsystem: ...                                        body, indented by tabs, or blanks after mail
 *   00: 8d 14 0d a8 06 04 10 00 ...                            row of hex: offset, colon, 16 bytes
 *   <empty line>                                               end of the function
 *
 * What surrounds listings in the world is expected: quotes of mail, CRLF, prompts, logs, text wrapped at 72 columns, empty
 * lines doubled by a web form. A line that is nothing of lspci's is noted and skipped.
 */

import { NIBBLE } from '../../../core/hex.ts';
import { latin1 } from '../../../core/text.ts';
import type { ConfigSpace } from '../../../pcie/config-space.ts';
import type { NoteList } from '../../note-list.ts';
import { LISTINGS_MAX, tooManyListings } from '../text-watch.ts';
import { type LspciAddress, parseLspciAddress } from './address.ts';
import { Asides } from './asides.ts';
import { ConfigArena } from './config-arena.ts';
import { decodeRows, type RowCursor } from './hex-rows.ts';
import { holdsSeveralLines } from './joined-lines.ts';
import { isBodyKeyword } from './keywords.ts';
import {
  continuesDrawing,
  hasInnerBlank,
  isBlank,
  isDoubleSpaced,
  isPair,
  looksLikeClass,
  namesExtendedCapability,
  startsDrawing,
} from './line-kinds.ts';
import { indentEnd, isContinuation, isUnclosed, lineEnd, quoteEnd, UNWRAPPED_COLUMNS } from './text-lines.ts';

/** One listing of one function: header, body and rows. A function may be listed more than once. */
export interface LspciBlock {
  readonly address: LspciAddress;
  /** Offset and 1-based line of the header. */
  readonly start: number;
  readonly line: number;
  /** Behind the last line that is text. */
  readonly textEnd: number;
  /** Whether anything stands below the header but rows. */
  readonly hasBody: boolean;
  /** Whether no line is longer than wrapped mail allows, so that a line at the margin may be the rest of the one above. */
  readonly wrapped: boolean;
  readonly config: ConfigSpace;
  /** Line of the first row; 0 where there is none. */
  readonly configLine: number;
  /** An empty line stands between header and rows, so that the rows may belong to something else. */
  readonly rowsApart: boolean;
  /** The file ends within the text of this block, so that what is not printed may have been lost. */
  readonly cut: boolean;
}

export interface LspciScan {
  readonly blocks: readonly LspciBlock[];
  readonly asides: Asides;
  /** An extended capability is named somewhere, so that one that is not named is not there. */
  readonly extendedListed: boolean;
  /** A drawing of `lspci -t` was seen. */
  readonly drawing: boolean;
  /** The first line that holds what lspci prints on several; null where there is none. */
  readonly joinedLine: number | null;
}

interface OpenBlock {
  readonly address: LspciAddress;
  readonly start: number;
  readonly line: number;
  /** The header has no class; only a body or rows show that it is one. */
  readonly weak: boolean;
  textEnd: number;
  hasBody: boolean;
  /** Lines of the body stand at the margin: the indentation was lost. */
  flat: boolean;
  longest: number;
  configLine: number;
  rowsApart: boolean;
  /** A row came twice, or none can belong here any more. */
  rowsClosed: boolean;
  /** Columns of the line above, for wrapped text. */
  columns: number;
  /** Lines at the margin, to be judged when the block is complete: line number, columns above, columns of the first word. */
  margins: number[];
}

const NEWLINE = 0x0a;
const COLON = 0x3a;

/** As much of a header as is looked at to see whether it goes on. */
const HEADER_MAX = 512;

const STRAY = 'is no line of lspci';

/** Scans a listing. What does not fit is noted; throws `MachineError` only where more functions are listed than are read. */
export function scanLspci(bytes: Uint8Array, notes: NoteList): LspciScan {
  return new Scanner(bytes, notes).scan();
}

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #notes: NoteList;
  readonly #arena: ConfigArena;
  readonly #blocks: LspciBlock[] = [];
  readonly #asides = new Asides();
  readonly #row = new Uint8Array(16);
  readonly #cursor: RowCursor = { at: 0, length: 0 };
  #open: OpenBlock | null = null;
  #line = 0;
  /** An empty line stands between this line and the last one that was not. */
  #gap = false;
  #emptyLines = 0;
  /** A web form doubled the ends of lines: what was an empty line are three now. */
  #doubleSpaced: boolean;
  #extendedListed = false;
  #drawing = false;
  #joinedLine: number | null = null;

  constructor(bytes: Uint8Array, notes: NoteList) {
    this.#bytes = bytes;
    this.#notes = notes;
    this.#doubleSpaced = isDoubleSpaced(bytes);
    this.#arena = new ConfigArena(bytes.length);
  }

  scan(): LspciScan {
    const bytes = this.#bytes;
    let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    while (at < bytes.length) {
      const open = this.#open;
      if (open !== null && !this.#gap && !open.rowsClosed && this.#arena.inOrder) {
        const behind = this.#plainRows(at, open);
        if (behind > at) {
          at = behind;
          continue;
        }
      }
      this.#line++;
      const next = lineEnd(bytes, at);
      this.#textLine(at, next);
      at = next + 1;
    }
    this.#close(bytes[bytes.length - 1] !== NEWLINE && this.#emptyLines === 0);
    return {
      blocks: this.#blocks,
      asides: this.#asides,
      extendedListed: this.#extendedListed,
      drawing: this.#drawing,
      joinedLine: this.#joinedLine,
    };
  }

  /** Takes rows that come in order; returns where they end. */
  #plainRows(start: number, open: OpenBlock): number {
    const arena = this.#arena;
    const cursor = this.#cursor;
    cursor.at = start;
    cursor.length = arena.length;
    decodeRows(this.#bytes, arena.bytes, arena.start, cursor);
    const rows = (cursor.length - arena.length) / 16;
    if (rows > 0 && open.configLine === 0) open.configLine = this.#line + 1;
    arena.length = cursor.length;
    this.#line += rows;
    return cursor.at;
  }

  #textLine(from: number, next: number): void {
    const bytes = this.#bytes;
    let end = next;
    while (end > from && isBlank(bytes[end - 1] as number)) end--;
    const margin = quoteEnd(bytes, from, end);
    const start = indentEnd(bytes, margin, end);
    if (start >= end) {
      this.#emptyLines++;
      this.#gap = this.#emptyLines >= (this.#doubleSpaced ? 3 : 1);
      return;
    }
    this.#emptyLines = 0;
    const first = bytes[start] as number;
    if ((NIBBLE[first] as number) < 16) {
      if (this.#hexRow(start, end)) return;
      const address = parseLspciAddress(bytes, start, end);
      if (address !== null) {
        this.#header(address, start, end);
        return;
      }
      if (this.#asides.iomemLine(bytes, margin, end)) {
        this.#close();
        this.#gap = false;
        return;
      }
    }
    if (start > margin) this.#indentedLine(start, end, end - margin);
    else this.#marginLine(start, end);
    this.#gap = false;
  }

  #header(address: LspciAddress, start: number, end: number): void {
    this.#close();
    this.#gap = false;
    if (holdsSeveralLines(this.#bytes, start, end)) {
      this.#joinedLine ??= this.#line;
      this.#notes.add('LINES_JOINED', this.#line, 'holds several lines of lspci in one; what it lists is not read');
      return;
    }
    this.#open = {
      address,
      start,
      line: this.#line,
      weak: !looksLikeClass(this.#bytes, address.end, end),
      textEnd: end,
      hasBody: false,
      flat: false,
      longest: end - start,
      configLine: 0,
      rowsApart: false,
      rowsClosed: false,
      columns: end - start,
      margins: [],
    };
  }

  /** A row in any order, indented or quoted; false where the line is none. */
  #hexRow(start: number, end: number): boolean {
    const bytes = this.#bytes;
    let at = start;
    let offset = 0;
    while (at < end && at - start < 8 && (NIBBLE[bytes[at] as number] as number) < 16) {
      offset = offset * 16 + (NIBBLE[bytes[at] as number] as number);
      at++;
    }
    if (at - start < 2 || bytes[at] !== COLON) return false;
    at = indentEnd(bytes, at + 1, end);
    if (!isPair(bytes, at, end)) return false;
    let count = 0;
    while (isPair(bytes, at, end) && count < 16) {
      this.#row[count++] = ((NIBBLE[bytes[at] as number] as number) << 4) | (NIBBLE[bytes[at + 1] as number] as number);
      at = indentEnd(bytes, at + 2, end);
    }
    if (at < end && count < 16) {
      this.#notes.add('HEX_ROW', this.#line, 'has a token that is no byte; the row is taken as missing');
      return true;
    }
    if (at < end) this.#notes.add('HEX_ROW', this.#line, 'goes on behind its 16 bytes; what stands there is left out');
    this.#takeRow(offset, count);
    return true;
  }

  #takeRow(offset: number, count: number): void {
    const open = this.#open;
    const arena = this.#arena;
    if (open !== null && this.#gap && offset === 0 && !arena.empty) this.#close();
    const apart = this.#gap;
    this.#gap = false;
    if (this.#open === null || open === null) {
      this.#notes.stray(this.#line, 'is a row of hex that belongs to no function');
    } else if (open.rowsClosed || arena.touched(offset)) {
      open.rowsClosed = true;
      this.#notes.stray(this.#line, 'is a row of hex that its function had before');
    } else if (!arena.put(offset, this.#row, count)) {
      this.#notes.stray(this.#line, 'is a row of hex beyond what a function can have');
    } else if (open.configLine === 0) {
      open.configLine = this.#line;
      open.rowsApart = apart;
    }
  }

  #indentedLine(start: number, end: number, columns: number): void {
    const open = this.#open;
    if (open === null) {
      if (this.#drawing && continuesDrawing(this.#bytes, start)) return;
      if (!this.#asides.line(this.#bytes, start, end, this.#line)) this.#notes.stray(this.#line, STRAY);
      return;
    }
    if (this.#gap && !open.hasBody && isBodyKeyword(this.#bytes, start, end)) this.#doubleSpaced = true;
    if (open.weak && !open.hasBody && !isBodyKeyword(this.#bytes, start, end)) {
      this.#notes.stray(this.#line, STRAY);
      return;
    }
    this.#body(open, start, end, columns);
  }

  #body(open: OpenBlock, start: number, end: number, columns: number): void {
    open.hasBody = true;
    open.textEnd = end;
    open.columns = columns;
    if (columns > UNWRAPPED_COLUMNS && columns > open.longest && hasInnerBlank(this.#bytes, start, end)) {
      open.longest = columns;
    }
    if (!this.#extendedListed && namesExtendedCapability(this.#bytes, start)) this.#extendedListed = true;
  }

  #marginLine(start: number, end: number): void {
    const bytes = this.#bytes;
    if (startsDrawing(bytes, start, end) || (this.#drawing && continuesDrawing(bytes, start))) {
      this.#close();
      this.#drawing = true;
      return;
    }
    const open = this.#open;
    const inside = open !== null && !this.#gap;
    if (inside && isBodyKeyword(bytes, start, end)) {
      open.flat = true;
      this.#body(open, start, end, end - start);
      return;
    }
    const told = this.#asides.line(bytes, start, end, this.#line);
    if (inside && !told) {
      if (open.flat) {
        open.textEnd = end;
        return;
      }
      if (open.hasBody || !isUnclosed(latin1(bytes, open.start, Math.min(open.textEnd, open.start + HEADER_MAX)))) {
        let word = start;
        while (word < end && !isBlank(bytes[word] as number)) word++;
        open.margins.push(this.#line, open.columns, word - start);
      }
      open.columns = end - start;
      open.textEnd = end;
      return;
    }
    this.#close();
    if (!told) this.#notes.stray(this.#line, STRAY);
  }

  #close(atCut = false): void {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    const wrapped = open.longest <= UNWRAPPED_COLUMNS;
    const { margins } = open;
    for (let at = 0; at < margins.length; at += 3) {
      if (wrapped && isContinuation(margins[at + 1] as number, margins[at + 2] as number)) continue;
      this.#notes.stray(margins[at] as number, STRAY);
    }
    const config = this.#arena.finish();
    if (open.weak && !open.hasBody && config.length === 0) {
      this.#notes.stray(open.line, 'starts with an address, but neither class nor registers follow');
      return;
    }
    if (this.#blocks.length === LISTINGS_MAX) throw tooManyListings(this.#notes.file);
    this.#blocks.push({
      address: open.address,
      start: open.start,
      line: open.line,
      textEnd: open.textEnd,
      hasBody: open.hasBody,
      wrapped,
      config,
      configLine: open.configLine,
      rowsApart: open.rowsApart,
      cut: atCut && open.hasBody && config.length === 0,
    });
  }
}
