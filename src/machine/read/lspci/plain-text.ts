/** Text that may be a listing: its encoding, and what to say where it is none. */

import { latin1 } from '../../../core/text.ts';
import { MachineError } from '../../errors.ts';
import { holdsSeveralLines } from './joined-lines.ts';
import { lineEnd } from './text-lines.ts';

const LISTING = 'sudo lspci -Dnnvvvxxxx > host.txt';
const CAPTURE_HINT = `capture a machine with: p2pdma capture -o host.tar.gz, or: ${LISTING}`;

/** As much of a file as is looked at to name it. */
const HEAD = 4096;

/**
 * The bytes of a text, one a character, lines ended by newlines: as they are, or the low halves of UTF-16, which PowerShell writes when
 * the output of lspci is redirected, with returns alone made newlines.
 */
export function plainText(bytes: Uint8Array): Uint8Array {
  return withNewlines(oneByteText(bytes));
}

function oneByteText(bytes: Uint8Array): Uint8Array {
  const littleEndian = bytes[0] === 0xff && bytes[1] === 0xfe;
  if (!littleEndian && !(bytes[0] === 0xfe && bytes[1] === 0xff)) return bytes;
  const text = new Uint8Array((bytes.length - 2) >> 1);
  for (let at = 0; at < text.length; at++) {
    const [first, second] = [bytes[at * 2 + 2] as number, bytes[at * 2 + 3] as number];
    const [low, high] = littleEndian ? [first, second] : [second, first];
    text[at] = high === 0 ? low : 0x3f;
  }
  return text;
}

/** As much of a text as shows what ends its lines. */
const ENDS_SAMPLE = 65_536;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Returns become newlines where lines end with returns alone, as on old Macs or after `tr`. */
function withNewlines(text: Uint8Array): Uint8Array {
  let newlines = 0;
  let returns = 0;
  for (let at = 0; at < Math.min(text.length, ENDS_SAMPLE); at++) {
    if (text[at] === NEWLINE) newlines++;
    else if (text[at] === RETURN && text[at + 1] !== NEWLINE) returns++;
  }
  // A progress bar beside a listing draws with returns too.
  if (returns <= 4 * newlines) return text;
  return text.map((byte) => (byte === RETURN ? NEWLINE : byte));
}

/** The refusal of a text in which no function is listed, by what it is instead. */
export function refuseText(
  text: Uint8Array,
  { drawing, joinedLine }: { readonly drawing: boolean; readonly joinedLine: number | null },
  source: string,
): MachineError {
  const head = latin1(text, 0, Math.min(text.length, HEAD));
  if (/\S/.exec(head) === null && text.every((byte) => byte <= 0x20)) {
    return new MachineError({
      code: 'INPUT_EMPTY',
      path: source,
      message: 'holds nothing but blanks',
      hint: CAPTURE_HINT,
    });
  }
  const line = joinedLine ?? joinedHeadLine(text);
  if (line !== null) {
    return new MachineError({
      code: 'INPUT_LINES_JOINED',
      path: `${source}:${line}`,
      message: `line ${line} holds several lines of lspci in one: the line ends were lost on the way`,
      hint: `copy the listing as a file, or attach it: ${LISTING}`,
    });
  }
  const kind = topologyKind(head);
  if (kind !== null) {
    return new MachineError({
      code: 'INPUT_TOPOLOGY_XML',
      path: source,
      message: `is ${kind}: it carries neither configuration space nor ACS, so no pair could be judged by it`,
      hint: `capture the registers of that machine instead: ${LISTING}, or p2pdma capture -o host.tar.gz`,
    });
  }
  if (drawing) {
    return new MachineError({
      code: 'INPUT_TREE_DRAWING',
      path: source,
      message: 'is a drawing of lspci -t: it shows the tree, but neither port types nor ACS',
      hint: `capture the registers of that machine instead: ${LISTING}`,
    });
  }
  const packed = COMPRESSIONS.find(({ signature }) => head.startsWith(signature));
  if (packed !== undefined) {
    return new MachineError({
      code: 'INPUT_FORMAT_UNKNOWN',
      path: source,
      message: `is compressed with ${packed.name}, which is not read here; gzip and bzip2 are`,
      hint: `unpack it first: ${packed.unpack}`,
    });
  }
  return new MachineError({
    code: 'INPUT_FORMAT_UNKNOWN',
    path: source,
    message: 'is neither an archive of a captured root nor a listing of lspci',
    hint: CAPTURE_HINT,
  });
}

/** The first line of the beginning that holds what lspci prints on several, whatever it begins with. */
function joinedHeadLine(text: Uint8Array): number | null {
  let line = 1;
  for (let start = 0; start < Math.min(text.length, HEAD); line++) {
    const end = lineEnd(text, start);
    if (holdsSeveralLines(text, start, end)) return line;
    start = end + 1;
  }
  return null;
}

/** Archives that we know but do not unpack, by their first bytes. */
const COMPRESSIONS: readonly { readonly name: string; readonly signature: string; readonly unpack: string }[] = [
  { name: 'xz', signature: '\u00fd7zXZ\0', unpack: 'unxz FILE' },
  { name: 'zstd', signature: '\u0028\u00b5\u002f\u00fd', unpack: 'unzstd FILE' },
  { name: 'zip', signature: 'PK\u0003\u0004', unpack: 'unzip FILE' },
];

/** Which topology file an XML text is; null where it is none. */
function topologyKind(head: string): string | null {
  if (!head.trimStart().startsWith('<')) return null;
  if (/<!DOCTYPE topology|<topology\b/.test(head)) return 'a topology of hwloc (XML)';
  if (/<(?:system|graphs)\b/.test(head)) return 'a topology of NCCL or RCCL (XML)';
  return null;
}
