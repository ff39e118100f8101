/**
 * Who claims an address on one bus: the enabled BARs of the functions on it and the windows of its bridges, sorted. A
 * look-up is one comparison where the last one hit; else an index says where to begin, and one or two comparisons end it,
 * however many claims there are.
 */

import { AddressIndex } from './address-index.ts';

/** `ranges` in order of rank: where two overlap, the first keeps the bytes (the specification forbids the overlap). */
export interface Claim {
  readonly start: number;
  readonly end: number;
  /** Index of the function that claims. */
  readonly node: number;
  /** Index of its BAR, or -1: a bridge's window. */
  readonly bar: number;
}

/** Numbers of one claim, side by side so that a look-up meets few cache lines: start, end, node, BAR. */
const STRIDE = 4;

export class DecodeTable {
  static readonly EMPTY: DecodeTable = new DecodeTable([]);

  /** The claims sorted by start, `STRIDE` numbers each. */
  readonly #claims: Float64Array;
  readonly #count: number;
  readonly #index: AddressIndex;
  #last = 0;
  /** Pairs of claims that overlapped, first the one that was believed. */
  readonly conflicts: readonly (readonly [Claim, Claim])[];

  constructor(claims: readonly Claim[]) {
    const conflicts: (readonly [Claim, Claim])[] = [];
    const sorted = disjoint(claims, conflicts);
    this.conflicts = conflicts;
    this.#count = sorted.length;
    this.#claims = new Float64Array(sorted.length * STRIDE);
    sorted.forEach(({ start, end, node, bar }, at) => {
      this.#claims.set([start, end, node, bar], at * STRIDE);
    });
    this.#index = new AddressIndex(sorted);
  }

  /** Position of the claim on `address`, or -1. */
  find(address: number): number {
    const claims = this.#claims;
    const last = this.#last;
    if (last < this.#count && address >= (claims[last * STRIDE] as number)) {
      if (address < (claims[last * STRIDE + 1] as number)) return last;
    }
    const at = this.#firstEndingAfter(address);
    if (at === this.#count || address < (claims[at * STRIDE] as number)) return -1;
    this.#last = at;
    return at;
  }

  /** First address behind the claim at `position`. */
  endOf(position: number): number {
    return this.#claims[position * STRIDE + 1] as number;
  }

  nodeOf(position: number): number {
    return this.#claims[position * STRIDE + 2] as number;
  }

  /** BAR of the claim at `position`, -1 for a window. */
  barOf(position: number): number {
    return this.#claims[position * STRIDE + 3] as number;
  }

  /** Where the next claim above an unclaimed `address` begins, or Infinity. */
  nextStart(address: number): number {
    const at = this.#firstEndingAfter(address);
    return at < this.#count ? (this.#claims[at * STRIDE] as number) : Number.POSITIVE_INFINITY;
  }

  /** Claims that the look-up of `address` compares with, when the one before does not help: what a look-up costs. */
  comparisons(address: number): number {
    const first = this.#index.firstCandidate(address);
    return Math.min(this.#firstEndingAfter(address), this.#count - 1) - first + 1;
  }

  /** Position of the first claim that ends above `address`; the number of claims where none does. */
  #firstEndingAfter(address: number): number {
    const claims = this.#claims;
    const count = this.#count;
    let at = this.#index.firstCandidate(address);
    while (at < count && address >= (claims[at * STRIDE + 1] as number)) at++;
    return at;
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
