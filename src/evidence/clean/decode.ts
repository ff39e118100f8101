/** Bytes of a line as text: UTF-8, and latin-1 where a byte is no part of it. Dumps hold stray bytes, and none may throw. */

import { latin1 } from '../../core/text.ts';

/** The text of `bytes` from `start` to `end`, which is exclusive. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  for (let at = start; at < end; at++) {
    if ((bytes[at] as number) > 0x7f) return latin1(bytes, start, at) + decodeMixed(bytes, at, end);
  }
  return latin1(bytes, start, end);
}

function decodeMixed(bytes: Uint8Array, start: number, end: number): string {
  const parts: string[] = [];
  let plainFrom = start;
  for (let at = start; at < end; ) {
    const length = sequenceLength(bytes, at, end);
    if (length === 1) {
      at++;
      continue;
    }
    if (at > plainFrom) parts.push(latin1(bytes, plainFrom, at));
    parts.push(String.fromCodePoint(codePoint(bytes, at, length)));
    at += length;
    plainFrom = at;
  }
  parts.push(latin1(bytes, plainFrom, end));
  return parts.join('');
}

/** Bytes of the UTF-8 sequence at `at`; 1 where none begins there, or where it is not whole or overlong. */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  const length =
    first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 1;
  if (at + length > end) return 1;
  for (let next = 1; next < length; next++) if (((bytes[at + next] as number) & 0xc0) !== 0x80) return 1;
  return length > 2 && !isCodePoint(codePoint(bytes, at, length), length) ? 1 : length;
}

function codePoint(bytes: Uint8Array, at: number, length: number): number {
  let value = (bytes[at] as number) & (0xff >> (length + 1));
  for (let next = 1; next < length; next++) value = value * 64 + ((bytes[at + next] as number) & 0x3f);
  return value;
}

function isCodePoint(value: number, length: number): boolean {
  if (length === 3) return value >= 0x800 && (value < 0xd800 || value > 0xdfff);
  return value >= 0x10000 && value <= 0x10ffff;
}
