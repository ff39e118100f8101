/**
 * A listing whose line ends were lost on its way (a form that folds lines, `tr -d`, a cell of a table). Where one line ends and the next
 * begins decides what a register belongs to, so that it is not read, and said why.
 */

import { latin1 } from '../../../core/text.ts';

/** As much of a line as is looked at. */
const LOOK_MAX = 16_384;
/** A shorter line is one of lspci's own. */
const LINE_MIN = 120;
/** Of a line of lspci's own the longest have this many characters. */
const LINE_LONG = 400;

/** An address and a class, as only a header has them. */
const HEADER = /[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] (?:[A-Z][\w/&-]*(?: [\w/&-]+){0,4}(?: \[[0-9a-f]{4}\])?|[0-9a-f]{4}): /g;
const ROW = /[0-9a-f]0: (?:[0-9a-f]{2} ){15}[0-9a-f]{2}/g;
const KEYWORD = /(?:Control|Status|Capabilities|Region \d|Kernel driver in use): /g;

/** Whether a line holds what lspci prints on several. */
export function holdsSeveralLines(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < LINE_MIN) return false;
  const text = latin1(bytes, start, Math.min(end, start + LOOK_MAX));
  if (hasTwo(text, HEADER) || hasTwo(text, ROW)) return true;
  return text.length > LINE_LONG && hasTwo(text, KEYWORD);
}

function hasTwo(text: string, pattern: RegExp): boolean {
  let found = 0;
  for (const _ of text.matchAll(pattern)) if (++found === 2) return true;
  return false;
}
