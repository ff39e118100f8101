/**
 * Where in a sorted list of ranges to begin looking for an address: the space that they span, cut into equal slots, each with
 * the first range that reaches into it. Addresses come in clusters (BARs at 3 GiB, others above 32 TiB), so a slot with many
 * ranges is cut again, into slots of its own. A binary search takes log2(ranges) steps, each a branch that no processor can
 * guess; this takes one multiplication for each cut, of which there is one, seldom two.
 */

import type { Range } from '../core/range.ts';

/** So many ranges in one slot are looked through one by one. */
const FEW = 4;
/** Slots for each range. Ranges of one size side by side then have slots of their own. */
const SLOTS_PER_RANGE = 2;
export class AddressIndex {
  /** Of each cut: its first address, slots for each byte, position of its first slot, number of slots. */
  readonly #cuts: Float64Array;
  /** The first range that reaches into a slot; or -1 - c: cut c tells. */
  readonly #slots: Int32Array;

  /** @param ranges - sorted, none empty, without overlaps */
  constructor(ranges: readonly Range[]) {
    const cuts: number[] = [];
    const slots: number[] = [];
    if (ranges.length > 0) addCut(ranges, 0, ranges.length, cuts, slots);
    else cuts.push(0, 0, slots.push(0) - 1, 1);
    this.#cuts = Float64Array.from(cuts);
    this.#slots = Int32Array.from(slots);
  }

  /** A position not behind the first range that ends above `address`, and seldom far before it: look upward from there. */
  firstCandidate(address: number): number {
    const cuts = this.#cuts;
    for (let at = 0; ; ) {
      const slot = slotOf(address, cuts[at] as number, cuts[at + 1] as number, cuts[at + 3] as number);
      const found = this.#slots[(cuts[at + 2] as number) + slot] as number;
      if (found >= 0) return found;
      at = (-1 - found) * CUT;
    }
  }
}

/** Numbers of one cut. */
const CUT = 4;

/** Cuts the span of ranges [from, to) into slots, and the slots that hold too many again. Returns the number of the cut. */
function addCut(ranges: readonly Range[], from: number, to: number, cuts: number[], slots: number[]): number {
  const count = (to - from) * SLOTS_PER_RANGE;
  const base = (ranges[from] as Range).start;
  const slotsPerByte = count / ((ranges[to - 1] as Range).end - base);
  const first = slots.length;
  const number = cuts.push(base, slotsPerByte, first, count) / CUT - 1;
  for (let slot = 0; slot < count; slot++) slots.push(from);
  let low = from;
  let high = from;
  for (let slot = 0; slot < count; slot++) {
    // Ranges [low, high) reach into this slot.
    while (low < to && slotOf((ranges[low] as Range).end - 1, base, slotsPerByte, count) < slot) low++;
    while (high < to && slotOf((ranges[high] as Range).start, base, slotsPerByte, count) <= slot) high++;
    // A cut that leaves all in one slot would go on for ever.
    const crowded = high - low > FEW && high - low < to - from;
    slots[first + slot] = crowded ? -1 - addCut(ranges, low, high, cuts, slots) : low;
  }
  return number;
}

/** Rises with `address` whatever is lost in rounding, and the ranges were put into the slots by the same calculation. */
function slotOf(address: number, base: number, slotsPerByte: number, count: number): number {
  const slot = (address - base) * slotsPerByte;
  if (slot >= count) return count - 1;
  return slot > 0 ? Math.trunc(slot) : 0;
}
