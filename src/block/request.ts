/** A request: what a driver gets. One or more bios of one operation whose sectors follow each other (`struct request`). */

import { type Bio, type BioOperation, diskEnd, diskStart } from './bio.ts';
import { BvecList } from './bio-vec.ts';
import { BlockError } from './errors.ts';

export interface Request {
  readonly operation: BioOperation;
  readonly sector: number;
  /** In the order of the disk. */
  readonly bios: readonly Bio[];
  /** Some bio may contain peer-to-peer memory. */
  readonly mayContainP2p: boolean;
  /** Bytes of all bios. */
  readonly byteLength: number;
}

/** A request of bios in the order of the disk. Refuses `REQUEST_INVALID`: none, two operations, or a gap between two. */
export function requestFromBios(bios: readonly Bio[]): Request {
  const first = bios[0];
  if (first === undefined) throw invalid('bios', 'a request holds at least one bio', 'submit a bio');
  let byteLength = 0;
  bios.forEach((bio, index) => {
    const before = bios[index - 1];
    if (bio.operation !== first.operation) {
      throw invalid(
        `bios[${index}].operation`,
        `a ${bio.operation} in a ${first.operation} request`,
        'submit it apart',
      );
    }
    if (before !== undefined && diskEnd(before) !== diskStart(bio)) {
      throw invalid(
        `bios[${index}].sector`,
        `bio begins at byte ${diskStart(bio)} of the disk, the one before ends at ${diskEnd(before)}`,
        'bios of one request follow each other on the disk',
      );
    }
    byteLength += bio.vectors.byteLength;
  });
  return {
    operation: first.operation,
    sector: first.sector,
    bios,
    mayContainP2p: bios.some((bio) => bio.mayContainP2p),
    byteLength,
  };
}

/** All vectors of a request, bio by bio, as one list; each keeps its certificate. */
export function requestVectors(request: Request): BvecList {
  const only = request.bios[0];
  if (request.bios.length === 1 && only !== undefined) return only.vectors;
  const all = new BvecList(request.bios.reduce((count, bio) => count + bio.vectors.count, 0));
  for (const { vectors } of request.bios) all.pushAll(vectors);
  return all;
}

function invalid(path: string, message: string, hint: string): BlockError {
  return new BlockError({ code: 'REQUEST_INVALID', path, message, hint });
}
