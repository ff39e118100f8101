/** What Advanced Error Reporting would have logged, and the IOMMU's faults. PCIe Base Specification, 6.2 and 7.8.4. */

import type { Fate, FateReason } from './outcome.ts';

export interface LoggedError {
  /** Index of the function that detected it, or ROOT_COMPLEX. */
  readonly at: number;
  readonly fate: Fate;
  readonly reason: FateReason;
  readonly isWrite: boolean;
  /** Requester ID of the TLP, 16 bits. */
  readonly requesterId: number;
  /** Address of the TLP where the error was detected. */
  readonly address: number;
}

/** Keeps the first `limit` errors, and counts all. */
export class ErrorLog {
  readonly entries: LoggedError[] = [];
  readonly #limit: number;
  #count = 0;

  constructor(limit = 4096) {
    this.#limit = limit;
  }

  /** All errors so far, those not kept included. */
  get count(): number {
    return this.#count;
  }

  add(error: LoggedError): void {
    this.#count++;
    if (this.entries.length < this.#limit) this.entries.push(error);
  }

  /** The kept errors since the last call, oldest first; they are forgotten. */
  take(): LoggedError[] {
    return this.entries.splice(0, this.entries.length);
  }
}
