/**
 * The bytes of all configuration spaces of a dump in one array. Rows that come in order are written one behind the other;
 * a space with missing or disordered rows moves out into an array of its own.
 */

import { ConfigSpace } from '../../../pcie/config-space.ts';

const SPACE = 4096;
const ROW = 16;

/** A space whose rows did not come in order: bit b of `masks[r]` tells that byte b of row r is known. */
interface Scattered {
  readonly bytes: Uint8Array;
  readonly masks: Uint16Array;
  end: number;
}

export class ConfigArena {
  /** Rows in order, all spaces behind one another. Written to by the scanner's inner loop. */
  readonly bytes: Uint8Array;
  /** Where the space that is being read starts. */
  start = 0;
  /** Bytes of it so far; the offset that the next row in order has. */
  length = 0;
  #scattered: Scattered | null = null;
  #scatteredBudget: number;

  /**
   * @param inputLength bytes of the dump: no dump holds more config bytes than a third of it, as each takes two digits and
   *   a blank
   */
  constructor(inputLength: number) {
    this.bytes = new Uint8Array(Math.ceil(inputLength / 3) + ROW);
    // Keeps a dump of single rows at high offsets from taking 4 KiB for each line of it.
    this.#scatteredBudget = 2 * inputLength + 64 * SPACE;
  }

  /** Whether nothing of the present space was read. */
  get empty(): boolean {
    return this.length === 0 && this.#scattered === null;
  }

  /** Whether rows of the present space come in order, so that they are written to `bytes` directly. */
  get inOrder(): boolean {
    return this.#scattered === null;
  }

  /** Whether any byte in [offset, offset + 16) of the present space is known. */
  touched(offset: number): boolean {
    if (this.#scattered !== null) return (this.#scattered.masks[offset >> 4] as number) !== 0;
    return offset < this.length;
  }

  /** Adds `count` bytes at `offset`, which may be out of order. False where there is no room for them. */
  put(offset: number, row: Uint8Array, count: number): boolean {
    if (offset + count > SPACE) return false;
    if (this.#scattered === null && offset === this.length) {
      this.bytes.set(row.subarray(0, count), this.start + this.length);
      this.length += count;
      return true;
    }
    const scattered = this.#scattered ?? this.#scatter();
    if (scattered === null) return false;
    for (let index = 0; index < count; index++) {
      const at = offset + index;
      scattered.bytes[at] = row[index] as number;
      scattered.masks[at >> 4] = (scattered.masks[at >> 4] as number) | (1 << (at & 15));
    }
    scattered.end = Math.max(scattered.end, offset + count);
    return true;
  }

  #scatter(): Scattered | null {
    const cost = SPACE + 2 * (SPACE / ROW);
    if (cost > this.#scatteredBudget) return null;
    this.#scatteredBudget -= cost;
    const bytes = new Uint8Array(SPACE);
    bytes.set(this.bytes.subarray(this.start, this.start + this.length));
    const masks = new Uint16Array(SPACE / ROW);
    for (let at = 0; at < this.length; at++) masks[at >> 4] = (masks[at >> 4] as number) | (1 << (at & 15));
    this.#scattered = { bytes, masks, end: this.length };
    return this.#scattered;
  }

  /** The present space; the next one begins. */
  finish(): ConfigSpace {
    const scattered = this.#scattered;
    const { start, length } = this;
    this.#scattered = null;
    this.length = 0;
    if (scattered !== null) return gather(scattered);
    this.start = start + length;
    return length === 0 ? ConfigSpace.UNKNOWN : new ConfigSpace(this.bytes.subarray(start, start + length));
  }
}

function gather(scattered: Scattered): ConfigSpace {
  const { bytes, masks, end } = scattered;
  const rows = new Uint8Array(Math.ceil(end / ROW));
  for (let row = 0; row < rows.length; row++) {
    const whole = Math.min(ROW, end - row * ROW);
    rows[row] = masks[row] === (1 << whole) - 1 ? 1 : 0;
  }
  return new ConfigSpace(bytes.subarray(0, end), rows);
}
