/** gzip through fflate, piece by piece, so that a small file that unpacks to a huge one is noticed before it is huge. RFC 1952. */

import { Gunzip } from 'fflate';
import { TooLongError } from './too-long.ts';

/** Input handed over at once: deflate makes at most a thousand times as much of it. */
const PIECE = 64 * 1024;

/**
 * Undoes gzip, one member or several.
 *
 * @param limit bytes of output at most
 * @throws TooLongError beyond `limit`; an Error of fflate or of ours where the input is cut or damaged
 */
export function gunzip(input: Uint8Array, limit: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  let length = 0;
  let members = 1;
  const stream = new Gunzip((piece) => {
    pieces.push(piece);
    length += piece.length;
  });
  stream.onmember = () => members++;
  for (let at = 0; at < input.length; at += PIECE) {
    stream.push(input.subarray(at, at + PIECE), at + PIECE >= input.length);
    if (length > limit) throw new TooLongError(`more than ${limit} bytes`);
  }
  const output = joined(pieces, length);
  if (members === 1) checkTrailer(input, output);
  return output;
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const output = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    output.set(piece, at);
    at += piece.length;
  }
  return output;
}

/** The last eight bytes hold checksum and length; fflate passes them over. */
function checkTrailer(input: Uint8Array, output: Uint8Array): void {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (input.length < 18 || view.getUint32(input.length - 4, true) !== output.length % 2 ** 32) {
    throw new Error('its length does not match');
  }
  if (view.getUint32(input.length - 8, true) !== checksumOf(output)) throw new Error('its checksum does not match');
}

/** CRC-32, least significant bit first, for every byte. */
const CHECKSUMS: Uint32Array = Uint32Array.from({ length: 256 }, (_, value) => {
  let word = value;
  for (let bit = 0; bit < 8; bit++) word = word & 1 ? (word >>> 1) ^ 0xedb8_8320 : word >>> 1;
  return word;
});

function checksumOf(bytes: Uint8Array): number {
  let checksum = 0xffff_ffff;
  for (let at = 0; at < bytes.length; at++) {
    checksum = (checksum >>> 8) ^ (CHECKSUMS[(checksum ^ (bytes[at] as number)) & 0xff] as number);
  }
  return ~checksum >>> 0;
}
