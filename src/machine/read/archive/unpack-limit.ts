/**
 * How much a compressed input may unpack to. The limit grows with what was consumed, so that a small file which unpacks to a huge
 * one is refused when its first part has shown what it is, not when memory is full.
 */

import { MachineError } from '../../errors.ts';

/** Bytes that may come out of `consumed` bytes. */
export type UnpackLimit = (consumed: number) => number;

/** No capture is larger, whatever it was packed with. */
export const UNPACKED_MAX: number = 512 * 1024 * 1024;
/** What even the smallest input may unpack to. */
const UNPACKED_FREE = 64 * 1024 * 1024;
/** Beyond that, how many times what was consumed. Listings of thousands of like functions reach 70; zeros reach 1000 in gzip. */
const RATIO_MAX = 192;

/** The limit for captures. */
export const CAPTURE_LIMIT: UnpackLimit = (consumed) => Math.min(UNPACKED_MAX, UNPACKED_FREE + RATIO_MAX * consumed);

/** A decoder's output grew beyond its limit. */
export class TooLongError extends Error {
  override readonly name: string = 'TooLongError';

  constructor(limit: number) {
    super(`more than ${limit} bytes`);
  }
}

/** The refusal of `packed` bytes that unpack to more than a capture has. */
export function tooLong(packed: number, source: string, cause: TooLongError): MachineError {
  return new MachineError({
    code: 'INPUT_TOO_LARGE',
    path: source,
    message: `unpacks to ${cause.message}: no capture of ${packed} bytes does`,
    hint: 'unpack it and look at it; capture only sys/bus/pci, sys/devices/pci*, sys/kernel/iommu_groups and proc',
    cause,
  });
}
