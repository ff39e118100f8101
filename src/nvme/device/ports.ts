/**
 * What a simulated controller uses of the rest of the world: the link above it, the place of its BARs, and a store for blocks.
 * Each is implemented elsewhere (the fabric, the machine, a file) and by the tests.
 */

import type { BusAddr, DmaAddr } from '../../core/address.ts';

/**
 * How a memory request ended. `SC`, `UR` and `CA` are the completion statuses of PCIe 2.2.9; a request that nobody completes
 * ends with `timeout`; `notSent` means that no TLP left the function, its Bus Master Enable being off.
 *
 * A write is posted: `SC` means that it left, not that it arrived. Nobody tells a device that its write was lost.
 */
export type UpstreamStatus = 'SC' | 'UR' | 'CA' | 'timeout' | 'notSent';

/**
 * The link above the function. Requests are as long as the contiguous stretch of memory that a command names (up to 128 KiB at
 * once): the port cuts them at 4 KiB, Max_Payload_Size and Max_Read_Request_Size, and where they meet different targets.
 */
export interface UpstreamPort {
  /** Memory reads that fill `into`. Anything but `SC` leaves its contents undefined. */
  read(address: DmaAddr, into: Uint8Array): UpstreamStatus;
  /** Posted memory writes of `from`. The bytes are taken before the call returns. */
  write(address: DmaAddr, from: Uint8Array): UpstreamStatus;
}

/** Where the BARs of the function are now. Only a controller whose CMB is of the kind before 1.4 asks. */
export interface BarPort {
  /** Bus address of a BAR, or null while it is not assigned or not decoded (Memory Space Enable off). */
  busAddress(bar: number): BusAddr | null;
}

/** Outcome of a store access: `failed` becomes a media error of the command. */
export type BlockStatus = 'ok' | 'failed';

/** The bytes of one namespace. Ranges are always inside `[0, sizeBytes)`. */
export interface BlockStore {
  /** A multiple of the block size of the namespace. */
  readonly sizeBytes: number;
  read(offsetBytes: number, into: Uint8Array): BlockStatus;
  write(offsetBytes: number, from: Uint8Array): BlockStatus;
  /** Makes what was written last. */
  flush(): BlockStatus;
}
