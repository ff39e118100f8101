/** A bio in a file: the device, the direction, the vectors with their flags, the limits. JSON or YAML. */

import { z } from 'zod';
import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE } from '../block/bio-vec.ts';
import { wordsOf } from '../core/address.ts';
import { maskLimit, parseWord64, type Word64 } from '../core/word64.ts';
import type { DmaDirection } from '../dma/direction.ts';
import { MapError } from '../dma/errors.ts';
import { type DmaLimits, dmaLimits } from '../dma/limits.ts';
import { MISSING, readDocument } from './document.ts';
import { type Place, refuseField } from './errors.ts';
import { fieldPath } from './field-path.ts';

const FLAG_NAMES: ReadonlyMap<string, number> = new Map([
  ['BVEC_MAP_BUS_ADDR', BVEC_MAP_BUS_ADDR],
  ['MAP_BUS_ADDR', BVEC_MAP_BUS_ADDR],
  ['BVEC_MAP_RESOURCE', BVEC_MAP_RESOURCE],
  ['MAP_RESOURCE', BVEC_MAP_RESOURCE],
]);

/**
 * A number as 64 bits, or null. From 2^53 on a number of JSON or YAML is no exact address any more; it is kept as the words
 * that it stands for, so that a mask of all ones without quotes is one, and an address is refused as too large.
 */
function wordOfNumber(value: number): Word64 | null {
  if (!Number.isInteger(value) || value < 0 || value > 2 ** 64) return null;
  const { high, low } = wordsOf(value);
  return high < 2 ** 32 ? { high, low } : { high: 0xffffffff, low: 0xffffffff };
}

/** 64 bits as `"0x..."`, or a plain number. */
const word64 = z
  .union([z.string(), z.number()], { error: 'is no address: give hex text like "0x8c0000"' })
  .transform((value, context): Word64 => {
    const word = typeof value === 'string' ? parseWord64(value) : wordOfNumber(value);
    if (word !== null) return word;
    context.addIssue({
      code: 'custom',
      message: `${JSON.stringify(value)} is no unsigned 64-bit value: give hex text like "0x8c0000"`,
    });
    return z.NEVER;
  });

const mask = word64.transform(maskLimit);

const length = z
  .number({ error: ({ input }) => (input === undefined ? MISSING : 'is no number of bytes') })
  .int('is no whole number of bytes')
  .min(0, 'is negative')
  .max(0xffffffff, 'is more than a vector holds: bv_len has 32 bits');

const flag = z.string().transform((name, context): number => {
  const bits = FLAG_NAMES.get(name);
  if (bits !== undefined) return bits;
  context.addIssue({ code: 'custom', message: `'${name}' is no flag: BVEC_MAP_BUS_ADDR or BVEC_MAP_RESOURCE` });
  return z.NEVER;
});

const bioFile = z.strictObject({
  device: z.string({ error: 'names the function that does the DMA, e.g. "0000:06:00.0"' }),
  direction: z.enum(['toDevice', 'fromDevice', 'bidirectional'], {
    error: ({ input }) => (input === undefined ? MISSING : 'is toDevice, fromDevice or bidirectional'),
  }),
  mayContainP2p: z.boolean().optional(),
  queue: z.strictObject({ p2p: z.boolean().optional() }).optional(),
  limits: z
    .strictObject({
      maxSegmentSize: z.number().int().min(1, 'is at least 1 byte').optional(),
      segmentBoundaryMask: mask.optional(),
      dmaMask: mask.optional(),
    })
    .optional(),
  vectors: z.array(z.strictObject({ address: word64, length, flags: z.array(flag).optional() }), {
    error: 'is a list of { address, length, flags }',
  }),
});

export interface BioFileVector {
  readonly address: Word64;
  /** Bytes, 0 to 2^32 - 1. */
  readonly length: number;
  /** `BVEC_` bits, possibly both. */
  readonly flags: number;
}

export interface BioFile {
  readonly device: string;
  readonly direction: DmaDirection;
  /** Null where the file leaves it out. */
  readonly mayContainP2p: boolean | null;
  readonly queueP2p: boolean;
  readonly limits: Partial<DmaLimits>;
  readonly vectors: readonly BioFileVector[];
}

/**
 * Reads one bio. Throws `ScenarioError` with line and field.
 *
 * @param firstLine line of the file at which `text` begins, for files with one bio a line
 */
export function readBioFile(text: string, file: string, firstLine = 1): BioFile {
  const { data: raw, lineOf } = readDocument(text, bioFile, file, 'docs/CLI.md', firstLine);
  const limits: { -readonly [K in keyof DmaLimits]?: number } = {};
  if (raw.limits?.maxSegmentSize !== undefined) limits.maxSegmentSize = raw.limits.maxSegmentSize;
  if (raw.limits?.segmentBoundaryMask !== undefined) limits.segmentBoundaryMask = raw.limits.segmentBoundaryMask;
  if (raw.limits?.dmaMask !== undefined) limits.dmaMask = raw.limits.dmaMask;
  checkLimits(limits, { file, lineOf });
  return {
    device: raw.device,
    direction: raw.direction,
    mayContainP2p: raw.mayContainP2p ?? null,
    queueP2p: raw.queue?.p2p ?? true,
    limits,
    vectors: raw.vectors.map((vector) => ({
      address: vector.address,
      length: vector.length,
      flags: (vector.flags ?? []).reduce((bits, bit) => bits | bit, 0),
    })),
  };
}

/** Refuses limits that no device can have, with their line. */
function checkLimits(limits: Partial<DmaLimits>, place: Place): void {
  try {
    dmaLimits(limits);
  } catch (error) {
    if (!(error instanceof MapError)) throw error;
    refuseField(place, error.path, fieldPath(error.path), error.message, error.hint);
  }
}
