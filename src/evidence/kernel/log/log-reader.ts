/** How one subject of the kernel's log is read: sentences that stand for themselves as a table, or a reader with a memory of lines above. */

import type { KernelSays } from './items.ts';

/** A message of the log: one line, without prefix. */
export interface LogMessage {
  readonly text: string;
  /** 1-based. */
  readonly line: number;
  readonly stamp: string | null;
}

/** What was said, and the line that it begins on. */
export interface Said {
  readonly says: KernelSays;
  readonly message: LogMessage;
}

/** Reads one subject, for one block of a log. */
export interface LogReader {
  /** Takes a message; false where it is about something else. */
  take(message: LogMessage): boolean;
  /** What was said in all. */
  finish(): readonly Said[];
}

/** A subject: its words, and a reader for each block. Each line that says something about it has one of the words. */
export interface LogSubject {
  readonly words: readonly string[];
  start(): LogReader;
}

/** A sentence of the kernel: how it reads, and what it says. */
export interface Sentence {
  readonly pattern: RegExp;
  readonly says: (match: readonly (string | undefined)[]) => KernelSays | null;
}

/** A subject whose lines stand for themselves. */
export function sentences(words: readonly string[], table: readonly Sentence[]): LogSubject {
  return {
    words,
    start() {
      const said: Said[] = [];
      return {
        take(message) {
          for (const { pattern, says } of table) {
            const match = pattern.exec(message.text);
            const meaning = match === null ? null : says(match);
            if (meaning === null) continue;
            said.push({ says: meaning, message });
            return true;
          }
          return false;
        },
        finish: () => said,
      };
    },
  };
}

/** The full name of a function, in a pattern: `0000:03:00.0`. */
export const NAME: string = '([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7])';

/** A number in hex, with or without 0x; null where there is none, and for what has more than 53 bits. */
export function hexNumber(digits: string | undefined): number | null {
  if (digits === undefined) return null;
  const value = Number.parseInt(digits.startsWith('0x') ? digits.slice(2) : digits, 16);
  return Number.isSafeInteger(value) ? value : null;
}

/** `0x1000-0x1fff` as a range whose end is exclusive; null where one of the two is missing, or the end stands before the start. */
export function rangeOf(first: string | undefined, last: string | undefined): { start: number; end: number } | null {
  const [start, end] = [hexNumber(first), hexNumber(last)];
  return start === null || end === null || end < start ? null : { start, end: end + 1 };
}
