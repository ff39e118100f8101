/**
 * The link above a function as a device model sees it: it reads and writes addresses and learns no more than hardware does. The
 * shape that the NVMe controller asks for.
 */

import type { BusAddr } from '../core/address.ts';
import { busAddr } from '../core/address.ts';
import type { Fabric, RequestAttributes } from './fabric.ts';
import type { CompletionStatus } from './outcome.ts';

/** `SC` for a write means that it left; nobody tells a device that a posted write was lost. */
export type PortStatus = Exclude<CompletionStatus, 'posted'>;

export class FunctionPort {
  /** Fields of its requests, from now on. */
  attributes: RequestAttributes | undefined;
  readonly #fabric: Fabric;
  readonly #index: number;

  constructor(fabric: Fabric, index: number, attributes?: RequestAttributes) {
    this.#fabric = fabric;
    this.#index = index;
    this.attributes = attributes;
  }

  read(address: number, into: Uint8Array): PortStatus {
    const { status } = this.#fabric.memoryRead(this.#index, address, into, this.attributes);
    return status === 'posted' ? 'SC' : status;
  }

  write(address: number, from: Uint8Array): PortStatus {
    const { status } = this.#fabric.memoryWrite(this.#index, address, from, this.attributes);
    return status === 'posted' ? 'SC' : status;
  }

  /** Bus address of a BAR, or null while it is not assigned or does not decode. */
  busAddress(bar: number): BusAddr | null {
    const node = this.#fabric.function(this.#index);
    const start = node.decodesMemory ? (node.bar(bar)?.start ?? null) : null;
    return start === null ? null : busAddr(start);
  }
}
