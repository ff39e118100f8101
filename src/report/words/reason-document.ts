/** A reason of a verdict as every JSON document shows it. */

import type { Reason, ReasonCode } from '../../p2p/verdict.ts';

export interface ReasonDocument {
  readonly code: ReasonCode;
  /** Full names of the functions concerned, in walk order. */
  readonly at: readonly string[];
  readonly message: string;
}

/** The reason with its functions named. */
export function reasonDocument({ code, at, message }: Reason): ReasonDocument {
  return { code, at: at.map((fn) => fn.name), message };
}
