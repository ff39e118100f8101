/** The lines of one listing as lspci wrote them: quotes stripped, what a mail program broke put together again. */

import { NIBBLE } from '../../../core/hex.ts';
import { latin1 } from '../../../core/text.ts';
import { isBodyKeyword } from './keywords.ts';
import type { LspciBlock } from './scan.ts';
import { indentEnd, isContinuation, isUnclosed, lineEnd, quoteEnd } from './text-lines.ts';

/** As much of one line as is decoded. */
const LINE_MAX = 2048;

/** Lines whose rest is taken even where the mail program indented it: a lost half of these would be a lost fact. */
const JOINED =
  /^(?:ACSCap|ACSCtl|Control|Bus|I\/O behind bridge|Memory behind bridge|Prefetchable memory behind bridge|LnkCap|LnkSta|Initial VFs|VF offset|Region \d):/;

/** Calls `visit` with each line of the block, without indentation, and its 1-based number; the header comes first. */
export function visitLines(bytes: Uint8Array, block: LspciBlock, visit: (text: string, line: number) => void): void {
  let pending = '';
  let pendingLine = 0;
  let columns = 0;
  let lineNumber = block.line;
  for (let at = block.start; at < block.textEnd; lineNumber++) {
    const next = lineEnd(bytes, at);
    const margin = lineNumber === block.line ? at : quoteEnd(bytes, at, next);
    const start = indentEnd(bytes, margin, next);
    let end = Math.min(next, start + LINE_MAX);
    while (end > start && (bytes[end - 1] as number) <= 0x20) end--;
    at = next + 1;
    if (end === start || isRow(bytes, start, end)) continue;
    const text = plainCharacters(latin1(bytes, start, end));
    const atMargin = start === margin;
    const isRest =
      block.wrapped &&
      pendingLine > 0 &&
      pending.length < LINE_MAX &&
      !isBodyKeyword(bytes, start, end) &&
      (isContinuation(columns, firstWordOf(text))
        ? atMargin || (JOINED.test(pending) && !text.includes(':'))
        : atMargin && pendingLine === block.line && isUnclosed(pending));
    columns = end - margin;
    if (isRest) {
      pending = `${pending} ${text}`;
      continue;
    }
    if (pendingLine > 0) visit(pending, pendingLine);
    pending = text;
    pendingLine = lineNumber;
  }
  if (pendingLine > 0) visit(pending, pendingLine);
}

/** Columns of the first word. */
function firstWordOf(text: string): number {
  const blank = text.indexOf(' ');
  return blank < 0 ? text.length : blank;
}

/** What a web page makes of blanks and angles: hard blanks, in UTF-8 or latin-1, and entities. */
function plainCharacters(text: string): string {
  if (!text.includes('\u00a0') && !text.includes('&')) return text;
  return text
    .replace(/\u00c2?\u00a0/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

/** A row of hex between lines of text. */
function isRow(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && at - start < 8 && (NIBBLE[bytes[at] as number] as number) < 16) at++;
  return at - start >= 2 && bytes[at] === 0x3a && bytes[at + 1] === 0x20 && (NIBBLE[bytes[at + 2] ?? 0] as number) < 16;
}
