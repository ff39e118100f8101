/**
 * Where an address of a command leads: into the controller's own buffer, or up the link.
 *
 * The rule (facts of other implementations agree): a range wholly inside the recognised CMB is the CMB; one that begins inside
 * and ends outside is an error; everything else is host memory and goes out as a TLP, a range that ends inside included.
 */

import { ADDRESS_LIMIT, storedAddress } from '../../core/address.ts';
import type { Cmb } from './cmb.ts';
import type { UpstreamPort } from './ports.ts';

/** Up the link. */
export const PLACE_HOST = 0;
/** In the Controller Memory Buffer. */
export const PLACE_CMB = 1;
/** Begins in the buffer and ends outside. */
export const PLACE_STRADDLES = 2;
/** Reaches 2^53, where no machine has anything. */
export const PLACE_NOWHERE = 3;
/** Discarded: a bit bucket. */
export const PLACE_BUCKET = 4;

export class DataPath {
  readonly cmb: Cmb | null;
  readonly #upstream: UpstreamPort;

  constructor(upstream: UpstreamPort, cmb: Cmb | null) {
    this.#upstream = upstream;
    this.cmb = cmb;
  }

  /** Where `[address, address + lengthBytes)` lies: one of the `PLACE_` numbers. */
  placeOf(address: number, lengthBytes: number): number {
    if (address + lengthBytes > ADDRESS_LIMIT) return PLACE_NOWHERE;
    const { cmb } = this;
    if (cmb === null) return PLACE_HOST;
    const offset = cmb.offsetOf(address);
    if (offset < 0) return PLACE_HOST;
    return offset + lengthBytes <= cmb.sizeBytes ? PLACE_CMB : PLACE_STRADDLES;
  }

  /** Fills `into` from wherever the address leads. Returns whether the bytes came. */
  read(address: number, into: Uint8Array): boolean {
    const place = this.placeOf(address, into.length);
    if (place === PLACE_HOST) return this.#upstream.read(storedAddress(address), into) === 'SC';
    if (place !== PLACE_CMB) return false;
    const cmb = this.cmb as Cmb;
    cmb.memory.read(cmb.offsetOf(address), into);
    return true;
  }

  /** Writes `from` to wherever the address leads. Returns whether it left. */
  write(address: number, from: Uint8Array): boolean {
    const place = this.placeOf(address, from.length);
    if (place === PLACE_HOST) return this.#upstream.write(storedAddress(address), from) === 'SC';
    if (place !== PLACE_CMB) return false;
    const cmb = this.cmb as Cmb;
    cmb.memory.write(cmb.offsetOf(address), from);
    return true;
  }

  /** Reads up the link: the caller has asked `placeOf`. */
  readHost(address: number, into: Uint8Array): boolean {
    return this.#upstream.read(storedAddress(address), into) === 'SC';
  }

  /** Writes up the link: the caller has asked `placeOf`. */
  writeHost(address: number, from: Uint8Array): boolean {
    return this.#upstream.write(storedAddress(address), from) === 'SC';
  }
}
