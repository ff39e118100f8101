/** Lines of text as mail and web forms leave them: quoted, indented with blanks, wrapped. */

const NEWLINE = 0x0a;
const QUOTE = 0x3e;

/**
 * A line longer than this with a blank in it was not wrapped: mail is wrapped at 72 to 80 columns, while lspci's own lines
 * reach 100 in every function (`Status:`).
 */
export const UNWRAPPED_COLUMNS = 84;

/** A shorter line was not broken because it was full. */
const WRAP_COLUMNS = 60;

/** Offset of the newline that ends the line at `start`, or the length of `bytes`. */
export function lineEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== NEWLINE) at++;
  return at;
}

/** Behind the marks of quoted mail: `> `, `>> `, `> > `. A `>` of the text itself (`>TAbort-`) is none. */
export function quoteEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] === QUOTE) {
    const next = at + 1 < end ? bytes[at + 1] : 0x20;
    if (next === 0x20) at += 2;
    else if (next === QUOTE || next === 0x09) at++;
    else break;
  }
  return Math.min(at, end);
}

/** Behind blanks and tabs; the hard blanks of a web page, in UTF-8 or latin-1, are blanks. */
export function indentEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at];
    if (byte === 0xc2 && bytes[at + 1] === 0xa0) at++;
    else if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== 0xa0) break;
    at++;
  }
  return Math.min(at, end);
}

/**
 * Whether a line at the margin can be the rest of the line above it, broken by a mail program: its first word did not fit.
 *
 * @param columnsAbove length of the line above
 * @param firstWord length of the first word at the margin
 */
export function isContinuation(columnsAbove: number, firstWord: number): boolean {
  return columnsAbove + 1 + firstWord > WRAP_COLUMNS;
}

/** Whether a header ends within parentheses, `(prog-if 00 [VGA contr`, so that the next line goes on with it. */
export function isUnclosed(header: string): boolean {
  return header.lastIndexOf('(') > header.lastIndexOf(')');
}
