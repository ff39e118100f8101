/** gzip through fflate, piece by piece, so that a small file that unpacks to a huge one is noticed before it is huge. RFC 1952. */

import { Gunzip } from 'fflate';
import { grown } from './grown.ts';
import { TooLongError, type UnpackLimit } from './unpack-limit.ts';

/** Deflate makes at most this many times as much of its input. */
const DEFLATE_RATIO = 1032;
/** Output of one piece of input at most, so that no piece goes far beyond a limit. */
const STEP = 4 * 1024 * 1024;
/** Input handed over at once: the most, and the least. */
const PIECE_MAX = 64 * 1024;
const PIECE_MIN = Math.floor(STEP / DEFLATE_RATIO);

/**
 * Undoes gzip, one member or several.
 *
 * @param limit bytes of output at most, by the bytes of input that were read
 * @throws TooLongError beyond `limit`; an Error of fflate or of ours where the input is cut or damaged
 */
export function gunzip(input: Uint8Array, limit: UnpackLimit): Uint8Array {
  let output: Uint8Array = new Uint8Array(Math.min(STEP, 4 * input.length));
  let length = 0;
  let members = 1;
  const stream = new Gunzip((piece) => {
    output = grown(output, length, length + piece.length);
    output.set(piece, length);
    length += piece.length;
  });
  stream.onmember = () => members++;
  for (let at = 0; at < input.length; ) {
    // What unpacks to much is handed over in small pieces.
    const ratio = at === 0 ? DEFLATE_RATIO : Math.max(1, length / at);
    const piece = Math.max(PIECE_MIN, Math.min(PIECE_MAX, Math.floor(STEP / ratio)));
    const end = Math.min(input.length, at + piece);
    stream.push(input.subarray(at, end), end === input.length);
    at = end;
    if (length > limit(at)) throw new TooLongError(limit(at));
  }
  if (members === 1) checkTrailer(input, output.subarray(0, length));
  return output.subarray(0, length);
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
