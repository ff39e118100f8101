/** Text that may be a listing: its encoding, and what to say where it is none. */

import { latin1 } from '../../../core/text.ts';
import { MachineError } from '../../errors.ts';

const LISTING = 'sudo lspci -Dnnvvvxxxx > host.txt';
const CAPTURE_HINT = `capture a machine with: p2pdma capture -o host.tar.gz, or: ${LISTING}`;

/** As much of a file as is looked at to name it. */
const HEAD = 4096;

/**
 * The bytes of a text, one a character: as they are, or the low halves of UTF-16, which PowerShell writes when the output
 * of lspci is redirected.
 */
export function plainText(bytes: Uint8Array): Uint8Array {
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

/** The refusal of a text in which no function is listed, by what it is instead. */
export function refuseText(text: Uint8Array, drawing: boolean, source: string): MachineError {
  const head = latin1(text, 0, Math.min(text.length, HEAD));
  if (/\S/.exec(head) === null && text.every((byte) => byte <= 0x20)) {
    return new MachineError({
      code: 'INPUT_EMPTY',
      path: source,
      message: 'holds nothing but blanks',
      hint: CAPTURE_HINT,
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
