/**
 * Blocks of JSON in a paste: they begin with a bracket and end where it is closed. What was cut at its end is closed where the last whole
 * value stood, and is not complete. A kind is told by a word of its own within the first lines.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import type { SourceKind } from '../kinds.ts';
import type { BlockContext, BlockResult, ItemPlace, Reading, Recogniser, Taken } from '../recogniser.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** How a kind of JSON is recognised and read. */
export interface JsonForm<Item extends ItemPlace> {
  readonly kind: SourceKind;
  /** A word that is in the first lines. */
  readonly sign: RegExp;
  /** Reads the value; null where it is something else. `line` is the block's first. */
  read(value: Json, line: number, context: BlockContext): BlockResult<Item> | null;
}

/** Lines in which the sign must stand. */
const SIGN_LINES = 40;
const TEXT_MAX = 16 * 1024 * 1024;

/** One recogniser for all kinds of JSON: each block is read once, and the first form whose sign it has and that can read it has it. */
export function jsonOf<Item extends ItemPlace>(
  forms: readonly [JsonForm<Item>, ...JsonForm<Item>[]],
): Recogniser<Item> {
  return {
    kind: forms[0].kind,
    manner: 'table',
    words: ['{'],
    open(first, context) {
      return /^\s*(?:\{|\[\s*(?:\{|$))/.test(first.text) ? new JsonReading(forms, first, context) : null;
    },
  };
}

class JsonReading<Item extends ItemPlace> implements Reading<Item> {
  readonly #context: BlockContext;
  readonly #first: number;
  readonly #brackets = new Brackets();
  readonly #parts: string[] = [];
  /** Forms whose sign was not seen yet. */
  #waiting: readonly JsonForm<Item>[];
  readonly #signed: JsonForm<Item>[] = [];
  #length = 0;

  constructor(forms: readonly JsonForm<Item>[], first: CleanLine, context: BlockContext) {
    this.#waiting = forms;
    this.#context = context;
    this.#first = first.number;
    this.#add(first);
  }

  take(line: CleanLine): Taken {
    // Objects of an array whose opening bracket was not pasted go on after a comma.
    const goesOn = !this.#brackets.isClosed || (this.#brackets.endsWithComma && /^\s*\{/.test(line.text));
    // The bracket that closes an array whose objects were read.
    if (!goesOn) return /^\s*\],?$/.test(line.text) ? 'taken' : 'ended';
    if (line.isBlank) return 'passed';
    if (this.#signed.length === 0 && this.#parts.length >= SIGN_LINES) return 'ended';
    this.#add(line);
    return 'taken';
  }

  close(): BlockResult<Item> | null {
    if (this.#signed.length === 0) return null;
    const text = this.#parts.join('\n');
    const whole = parsed(text) ?? parsed(`[${text.replace(/,\s{0,80}$/, '')}]`);
    const value = whole ?? parsed(this.#brackets.mended(text));
    if (value === null) return null;
    for (const { kind, read } of this.#signed) {
      const result = read(value, this.#first, this.#context);
      if (result !== null) return { ...result, kind, ...(whole === null ? { isComplete: false } : {}) };
    }
    return null;
  }

  #add(line: CleanLine): void {
    const text = line.cut ? line.whole() : line.text;
    if (this.#length + text.length > TEXT_MAX) return;
    if (this.#parts.length < SIGN_LINES) {
      this.#signed.push(...this.#waiting.filter(({ sign }) => sign.test(text)));
      this.#waiting = this.#waiting.filter((form) => !this.#signed.includes(form));
    }
    this.#parts.push(text);
    this.#brackets.add(text, this.#length);
    this.#length += text.length + 1;
  }
}

/** Follows brackets and strings over a text that comes in lines. */
class Brackets {
  readonly #open: string[] = [];
  #isString = false;
  #hasOpened = false;
  /** Where the last whole value ended, and what was open there. */
  #whole = { at: 0, open: '' };
  endsWithComma = false;

  get isClosed(): boolean {
    return this.#hasOpened && this.#open.length === 0;
  }

  /** @param offset where the line begins in the whole text */
  add(line: string, offset: number): void {
    for (let at = 0; at < line.length; at++) {
      const character = line.charAt(at);
      if (this.#isString) {
        if (character === '\\') at++;
        else if (character === '"') this.#isString = false;
      } else if (character === '"') this.#isString = true;
      else if (character === '{' || character === '[') {
        this.#hasOpened = true;
        if (this.#open.length < 200) this.#open.push(character === '{' ? '}' : ']');
      } else if (character === '}' || character === ']') {
        this.#open.pop();
        this.#whole = { at: offset + at + 1, open: this.#open.join('') };
      } else if (character === ',') this.#whole = { at: offset + at, open: this.#open.join('') };
    }
    // No string of these goes over a line.
    this.#isString = false;
    this.endsWithComma = line.trimEnd().endsWith(',');
  }

  /** The text up to the last whole value, with what is open closed. */
  mended(text: string): string {
    return text.slice(0, this.#whole.at) + [...this.#whole.open].reverse().join('');
  }
}

/** The value of a text; null where it is no JSON. */
function parsed(text: string): Json {
  try {
    return JSON.parse(text.replace(/,(\s*[}\]])/g, '$1')) as Json;
  } catch {
    return null;
  }
}

/** A member of an object; null where there is none. */
export function member(value: Json | undefined, ...path: readonly string[]): Json {
  let at: Json = value ?? null;
  for (const key of path) {
    if (at === null || typeof at !== 'object' || Array.isArray(at)) return null;
    at = (at as { readonly [key: string]: Json })[key] ?? null;
  }
  return at;
}

/** The elements of an array, and of anything else none. */
export function elements(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** A string, or a number as one; null for anything else. */
export function words(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : null;
}

/** A number, or a string that is one; null for anything else. */
export function numeral(value: Json | undefined): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d{1,20}(?:\.\d{1,12})?(?:e[-+]?\d{1,3})?$/i.test(value)
    ? Number(value)
    : null;
}
