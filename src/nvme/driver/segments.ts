/**
 * Where the data of a request lies, as a mapping hands it to a driver. A structure of arrays: a request of a thousand pages
 * makes no thousand objects.
 */

import type { BusAddr, DmaAddr } from '../../core/index.ts';
import type { DmaMapping } from '../../dma/index.ts';
import { SPACE_BAR, SPACE_BOUNCE, SPACE_BUS } from '../../dma/index.ts';
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

export class DataSegments {
  count = 0;
  totalBytes = 0;
  /** `SEGMENT_` numbers. */
  readonly kinds: number[] = [];
  /** The address; for `SEGMENT_BAR` the offset in the BAR. */
  readonly addresses: number[] = [];
  readonly lengths: number[] = [];
  /** BAR index, for `SEGMENT_BAR` only. */
  readonly bars: number[] = [];
  /** Whether device memory lies behind it. */
  readonly mmio: boolean[] = [];

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
      if (space === SPACE_BUS) segments.addBus(address as BusAddr, length);
      else if (space === SPACE_BAR) {
        segments.addBar(mapping.bar[index] as number, mapping.barOffset[index] as number, length);
      } else segments.addDma(address as DmaAddr, length, isMmio(index));
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

  #add(kind: number, address: number, length: number, bar: number, mmio: boolean): void {
    if (length <= 0) return;
    this.kinds.push(kind);
    this.addresses.push(address);
    this.lengths.push(length);
    this.bars.push(bar);
    this.mmio.push(mmio);
    this.count++;
    this.totalBytes += length;
  }
}
