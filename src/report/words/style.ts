/** Colour and width of human output. Meaning never hangs on colour alone. */

import type { MailCase } from '../../p2p/verdict.ts';

/** How text is painted: with ANSI codes on a terminal, not at all elsewhere. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  /** Paints text by the case that it tells of. */
  readonly ofCase: (text: string, mailCase: MailCase) => string;
}

const CASE_CODES: Readonly<Record<MailCase, string>> = { c: '32', b2: '32', b1: '33', a: '31', '?': '35' };

const painted = (code: string, text: string): string => `\u001b[${code}m${text}\u001b[0m`;
const plain = (text: string): string => text;

const COLOR: Style = {
  bold: (text) => painted('1', text),
  dim: (text) => painted('2', text),
  ofCase: (text, mailCase) => painted(CASE_CODES[mailCase], text),
};

const PLAIN: Style = { bold: plain, dim: plain, ofCase: plain };

export function styleOf(color: boolean): Style {
  return color ? COLOR : PLAIN;
}

/** Breaks a sentence into lines of at most `width` characters, all but the first indented; its leading blanks are kept. */
export function wrap(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  let line = /^ */.exec(text)?.[0] ?? '';
  let empty = true;
  for (const word of text.trimStart().split(' ')) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  lines.push(line);
  return lines;
}

/** The text cut to `width` with an ellipsis that shows the cut. */
export function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
