/**
 * Finds case (c) while a command is programmed: segments become what the controller is told.
 *
 * A segment of the own buffer is told as `CBA + (offset - CMB start)`, which looks like case (b2) and which the controller
 * recognises; or, where it offers our vendor extension and the caller asks, as the offset alone.
 */

import type { BusAddr } from '../../core/index.ts';
import { hex } from '../../core/index.ts';
import type { CmbFacts } from './cmb-setup.ts';
import { NvmeError } from './errors.ts';
import type { OwnFunction } from './ports.ts';
import type { DataSegments } from './segments.ts';
import { SEGMENT_BAR, SEGMENT_BUS, SEGMENT_DMA } from './segments.ts';

/** What the controller is told. A structure of arrays. */
export interface ResolvedSegments {
  readonly count: number;
  readonly totalBytes: number;
  /** What goes into PRPs and SGL descriptors. */
  readonly addresses: readonly number[];
  readonly lengths: readonly number[];
  /** The controller's own buffer; what is missing at the end is not. */
  readonly own: readonly boolean[];
  /** Somebody else's device memory. */
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

/** Resolves all segments. Throws `NvmeError`; nothing has been told to the controller then. */
export function resolveSegments(
  segments: DataSegments,
  fn: OwnFunction,
  cmb: CmbFacts | null,
  isRelative: boolean,
): ResolvedSegments {
  const { count, totalBytes, kinds, lengths } = segments;
  // The common case makes no garbage: what no BAR can be meant by is told as it is.
  if (kinds.every((kind) => kind === SEGMENT_DMA)) {
    return { count, totalBytes, addresses: segments.addresses, lengths, own: NONE, mmio: segments.mmio, isRelative };
  }
  const addresses: number[] = [];
  const own: boolean[] = [];
  const mmio: boolean[] = [];
  for (let index = 0; index < count; index++) {
    const length = lengths[index] as number;
    let bar = segments.bars[index] as number;
    let address = segments.addresses[index] as number;
    let isOwn = kinds[index] === SEGMENT_BAR;
    if (kinds[index] === SEGMENT_BUS) {
      const found = fn.resolveOwnBar(address as BusAddr, length);
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
    mmio.push(!isOwn && (segments.mmio[index] as boolean));
  }
  return { count, totalBytes, addresses, lengths, own, mmio, isRelative };
}
