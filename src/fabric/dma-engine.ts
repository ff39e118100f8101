/**
 * A generic DMA engine on a function of the fabric. Each side of a descriptor is a DMA address, or a BAR of the engine's own
 * function and an offset in it: case (c) of the mail, where nothing goes on any link.
 */

import type { DmaAddr } from '../core/address.ts';
import { present } from '../core/assert.ts';
import type { Fabric, RequestAttributes } from './fabric.ts';
import { type Completion, NOWHERE } from './outcome.ts';

/** One end of a transfer, as a driver programs it. */
export type DmaSide =
  | { readonly address: DmaAddr }
  /** A BAR of the engine's own function. */
  | { readonly bar: number; readonly offset: number };

export interface DmaDescriptor {
  readonly source: DmaSide;
  readonly target: DmaSide;
  /** Bytes. */
  readonly length: number;
}

export interface DmaResult {
  /** What the engine can know: read errors, and being off. Lost posted writes look like success. */
  readonly ok: boolean;
  readonly source: Completion;
  /** null where the source failed and nothing was written. */
  readonly target: Completion | null;
}

const INSIDE: Completion = { status: 'SC', fate: 'delivered', reason: 'none', at: NOWHERE, bytesDelivered: 0 };
const OUTSIDE_BAR: Completion = {
  status: 'CA',
  fate: 'completerAbort',
  reason: 'endOfTarget',
  at: NOWHERE,
  bytesDelivered: 0,
};

export class DmaEngine {
  readonly #fabric: Fabric;
  readonly #index: number;
  #staging: Uint8Array = new Uint8Array(0);

  /** @param index - function of the hierarchy on which the engine sits */
  constructor(fabric: Fabric, index: number) {
    this.#fabric = fabric;
    this.#index = index;
  }

  /** Runs one descriptor to its end. */
  run(descriptor: DmaDescriptor, attributes?: RequestAttributes): DmaResult {
    if (this.#staging.length < descriptor.length) this.#staging = new Uint8Array(descriptor.length);
    const bytes = this.#staging.subarray(0, descriptor.length);
    const source = this.#read(descriptor.source, bytes, attributes);
    if (source.status !== 'SC') return { ok: false, source, target: null };
    const target = this.#write(descriptor.target, bytes, attributes);
    return { ok: target.status === 'posted' || target.status === 'SC', source, target };
  }

  #read(side: DmaSide, into: Uint8Array, attributes: RequestAttributes | undefined): Completion {
    if ('address' in side) return this.#fabric.memoryRead(this.#index, side.address, into, attributes);
    const bar = present(this.#fabric.function(this.#index).bar(side.bar), `BAR ${side.bar} of the engine`);
    if (side.offset + into.length > bar.size || !bar.target.read(side.offset, into)) return OUTSIDE_BAR;
    return { ...INSIDE, bytesDelivered: into.length };
  }

  #write(side: DmaSide, from: Uint8Array, attributes: RequestAttributes | undefined): Completion {
    if ('address' in side) return this.#fabric.memoryWrite(this.#index, side.address, from, attributes);
    const bar = present(this.#fabric.function(this.#index).bar(side.bar), `BAR ${side.bar} of the engine`);
    if (side.offset + from.length > bar.size || !bar.target.write(side.offset, from)) return OUTSIDE_BAR;
    return { ...INSIDE, bytesDelivered: from.length };
  }
}
