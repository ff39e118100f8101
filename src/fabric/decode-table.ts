/**
 * Who claims an address on one bus: the enabled BARs of the functions on it and the windows of its bridges, sorted. A
 * look-up is one comparison where the last one hit, else a binary search: it grows with the logarithm of the bus.
 */

/** `ranges` in order of rank: where two overlap, the first keeps the bytes (the specification forbids the overlap). */
export interface Claim {
  readonly start: number;
  readonly end: number;
  /** Index of the function that claims. */
  readonly node: number;
  /** Index of its BAR, or -1: a bridge's window. */
  readonly bar: number;
}

export class DecodeTable {
  static readonly EMPTY: DecodeTable = new DecodeTable([]);

  readonly #start: Float64Array;
  readonly #end: Float64Array;
  readonly #node: Int32Array;
  readonly #bar: Int32Array;
  readonly #count: number;
  #last = 0;
  /** Pairs of claims that overlapped, first the one that was believed. */
  readonly conflicts: readonly (readonly [Claim, Claim])[];

  constructor(claims: readonly Claim[]) {
    const conflicts: (readonly [Claim, Claim])[] = [];
    const sorted = disjoint(claims, conflicts);
    this.conflicts = conflicts;
    this.#count = sorted.length;
    this.#start = Float64Array.from(sorted, (claim) => claim.start);
    this.#end = Float64Array.from(sorted, (claim) => claim.end);
    this.#node = Int32Array.from(sorted, (claim) => claim.node);
    this.#bar = Int32Array.from(sorted, (claim) => claim.bar);
  }

  /** Position of the claim on `address`, or -1. */
  find(address: number): number {
    const start = this.#start;
    const end = this.#end;
    const last = this.#last;
    if (last < this.#count && address >= (start[last] as number) && address < (end[last] as number)) return last;
    let low = 0;
    let high = this.#count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (address < (start[middle] as number)) high = middle - 1;
      else if (address >= (end[middle] as number)) low = middle + 1;
      else {
        this.#last = middle;
        return middle;
      }
    }
    return -1;
  }

  /** First address behind the claim at `position`. */
  endOf(position: number): number {
    return this.#end[position] as number;
  }

  nodeOf(position: number): number {
    return this.#node[position] as number;
  }

  /** BAR of the claim at `position`, -1 for a window. */
  barOf(position: number): number {
    return this.#bar[position] as number;
  }

  /** Where the next claim above an unclaimed `address` begins, or Infinity. */
  nextStart(address: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#start[middle] as number) > address) high = middle;
      else low = middle + 1;
    }
    return low < this.#count ? (this.#start[low] as number) : Number.POSITIVE_INFINITY;
  }
}

/** The claims sorted by start, with the overlaps cut out of those of lower rank. */
function disjoint(claims: readonly Claim[], conflicts: (readonly [Claim, Claim])[]): Claim[] {
  const sorted = claims.filter((claim) => claim.end > claim.start).sort((a, b) => a.start - b.start);
  let overlaps = false;
  for (let at = 1; at < sorted.length && !overlaps; at++) {
    overlaps = (sorted[at] as Claim).start < (sorted[at - 1] as Claim).end;
  }
  if (!overlaps) return sorted;
  const kept: Claim[] = [];
  for (const claim of claims) {
    let parts: Claim[] = claim.end > claim.start ? [claim] : [];
    for (const other of kept) {
      if (other.start >= claim.end || claim.start >= other.end) continue;
      conflicts.push([other, claim]);
      parts = parts.flatMap((part) => without(part, other));
    }
    kept.push(...parts);
  }
  return kept.sort((a, b) => a.start - b.start);
}

function without(part: Claim, taken: Claim): Claim[] {
  const rest: Claim[] = [];
  if (part.start < taken.start) rest.push({ ...part, end: Math.min(part.end, taken.start) });
  if (part.end > taken.end) rest.push({ ...part, start: Math.max(part.start, taken.end) });
  return part.start < taken.end && taken.start < part.end ? rest : [part];
}
