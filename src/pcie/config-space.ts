/**
 * The configuration space of one function as far as it is known: 64, 256 or 4096 bytes, or what a dump kept of them.
 * A byte that is not known is `undefined`, never 0. PCIe Base Specification, 7.2 and 7.5.
 */

import { assert } from '../core/assert.ts';
import { copyBytes } from '../core/bytes.ts';

/** Size of a row of a hex dump: the unit in which parts of a space may be missing. */
const ROW = 16;

export class ConfigSpace {
  /** Nothing is known. */
  static readonly UNKNOWN: ConfigSpace = new ConfigSpace(new Uint8Array(0));

  /** The bytes from offset 0; those of missing rows are meaningless. */
  readonly bytes: Uint8Array;
  /** Bit r of the set tells that row r is known; null where all of `bytes` is. */
  readonly #rows: Uint8Array | null;

  /**
   * @param bytes from offset 0, at most 4096
   * @param knownRows one byte per 16-byte row, 0 where the row is missing; left out when all rows are known
   */
  constructor(bytes: Uint8Array, knownRows?: Uint8Array) {
    assert(bytes.length <= 4096, `a configuration space has at most 4096 bytes, not ${bytes.length}`);
    this.bytes = bytes;
    this.#rows = knownRows?.includes(0) ? knownRows : null;
  }

  /** Number of bytes from offset 0 that the source spoke of, holes included. */
  get length(): number {
    return this.bytes.length;
  }

  /** Whether every byte of [offset, offset + length) is known. */
  knows(offset: number, length: number): boolean {
    if (offset < 0 || offset + length > this.bytes.length) return false;
    if (this.#rows === null) return true;
    for (let row = Math.floor(offset / ROW); row * ROW < offset + length; row++) {
      if (this.#rows[row] !== 1) return false;
    }
    return true;
  }

  /** The byte at `offset`, or undefined where it is not known. */
  u8(offset: number): number | undefined {
    return this.#rows === null || this.knows(offset, 1) ? this.bytes[offset] : undefined;
  }

  /** The little-endian 16-bit register at `offset`, or undefined where it is not known. */
  u16(offset: number): number | undefined {
    if (this.#rows !== null && !this.knows(offset, 2)) return undefined;
    const high = this.bytes[offset + 1];
    return high === undefined ? undefined : (this.bytes[offset] as number) | (high << 8);
  }

  /** The little-endian 32-bit register at `offset`, unsigned, or undefined where it is not known. */
  u32(offset: number): number | undefined {
    const low = this.u16(offset);
    const high = this.u16(offset + 2);
    return low === undefined || high === undefined ? undefined : high * 0x10000 + low;
  }

  /**
   * A copy with the 16-bit register at `offset` set. The register must be known.
   */
  withU16(offset: number, value: number): ConfigSpace {
    assert(this.knows(offset, 2), `register at 0x${offset.toString(16)} is not known`);
    const bytes = copyBytes(this.bytes);
    bytes[offset] = value & 0xff;
    bytes[offset + 1] = (value >> 8) & 0xff;
    return this.#rows === null ? new ConfigSpace(bytes) : new ConfigSpace(bytes, this.#rows);
  }

  /**
   * Whether the function answered with all ones: powered down (D3cold), or gone from the bus. A Virtual Function's first
   * four bytes are all ones by specification (SR-IOV 9.3.4.1.1), so the header type is asked too.
   */
  get allOnes(): boolean {
    return this.u16(0) === 0xffff && this.u8(0x0e) === 0xff;
  }
}
