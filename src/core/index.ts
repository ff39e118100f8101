export type { BusAddr, DmaAddr, Iova, PhysAddr } from './address.ts';
export {
  ADDRESS_LIMIT,
  addBytes,
  addressFromWords,
  alignDown,
  alignUp,
  busAddr,
  busFromPhys,
  dmaAddr,
  formatAddress,
  iova,
  isAddress,
  offsetInGranule,
  pageIndex,
  physAddr,
  physFromBus,
  storedAddress,
  wordsOf,
} from './address.ts';
export { ArgumentError, checkObject, checkText, isObject, kindOf } from './argument.ts';
export { AssertionError, assert, assertNever, present } from './assert.ts';
export { copyBytes, plainBytes } from './bytes.ts';
export { Clock } from './clock.ts';
export type { P2pErrorFields } from './errors.ts';
export { P2pError } from './errors.ts';
export { hex, hexDigits, parseHex } from './hex.ts';
export { Prng } from './prng.ts';
export type { Range } from './range.ts';
export { findRange, joinRanges, rangeContains, rangesOverlap } from './range.ts';
export type { Word64 } from './word64.ts';
export { formatWord64, maskLimit, parseWord64, signedFromWord64 } from './word64.ts';
