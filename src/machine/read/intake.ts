/**
 * Bytes of which nobody knows how many will come: standard input, a pipe, the output of a decompressor. They are kept in one
 * array, and refused as soon as they can be no machine, so that an endless input ends.
 */

import { MachineError } from '../errors.ts';
import { grown } from './archive/grown.ts';
import { compressionOf, isTar } from './archive/signature.ts';
import { UNPACKED_MAX } from './archive/unpack-limit.ts';
import { TextWatch } from './text-watch.ts';

/** A text is looked over each time that it has grown by this much. */
const LOOK = 1024 * 1024;
/** As many bytes tell an archive from a text. */
const HEAD = 512;

export class Intake {
  readonly #source: string;
  readonly #watch: TextWatch;
  #bytes: Uint8Array = new Uint8Array(64 * 1024);
  #length = 0;
  #nextLook = LOOK;
  #isText: boolean | null = null;

  /** @param source what to call the input in messages */
  constructor(source: string) {
    this.#source = source;
    this.#watch = new TextWatch(source);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Takes a copy of `piece`. Throws `MachineError` where what came so far is no machine, or more than one can be. */
  add(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > UNPACKED_MAX) throw tooLarge(this.#source, UNPACKED_MAX);
    this.#bytes = grown(this.#bytes, this.#length, length);
    this.#bytes.set(piece, this.#length);
    this.#length = length;
    if (length >= this.#nextLook) this.#look();
  }

  /** All that came. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #look(): void {
    this.#nextLook = this.#length + LOOK;
    this.#isText ??= isText(this.#bytes.subarray(0, Math.min(HEAD, this.#length)));
    if (this.#isText) this.#watch.look(this.#bytes, this.#length);
  }
}

/** Text with one byte a character: neither an archive nor UTF-16. */
function isText(head: Uint8Array): boolean {
  if (compressionOf(head) !== null || isTar(head)) return false;
  return !(head[0] === 0xff && head[1] === 0xfe) && !(head[0] === 0xfe && head[1] === 0xff);
}

const ONE_MACHINE = 'name a capture of one machine: lspci -Dnnvvvxxxx of ten thousand functions has 160 MB';

/** The refusal of an input of more than `limit` bytes; `hint` says what to give instead. */
export function tooLarge(source: string, limit: number, hint: string = ONE_MACHINE): MachineError {
  return new MachineError({ code: 'INPUT_TOO_LARGE', path: source, message: `is larger than ${limit} bytes`, hint });
}
