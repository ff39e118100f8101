/**
 * The header of a transaction as Advanced Error Reporting logs it: the Header Log register, four doublewords. PCIe Base Specification,
 * 2.2.1 (common fields), 2.2.7 (requests), 2.2.9 (completions), 7.8.4.8 (Header Log).
 *
 *   6c000002 06000000 0000000f b76e6008
 *   |        |        |        address, low      64-bit: high, low; 32-bit: the third alone
 *   |        requester 06:00.0, tag 00, byte enables 0 0
 *   format 3 (four doublewords, data), type 0c (FetchAdd), length 2
 */

import { bdfFromRoutingId, formatBdf } from './bdf.ts';

export type TlpKind =
  | 'memoryRead'
  | 'memoryReadLocked'
  | 'memoryWrite'
  | 'fetchAdd'
  | 'swap'
  | 'compareAndSwap'
  | 'ioRead'
  | 'ioWrite'
  | 'configRead'
  | 'configWrite'
  | 'completion'
  | 'message'
  | 'unknown';

export interface TlpHeader {
  readonly kind: TlpKind;
  /** Function that sent it, without a domain: `06:00.0`. For a completion the completer. */
  readonly from: string;
  /** For a completion the requester that it answers; null for all others. */
  readonly to: string | null;
  readonly tag: number;
  /** Null where the kind has none, and for one of more than 53 bits. */
  readonly address: number | null;
  /** Bytes of the payload, or asked for; null where the kind has none. */
  readonly lengthBytes: number | null;
  /** Byte enables of the first and the last doubleword; null where the kind has none. */
  readonly byteEnables: { readonly first: number; readonly last: number } | null;
  /** Whether the address was translated by the sender (Address Type 10b). */
  readonly isTranslated: boolean;
  /** Marked as poisoned by its sender. */
  readonly isPoisoned: boolean;
}

const ATOMICS: ReadonlySet<TlpKind> = new Set(['fetchAdd', 'swap', 'compareAndSwap']);

/** Whether it is an AtomicOp, which a port passes on only if it routes them. PCIe 6.15. */
export function isAtomicOp({ kind }: TlpHeader): boolean {
  return ATOMICS.has(kind);
}

/** Decodes the first four doublewords of a logged header; null where they are fewer, or all zeros or ones: nothing was logged. */
export function decodeTlpHeader(words: readonly number[]): TlpHeader | null {
  const [first, second, third, fourth] = words;
  if (first === undefined || second === undefined || third === undefined || fourth === undefined) return null;
  if (words.slice(0, 4).every((word) => word === 0) || words.slice(0, 4).every((word) => word === 0xffffffff))
    return null;
  const format = first >>> 29;
  const type = (first >>> 24) & 0x1f;
  const kind = kindOf(format, type);
  const length = (first & 0x3ff || 1024) * 4;
  const isMemory = ADDRESSED.has(kind);
  const isCompletion = kind === 'completion';
  const high = format & 1 ? third : 0;
  const low = (format & 1 ? fourth : third) & ~3;
  const address = high * 2 ** 32 + (low >>> 0);
  return {
    kind,
    from: idOf(second >>> 16),
    to: isCompletion ? idOf(third >>> 16) : null,
    tag: isCompletion ? (third >>> 8) & 0xff : (second >>> 8) & 0xff,
    address: isMemory && Number.isSafeInteger(address) ? address : null,
    lengthBytes: isMemory || (isCompletion && format === 2) ? length : null,
    byteEnables: isMemory && !ATOMICS.has(kind) ? { first: second & 15, last: (second >>> 4) & 15 } : null,
    isTranslated: isMemory && ((first >>> 10) & 3) === 2,
    isPoisoned: (first & 0x4000) !== 0,
  };
}

/** `06:00.0`: a logged header names no domain. */
const idOf = (id: number): string => formatBdf(bdfFromRoutingId(0, id)).slice('0000:'.length);

const ADDRESSED: ReadonlySet<TlpKind> = new Set([
  'memoryRead',
  'memoryReadLocked',
  'memoryWrite',
  'fetchAdd',
  'swap',
  'compareAndSwap',
  'ioRead',
  'ioWrite',
]);

/** Bit 1 of the format says that data follow. PCIe, table 2-3. */
function kindOf(format: number, type: number): TlpKind {
  if (format > 3) return 'unknown';
  const hasData = (format & 2) !== 0;
  if ((type & 0x18) === 0x10) return 'message';
  switch (type) {
    case 0x00:
      return hasData ? 'memoryWrite' : 'memoryRead';
    case 0x01:
      return hasData ? 'unknown' : 'memoryReadLocked';
    case 0x02:
      return hasData ? 'ioWrite' : 'ioRead';
    case 0x04:
    case 0x05:
      return hasData ? 'configWrite' : 'configRead';
    case 0x0a:
    case 0x0b:
      return 'completion';
    case 0x0c:
      return hasData ? 'fetchAdd' : 'unknown';
    case 0x0d:
      return hasData ? 'swap' : 'unknown';
    case 0x0e:
      return hasData ? 'compareAndSwap' : 'unknown';
    default:
      return 'unknown';
  }
}
