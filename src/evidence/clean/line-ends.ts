/** How the lines of a text end, and texts that a Windows shell wrote as UTF-16. */

const LINE_FEED = 0x0a;
const RETURN = 0x0d;

/** As much of a text as shows how its lines end. */
const SAMPLE = 65_536;

/**
 * The byte that ends a line: LF, or CR in a text of an old editor or a terminal that knows no other. A return before LF, and returns with
 * which a program draws its progress, end no line.
 */
export function lineEndOf(bytes: Uint8Array): number {
  const limit = Math.min(bytes.length, SAMPLE);
  let feeds = 0;
  let returns = 0;
  for (let at = 0; at < limit; at++) {
    if (bytes[at] === LINE_FEED) feeds++;
    else if (bytes[at] === RETURN && bytes[at + 1] !== LINE_FEED) returns++;
  }
  return returns > 2 * feeds ? RETURN : LINE_FEED;
}

/** Where the text begins, behind the byte order mark of UTF-8. */
export function textStart(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/**
 * The text in UTF-8 where a byte order mark says that it is UTF-16, as redirecting in a Windows shell writes it; else `bytes` itself.
 * Pairs of surrogates become question marks: no format that is read has any.
 */
export function withoutUtf16(bytes: Uint8Array): Uint8Array {
  const little = bytes[0] === 0xff && bytes[1] === 0xfe;
  if (!little && !(bytes[0] === 0xfe && bytes[1] === 0xff)) return bytes;
  const low = little ? 0 : 1;
  const out = new Uint8Array(Math.floor(bytes.length / 2) * 3);
  let length = 0;
  for (let at = 2; at + 1 < bytes.length; at += 2) {
    const unit = (bytes[at + low] as number) | ((bytes[at + 1 - low] as number) << 8);
    length = put(out, length, unit >= 0xd800 && unit <= 0xdfff ? 0x3f : unit);
  }
  return out.subarray(0, length);
}

/** A text as UTF-8. Surrogates become question marks. */
export function utf8Bytes(text: string): Uint8Array {
  let size = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    size += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
  }
  const out = new Uint8Array(size);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    length = put(out, length, unit >= 0xd800 && unit <= 0xdfff ? 0x3f : unit);
  }
  return out.subarray(0, length);
}

/** Writes one code below 65,536 as UTF-8; returns the new length. */
function put(out: Uint8Array, length: number, code: number): number {
  if (code < 0x80) {
    out[length] = code;
    return length + 1;
  }
  if (code < 0x800) {
    out[length] = 0xc0 | (code >> 6);
    out[length + 1] = 0x80 | (code & 0x3f);
    return length + 2;
  }
  out[length] = 0xe0 | (code >> 12);
  out[length + 1] = 0x80 | ((code >> 6) & 0x3f);
  out[length + 2] = 0x80 | (code & 0x3f);
  return length + 3;
}
