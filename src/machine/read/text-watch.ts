/** Whether a text still looks like the dump of a machine while it comes in. */

import { NIBBLE } from '../../core/hex.ts';
import { MachineError } from '../errors.ts';

/** A stretch of this many bytes in a dump of registers names a function, `03:00.0`, a thousand times. */
const STRETCH = 32 * 1024 * 1024;
/** As many listings of one function are read. The largest machines have twenty thousand functions. */
export const LISTINGS_MAX: number = 2 ** 18;

const NEWLINE = 0x0a;
const DOT = 0x2e;
const COLON = 0x3a;

/** Looks over a text in which each call sees all that came so far. */
export class TextWatch {
  readonly #source: string;
  /** Where the next look begins. */
  #from = 0;
  /** Behind the last function that was named. */
  #lastNamed = 0;
  #listings = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** Throws `MachineError` where the first `length` bytes hold a stretch that belongs to no dump, or more functions than are read. */
  look(bytes: Uint8Array, length: number): void {
    for (let at = Math.max(this.#from, 5); at < length - 1; at++) {
      if (bytes[at] !== DOT || !isAddress(bytes, at)) continue;
      this.#lastNamed = at;
      if (startsLine(bytes, at - 5) && ++this.#listings > LISTINGS_MAX) throw tooManyListings(this.#source);
    }
    this.#from = Math.max(this.#from, length - 1);
    if (length - this.#lastNamed > STRETCH) throw namesNothing(this.#source, this.#lastNamed);
  }
}

/** Throws `MachineError` where a text begins with a stretch that belongs to no dump. Looks no further than the first function. */
export function checkBeginning(bytes: Uint8Array, source: string): void {
  const limit = Math.min(bytes.length - 1, STRETCH);
  for (let at = 5; at < limit; at++) if (bytes[at] === DOT && isAddress(bytes, at)) return;
  if (bytes.length > STRETCH) throw namesNothing(source, 0);
}

/** Whether `bb:dd.f` stands around the dot at `dot`. */
function isAddress(bytes: Uint8Array, dot: number): boolean {
  const digit = (at: number): boolean => (NIBBLE[bytes[at] as number] as number) < 16;
  if (bytes[dot - 3] !== COLON || !digit(dot + 1)) return false;
  return digit(dot - 1) && digit(dot - 2) && digit(dot - 4) && digit(dot - 5);
}

/** Whether an address is the first of its line; a domain may stand before it. */
function startsLine(bytes: Uint8Array, start: number): boolean {
  let at = start;
  if (bytes[at - 1] === COLON) at -= 5;
  return at <= 0 || bytes[at - 1] === NEWLINE;
}

/** The refusal of a listing of more functions than any machine has. */
export function tooManyListings(source: string): MachineError {
  return new MachineError({
    code: 'INPUT_TOO_LARGE',
    path: source,
    message: `lists more than ${LISTINGS_MAX} functions`,
    hint: 'give the listing of one machine: sudo lspci -Dnnvvvxxxx > host.txt',
  });
}

function namesNothing(source: string, offset: number): MachineError {
  const where = offset === 0 ? 'its first' : `from byte ${offset} on,`;
  return new MachineError({
    code: 'INPUT_FORMAT_UNKNOWN',
    path: source,
    message: `${where} ${STRETCH / 2 ** 20} MiB name no PCI function (03:00.0): this is no dump of a machine`,
    hint: 'give the part that shows its devices, for example the output of: sudo lspci -Dnnvvvxxxx',
  });
}
