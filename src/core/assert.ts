/** Our own mistakes. An assertion that fails is a bug in this project; nobody catches it but the outermost frame. */

/** An assertion of this project failed. */
export class AssertionError extends Error {
  override readonly name: string = 'AssertionError';
}

/** Throws `AssertionError` unless `condition` holds. `what` states the rule that was broken. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new AssertionError(what);
}

/** The last line of an exhaustive `switch`: does not compile while a case is missing. */
export function assertNever(value: never): never {
  throw new AssertionError(`unhandled case: ${JSON.stringify(value)}`);
}

/** The value, which must be there. */
export function present<T>(value: T | null | undefined, what: string): T {
  assert(value !== null && value !== undefined, `${what} is missing`);
  return value;
}
