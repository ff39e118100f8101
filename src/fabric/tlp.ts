/**
 * How a transfer is cut into TLPs, and what they weigh on a wire. PCIe Base Specification, 2.2.7 (a request does not cross 4 KiB),
 * 7.5.3.4 (Max_Payload_Size, Max_Read_Request_Size), 2.3.1.1 (Read Completion Boundary).
 *
 * Requesters here cut at multiples of the block size, as hardware does: every block size divides 4 KiB, so no TLP crosses it.
 */

/** Framing, sequence number and LCRC around a TLP. */
const FRAMING_BYTES = 8;

/** A memory request below 4 GiB: three double words of header. */
export const OVERHEAD_3DW: number = FRAMING_BYTES + 12;
/** A memory request from 4 GiB on: four. */
export const OVERHEAD_4DW: number = FRAMING_BYTES + 16;
/** A completion, and a configuration request. */
export const OVERHEAD_COMPLETION: number = FRAMING_BYTES + 12;

/** Number of naturally aligned blocks that [address, address + length) touches. `block` is a power of two; length >= 1. */
export function blockCount(address: number, length: number, block: number): number {
  const last = (address & (block - 1)) + length - 1;
  return (last - (last & (block - 1))) / block + 1;
}

/** Bytes of payload on the wire: whole double words. */
export function payloadOnWire(address: number, length: number): number {
  const bytes = (address & 3) + length + 3;
  return bytes - (bytes & 3);
}

/** Length of the TLP that begins at `address` when `left` bytes are still to go. */
export function blockLength(address: number, left: number, block: number): number {
  return Math.min(block - (address & (block - 1)), left);
}

/** Of `left` bytes, those before `extent` that whole TLPs carry; at least the first TLP, of `single` bytes. */
export function wholeBlocks(address: number, left: number, extent: number, block: number, single: number): number {
  if (extent >= left) return left;
  return Math.max(extent - ((address + extent) & (block - 1)), single);
}
