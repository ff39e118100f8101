/**
 * Cuts one request into commands and chooses PRPs or an SGL for each. Pure: nothing is told to anybody, and a request that
 * cannot be done is refused before its first command.
 *
 *     segments   [ RAM ][ RAM ][ own CMB ][ RAM ]        a controller that cannot mix
 *     commands   [     1      ][    2    ][  3  ]        each a whole number of blocks
 *
 * Formats follow Linux's nvme-pci: one plain segment of at most two pages is PRPs; otherwise SGLs where the segments are long
 * enough on average; always SGLs where PRPs cannot say it (an inner boundary that is not page aligned). Where there are no
 * SGLs, such a boundary cuts the command in two.
 */

import { hex } from '../../core/hex.ts';
import { PRP_BYTES } from '../spec/prp.ts';
import { SGL_BYTES } from '../spec/sgl.ts';
import { NvmeError, type NvmeErrorCode } from './errors.ts';
import type { ResolvedSegments } from './resolve.ts';

/** The page size that this driver runs controllers with. */
export const PAGE_BYTES = 4096;

export type PointerFormat = 'prp' | 'sgl';

export interface PlanRules {
  /** For messages. */
  readonly path: string;
  readonly blockBytes: number;
  /** Longest command: a multiple of the block, and at most `prpCapacityBytes(listPages)`. */
  readonly maxBytes: number;
  /** Own buffer and other memory in one command. */
  readonly mixing: boolean;
  /** 0: no SGLs. 1 or 4: SGLs whose addresses and lengths are multiples of it. */
  readonly sglGranularity: 0 | 1 | 4;
  readonly sglThresholdBytes: number;
  readonly listPages: number;
  readonly mmioGranuleBytes: number;
  /** SGLs of several descriptors may name own buffer. */
  readonly ownSglLists: boolean;
  /** What the caller wants; null leaves it to the rules. */
  readonly format: PointerFormat | null;
}

/** One command: a stretch of the request's segments. */
export interface PlannedCommand {
  readonly format: PointerFormat;
  readonly lengthBytes: number;
  /** First segment, and how far into it. */
  readonly segment: number;
  readonly offset: number;
}

/** A stretch of segments that may become one command. */
interface Stretch {
  readonly lengthBytes: number;
  /** Bytes up to the first boundary that PRPs cannot pass; the whole length where there is none. */
  readonly prpBytes: number;
  readonly segments: number;
  /** Some of it is own buffer. */
  readonly hasOwn: boolean;
  /** The first piece that SGLs cannot say, or that is not a multiple of the MMIO granule; -1 for none. */
  readonly badForSgl: number;
}

/** Descriptors that fit the list pages, the last slot of each page but the last pointing on. */
export function sglCapacity(listPages: number): number {
  const perPage = PAGE_BYTES / SGL_BYTES;
  return (perPage - 1) * (listPages - 1) + perPage;
}

/** The longest transfer whose PRPs surely fit the list pages, wherever in a page it begins. */
export function prpCapacityBytes(listPages: number): number {
  const perPage = PAGE_BYTES / PRP_BYTES;
  return ((perPage - 1) * (listPages - 1) + perPage) * PAGE_BYTES;
}

/** Plans a request of at least one byte. Throws `NvmeError`. */
export function planTransfer(segments: ResolvedSegments, rules: PlanRules): PlannedCommand[] {
  const commands: PlannedCommand[] = [];
  let segment = 0;
  let offset = 0;
  for (let done = 0; done < segments.totalBytes; ) {
    const command = planNext(segments, segment, offset, segments.totalBytes - done, rules);
    commands.push(command);
    done += command.lengthBytes;
    offset += command.lengthBytes;
    while (segment < segments.count && offset >= (segments.lengths[segment] as number)) {
      offset -= segments.lengths[segment] as number;
      segment++;
    }
  }
  return commands;
}

function planNext(
  segments: ResolvedSegments,
  segment: number,
  offset: number,
  remaining: number,
  rules: PlanRules,
): PlannedCommand {
  const limit = Math.min(rules.maxBytes, remaining);
  const whole = wholeBlocks(
    measure(segments, segment, offset, limit, rules),
    remaining,
    rules,
    segments,
    segment,
    offset,
  );
  // Offsets in the buffer are no addresses: PRPs cannot say them.
  const wantsSgl = rules.format === 'sgl' || (segments.isRelative && whole.hasOwn);
  const canSgl = rules.sglGranularity !== 0 && whole.badForSgl < 0;
  const canPrp = prpFits(segments, segment, offset, whole.prpBytes, rules);
  const make = (format: PointerFormat, lengthBytes: number): PlannedCommand => ({
    format,
    lengthBytes,
    segment,
    offset,
  });

  const makeSgl = (): PlannedCommand => {
    if (rules.ownSglLists || !whole.hasOwn || whole.segments === 1) return make('sgl', whole.lengthBytes);
    const single = measure(segments, segment, offset, (segments.lengths[segment] as number) - offset, rules);
    return make('sgl', wholeBlocks(single, remaining, rules, segments, segment, offset).lengthBytes);
  };

  if (wantsSgl) {
    if (!canSgl) throw refuseSgl(segments, whole, rules);
    return makeSgl();
  }
  const isWholePrp = canPrp && whole.prpBytes === whole.lengthBytes;
  if (rules.format === null && canSgl && (!isWholePrp || prefersSgl(segments, segment, offset, whole, rules))) {
    return makeSgl();
  }
  if (!canPrp) throw refusePrp(segments, segment, offset, rules);
  if (isWholePrp) return make('prp', whole.lengthBytes);
  const cut = wholeBlocks(
    measure(segments, segment, offset, whole.prpBytes, rules),
    remaining,
    rules,
    segments,
    segment,
    offset,
  );
  return make('prp', cut.lengthBytes);
}

/** Linux's choice where both formats would do. */
function prefersSgl(
  segments: ResolvedSegments,
  segment: number,
  offset: number,
  stretch: Stretch,
  rules: PlanRules,
): boolean {
  if (rules.sglThresholdBytes === 0) return false;
  const isPlain = !isOwn(segments, segment) && segments.mmio[segment] !== true;
  if (stretch.segments === 1 && isPlain) {
    const inPage = ((segments.addresses[segment] as number) + offset) & (PAGE_BYTES - 1);
    return inPage + stretch.lengthBytes > 2 * PAGE_BYTES;
  }
  return stretch.lengthBytes / stretch.segments >= rules.sglThresholdBytes;
}

/** Walks from a place as far as one command may reach, and notes what stands in the way of either format. */
function measure(segments: ResolvedSegments, first: number, offset: number, limit: number, rules: PlanRules): Stretch {
  const capacity = sglCapacity(rules.listPages);
  let lengthBytes = 0;
  let prpBytes = -1;
  let badForSgl = -1;
  let hasOwn = false;
  let count = 0;
  for (let index = first; index < segments.count && lengthBytes < limit && count < capacity; index++) {
    if (!rules.mixing && isOwn(segments, index) !== isOwn(segments, first)) break;
    const skipped = index === first ? offset : 0;
    const address = (segments.addresses[index] as number) + skipped;
    const length = Math.min((segments.lengths[index] as number) - skipped, limit - lengthBytes);
    const end = address + length;
    // PRPs pass a boundary only where one page ends and the next begins.
    const previousEnd =
      index === first ? 0 : (segments.addresses[index - 1] as number) + (segments.lengths[index - 1] as number);
    if (index > first && prpBytes < 0 && ((address | previousEnd) & (PAGE_BYTES - 1)) !== 0) prpBytes = lengthBytes;
    const granule = segments.mmio[index] ? rules.mmioGranuleBytes : 1;
    const unit = rules.sglGranularity === 4 ? 3 : 0;
    if (badForSgl < 0 && (length % granule !== 0 || ((address | end) & unit) !== 0)) badForSgl = index;
    hasOwn ||= isOwn(segments, index);
    lengthBytes += length;
    count++;
  }
  return { lengthBytes, prpBytes: prpBytes < 0 ? lengthBytes : prpBytes, segments: count, hasOwn, badForSgl };
}

function isOwn(segments: ResolvedSegments, index: number): boolean {
  return segments.own[index] === true;
}

/** The stretch cut back to whole blocks, unless it ends the request. Throws where nothing is left. */
function wholeBlocks(
  stretch: Stretch,
  remaining: number,
  rules: PlanRules,
  segments: ResolvedSegments,
  segment: number,
  offset: number,
): Stretch {
  const excess = stretch.lengthBytes % rules.blockBytes;
  if (stretch.lengthBytes === remaining || excess === 0) return stretch;
  const lengthBytes = stretch.lengthBytes - excess;
  if (lengthBytes === 0) {
    throw refusal(
      'NVME_CUT_IN_BLOCK',
      rules,
      segment,
      `a command would have to end ${stretch.lengthBytes} bytes behind ${hex((segments.addresses[segment] as number) + offset)}, in the middle of a block of ${rules.blockBytes}`,
      'let memory kinds change at multiples of the block size, or use a controller with CDMMMS and SGLs',
    );
  }
  return measure(segments, segment, offset, lengthBytes, rules);
}

/** Whether PRPs can say the first `lengthBytes`, as far as their start and the pieces into MMIO go. */
function prpFits(
  segments: ResolvedSegments,
  first: number,
  offset: number,
  lengthBytes: number,
  rules: PlanRules,
): boolean {
  const start = (segments.addresses[first] as number) + offset;
  if ((start & 3) !== 0) return false;
  if (rules.mmioGranuleBytes === 1) return true;
  let covered = 0;
  for (let index = first; covered < lengthBytes; index++) {
    const skipped = index === first ? offset : 0;
    const address = (segments.addresses[index] as number) + skipped;
    const length = Math.min((segments.lengths[index] as number) - skipped, lengthBytes - covered);
    // Pages cut the segment: its first and its last piece may be odd, those between are whole pages.
    const firstPiece = Math.min(length, PAGE_BYTES - (address & (PAGE_BYTES - 1)));
    const lastPiece = (length - firstPiece) % PAGE_BYTES;
    const isOdd = firstPiece % rules.mmioGranuleBytes !== 0 || lastPiece % rules.mmioGranuleBytes !== 0;
    if (segments.mmio[index] && isOdd) return false;
    covered += length;
  }
  return true;
}

function refuseSgl(segments: ResolvedSegments, stretch: Stretch, rules: PlanRules): NvmeError {
  const index = stretch.badForSgl;
  if (index < 0) {
    return refusal('NVME_SGL_NOT_OFFERED', rules, 0, 'the controller takes no SGLs (SGLS is 0)', 'ask for PRPs');
  }
  const length = segments.lengths[index] as number;
  if (segments.mmio[index] && length % rules.mmioGranuleBytes !== 0) return refuseGranule(length, index, rules);
  return refusal(
    'NVME_ALIGNMENT',
    rules,
    index,
    `a segment of ${length} bytes at ${hex(segments.addresses[index] as number)}; SGLs of this controller go in steps of 4`,
    'align addresses and lengths to 4 bytes',
  );
}

function refusePrp(segments: ResolvedSegments, segment: number, offset: number, rules: PlanRules): NvmeError {
  const start = (segments.addresses[segment] as number) + offset;
  if ((start & 3) !== 0) {
    return refusal(
      'NVME_ALIGNMENT',
      rules,
      segment,
      `the data begins at ${hex(start)}; PRPs go in steps of 4 bytes`,
      'align the data to 4 bytes, or use a controller with byte-aligned SGLs',
    );
  }
  return refuseGranule(segments.lengths[segment] as number, segment, rules);
}

function refuseGranule(length: number, segment: number, rules: PlanRules): NvmeError {
  return refusal(
    'NVME_PIECE_GRANULE',
    rules,
    segment,
    `a piece of ${length} bytes into device memory, which this machine moves in multiples of ${rules.mmioGranuleBytes} only`,
    `let pieces into device memory begin and end at multiples of ${rules.mmioGranuleBytes}, pages included`,
  );
}

function refusal(code: NvmeErrorCode, rules: PlanRules, segment: number, message: string, hint: string): NvmeError {
  return new NvmeError({ code, path: `${rules.path}/segments[${segment}]`, message, hint });
}
