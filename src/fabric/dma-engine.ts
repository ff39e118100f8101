/**
 * A generic DMA engine on a function of the fabric. Each side of a descriptor is a DMA address, or a BAR of the engine's own
 * function and an offset in it: case (c) of the mail, where nothing goes on any link.
 */

import type { DmaAddr } from '../core/address.ts';
import { present } from '../core/assert.ts';
import type { Fabric, RequestAttributes } from './fabric.ts';
import type { BarTarget } from './live-function.ts';
import { type Completion, NOWHERE } from './outcome.ts';

/** One end of a transfer, as a driver programs it. */
export type DmaSide = { readonly address: DmaAddr } | BarSide;

/** A BAR of the engine's own function, and an offset in it. */
interface BarSide {
  readonly bar: number;
  readonly offset: number;
}

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
    const source = this.fetch(descriptor.source, bytes, attributes);
    if (source.status !== 'SC') return { ok: false, source, target: null };
    const target = this.send(descriptor.target, bytes, attributes);
    return { ok: target.status === 'posted' || target.status === 'SC', source, target };
  }

  /** Half a descriptor: from one side into the engine. */
  fetch(side: DmaSide, into: Uint8Array, attributes?: RequestAttributes): Completion {
    if ('address' in side) return this.#fabric.memoryRead(this.#index, side.address, into, attributes);
    return this.#inside(side, into.length, (target) => target.read(side.offset, into));
  }

  /** The other half: from the engine to one side. */
  send(side: DmaSide, from: Uint8Array, attributes?: RequestAttributes): Completion {
    if ('address' in side) return this.#fabric.memoryWrite(this.#index, side.address, from, attributes);
    return this.#inside(side, from.length, (target) => target.write(side.offset, from));
  }

  /** The engine's own memory, reached from within: no TLP, and nothing to reach in a function that is gone. */
  #inside({ bar, offset }: BarSide, bytes: number, access: (target: BarTarget) => boolean): Completion {
    const node = this.#fabric.function(this.#index);
    const { size, target } = present(node.bar(bar), `BAR ${bar} of the engine`);
    const at = this.#index;
    if (!node.present) return { status: 'notSent', fate: 'notSent', reason: 'absent', at, bytesDelivered: 0 };
    const reason = offset + bytes > size ? 'endOfTarget' : access(target) ? null : 'deviceRefuses';
    if (reason !== null) return { status: 'CA', fate: 'completerAbort', reason, at, bytesDelivered: 0 };
    return { status: 'SC', fate: 'delivered', reason: 'none', at: NOWHERE, bytesDelivered: bytes };
  }
}
