/** What a line of a listing can be, told by its first bytes: pure questions that the scanner asks. */

import { NIBBLE } from '../../../core/hex.ts';
import { latin1 } from '../../../core/text.ts';
import { indentEnd, lineEnd, quoteEnd } from './text-lines.ts';

const BLANK = 0x20;
const RETURN = 0x0d;
const COLON = 0x3a;

/** As much of a text as shows whether every line is followed by an empty one. */
const SPACING_SAMPLE = 32_768;

/** Whether no line of the beginning stands directly below another: lspci's own listings never look so. */
export function isDoubleSpaced(bytes: Uint8Array): boolean {
  const limit = Math.min(bytes.length, SPACING_SAMPLE);
  let lines = 0;
  let emptyAbove = true;
  for (let at = 0; at < limit; ) {
    const end = lineEnd(bytes, at);
    const empty = indentEnd(bytes, quoteEnd(bytes, at, end), end) === end;
    if (!empty && !emptyAbove) return false;
    if (!empty) lines++;
    emptyAbove = empty;
    at = end + 1;
  }
  return lines >= 6;
}

export function isBlank(byte: number): boolean {
  return byte === BLANK || byte === 0x09 || byte === RETURN;
}

/** Two hex digits followed by a blank or the end. */
export function isPair(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + 1 >= end) return false;
  if (((NIBBLE[bytes[at] as number] as number) | (NIBBLE[bytes[at + 1] as number] as number)) > 15) return false;
  return at + 2 >= end || isBlank(bytes[at + 2] as number);
}

/** Whether `Class name: ` or `0604: ` follows an address, as on every header that lspci itself wrote. */
export function looksLikeClass(bytes: Uint8Array, behindAddress: number, end: number): boolean {
  const start = indentEnd(bytes, behindAddress, end);
  const first = bytes[start] as number;
  // Every class name starts with a capital or a digit; `lspci -mm` puts it in quotes.
  const begins = (first >= 0x41 && first <= 0x5a) || (NIBBLE[first] as number) < 16 || first === 0x22;
  if (start >= end || !begins) return false;
  if (first === 0x22) return true;
  for (let at = start; at + 1 < end && at < start + 72; at++) {
    if (bytes[at] === COLON && bytes[at + 1] === BLANK) return true;
  }
  return false;
}

/** `-[0000:00]-+-` and `-+-[0000:d7]-+-`: the line that a drawing of `lspci -t` begins with. */
export function startsDrawing(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] !== 0x2d || (bytes[start + 1] !== 0x5b && bytes[start + 1] !== 0x2b)) return false;
  return /^-(?:\+-)?\[[0-9a-f]{4,8}:[0-9a-f]{2}\]-/.test(latin1(bytes, start, Math.min(end, start + 24)));
}

/** ` +-[0000:d7]-+-`, `           +-01.0-[01]--`, `           |     \\-12.0-[0f]--`: how it goes on. */
export function continuesDrawing(bytes: Uint8Array, start: number): boolean {
  const first = bytes[start];
  return first === 0x7c || ((first === 0x2b || first === 0x5c) && bytes[start + 1] === 0x2d);
}

/** `Capabilities: [100 v1] ...`: three digits or more. */
export function namesExtendedCapability(bytes: Uint8Array, start: number): boolean {
  if (bytes[start] !== 0x43 || bytes[start + 13] !== BLANK || bytes[start + 14] !== 0x5b) return false;
  for (let at = start + 15; at < start + 18; at++) if ((NIBBLE[bytes[at] ?? 0] as number) > 15) return false;
  return true;
}

export function hasInnerBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === BLANK || bytes[at] === 0x09) return true;
  return false;
}
