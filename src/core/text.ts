/** Bytes as text, without the platform's decoders: dumps are ASCII with stray bytes, and a stray byte must never throw. */

import { hexDigits } from './hex.ts';

const CHUNK = 8192;

/** Each byte as the character of the same code (latin-1). `end` is exclusive. */
export function latin1(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  if (end - start <= CHUNK) return chunk(bytes, start, end);
  const parts: string[] = [];
  for (let at = start; at < end; at += CHUNK) parts.push(chunk(bytes, at, Math.min(at + CHUNK, end)));
  return parts.join('');
}

function chunk(bytes: Uint8Array, start: number, end: number): string {
  // `apply` takes the array as it stands: six times as fast as spreading it over a hundred arguments.
  return Reflect.apply(String.fromCharCode, null, bytes.subarray(start, end));
}

/** The UTF-8 text whose bytes are the characters' codes; where they are no UTF-8, the text as it stands. */
export function utf8Of(latin1Text: string): string {
  const escaped = latin1Text.replace(/[%\x80-\xff]/g, (character) => `%${hexDigits(character.charCodeAt(0), 2)}`);
  try {
    return decodeURIComponent(escaped);
  } catch {
    return latin1Text;
  }
}

/** Text as UTF-8. Half of a surrogate pair becomes U+FFFD, as with TextEncoder. */
export function utf8Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(3 * text.length);
  let end = 0;
  for (let index = 0; index < text.length; index++) {
    let code = text.codePointAt(index) as number;
    if (code > 0xffff) index++;
    if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
    if (code < 0x80) bytes[end++] = code;
    else {
      if (code < 0x800) bytes[end++] = 0xc0 | (code >> 6);
      else {
        if (code < 0x10000) bytes[end++] = 0xe0 | (code >> 12);
        else {
          bytes[end++] = 0xf0 | (code >> 18);
          bytes[end++] = 0x80 | ((code >> 12) & 0x3f);
        }
        bytes[end++] = 0x80 | ((code >> 6) & 0x3f);
      }
      bytes[end++] = 0x80 | (code & 0x3f);
    }
  }
  return bytes.slice(0, end);
}

/** The characters' codes as bytes; codes above 255 become `?`. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    bytes[index] = code < 256 ? code : 0x3f;
  }
  return bytes;
}

/** The `count` candidates nearest to `text` by edit distance, nearest first: for "did you mean". */
export function nearest(text: string, candidates: readonly string[], count = 3): string[] {
  return candidates
    .map((candidate) => ({ candidate, cost: editDistance(text, candidate) }))
    .sort((a, b) => a.cost - b.cost || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, count)
    .map((ranked) => ranked.candidate);
}

/**
 * The `count` candidates that `text` may have meant, nearest first: those that differ in a third of its letters at most (two
 * where it is short), and those that hold it. None where nothing is like it: a wild guess is no help.
 */
export function alike(text: string, candidates: readonly string[], count = 3): string[] {
  const most = Math.max(2, Math.floor(text.length / 3));
  const isAlike = (candidate: string): boolean =>
    editDistance(text, candidate) <= most || (text.length >= 3 && candidate.includes(text));
  return nearest(text, candidates.filter(isAlike), count);
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replace, (previous[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[b.length] as number;
}
