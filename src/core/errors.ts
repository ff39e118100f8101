/**
 * Requests that we refuse. Three kinds of going wrong are told apart in this project: a hardware outcome is a value, a
 * refusal is a `P2pError` thrown at the border, our own mistake is an assertion.
 */

export interface P2pErrorFields<Code extends string> {
  /** Stable machine-readable name of the refusal. */
  readonly code: Code;
  /** What the refusal is about: `0000:03:00.0/bar4`, `vectors[2].address`, `dump.txt:17`. */
  readonly path: string;
  /** The fact, with its numbers. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
  /** The error number that Linux would answer with, where it has one: `EREMOTEIO`. */
  readonly errno?: string | undefined;
  readonly cause?: unknown;
}

/** Base of every refusal. Each area has its own subclass with its own closed list of codes. */
export class P2pError<Code extends string = string> extends Error {
  override readonly name: string = 'P2pError';
  readonly code: Code;
  readonly path: string;
  readonly hint: string;
  readonly errno: string | undefined;

  constructor(fields: P2pErrorFields<Code>) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.path = fields.path;
    this.hint = fields.hint;
    this.errno = fields.errno;
  }
}
