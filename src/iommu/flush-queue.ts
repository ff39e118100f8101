/**
 * Lazy unmapping: ranges that were unmapped and may still be translated by an IOTLB wait here until a flush that began
 * after they were queued has ended (`struct iova_fq`, drivers/iommu/dma-iommu.c). Kernel defaults: 256 ranges a processor
 * and 10 ms; one processor is modelled.
 */

import { assert } from '../core/assert.ts';

export class FlushQueue {
  readonly capacity: number;
  readonly #start: Float64Array;
  readonly #length: Float64Array;
  /** Number of flushes that had begun when the range was queued, by place. */
  readonly #begun: Float64Array;
  #head = 0;
  #count = 0;
  #flushesBegun = 0;
  #flushesEnded = 0;
  #oldestNs = 0;

  constructor(capacity: number) {
    assert(Number.isInteger(capacity) && capacity > 0, `a flush queue of ${capacity} ranges`);
    this.capacity = capacity;
    this.#start = new Float64Array(capacity);
    this.#length = new Float64Array(capacity);
    this.#begun = new Float64Array(capacity);
  }

  /** Ranges waiting. */
  get count(): number {
    return this.#count;
  }

  get full(): boolean {
    return this.#count === this.capacity;
  }

  /** When the oldest range since the last flush was queued, in nanoseconds. */
  get oldestNs(): number {
    return this.#oldestNs;
  }

  push(start: number, length: number, nowNs: number): void {
    assert(!this.full, 'flush queue is full');
    if (this.#count === 0) this.#oldestNs = nowNs;
    const place = (this.#head + this.#count++) % this.capacity;
    this.#start[place] = start;
    this.#length[place] = length;
    this.#begun[place] = this.#flushesBegun;
  }

  beginFlush(): void {
    this.#flushesBegun++;
  }

  endFlush(): void {
    assert(this.#flushesEnded < this.#flushesBegun, 'a flush ends that never began');
    this.#flushesEnded = this.#flushesBegun;
  }

  /** Hands every range that may be used again to `free`, oldest first. */
  drain(free: (start: number, length: number) => void, nowNs: number): void {
    while (this.#count > 0 && (this.#begun[this.#head] as number) < this.#flushesEnded) {
      const place = this.#head;
      this.#head = (place + 1) % this.capacity;
      this.#count--;
      free(this.#start[place] as number, this.#length[place] as number);
    }
    this.#oldestNs = nowNs;
  }
}
