/** What becomes of a transaction. A hardware outcome is a value: nothing in here is thrown. */

/** What the requester learns. */
export type CompletionStatus =
  /** Successful Completion: the bytes are there. PCIe 2.2.9. */
  | 'SC'
  /** Unsupported Request: the bytes read as all ones. */
  | 'UR'
  /** Completer Abort: the bytes read as all ones. */
  | 'CA'
  /** No completion came: the requester's own timer ends the wait. PCIe 2.8. */
  | 'timeout'
  /** A write left. Posted: whether it arrived, nobody tells the requester. */
  | 'posted'
  /** The requester may not send (Bus Master Enable off) or is gone: no TLP on any link. */
  | 'notSent';

/** What really happened, which only the observer of the whole fabric knows. */
export type Fate =
  | 'delivered'
  | 'notSent'
  | 'unsupportedRequest'
  | 'completerAbort'
  | 'acsViolation'
  | 'iommuFault'
  | 'malformed'
  | 'dropped'
  /** The request arrived, its completion did not come back. */
  | 'completionLost';

export type FateReason =
  | 'none'
  | 'busMasterOff'
  | 'absent'
  /** The link below a port is down, or nothing is plugged in. */
  | 'linkDown'
  /** Who would claim the address has Memory Space Enable off. */
  | 'memorySpaceOff'
  /** Inside a switch's or bridge's window, but nobody below it claims the address. */
  | 'windowGap'
  /** Neither RAM nor MMIO of any port. */
  | 'noSuchAddress'
  /** No function has the bus, device and function number of a configuration request. */
  | 'noSuchFunction'
  | 'sourceValidation'
  | 'translationBlocking'
  | 'egressControl'
  /** Back through the port it came in by, without Upstream Forwarding. */
  | 'samePort'
  | 'rootComplexRefuses'
  | 'rootComplexDrops'
  | 'notMapped'
  | 'readNotAllowed'
  | 'writeNotAllowed'
  | 'noContext'
  /** A Translation Request where a memory request was expected. */
  | 'translationRequest'
  | 'payloadTooLarge'
  | 'crosses4KiB'
  /** A 4-DW header with an address below 4 GiB, or a 3-DW header with one above. */
  | 'headerForm'
  /** The TLP begins inside the target and ends behind it. */
  | 'endOfTarget'
  /** The device behind the BAR refused. */
  | 'deviceRefuses'
  /** The requester ID of the completion leads elsewhere. */
  | 'unexpectedCompletion'
  /** The requester's own timer ran out. */
  | 'timedOut';

/** The answer to `memoryRead` and `memoryWrite`. */
export interface Completion {
  readonly status: CompletionStatus;
  /** Of the first TLP that was not delivered; `delivered` where all were. */
  readonly fate: Fate;
  readonly reason: FateReason;
  /** Index of the function where that happened, ROOT_COMPLEX, or -2 where nothing went wrong. */
  readonly at: number;
  /** Bytes from the start that arrived before the first that did not. */
  readonly bytesDelivered: number;
}

/** Stands for the root complex where functions are numbered by their index. */
export const ROOT_COMPLEX: number = -1;
export const NOWHERE: number = -2;
