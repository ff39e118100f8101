/**
 * bzip2, decoded within bounds: damaged or hostile input ends with an error after work that is linear in what was read and
 * written. hwloc's captures come in this form. Format: the bzip2 compressor's own source is its specification; blocks of up
 * to 900,000 bytes, each run-length coded, Burrows-Wheeler transformed, moved to front, run-length coded and Huffman coded.
 */

import { grown } from './grown.ts';
import { TooLongError, type UnpackLimit } from './unpack-limit.ts';

const BLOCK_MAGIC = [0x314159, 0x265359] as const;
const END_MAGIC = [0x177245, 0x385090] as const;
const CODE_LENGTH_MAX = 20;
/** Symbols that one selector stands for. */
const GROUP = 50;
const SELECTORS_MAX = 18_002;

/** What is wrong with a stream. */
export class Bzip2Error extends Error {
  override readonly name: string = 'Bzip2Error';
}

/**
 * Decodes one or more bzip2 streams in a row.
 *
 * @param limit bytes of output at most, by the bytes of input that were read
 * @throws Bzip2Error where the input is cut or damaged, TooLongError where it unpacks to more than `limit`
 */
export function bunzip2(input: Uint8Array, limit: UnpackLimit): Uint8Array {
  const bits = new BitReader(input);
  const output = new Output();
  let streams = 0;
  while (bits.atSignature()) {
    decodeStream(bits, output, limit);
    bits.align();
    streams++;
  }
  if (streams === 0) throw new Bzip2Error('no bzip2 signature');
  return output.bytes();
}

function decodeStream(bits: BitReader, output: Output, limit: UnpackLimit): void {
  bits.read(24);
  const level = bits.read(8) - 0x30;
  if (level < 1 || level > 9) throw new Bzip2Error('block size out of range');
  const block = new Uint32Array(level * 100_000);
  let combined = 0;
  for (;;) {
    const high = bits.read(24);
    const low = bits.read(24);
    const checksum = bits.word();
    if (high === END_MAGIC[0] && low === END_MAGIC[1]) {
      if (checksum !== combined) throw new Bzip2Error('checksum of the stream does not match');
      return;
    }
    if (high !== BLOCK_MAGIC[0] || low !== BLOCK_MAGIC[1]) throw new Bzip2Error('no block where one should start');
    output.limit = limit(bits.consumed);
    if (decodeBlock(bits, block, output) !== checksum) throw new Bzip2Error('checksum of a block does not match');
    combined = (((combined << 1) | (combined >>> 31)) ^ checksum) >>> 0;
  }
}

/** Decodes one block and returns the checksum of what it holds. */
function decodeBlock(bits: BitReader, block: Uint32Array, output: Output): number {
  if (bits.read(1) === 1) throw new Bzip2Error('randomised blocks, written before 1999, are not read');
  const origin = bits.read(24);
  const symbols = readSymbols(bits);
  const groups = bits.read(3);
  if (groups < 2 || groups > 6) throw new Bzip2Error('number of code tables out of range');
  const selectors = readSelectors(bits, groups);
  const codes: Code[] = [];
  for (let index = 0; index < groups; index++) codes.push(readCode(bits, symbols.length + 2));
  const counts = new Uint32Array(256);
  const length = readBlock(bits, { block, symbols, selectors, codes, counts });
  if (origin >= length) throw new Bzip2Error('origin outside the block');
  // Inverse Burrows-Wheeler transform: the upper 24 bits of each entry become the index of its successor.
  let sum = 0;
  for (let value = 0; value < 256; value++) {
    const count = counts[value] as number;
    counts[value] = sum;
    sum += count;
  }
  for (let at = 0; at < length; at++) {
    const value = (block[at] as number) & 0xff;
    const to = counts[value] as number;
    counts[value] = to + 1;
    block[to] = ((block[to] as number) & 0xff) | (at << 8);
  }
  return output.appendRuns(block, length, origin);
}

/** The byte values that occur, in order. */
function readSymbols(bits: BitReader): Uint8Array {
  const symbols: number[] = [];
  const groups = bits.read(16);
  for (let group = 0; group < 16; group++) {
    if ((groups & (0x8000 >> group)) === 0) continue;
    const used = bits.read(16);
    for (let index = 0; index < 16; index++) if (used & (0x8000 >> index)) symbols.push(group * 16 + index);
  }
  if (symbols.length === 0) throw new Bzip2Error('a block without symbols');
  return Uint8Array.from(symbols);
}

function readSelectors(bits: BitReader, groups: number): Uint8Array {
  const count = bits.read(15);
  if (count === 0) throw new Bzip2Error('a block without selectors');
  const selectors = new Uint8Array(Math.min(count, SELECTORS_MAX));
  const front = [0, 1, 2, 3, 4, 5];
  for (let index = 0; index < count; index++) {
    let depth = 0;
    while (bits.read(1) === 1) if (++depth >= groups) throw new Bzip2Error('selector out of range');
    const [chosen] = front.splice(depth, 1);
    front.unshift(chosen as number);
    // Some writers append selectors that no symbol needs.
    if (index < SELECTORS_MAX) selectors[index] = chosen as number;
  }
  return selectors;
}

/** A canonical Huffman code: of each length the last code word, and where its symbols stand in `symbols`. */
interface Code {
  readonly limit: Int32Array;
  readonly base: Int32Array;
  readonly symbols: Uint16Array;
  readonly shortest: number;
  readonly longest: number;
}

function readCode(bits: BitReader, alphabet: number): Code {
  const lengths = new Uint8Array(alphabet);
  let length = bits.read(5);
  for (let symbol = 0; symbol < alphabet; symbol++) {
    for (;;) {
      if (length < 1 || length > CODE_LENGTH_MAX) throw new Bzip2Error('code length out of range');
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  const symbols = new Uint16Array(alphabet);
  const limit = new Int32Array(CODE_LENGTH_MAX + 2).fill(-1);
  const base = new Int32Array(CODE_LENGTH_MAX + 2);
  let [code, at, shortest, longest] = [0, 0, CODE_LENGTH_MAX, 0];
  for (let bitLength = 1; bitLength <= CODE_LENGTH_MAX; bitLength++) {
    base[bitLength] = at - code;
    for (let symbol = 0; symbol < alphabet; symbol++) {
      if (lengths[symbol] !== bitLength) continue;
      symbols[at++] = symbol;
      code++;
      shortest = Math.min(shortest, bitLength);
      longest = bitLength;
    }
    limit[bitLength] = code - 1;
    code <<= 1;
  }
  return { limit, base, symbols, shortest, longest };
}

interface BlockParts {
  readonly block: Uint32Array;
  readonly symbols: Uint8Array;
  readonly selectors: Uint8Array;
  readonly codes: readonly Code[];
  /** How often each byte value occurs. */
  readonly counts: Uint32Array;
}

/** Undoes Huffman coding, run lengths and move-to-front; returns the number of bytes in the block. */
function readBlock(bits: BitReader, { block, symbols, selectors, codes, counts }: BlockParts): number {
  const front = symbols.slice();
  const end = symbols.length + 1;
  let length = 0;
  let left = 0;
  let selector = 0;
  let code = codes[0] as Code;
  let run = 0;
  let weight = 1;
  for (;;) {
    if (left === 0) {
      if (selector >= selectors.length) throw new Bzip2Error('more symbols than selectors');
      code = codes[selectors[selector++] as number] as Code;
      left = GROUP;
    }
    left--;
    const symbol = readSymbol(bits, code);
    if (symbol <= 1) {
      run += weight << symbol;
      weight <<= 1;
      if (run > block.length) throw new Bzip2Error('a run longer than a block');
      continue;
    }
    if (run > 0) {
      if (length + run > block.length) throw new Bzip2Error('a block longer than its size');
      const value = front[0] as number;
      block.fill(value, length, length + run);
      counts[value] = (counts[value] as number) + run;
      length += run;
      run = 0;
    }
    weight = 1;
    if (symbol === end) return length;
    if (length >= block.length) throw new Bzip2Error('a block longer than its size');
    const value = front[symbol - 1] as number;
    front.copyWithin(1, 0, symbol - 1);
    front[0] = value;
    counts[value] = (counts[value] as number) + 1;
    block[length++] = value;
  }
}

function readSymbol(bits: BitReader, code: Code): number {
  let length = code.shortest;
  let word = bits.read(length);
  while (word > (code.limit[length] as number)) {
    if (++length > code.longest) throw new Bzip2Error('a code word that stands for nothing');
    word = (word << 1) | bits.read(1);
  }
  const at = word + (code.base[length] as number);
  if (at < 0 || at >= code.symbols.length) throw new Bzip2Error('a code word that stands for nothing');
  return code.symbols[at] as number;
}

/** Bits, most significant first. */
class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether `BZh` stands at the present byte. */
  atSignature(): boolean {
    const at = this.#at;
    return this.#bytes[at] === 0x42 && this.#bytes[at + 1] === 0x5a && this.#bytes[at + 2] === 0x68;
  }

  /** The next `count` bits, 1 to 24. */
  read(count: number): number {
    while (this.#count < count) {
      if (this.#at >= this.#bytes.length) throw new Bzip2Error('ends in the middle of a stream');
      this.#held = ((this.#held << 8) | (this.#bytes[this.#at++] as number)) & 0x7fff_ffff;
      this.#count += 8;
    }
    this.#count -= count;
    return (this.#held >>> this.#count) & ((1 << count) - 1);
  }

  /** The next 32 bits, unsigned. */
  word(): number {
    return this.read(16) * 0x10000 + this.read(16);
  }

  /** Bytes that were read so far. */
  get consumed(): number {
    return this.#at;
  }

  /** Skips to the next whole byte. */
  align(): void {
    this.#count -= this.#count % 8;
    this.#at -= this.#count / 8;
    this.#count = 0;
  }
}

/** What was decoded so far. */
class Output {
  /** Bytes that may be written at most. */
  limit = 0;
  #bytes: Uint8Array = new Uint8Array(65_536);
  #length = 0;

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Follows the successors from `origin` and undoes the outer run lengths: after four equal bytes comes a count. */
  appendRuns(block: Uint32Array, length: number, origin: number): number {
    let checksum = 0xffff_ffff;
    let same = 0;
    let last = -1;
    let entry = block[origin] as number;
    for (let index = 0; index < length; index++) {
      entry = block[entry >>> 8] as number;
      const value = entry & 0xff;
      if (same === 4) {
        this.#reserve(value);
        this.#bytes.fill(last, this.#length, this.#length + value);
        this.#length += value;
        for (let count = 0; count < value; count++) checksum = stepped(checksum, last);
        same = 0;
        last = -1;
        continue;
      }
      same = value === last ? same + 1 : 1;
      last = value;
      this.#reserve(1);
      this.#bytes[this.#length++] = value;
      checksum = stepped(checksum, value);
    }
    return ~checksum >>> 0;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed > this.limit) throw new TooLongError(this.limit);
    this.#bytes = grown(this.#bytes, this.#length, needed);
  }
}

/** The CRC-32 polynomial, most significant bit first, for every byte. */
const CHECKSUMS: Uint32Array = Uint32Array.from({ length: 256 }, (_, value) => {
  let word = value << 24;
  for (let bit = 0; bit < 8; bit++) word = word & 0x8000_0000 ? (word << 1) ^ 0x04c1_1db7 : word << 1;
  return word;
});

function stepped(checksum: number, value: number): number {
  return (checksum << 8) ^ (CHECKSUMS[((checksum >>> 24) ^ value) & 0xff] as number);
}
