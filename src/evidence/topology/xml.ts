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

const ELEMENTS_MAX = 200_000;
const DEPTH_MAX = 200;
/** Text that is kept of one element. */
const TEXT_MAX = 400;

const NAME = /^[A-Za-z_][\w.:-]{0,100}/;
/** An attribute; its value ends at the quotation mark before a blank or the end, since marks within may have been unescaped. */
const ATTRIBUTE = /([A-Za-z_][\w.:-]{0,100})\s{0,20}=\s{0,20}(?:"([^"]*)"|'([^']*)')/g;

/** Reads lines as XML. What stands before the first element is skipped. */
export function readXml(lines: readonly CleanLine[]): XmlText {
  const root: OpenElement = { name: '', attributes: new Map(), children: [], text: '', line: lines[0]?.number ?? 0 };
  const open: OpenElement[] = [root];
  let count = 0;
  let isComplete = true;
  let pending = '';
  let pendingLine = 0;
  for (const line of lines) {
    let rest = line.cut ? line.whole() : line.text;
    if (pending !== '') rest = `${pending}\n${rest}`;
    const from = pending === '' ? line.number : pendingLine;
    pending = '';
    for (let at = 0; at < rest.length; ) {
      const less = rest.indexOf('<', at);
      const inner = open.at(-1) as OpenElement;
      if (inner.text.length < TEXT_MAX) inner.text += rest.slice(at, less < 0 ? rest.length : less).slice(0, TEXT_MAX);
      if (less < 0) break;
      const end = tagEnd(rest, less);
      if (end < 0) {
        // A tag over several lines; one that never ends is given up.
        if (rest.length - less < 65_536) [pending, pendingLine] = [rest.slice(less), from];
        else isComplete = false;
        break;
      }
      const tag = rest.slice(less + 1, end);
      at = end + 1;
      if (tag.startsWith('/')) close(open, tag.slice(1).trim());
      else if (!tag.startsWith('?') && !tag.startsWith('!')) {
        const name = NAME.exec(tag)?.[0];
        if (name === undefined) continue;
        if (++count > ELEMENTS_MAX || open.length > DEPTH_MAX) {
          isComplete = false;
          continue;
        }
        const element: OpenElement = { name, attributes: attributesOf(tag), children: [], text: '', line: from };
        inner.children.push(element);
        if (!tag.endsWith('/')) open.push(element);
      }
    }
  }
  if (open.length > 1 || pending !== '') isComplete = false;
  return { root: sealed(root), isComplete };
}

/** Where the tag at `start` ends, whatever its quoted values hold; -1 where it does not. */
function tagEnd(text: string, start: number): number {
  if (text.startsWith('<!--', start)) {
    const end = text.indexOf('-->', start);
    return end < 0 ? -1 : end + 2;
  }
  let quote = '';
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charAt(at);
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '>') return at;
  }
  return -1;
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

const opensRoot = (text: string, root: string): boolean =>
  new RegExp(`<${root}[\\s>]|<!DOCTYPE ${root}\\b|<${root}$`).test(text);
