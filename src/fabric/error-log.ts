/**
 * Errors as hardware logs them: Advanced Error Reporting of the function that detects one, and the IOMMU's faults. PCIe Base
 * Specification, 6.2 and 7.8.4.
 *
 * The registers are written too: Uncorrectable Error Status, First Error Pointer, Header Log, Device Status. Role-based
 * downgrading to "advisory non-fatal", error messages to the root port and their interrupts are not modelled.
 */

import type { LiveFunction } from './live-function.ts';
import type { MemoryRequest } from './memory-request.ts';
import type { Fate, FateReason } from './outcome.ts';

/** Uncorrectable errors by their names in the AER capability. PCIe 7.8.4.2. */
export type AerError =
  | 'completionTimeout'
  | 'completerAbort'
  | 'unexpectedCompletion'
  | 'malformedTlp'
  | 'unsupportedRequest'
  | 'acsViolation';

const AER_BITS: Readonly<Record<AerError, number>> = {
  completionTimeout: 14,
  completerAbort: 15,
  unexpectedCompletion: 16,
  malformedTlp: 18,
  unsupportedRequest: 20,
  acsViolation: 21,
};

/** Device Status: Non-Fatal Error Detected, Fatal Error Detected, Unsupported Request Detected. PCIe 7.5.3.5. */
const NON_FATAL_DETECTED = 0x2;
const FATAL_DETECTED = 0x4;
const UNSUPPORTED_DETECTED = 0x8;

export interface LoggedError {
  readonly timeNs: number;
  /** Index of the function that detected it, or ROOT_COMPLEX. */
  readonly at: number;
  /** null: nothing that AER knows of. A fault is in the IOMMU's log, a dropped TLP in nobody's. */
  readonly aer: AerError | null;
  readonly fate: Fate;
  readonly reason: FateReason;
  readonly isWrite: boolean;
  /** Requester ID of the TLP, 16 bits. */
  readonly requesterId: number;
  /** Address of the TLP where the error was detected. */
  readonly address: number;
}

/** What AER calls an outcome. */
export function aerErrorOf(fate: Fate, reason: FateReason): AerError | null {
  switch (fate) {
    case 'unsupportedRequest':
      return 'unsupportedRequest';
    case 'completerAbort':
      return 'completerAbort';
    case 'acsViolation':
      return 'acsViolation';
    case 'malformed':
      return 'malformedTlp';
    case 'completionLost':
      if (reason === 'unexpectedCompletion') return 'unexpectedCompletion';
      if (reason === 'timedOut') return 'completionTimeout';
      return reason === 'payloadTooLarge' ? 'malformedTlp' : null;
    case 'delivered':
    case 'notSent':
    case 'iommuFault':
    case 'dropped':
      return null;
  }
}

/** Keeps the first `limit` errors, and counts all. */
export class ErrorLog {
  readonly #entries: LoggedError[] = [];
  readonly #limit: number;
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** All errors so far, those not kept included. */
  get count(): number {
    return this.#count;
  }

  /** The first errors since the last `take`, oldest first. */
  get entries(): readonly LoggedError[] {
    return this.#entries;
  }

  /** The kept errors since the last call, oldest first; they are forgotten. */
  take(): LoggedError[] {
    return this.#entries.splice(0, this.#entries.length);
  }

  /** Logs an error; `node` is the function that detected it, null at the root complex. */
  add(error: LoggedError, node: LiveFunction | null, request: MemoryRequest): void {
    this.#count++;
    if (this.#entries.length < this.#limit) this.#entries.push(error);
    if (node !== null && error.aer !== null) writeRegisters(node, error.aer, request, error.address);
  }
}

function writeRegisters(node: LiveFunction, error: AerError, request: MemoryRequest, address: number): void {
  const { registers } = node;
  const bit = AER_BITS[error];
  let fatal = error === 'malformedTlp';
  if (registers.aer > 0) {
    const at = registers.aer;
    const status = registers.read(at + 4, 4);
    const masked = ((registers.read(at + 8, 4) >>> bit) & 1) !== 0;
    fatal = ((registers.read(at + 0x0c, 4) >>> bit) & 1) !== 0;
    registers.put32(at + 4, (status | (1 << bit)) >>> 0);
    // The pointer and the header are of the first error that is not masked, until software clears its status bit.
    const first = registers.read(at + 0x18, 4) & 0x1f;
    if (!masked && ((status >>> first) & 1) === 0) {
      registers.put32(at + 0x18, ((registers.read(at + 0x18, 4) & ~0x1f) | bit) >>> 0);
      headerOf(request, address).forEach((word, index) => {
        registers.put32(at + 0x1c + index * 4, word);
      });
    }
  }
  if (registers.express > 0) {
    const unsupported = error === 'unsupportedRequest' ? UNSUPPORTED_DETECTED : 0;
    registers.set16(registers.express + 0x0a, (fatal ? FATAL_DETECTED : NON_FATAL_DETECTED) | unsupported);
  }
}

/** The header of a memory request as four double words, first byte in bits 31:24 as the Header Log has it. PCIe 2.2.7. */
function headerOf(request: MemoryRequest, address: number): readonly number[] {
  const long = address >= 2 ** 32;
  const format = (long ? 1 : 0) | (request.isWrite ? 2 : 0);
  const doubleWords = request.isWrite ? Math.ceil((request.payload + (address & 3)) / 4) & 0x3ff : 0;
  const attributes = request.relaxedOrdering ? 0x2000 : 0;
  const type = { untranslated: 0, translationRequest: 1, translated: 2 }[request.addressType] << 10;
  const first = ((format << 29) | attributes | type | doubleWords) >>> 0;
  const second = (request.requesterId * 65536 + 0xff) >>> 0;
  const low = (address & ~3) >>> 0;
  return long ? [first, second, Math.floor(address / 2 ** 32), low] : [first, second, low, 0];
}
