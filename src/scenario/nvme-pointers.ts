/**
 * What an NVMe driver would put into its commands for a mapped bio: PRPs and SGLs, planned and written by the driver's own code
 * and read back from the bytes. No controller is asked: it is taken for one with blocks of 512 bytes and dword-aligned SGLs that
 * does not mix its own memory with other memory in one command.
 *
 * An own BAR is told by its bus address: for NVMe over PCIe (c) looks like (b2), and the controller that was given this
 * address as its CBA knows its own memory. Where the data lies in a BAR, but outside the Controller Memory Buffer, no command
 * can name it; a capture does not tell.
 */

import type { DmaSegment } from '../dma/segment.ts';
import { DataPointerWriter } from '../nvme/driver/data-pointer.ts';
import { NvmeError } from '../nvme/driver/errors.ts';
import { DEFAULT_LIMITS } from '../nvme/driver/limits.ts';
import {
  PAGE_BYTES,
  type PlannedCommand,
  type PlanRules,
  type PointerFormat,
  planTransfer,
} from '../nvme/driver/plan.ts';
import type { ResolvedSegments } from '../nvme/driver/resolve.ts';
import { getU64 } from '../nvme/spec/bytes.ts';
import { SQE, SQE_BYTES } from '../nvme/spec/command.ts';
import { PRP_BYTES } from '../nvme/spec/prp.ts';
import { SGL_BYTES, SGL_TYPE, sglAddress, sglLength, sglType } from '../nvme/spec/sgl.ts';
import type { MappedBio } from './mapped-bio.ts';

/** A Data Block of an SGL, or a pointer to the next segment of one. */
export interface SglDescriptor {
  readonly type: 'dataBlock' | 'segment' | 'lastSegment';
  /** Null for pointers: where lists lie is the driver's business. */
  readonly address: number | null;
  readonly length: number;
}

export type NvmePointer =
  | {
      readonly lengthBytes: number;
      readonly prp1: number;
      /** Null where unused, and where it points to the list. */
      readonly prp2: number | null;
      /** Entries of the list, page pointers left out. */
      readonly list: readonly number[];
    }
  | { readonly lengthBytes: number; readonly descriptors: readonly SglDescriptor[] };

/** The commands in one format, or why there are none. */
export type NvmeForm =
  | { readonly commands: readonly NvmePointer[] }
  | { readonly refused: { readonly code: string; readonly message: string; readonly hint: string } };

export interface NvmePointers {
  readonly prp: NvmeForm;
  readonly sgl: NvmeForm;
}

const BLOCK_BYTES = 512;

/** The data pointers for a mapped bio, in both formats. */
export function nvmePointers(bio: MappedBio): NvmePointers {
  return { prp: formOf(bio, 'prp'), sgl: formOf(bio, 'sgl') };
}

function formOf(bio: MappedBio, format: PointerFormat): NvmeForm {
  try {
    const segments = resolved(bio.device.name, bio.segments);
    const commands = segments.totalBytes === 0 ? [] : planTransfer(segments, rulesOf(bio.device.name, format));
    return { commands: commands.map((command) => written(segments, command)) };
  } catch (error) {
    if (!(error instanceof NvmeError)) throw error;
    return { refused: { code: error.code, message: error.message, hint: error.hint } };
  }
}

function rulesOf(path: string, format: PointerFormat): PlanRules {
  return {
    path,
    blockBytes: BLOCK_BYTES,
    maxBytes: DEFAULT_LIMITS.maxTransferBytes,
    mixing: false,
    sglGranularity: 4,
    sglThresholdBytes: DEFAULT_LIMITS.sglThresholdBytes,
    listPages: DEFAULT_LIMITS.listPages,
    mmioGranuleBytes: DEFAULT_LIMITS.mmioGranuleBytes,
    ownSglLists: true,
    format,
  };
}

function resolved(path: string, segments: readonly DmaSegment[]): ResolvedSegments {
  const addresses = segments.map(({ address }, index) => {
    if (address !== null) return address;
    throw new NvmeError({
      code: 'NVME_BOUNCE',
      path: `${path}/segments[${index}]`,
      message: 'a segment is copied through a bounce buffer, whose address only its owner knows',
      hint: 'use RAM below the DMA mask, or an IOMMU',
    });
  });
  return {
    count: segments.length,
    totalBytes: segments.reduce((sum, { length }) => sum + length, 0),
    addresses,
    lengths: segments.map(({ length }) => length),
    own: segments.map(({ space }) => space === 'bar'),
    mmio: segments.map(({ space }) => space === 'bus'),
    isRelative: false,
  };
}

/** Lets the driver write the command, and reads it back. Lists are taken to lie at 0: their own addresses are not shown. */
function written(segments: ResolvedSegments, command: PlannedCommand): NvmePointer {
  const writer = new DataPointerWriter(DEFAULT_LIMITS.listPages, DEFAULT_LIMITS.sglSegments);
  const entry = new Uint8Array(SQE_BYTES);
  const used = writer.write(entry, 0, segments, command, 0);
  const { lengthBytes } = command;
  if (command.format === 'sgl') return { lengthBytes, descriptors: descriptorsOf(entry, writer.lists, used) };
  const list: number[] = [];
  for (let at = 0; at < used; at += PRP_BYTES) {
    const isPointer = at % PAGE_BYTES === PAGE_BYTES - PRP_BYTES && at + PRP_BYTES < used;
    if (!isPointer) list.push(getU64(writer.lists, at));
  }
  const second = getU64(entry, SQE.PRP2);
  return { lengthBytes, prp1: getU64(entry, SQE.PRP1), prp2: used > 0 || second === 0 ? null : second, list };
}

function descriptorsOf(entry: Uint8Array, lists: Uint8Array, used: number): SglDescriptor[] {
  const descriptors = [descriptorAt(entry, SQE.DPTR)];
  for (let at = 0; at < used; at += SGL_BYTES) descriptors.push(descriptorAt(lists, at));
  return descriptors;
}

function descriptorAt(bytes: Uint8Array, at: number): SglDescriptor {
  const type = sglType(bytes, at);
  const length = sglLength(bytes, at);
  if (type === SGL_TYPE.DATA_BLOCK) return { type: 'dataBlock', address: sglAddress(bytes, at), length };
  return { type: type === SGL_TYPE.SEGMENT ? 'segment' : 'lastSegment', address: null, length };
}
