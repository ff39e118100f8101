/**
 * Reads the XML that tools write: elements, attributes and text. No schema, no entities, no name spaces; text that is cut, or not quite XML,
 * gives the elements that are there. Linear, and bounded in depth and number.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import type { Taken } from '../recogniser.ts';

export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Text directly within, without the blanks around it. */
  readonly text: string;
  /** Line that it begins in. */
  readonly line: number;
}

export interface XmlText {
  /** A nameless element around all others. */
  readonly root: XmlElement;
  /** Every element that was opened was closed, and none was left out. */
  readonly isComplete: boolean;
}

interface OpenElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: OpenElement[];
  text: string;
  readonly line: number;
}

/** Characters of a tag over several lines. */
const TAG_MAX = 8192;
const ELEMENTS_MAX = 200_000;
const DEPTH_MAX = 200;
/** Text that is kept of one element. */
const TEXT_MAX = 400;

const NAME = /^[A-Za-z_][\w.:-]{0,100}/;
/** An attribute; its value ends at the quotation mark before a blank or the end, since marks within may have been unescaped. */
const ATTRIBUTE = /([A-Za-z_][\w.:-]{0,100})\s{0,20}=\s{0,20}(?:"([^"]*)"|'([^']*)')/g;

/** A tag that goes on in the next line. */
interface BrokenTag {
  readonly parts: string[];
  length: number;
  readonly line: number;
  /** The mark that a value began with; empty outside of values. */
  readonly quote: string;
}

/** Reads lines as XML. What stands before the first element is skipped. */
export function readXml(lines: readonly CleanLine[]): XmlText {
  const reader = new XmlReader(lines[0]?.number ?? 0);
  for (const line of lines) reader.line(line.cut ? line.whole() : line.text, line.number);
  return reader.close();
}

class XmlReader {
  readonly #root: OpenElement;
  readonly #open: OpenElement[];
  #count = 0;
  #isComplete = true;
  #broken: BrokenTag | null = null;

  constructor(line: number) {
    this.#root = { name: '', attributes: new Map(), children: [], text: '', line };
    this.#open = [this.#root];
  }

  line(text: string, number: number): void {
    let at = 0;
    if (this.#broken !== null) {
      const { parts, line, quote } = this.#broken;
      const { end, quote: next } = tagEnd(text, 0, parts[0] as string, quote);
      if (end < 0) {
        this.#goOn({ parts, length: this.#broken.length, line, quote: next }, text);
        return;
      }
      this.#tag([...parts, text.slice(0, end)].join('\n'), line);
      this.#broken = null;
      at = end + 1;
    }
    while (at < text.length) {
      const less = text.indexOf('<', at);
      const inner = this.#open.at(-1) as OpenElement;
      const end = less < 0 ? text.length : less;
      if (inner.text.length < TEXT_MAX) inner.text += text.slice(at, end).slice(0, TEXT_MAX);
      if (less < 0) return;
      const tag = tagEnd(text, less + 1, text.slice(less + 1, less + 4), '');
      if (tag.end < 0) {
        this.#goOn({ parts: [], length: 0, line: number, quote: tag.quote }, text.slice(less + 1));
        return;
      }
      this.#tag(text.slice(less + 1, tag.end), number);
      at = tag.end + 1;
    }
  }

  close(): XmlText {
    if (this.#open.length > 1 || this.#broken !== null) this.#isComplete = false;
    return { root: sealed(this.#root), isComplete: this.#isComplete };
  }

  /** Keeps a tag for the next line; one that never ends is given up. */
  #goOn(broken: BrokenTag, part: string): void {
    broken.parts.push(part);
    broken.length += part.length;
    const isTooLong = broken.length > TAG_MAX;
    this.#broken = isTooLong ? null : broken;
    if (isTooLong) this.#isComplete = false;
  }

  #tag(tag: string, line: number): void {
    if (tag.startsWith('/')) close(this.#open, tag.slice(1).trim());
    if (tag.startsWith('/') || tag.startsWith('?') || tag.startsWith('!')) return;
    const name = NAME.exec(tag)?.[0];
    if (name === undefined) return;
    if (++this.#count > ELEMENTS_MAX || this.#open.length > DEPTH_MAX) {
      this.#isComplete = false;
      return;
    }
    const element: OpenElement = { name, attributes: attributesOf(tag), children: [], text: '', line };
    (this.#open.at(-1) as OpenElement).children.push(element);
    if (!tag.endsWith('/')) this.#open.push(element);
  }
}

/**
 * Where a tag ends, whatever its quoted values hold; -1 where it does not in this text, with the mark of the value that is open.
 *
 * @param begin how the tag begins: comments end otherwise
 */
function tagEnd(
  text: string,
  from: number,
  begin: string,
  open: string,
): { readonly end: number; readonly quote: string } {
  if (begin.startsWith('!--')) {
    const end = text.indexOf('-->', from);
    return { end: end < 0 ? -1 : end + 2, quote: '' };
  }
  let quote = open;
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at);
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '>') return { end: at, quote: '' };
  }
  return { end: -1, quote };
}

function attributesOf(tag: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name, double, single] of tag.matchAll(ATTRIBUTE)) {
    attributes.set(name as string, double ?? single ?? '');
  }
  return attributes;
}

/** Closes the innermost element of that name, and all within it. */
function close(open: OpenElement[], name: string): void {
  for (let at = open.length - 1; at > 0; at--) {
    if ((open[at] as OpenElement).name !== name) continue;
    open.length = at;
    return;
  }
}

function sealed(root: OpenElement): XmlElement {
  const all: OpenElement[] = [root];
  for (let at = 0; at < all.length; at++) {
    const element = all[at] as OpenElement;
    element.text = element.text.trim();
    for (const child of element.children) all.push(child);
  }
  return root;
}

/** Children of that name. */
export function childrenOf(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** The text at the end of a path of names; null where there is none. */
export function textAt(element: XmlElement, ...path: readonly string[]): string | null {
  let at: XmlElement | undefined = element;
  for (const name of path) at = at?.children.find((child) => child.name === name);
  return at === undefined || at.text === '' ? null : at.text;
}

/** Whether a text in XML with this element around it begins with the line: with its prologue, or with the element. */
export function xmlBegins({ text }: CleanLine, root: string): boolean {
  return /^\s*<\?xml\b/.test(text) || opensRoot(text, root);
}

/** Whether such a text goes on with the line. */
export function xmlGoesOn({ text, isBlank }: CleanLine, lines: readonly CleanLine[], root: string): Taken {
  if (isBlank) return 'passed';
  if ((lines.at(-1) as CleanLine).text.includes(`</${root}>`)) return 'ended';
  if (lines.length < PROLOGUE_MAX && lines.every((line) => isPrologue(line.text))) {
    return opensRoot(text, root) || /^\s*<!--/.test(text) ? 'taken' : 'ended';
  }
  return /[<>]|="/.test(text) ? 'taken' : 'ended';
}

const PROLOGUE_MAX = 6;

const isPrologue = (text: string): boolean => /^\s*<\?xml\b[^>]{0,200}>\s*$|^\s*<!--/.test(text);

/** Whether a line holds the beginning of the element, or names it as the text's kind. */
function opensRoot(text: string, root: string): boolean {
  if (text.includes(`<!DOCTYPE ${root}`)) return true;
  const at = text.indexOf(`<${root}`);
  return at >= 0 && /^(?:[\s>]|$)/.test(text.slice(at + 1 + root.length));
}
