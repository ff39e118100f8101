/**
 * What goes into the page table for one mapping: the vectors that meet the IOMMU, in order, and the holes that padding leaves
 * between them. Scratch of the mapping functions, kept by the device so that a mapping makes no garbage.
 */

import type { BvecList } from '../block/bio-vec.ts';
import { type Classified, KIND_BUS } from './classified.ts';

export class SlotList {
  /** Vectors that meet the IOMMU. */
  count = 0;
  /** Index in the input of the first of them. */
  firstInput = 0;
  /** They follow each other in the input and are of one kind, with no hole between: no need to `collect` them. */
  oneRun = false;

  /** CPU physical address, bytes and kind of each; filled by `collect`. */
  phys: Float64Array = new Float64Array(64);
  length: Uint32Array = new Uint32Array(64);
  kind: Uint8Array = new Uint8Array(64);

  /** Which of them a hole lies behind, and the bytes of the hole; by rising index. */
  holeBehind: Uint32Array = new Uint32Array(8);
  holeBytes: Float64Array = new Float64Array(8);
  holes = 0;

  /** Forgets everything: before a layout, which may be refused half-way. */
  clear(): void {
    this.count = 0;
    this.holes = 0;
  }

  /** Notes a hole behind the one at `index`. */
  addHole(index: number, bytes: number): void {
    if (this.holes === this.holeBehind.length) {
      const behind = new Uint32Array(2 * this.holes);
      behind.set(this.holeBehind);
      this.holeBehind = behind;
      const sizes = new Float64Array(2 * this.holes);
      sizes.set(this.holeBytes);
      this.holeBytes = sizes;
    }
    this.holeBehind[this.holes] = index;
    this.holeBytes[this.holes] = bytes;
    this.holes++;
  }

  /**
   * What the layout found, holes apart.
   *
   * @param endInput index in the input behind the last that meets the IOMMU
   * @param oneKind all of them are RAM, or all are another device's memory
   */
  describe(count: number, firstInput: number, endInput: number, oneKind: boolean): void {
    this.count = count;
    this.firstInput = firstInput;
    this.oneRun = oneKind && this.holes === 0 && endInput - firstInput === count;
  }

  /** Takes the vectors that meet the IOMMU out of a list. */
  collect(vectors: BvecList, classified: Classified): void {
    const { count } = vectors;
    if (count > this.phys.length) {
      this.phys = new Float64Array(2 * count);
      this.length = new Uint32Array(2 * count);
      this.kind = new Uint8Array(2 * count);
    }
    const { phys, length, kind } = this;
    const { kind: words, key } = classified;
    let slots = 0;
    for (let index = 0; index < count; index++) {
      const what = (words[index] as number) ^ key;
      if (what === KIND_BUS) continue;
      phys[slots] = classified.address[index] as number;
      length[slots] = vectors.length[index] as number;
      kind[slots] = what;
      slots++;
    }
  }
}
