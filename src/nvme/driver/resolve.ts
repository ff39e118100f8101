/**
 * Finds case (c) while a command is programmed: segments become what the controller is told.
 *
 * A segment of the own buffer is told as `CBA + (offset - CMB start)`, which looks like case (b2) and which the controller
 * recognises; or, where it offers our vendor extension and the caller asks, as the offset alone.
 */

import { storedAddress } from '../../core/address.ts';
import { hex } from '../../core/hex.ts';
import type { CmbFacts } from './cmb-setup.ts';
import { NvmeError } from './errors.ts';
import type { OwnFunction } from './ports.ts';
import { type DataSegments, SEGMENT_BAR, SEGMENT_BUS, SEGMENT_DMA } from './segments.ts';

/** What the controller is told. A structure of arrays. */
export interface ResolvedSegments {
  readonly count: number;
  readonly totalBytes: number;
  /** What goes into PRPs and SGL descriptors. */
  readonly addresses: readonly number[];
  readonly lengths: readonly number[];
  /** The controller's own buffer; what is missing at the end is not. */
  readonly own: readonly boolean[];
  /** Somebody else's device memory; what is missing at the end is not. */
  readonly mmio: readonly boolean[];
  /** Own segments are offsets, not addresses. */
  readonly isRelative: boolean;
}

const NONE: readonly boolean[] = [];

/** Where a segment of the own BARs begins in the buffer. Throws `NVME_OUTSIDE_CMB` where it is not in it. */
function offsetInCmb(cmb: CmbFacts | null, bar: number, offset: number, length: number, path: string): number {
  const inCmb = cmb === null ? -1 : offset - cmb.startBytes;
  if (cmb === null || bar !== cmb.bar || inCmb < 0 || inCmb + length > cmb.sizeBytes) {
    const where =
      cmb === null
        ? 'which has no controller memory buffer'
        : `whose buffer is [${hex(cmb.startBytes)}, ${hex(cmb.startBytes + cmb.sizeBytes)}) of BAR ${cmb.bar}`;
    throw new NvmeError({
      code: 'NVME_OUTSIDE_CMB',
      path,
      message: `[${hex(offset)}, ${hex(offset + length)}) of BAR ${bar} of the controller itself, ${where}`,
      hint: 'transfer to and from the buffer only: other BAR contents of a controller are no target of its own commands',
    });
  }
  return inCmb;
}

/** The common case, which makes no garbage: nothing but IOVAs and physical addresses of RAM, told as they are. */
function isPlain(segments: DataSegments): boolean {
  for (let index = 0; index < segments.count; index++) {
    if (segments.kindOf(index) !== SEGMENT_DMA || segments.isMmio(index)) return false;
  }
  return true;
}

/** Resolves all segments. Throws `NvmeError`; nothing has been told to the controller then. */
export function resolveSegments(
  segments: DataSegments,
  fn: OwnFunction,
  cmb: CmbFacts | null,
  isRelative: boolean,
): ResolvedSegments {
  const { count, totalBytes, lengths } = segments;
  if (isPlain(segments)) {
    return { count, totalBytes, addresses: segments.addresses, lengths, own: NONE, mmio: NONE, isRelative };
  }
  const addresses: number[] = [];
  const own: boolean[] = [];
  const mmio: boolean[] = [];
  for (let index = 0; index < count; index++) {
    const length = lengths[index] as number;
    const kind = segments.kindOf(index);
    let bar = segments.barOf(index);
    let address = segments.addresses[index] as number;
    let isOwn = kind === SEGMENT_BAR;
    if (kind === SEGMENT_BUS) {
      const found = fn.resolveOwnBar(storedAddress(address), length);
      if (found !== null) {
        isOwn = true;
        bar = found.bar;
        address = found.offset;
      }
    }
    if (isOwn) {
      const offset = offsetInCmb(cmb, bar, address, length, `${fn.name}/segments[${index}]`);
      address = isRelative ? offset : (cmb as CmbFacts).base + offset;
    }
    addresses.push(address);
    own.push(isOwn);
    mmio.push(!isOwn && segments.isMmio(index));
  }
  return { count, totalBytes, addresses, lengths, own, mmio, isRelative };
}
