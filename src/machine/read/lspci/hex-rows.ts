/**
 * The inner loop of the reader of dumps: rows of hex exactly as lspci prints them. Of a large dump nearly every byte passes
 * through here, so it is one function over typed arrays that allocates nothing; any row that is not exact is left to the
 * careful reader.
 *
 *   00: 86 80 0d 46 07 04 10 00 05 00 00 06 00 00 80 00        two digits below 100h, then three
 *   100: 0b 00 01 ...
 */

import { NIBBLE } from '../../../core/hex.ts';

/** Where the loop stands; it is handed in and left behind changed. */
export interface RowCursor {
  /** Offset in the dump. */
  at: number;
  /** Bytes of the configuration space so far: the offset that the next row must name. */
  length: number;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BLANK = 0x20;
const COLON = 0x3a;

/** Bytes of a whole configuration space. */
const SPACE = 4096;

/** The colon, 16 times blank and two digits. */
const BODY = 49;

/** Values of the two digits of a byte; what is no digit sets bit 12, which no byte has. */
const HIGH: Uint16Array = digitTable(4);
const LOW: Uint16Array = digitTable(0);

/**
 * Decodes rows from `cursor.at` on into `target`, the space's first byte at `start`, as long as they come in order. The
 * cursor ends on the first line that is no such row.
 */
export function decodeRows(bytes: Uint8Array, target: Uint8Array, start: number, cursor: RowCursor): void {
  const limit = bytes.length - BODY;
  let at = cursor.at;
  let length = cursor.length;
  for (;;) {
    let from = at + 2;
    let offset = (HIGH[bytes[at] as number] as number) | (LOW[bytes[at + 1] as number] as number);
    if (bytes[from] !== COLON) offset = (offset << 4) | (LOW[bytes[from++] as number] as number);
    // A digit that is none makes an offset of 4096 or more, which no row has.
    if (offset !== length || length >= SPACE || bytes[from] !== COLON || from >= limit) break;
    from++;
    let bad = 0;
    let blanks = 0;
    let to = start + length;
    // Four bytes a turn: a third faster than one.
    for (const stop = to + 16; to < stop; to += 4) {
      const a = (HIGH[bytes[from + 1] as number] as number) | (LOW[bytes[from + 2] as number] as number);
      const b = (HIGH[bytes[from + 4] as number] as number) | (LOW[bytes[from + 5] as number] as number);
      const c = (HIGH[bytes[from + 7] as number] as number) | (LOW[bytes[from + 8] as number] as number);
      const d = (HIGH[bytes[from + 10] as number] as number) | (LOW[bytes[from + 11] as number] as number);
      bad |= a | b | c | d;
      blanks |= (bytes[from] as number) ^ BLANK;
      blanks |= (bytes[from + 3] as number) ^ BLANK;
      blanks |= (bytes[from + 6] as number) ^ BLANK;
      blanks |= (bytes[from + 9] as number) ^ BLANK;
      target[to] = a;
      target[to + 1] = b;
      target[to + 2] = c;
      target[to + 3] = d;
      from += 12;
    }
    if (bytes[from] === RETURN) from++;
    if (bad > 0xff || blanks !== 0 || bytes[from] !== NEWLINE) break;
    length += 16;
    at = from + 1;
  }
  cursor.at = at;
  cursor.length = length;
}

function digitTable(shift: number): Uint16Array {
  return Uint16Array.from(NIBBLE, (value) => (value < 16 ? value << shift : 0x1000));
}
