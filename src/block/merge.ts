/**
 * What may stand together: vectors in one bio, bios in one request, neighbours as one segment. Two rule sets.
 *
 * - `mainline`: Linux today. A bio is all RAM or all memory of one provider, and a bio of peer-to-peer memory is never
 *   merged with another (`REQ_NOMERGE`).
 * - `mixed`: the mail. Each vector of a bio may be of another kind, and bios of any kind may share a request.
 *
 * Under both, two vectors become one segment only if both are RAM. Peer-to-peer addresses may be numerically adjacent and
 * yet belong to two devices, or to a device's own BAR and its neighbour's: never join them by number. Flags tell which are,
 * and certificates do; equal ones too may be of two providers. Two pieces of RAM keep a certificate that both have.
 */

import { type Bio, diskEnd, diskStart } from './bio.ts';
import { type BioVec, BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, BvecList } from './bio-vec.ts';
import { certifiesP2p, joinedCertificate } from './certificate.ts';
import type { QueueLimits } from './queue-limits.ts';
import { type Request, requestFromBios, requestVectors } from './request.ts';
import { cutVectors, gapBetween } from './split.ts';

export type MergeRules = 'mainline' | 'mixed';

/** How a vector's flags say to read its address. */
export type VectorKind = 'ram' | 'resource' | 'bus';

/** Why two things may not stand together. */
export type MergeObstacle =
  /** `mainline`: RAM and peer-to-peer memory, or two kinds of it, in one bio. */
  | 'MIXED_KINDS'
  /** `mainline`: memory of two providers in one bio. */
  | 'TWO_PROVIDERS'
  /** Peer-to-peer vectors are never joined; under `mainline` neither are their bios. */
  | 'P2P_NEVER_MERGES'
  /** The second does not begin where the first ends. */
  | 'NOT_ADJACENT'
  | 'OTHER_OPERATION'
  | 'TOO_MANY_SEGMENTS'
  | 'TOO_MANY_BYTES'
  /** One segment of both would cross the segment boundary. */
  | 'CROSSES_BOUNDARY'
  /** A gap that the virtual boundary forbids. */
  | 'GAP';

export type MergeDecision = { readonly allowed: true } | { readonly allowed: false; readonly obstacle: MergeObstacle };

/** Who provides the memory of a vector; equal answers mean the same provider. For rules that know pages. */
export type OwnerOf = (vector: BioVec) => unknown;

const ALLOWED: MergeDecision = { allowed: true };

export function vectorKind(flags: number): VectorKind {
  if ((flags & BVEC_MAP_BUS_ADDR) !== 0) return 'bus';
  return (flags & BVEC_MAP_RESOURCE) !== 0 ? 'resource' : 'ram';
}

/**
 * Whether a vector may be appended to a bio's list (`bio_add_page`, `zone_device_pages_compatible`). `ownerOf` lets
 * `mainline` tell two providers apart; without it, two kinds only.
 */
export function mayAddVector(
  vectors: BvecList,
  vector: BioVec,
  rules: MergeRules,
  ownerOf: OwnerOf = () => null,
): MergeDecision {
  if (rules === 'mixed' || vectors.count === 0) return ALLOWED;
  const last = vectors.at(vectors.count - 1);
  if (vectorKind(last.flags) !== vectorKind(vector.flags)) return { allowed: false, obstacle: 'MIXED_KINDS' };
  if (vector.flags !== 0 && ownerOf(last) !== ownerOf(vector)) return { allowed: false, obstacle: 'TWO_PROVIDERS' };
  return ALLOWED;
}

/** The bios that `mainline` makes of a mixed one: a new one wherever kind or provider changes. In order, nothing lost. */
export function uniformLists(vectors: BvecList, ownerOf?: OwnerOf): BvecList[] {
  const lists: BvecList[] = [];
  let current = new BvecList();
  for (const vector of vectors) {
    if (!mayAddVector(current, vector, 'mainline', ownerOf).allowed) {
      lists.push(current);
      current = new BvecList();
    }
    current.push(vector.address, vector.length, vector.flags);
    current.certify(current.count - 1, vector.certificate ?? 0);
  }
  if (current.count > 0) lists.push(current);
  return lists;
}

/** Whether two vectors in a row may become one segment (`biovec_phys_mergeable`). The same under both rule sets. */
export function mayJoinVectors(first: BioVec, second: BioVec, limits: QueueLimits): MergeDecision {
  if (isP2p(first) || isP2p(second)) return { allowed: false, obstacle: 'P2P_NEVER_MERGES' };
  if (first.address + first.length !== second.address) return { allowed: false, obstacle: 'NOT_ADJACENT' };
  const bytes = first.length + second.length;
  if (bytes > limits.maxSegmentSize || bytes >= 2 ** 32) return { allowed: false, obstacle: 'TOO_MANY_BYTES' };
  const window = limits.segmentBoundaryMask + 1;
  const crosses = Math.floor(first.address / window) !== Math.floor((first.address + bytes - 1) / window);
  return crosses ? { allowed: false, obstacle: 'CROSSES_BOUNDARY' } : ALLOWED;
}

function isP2p({ flags, certificate = 0 }: BioVec): boolean {
  return flags !== 0 || certifiesP2p(certificate);
}

/** The segments of a list: vectors cut to the limits, then neighbours of RAM joined where that keeps them. */
export function segmentsOf(vectors: BvecList, limits: QueueLimits): BvecList {
  const pieces = cutVectors(vectors, limits);
  const segments = new BvecList(pieces.count);
  for (const piece of pieces) {
    const last = segments.count - 1;
    if (last >= 0 && mayJoinVectors(segments.at(last), piece, limits).allowed) {
      segments.length[last] = (segments.length[last] as number) + piece.length;
      segments.certify(last, joinedCertificate(segments.certificateAt(last), piece.certificate ?? 0));
    } else {
      segments.push(piece.address, piece.length, piece.flags);
      segments.certify(last + 1, piece.certificate ?? 0);
    }
  }
  return segments;
}

/** Whether a bio may join a request at its end (`blk_rq_merge_ok`, `ll_back_merge_fn`). */
export function mayMergeBio(request: Request, bio: Bio, rules: MergeRules, limits: QueueLimits): MergeDecision {
  const last = request.bios[request.bios.length - 1] as Bio;
  if (rules === 'mainline' && (request.mayContainP2p || bio.mayContainP2p)) {
    return { allowed: false, obstacle: 'P2P_NEVER_MERGES' };
  }
  if (request.operation !== bio.operation) return { allowed: false, obstacle: 'OTHER_OPERATION' };
  if (diskEnd(last) !== diskStart(bio)) return { allowed: false, obstacle: 'NOT_ADJACENT' };
  if (request.byteLength + bio.vectors.byteLength > limits.maxBytes)
    return { allowed: false, obstacle: 'TOO_MANY_BYTES' };
  const before = last.vectors.at(last.vectors.count - 1);
  const after = bio.vectors.at(0);
  if (gapBetween(before.address + before.length, after.address, limits.virtBoundaryMask)) {
    return { allowed: false, obstacle: 'GAP' };
  }
  const merged = requestVectors(requestFromBios([...request.bios, bio]));
  if (segmentsOf(merged, limits).count > limits.maxSegments) return { allowed: false, obstacle: 'TOO_MANY_SEGMENTS' };
  return ALLOWED;
}

/** Requests of bios in the order given: each joins the request before it if the rules allow, else begins a new one. */
export function mergeBios(bios: readonly Bio[], rules: MergeRules, limits: QueueLimits): Request[] {
  const requests: Request[] = [];
  for (const bio of bios) {
    const last = requests[requests.length - 1];
    if (last !== undefined && mayMergeBio(last, bio, rules, limits).allowed) {
      requests[requests.length - 1] = requestFromBios([...last.bios, bio]);
    } else {
      requests.push(requestFromBios([bio]));
    }
  }
  return requests;
}
