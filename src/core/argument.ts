/**
 * The doors of the library, for callers whose types nobody checked. What is missing or of another kind is refused in words, where
 * it came in; behind a door everything is trusted.
 */

import { P2pError } from './errors.ts';

/** An argument of a library function is missing, or is something else. */
export class ArgumentError extends P2pError<'ARGUMENT_INVALID'> {
  override readonly name: string = 'ArgumentError';

  /** @param path function and argument: `p2pdmaDistance: provider` */
  constructor(path: string, message: string, hint: string) {
    super({ code: 'ARGUMENT_INVALID', path, message, hint });
  }
}

/**
 * Refuses what is not an object with a field of this name.
 *
 * @param wanted what to pass, for the hint: `a PciFunction of context.machine`
 */
export function checkObject(value: unknown, field: string | symbol, path: string, wanted: string): void {
  if (typeof value === 'object' && value !== null && field in value) return;
  throw new ArgumentError(path, `is ${kindOf(value)}`, `pass ${wanted}`);
}

/** Refuses what is not text. */
export function checkText(value: unknown, path: string, wanted: string): void {
  if (typeof value !== 'string') throw new ArgumentError(path, `is ${kindOf(value)}`, `pass ${wanted}`);
}

/** Whether a value is an object at all: what hot functions ask before `checkObject` says what is wrong. */
export function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** What a value is, in a word or two: `undefined`, `a number`, `a Promise`. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  const made = (Object(value) as { constructor?: { name?: unknown } }).constructor;
  const name = typeof value === 'object' ? made?.name : typeof value;
  const word = typeof name === 'string' && name !== '' ? name : 'object';
  return `${/^[aeioAEIO]/.test(word) ? 'an' : 'a'} ${word}`;
}
