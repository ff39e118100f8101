/**
 * Where the data of a request lies, as a mapping hands it to a driver. A structure of arrays: a request of a thousand pages
 * makes no thousand objects.
 */

import { type BusAddr, type DmaAddr, storedAddress } from '../../core/address.ts';
import { type DmaMapping, SPACE_BAR, SPACE_BOUNCE, SPACE_BUS } from '../../dma/mapping.ts';
import { NvmeError } from './errors.ts';

/** An IOVA or a physical address: cases (a) and (b1). Never compared with a BAR, whatever it looks like. */
export const SEGMENT_DMA = 0;
/** A bus address: case (b2), or (c) where it lies in a BAR of the controller itself. */
export const SEGMENT_BUS = 1;
/** BAR and offset of the controller itself: case (c). */
export const SEGMENT_BAR = 2;

/** One segment, for building a list by hand. */
export type DataSegment =
  /** `mmio`: device memory lies behind it (case b1). */
  | { readonly kind: 'dma'; readonly address: DmaAddr; readonly length: number; readonly mmio?: boolean }
  | { readonly kind: 'bus'; readonly address: BusAddr; readonly length: number }
  | { readonly kind: 'bar'; readonly bar: number; readonly offset: number; readonly length: number };

const KIND_MASK = 3;
const MMIO = 4;
const BAR_SHIFT = 3;
const NO_NUMBERS: number[] = [];

export class DataSegments {
  count = 0;
  totalBytes = 0;
  /** The address; for `SEGMENT_BAR` the offset in the BAR. */
  addresses: readonly number[] = NO_NUMBERS;
  lengths: readonly number[] = NO_NUMBERS;
  /** `SEGMENT_` number, `MMIO` and BAR index of each: see `kindOf`, `isMmio` and `barOf`. */
  #tags: number[] = NO_NUMBERS;

  /** The list as segments. */
  static of(list: readonly DataSegment[]): DataSegments {
    const segments = new DataSegments();
    for (const segment of list) {
      if (segment.kind === 'dma') segments.addDma(segment.address, segment.length, segment.mmio ?? false);
      else if (segment.kind === 'bus') segments.addBus(segment.address, segment.length);
      else segments.addBar(segment.bar, segment.offset, segment.length);
    }
    return segments;
  }

  /**
   * The outputs of a mapping. `isMmio` tells of an output that is no bus address whether device memory lies behind it; left
   * out, none does. Throws `NVME_BOUNCE` where the mapping copies through a bounce buffer.
   */
  static ofMapping(mapping: DmaMapping, isMmio: (output: number) => boolean = () => false): DataSegments {
    const segments = new DataSegments();
    for (let index = 0; index < mapping.count; index++) {
      const address = mapping.address[index] as number;
      const length = mapping.length[index] as number;
      const space = mapping.space[index];
      if (space === SPACE_BOUNCE) {
        throw new NvmeError({
          code: 'NVME_BOUNCE',
          path: `mapping[${index}]`,
          message: 'the segment is copied through a bounce buffer, whose address only its owner knows',
          hint: 'copy the data to the bounce buffer and hand in its address',
        });
      }
      if (space === SPACE_BUS) segments.addBus(storedAddress(address), length);
      else if (space === SPACE_BAR) {
        segments.addBar(mapping.bar[index] as number, mapping.barOffset[index] as number, length);
      } else segments.addDma(storedAddress(address), length, isMmio(index));
    }
    return segments;
  }

  addDma(address: DmaAddr, length: number, mmio = false): void {
    this.#add(SEGMENT_DMA, address, length, 0, mmio);
  }

  addBus(address: BusAddr, length: number): void {
    this.#add(SEGMENT_BUS, address, length, 0, true);
  }

  addBar(bar: number, offset: number, length: number): void {
    this.#add(SEGMENT_BAR, offset, length, bar, false);
  }

  /** `SEGMENT_` number of a segment. */
  kindOf(index: number): number {
    return (this.#tags[index] as number) & KIND_MASK;
  }

  /** Whether somebody else's device memory lies behind a segment. */
  isMmio(index: number): boolean {
    return ((this.#tags[index] as number) & MMIO) !== 0;
  }

  /** BAR index of a segment, for `SEGMENT_BAR` only. */
  barOf(index: number): number {
    return (this.#tags[index] as number) >> BAR_SHIFT;
  }

  #add(kind: number, address: number, length: number, bar: number, mmio: boolean): void {
    if (length <= 0) return;
    const tag = kind | (mmio ? MMIO : 0) | (bar << BAR_SHIFT);
    if (this.count === 0) {
      // Most requests have one segment: arrays of exactly that.
      this.addresses = [address];
      this.lengths = [length];
      this.#tags = [tag];
    } else {
      (this.addresses as number[]).push(address);
      (this.lengths as number[]).push(length);
      this.#tags.push(tag);
    }
    this.count++;
    this.totalBytes += length;
  }
}
