/** What a walk over PRPs or SGLs hands its findings to. All answers are status codes of `spec/status.ts`, 0 for "go on". */

export interface PointerSink {
  /** The next stretch of data. */
  add(address: number, lengthBytes: number): number;
  /** The next stretch of data, by offset in the CMB: our vendor extension. */
  addRelative(offset: number, lengthBytes: number): number;
  /** Data that is dropped. */
  addBucket(lengthBytes: number): void;
  /** Reads a part of a list. */
  readList(address: number, into: Uint8Array): number;
}
