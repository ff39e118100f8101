/**
 * The two-step form: one IOVA range first, then ranges linked into it at growing offsets, one invalidation at the end.
 * Linux 6.16: dma_iova_try_alloc(), dma_iova_link(), dma_iova_sync(), dma_iova_unlink(), dma_iova_free(), dma_iova_destroy().
 *
 * Only the first range may start inside a granule and only the last may end inside one: what lies between is contiguous.
 */

import { alignDown, alignUp, type Iova, iova as iovaOf, offsetInGranule, type PhysAddr } from '../core/address.ts';
import { hex } from '../core/hex.ts';
import type { DmaDevice } from './device.ts';
import { checkDirection, type DmaDirection, protectionOf } from './direction.ts';
import { MapError } from './errors.ts';
import { refuseSharedGranule } from './refusals.ts';

const PATH = 'dma_iova';

/** One allocated range; `struct dma_iova_state`. */
export interface IovaState {
  /** IOVA of the first byte, low bits as those of the first address. */
  readonly address: Iova;
  /** Bytes of whole granules. */
  readonly size: number;
  /** Bytes from `address` to the end of what is linked. */
  linked: number;
  /** False once it is given back. */
  live: boolean;
}

/**
 * Allocates IOVA for `size` bytes that begin like `phys`; only the low bits of `phys` matter. Null where the device has no
 * translating IOMMU, for size 0, and where nothing is free.
 */
export function tryAlloc(device: DmaDevice, phys: PhysAddr, size: number): IovaState | null {
  const domain = device.domain;
  if (domain === null || size <= 0) return null;
  const offset = offsetInGranule(phys, domain.granule);
  const whole = alignUp(size + offset, domain.granule);
  const base = domain.allocator.allocate(whole, Math.min(device.limits.dmaMask, domain.allocator.limit));
  return base === null ? null : { address: iovaOf(base + offset), size: whole, linked: 0, live: true };
}

export interface LinkRange {
  readonly phys: PhysAddr;
  /** Bytes from the start of the range, as linked so far. */
  readonly offset: number;
  readonly length: number;
  readonly direction: DmaDirection;
  /** Another device's memory. */
  readonly mmio: boolean;
}

/**
 * Links one range at its offset.
 *
 * @throws MapError LINK_INVALID (EIO) where a range other than the first starts inside a granule, or it leaves the allocation;
 * UNTRUSTED_UNALIGNED; IOVA_EXHAUSTED where the page table is full
 */
export function link(device: DmaDevice, state: IovaState, range: LinkRange): void {
  const domain = requireDomain(device);
  checkDirection(range.direction);
  if (device.untrusted) refuseSharedGranule(PATH, range.phys, range.length);
  const pad = offsetInGranule(range.phys, domain.granule);
  const base = alignDown(state.address, domain.granule);
  if (pad !== 0 && range.offset > 0) {
    const message = `${hex(range.phys)} at offset ${range.offset} starts ${pad} bytes into a granule`;
    throw new MapError(
      'LINK_INVALID',
      PATH,
      message,
      'only the first range may start unaligned: map this one by itself',
    );
  }
  const at = state.address + range.offset - pad;
  const size = alignUp(range.length + pad, domain.granule);
  if (offsetInGranule(at, domain.granule) !== 0 || at + size > base + state.size || range.length <= 0) {
    const message = `${range.length} bytes at offset ${range.offset} do not fit the ${state.size} bytes allocated`;
    throw new MapError('LINK_INVALID', PATH, message, 'link whole granules one behind the other');
  }
  try {
    domain.map(iovaOf(at), alignDown(range.phys, domain.granule), size, protectionOf(range.direction, range.mmio));
  } catch (cause) {
    throw new MapError(
      'IOVA_EXHAUSTED',
      PATH,
      `the page table refused ${hex(at)}`,
      'unlink what was linked, or map less',
      cause,
    );
  }
  state.linked = Math.max(state.linked, range.offset + range.length);
}

/** Makes all links visible to the device: one invalidation for the whole range. */
export function sync(device: DmaDevice, state: IovaState): void {
  const domain = requireDomain(device);
  domain.invalidate(alignDown(state.address, domain.granule), state.size);
}

/**
 * Unlinks `[0, linkedBytes)` of the range and gives the addresses back; 0 only gives them back.
 *
 * @throws MapError NOT_MAPPED where that is not what was linked, or it was given back before; nothing is unlinked then
 */
export function unlink(device: DmaDevice, state: IovaState, linkedBytes: number): void {
  const domain = requireDomain(device);
  if (!state.live || linkedBytes !== state.linked) {
    const message = state.live
      ? `${linkedBytes} bytes are unlinked where ${state.linked} bytes are linked`
      : 'the range was given back before';
    throw new MapError('NOT_MAPPED', PATH, message, 'unlink once, with the length that was linked');
  }
  const base = alignDown(state.address, domain.granule);
  const offset = offsetInGranule(state.address, domain.granule);
  if (linkedBytes > 0) domain.unmapSpan(base, Math.min(state.size, alignUp(linkedBytes + offset, domain.granule)));
  domain.release(base, state.size);
  state.linked = 0;
  state.live = false;
}

function requireDomain(device: DmaDevice): NonNullable<DmaDevice['domain']> {
  if (device.domain !== null) return device.domain;
  throw new MapError(
    'NOT_MAPPED',
    PATH,
    'the device has no translating IOMMU',
    'tryAlloc answers null then: map each range by itself',
  );
}
