/**
 * What JSON.parse does not say of a JSON text: how deep it is, which key is written twice, and where a value stands. Each answer is one
 * pass over the characters without recursion, so that a large or a deep text costs no more than its length. RFC 8259.
 */

import type { FieldPath } from './field-path.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Whether a text begins as JSON objects and lists do. */
export function looksLikeJson(text: string): boolean {
  const first = text.charCodeAt(blanksEnd(text, 0));
  return first === OPEN_OBJECT || first === OPEN_LIST;
}

/** Offset of the first bracket beyond `depth` open ones, or null. Text that is not JSON is taken as if it were. */
export function tooDeepAt(text: string, depth: number): number | null {
  let open = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at) - 1;
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      if (++open > depth) return at;
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) open--;
  }
  return null;
}

/** The first key that an object of well-formed JSON has twice, and where it stands the second time; null where there is none. */
export function repeatedKey(text: string): { readonly key: string; readonly at: number } | null {
  /** Keys of the objects that are open; null for a list. */
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === OPEN_OBJECT) open.push(new Set());
    else if (code === OPEN_LIST) open.push(null);
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) open.pop();
    else if (code === QUOTE) {
      const end = stringEnd(text, at);
      if (text.charCodeAt(blanksEnd(text, end)) === COLON) {
        const key = JSON.parse(text.slice(at, end)) as string;
        const keys = open.at(-1);
        if (keys?.has(key)) return { key, at };
        keys?.add(key);
      }
      at = end - 1;
    }
  }
  return null;
}

/** Offset of the value at `path` in well-formed JSON, or of the nearest value around it. */
export function offsetOf(text: string, path: FieldPath): number {
  let at = blanksEnd(text, 0);
  for (const part of path) {
    const inner = typeof part === 'number' ? itemAt(text, at, part) : memberAt(text, at, String(part));
    if (inner === null) return at;
    at = inner;
  }
  return at;
}

/** 1-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** Offset of an item of the list at `start`; null where there is no list, or none of that index. */
function itemAt(text: string, start: number, index: number): number | null {
  if (text.charCodeAt(start) !== OPEN_LIST) return null;
  let at = blanksEnd(text, start + 1);
  for (let skipped = 0; text.charCodeAt(at) !== CLOSE_LIST; skipped++) {
    if (skipped === index) return at;
    at = afterComma(text, valueEnd(text, at));
  }
  return null;
}

/** Offset of the value of a key of the object at `start`. */
function memberAt(text: string, start: number, key: string): number | null {
  if (text.charCodeAt(start) !== OPEN_OBJECT) return null;
  let at = blanksEnd(text, start + 1);
  while (text.charCodeAt(at) === QUOTE) {
    const end = stringEnd(text, at);
    const value = blanksEnd(text, blanksEnd(text, end) + 1);
    if (JSON.parse(text.slice(at, end)) === key) return value;
    at = afterComma(text, valueEnd(text, value));
  }
  return null;
}

function afterComma(text: string, end: number): number {
  const at = blanksEnd(text, end);
  return text.charCodeAt(at) === COMMA ? blanksEnd(text, at + 1) : at;
}

/** Behind the value at `start`. */
function valueEnd(text: string, start: number): number {
  let open = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at) - 1;
      if (open === 0) return at + 1;
    } else if (code === OPEN_LIST || code === OPEN_OBJECT) open++;
    else if (code === CLOSE_LIST || code === CLOSE_OBJECT) {
      if (open === 0) return at;
      if (--open === 0) return at + 1;
    } else if (code === COMMA && open === 0) return at;
  }
  return text.length;
}

/** Behind the string whose first quote stands at `start`. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return text.length;
}

function blanksEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return at;
}
