/**
 * A memory that counts: what a program reads, from which addresses, in how many different cache lines, which loads had to wait for
 * an earlier one, and what it compared. The designs of counted-designs.ts run on it, with structures laid out as a C compiler
 * would.
 *
 * A value remembers whether it came out of memory. A load whose address was worked out from such a value is a dependent one: no
 * processor can start it before the other has arrived.
 */

const LINE_BYTES = 64;

/** A number in a register. */
export interface Word {
  readonly value: number;
  /** It came from memory, or was worked out from what did. */
  readonly isLoaded: boolean;
}

/** What was counted. */
export interface Counts {
  /** Bytes loaded, each time that they are. */
  readonly bytes: number;
  /** Different lines of 64 bytes that a load touched. */
  readonly lines: number;
  readonly compares: number;
  readonly loads: number;
  readonly dependentLoads: number;
}

/** A number that the program knows without reading it: a constant, an argument, what stays in a register. */
export function known(value: number): Word {
  return { value, isLoaded: false };
}

/** What is worked out from other values. */
export function made(value: number, ...from: readonly Word[]): Word {
  return { value, isLoaded: from.some(({ isLoaded }) => isLoaded) };
}

export class CountedMemory {
  readonly #cells = new Map<number, { readonly value: number; readonly bytes: number }>();
  readonly #lines = new Set<number>();
  #next = 2 ** 20;
  #bytes = 0;
  #compares = 0;
  #loads = 0;
  #dependentLoads = 0;

  /** The address of room for `bytes`, at the start of a line. */
  place(bytes: number): number {
    const at = this.#next;
    this.#next += Math.ceil(bytes / LINE_BYTES) * LINE_BYTES;
    return at;
  }

  /** Puts a value into a field of `bytes` bytes. Not counted: what is counted is reading. */
  store(at: number, bytes: number, value: number): void {
    this.#cells.set(at, { value, bytes });
  }

  /** Reads a field, as it was stored. */
  load(at: Word, bytes: number): Word {
    const cell = this.#cells.get(at.value);
    if (cell === undefined || cell.bytes !== bytes) throw new Error(`no field of ${bytes} bytes at ${at.value}`);
    this.#loads++;
    this.#bytes += bytes;
    if (at.isLoaded) this.#dependentLoads++;
    const last = Math.floor((at.value + bytes - 1) / LINE_BYTES);
    for (let line = Math.floor(at.value / LINE_BYTES); line <= last; line++) this.#lines.add(line);
    return { value: cell.value, isLoaded: true };
  }

  isBelow(one: Word, other: Word): boolean {
    this.#compares++;
    return one.value < other.value;
  }

  isAbove(one: Word, other: Word): boolean {
    this.#compares++;
    return one.value > other.value;
  }

  isEqual(one: Word, other: Word): boolean {
    this.#compares++;
    return one.value === other.value;
  }

  /** What was counted since the last call. */
  take(): Counts {
    const counts = {
      bytes: this.#bytes,
      lines: this.#lines.size,
      compares: this.#compares,
      loads: this.#loads,
      dependentLoads: this.#dependentLoads,
    };
    this.#lines.clear();
    this.#bytes = 0;
    this.#compares = 0;
    this.#loads = 0;
    this.#dependentLoads = 0;
    return counts;
  }
}
