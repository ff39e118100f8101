/**
 * A bio: one stretch of a disk and the memory it is read into or written from. As in the mail, each vector may be of
 * another kind; `mayContainP2p` is the one flag of Hellwig's answer, which a mapper may ask before it looks further.
 */

import { isAddress } from '../core/address.ts';
import { checkObject } from '../core/argument.ts';
import { type BioVec, BvecList } from './bio-vec.ts';
import { BlockError } from './errors.ts';

/** Bytes of a sector, whatever the disk's block size (`SECTOR_SIZE`). */
export const SECTOR_BYTES = 512;

/** `read`: from the disk into memory. `write`: from memory to the disk. */
export type BioOperation = 'read' | 'write';

export interface Bio {
  readonly vectors: BvecList;
  readonly operation: BioOperation;
  /** First sector on the disk, in units of 512 bytes. */
  readonly sector: number;
  /** Bytes behind the start of `sector` where the bio begins: not 0 only behind a split inside a sector. */
  readonly sectorOffset: number;
  /** Some vector may be peer-to-peer memory: the queue must allow it and the mapper must look. */
  readonly mayContainP2p: boolean;
  /** The first vector is the rest of one whose head ends the bio before: `joinBios` makes them one again. */
  readonly startsInsideVector: boolean;
}

export interface BioFields {
  /** Objects, checked here; or a list, taken as it is and not copied. */
  readonly vectors: BvecList | Iterable<BioVec>;
  readonly operation: BioOperation;
  /** Default 0. */
  readonly sector?: number;
  /** Default: whether any vector has a flag. */
  readonly mayContainP2p?: boolean;
}

/**
 * A bio of these vectors. Refuses an impossible vector as `checkBioVec` does, and a sector that is no whole number
 * (`VECTOR_INVALID`). Whether a queue takes it is for `submitBio` to say.
 */
export function createBio(fields: BioFields): Bio {
  checkObject(fields, 'vectors', 'createBio: fields', 'vectors and an operation');
  if (fields.operation !== 'read' && fields.operation !== 'write') {
    throw new BlockError({
      code: 'OPERATION_UNKNOWN',
      path: 'operation',
      message: `'${String(fields.operation)}' is not an operation`,
      hint: 'read: from the disk into memory; write: from memory to the disk',
      errno: 'EINVAL',
    });
  }
  const vectors = fields.vectors instanceof BvecList ? fields.vectors : BvecList.fromVectors(fields.vectors);
  const sector = fields.sector ?? 0;
  if (!isAddress(sector)) {
    throw new BlockError({
      code: 'VECTOR_INVALID',
      path: 'sector',
      message: `sector ${sector} is no whole number from 0 on`,
      hint: 'sectors count units of 512 bytes',
    });
  }
  return {
    vectors,
    operation: fields.operation,
    sector,
    sectorOffset: 0,
    mayContainP2p: fields.mayContainP2p ?? vectors.hasFlags,
    startsInsideVector: false,
  };
}

/** Byte of the disk where a bio begins. */
export function diskStart(bio: Bio): number {
  return bio.sector * SECTOR_BYTES + bio.sectorOffset;
}

/** Byte of the disk behind a bio. */
export function diskEnd(bio: Bio): number {
  return diskStart(bio) + bio.vectors.byteLength;
}
