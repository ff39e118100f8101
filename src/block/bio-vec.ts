/**
 * An I/O vector as the mail has it: an address and flags that say how to read it, in place of a page.
 *
 * | flags | the address is | case |
 * |---|---|---|
 * | none | CPU physical, RAM | (a) |
 * | `BVEC_MAP_RESOURCE` | CPU physical, MMIO behind the host bridge | (b1) |
 * | `BVEC_MAP_BUS_ADDR` | a PCI bus address | (b2), or (c) in the device's own BAR |
 */

import { ADDRESS_LIMIT, type BusAddr, type DmaAddr, isAddress, type PhysAddr, storedAddress } from '../core/address.ts';
import { checkObject, isObject } from '../core/argument.ts';
import { assert } from '../core/assert.ts';
import { hex } from '../core/hex.ts';
import { BlockError } from './errors.ts';

/** Map the address as a resource, MMIO behind the host bridge. The mail's flag of the same name in `bv_flags`. */
export const BVEC_MAP_RESOURCE: number = 1 << 0;
/** The address is a PCI bus address; map nothing. The mail's flag of the same name in `bv_flags`. */
export const BVEC_MAP_BUS_ADDR: number = 1 << 1;
const ALL_FLAGS = BVEC_MAP_RESOURCE | BVEC_MAP_BUS_ADDR;
const NO_CERTIFICATE = new Uint32Array(0);

/** One piece of memory: the mail's `struct bio_vec { bv_addr, bv_flags }` with the length that it already had. */
export interface BioVec {
  /**
   * The mail's `bv_addr`: CPU physical or PCI bus address, by the flags. In a list that was mapped first, what the mapping gave. Below
   * 2^53.
   */
  readonly address: PhysAddr | BusAddr | DmaAddr;
  /** Bytes, in [1, 2^32 - 1] (`bv_len`). */
  readonly length: number;
  /** The mail's `bv_flags`: 0, `BVEC_MAP_RESOURCE` or `BVEC_MAP_BUS_ADDR`. */
  readonly flags: number;
  /** In place of flags: what `Certifier` (src/dma/certified.ts) found. Left out: none. */
  readonly certificate?: number;
}

/**
 * Refuses a vector that cannot be: `ZERO_LENGTH`, `ADDRESS_OVERFLOW`, `FLAGS_CONFLICT`, `VECTOR_INVALID`.
 * @param path - where the vector stands, for the refusal: `vectors[2]`
 */
export function checkBioVec(vector: BioVec, path: string): void {
  if (!isObject(vector)) checkObject(vector, 'address', path, 'a vector: { address, length, flags }');
  const { address, length, flags } = vector;
  if (length === 0) {
    throw new BlockError({
      code: 'ZERO_LENGTH',
      path: `${path}.length`,
      message: `vector at ${addressText(address)} has no bytes`,
      hint: 'leave the vector out, or give its length in bytes',
      errno: 'EINVAL',
    });
  }
  if (!Number.isInteger(length) || length < 0 || length >= 2 ** 32) {
    throw invalid(
      `${path}.length`,
      `length ${length} is no whole number in [1, 2^32)`,
      'cut a longer vector into several',
    );
  }
  if (!isAddress(address) || length > ADDRESS_LIMIT - address) {
    throw new BlockError({
      code: 'ADDRESS_OVERFLOW',
      path: `${path}.address`,
      message: `${length} bytes from ${addressText(address)} do not lie in [0, 2^53)`,
      hint: 'a vector ends below 2^53: x86 addresses have at most 52 bits',
      errno: 'EINVAL',
    });
  }
  if (flags === ALL_FLAGS) {
    throw new BlockError({
      code: 'FLAGS_CONFLICT',
      path: `${path}.flags`,
      message: `vector at ${hex(address)} has BVEC_MAP_RESOURCE and BVEC_MAP_BUS_ADDR`,
      hint: 'an address is a CPU physical or a bus address: set one of the two',
      errno: 'EINVAL',
    });
  }
  if (flags !== 0 && flags !== BVEC_MAP_RESOURCE && flags !== BVEC_MAP_BUS_ADDR) {
    throw invalid(`${path}.flags`, `flags ${flags} hold a bit that means nothing`, 'use the two BVEC_ constants');
  }
  if (flags !== 0 && vector.certificate) {
    throw invalid(
      `${path}.certificate`,
      `vector at ${hex(address)} has flags and a certificate, and both take the 32 bits behind the length`,
      'certify CPU physical addresses without flags',
    );
  }
}

/** Whether `checkBioVec` would let a vector pass: what a loop asks, so that only a refusal makes an object. */
function canBe(address: number, length: number, flags: number, certificate: number): boolean {
  return (
    Number.isInteger(length) &&
    length > 0 &&
    length < 2 ** 32 &&
    isAddress(address) &&
    length <= ADDRESS_LIMIT - address &&
    (flags === 0 || ((flags === BVEC_MAP_RESOURCE || flags === BVEC_MAP_BUS_ADDR) && certificate === 0))
  );
}

/** Vectors as a structure of arrays; the first `count` places of each are in use. */
export class BvecList {
  // Declared: a field that is `undefined` first and an array later costs a check at each access in a loop.
  declare address: Float64Array;
  declare length: Uint32Array;
  /** The mail's `bv_flags`. 32 bits wide, as the hole behind the length is. */
  declare flags: Uint32Array;
  /**
   * What a 64-bit `struct bio_vec` has room for in the 32 bits behind its length: one certificate a vector (src/dma/certified.ts).
   * Vectors behind its end have none. Whoever gives a vector another address drops it; cuts keep it, for a piece lies in the
   * range that the whole lay in.
   */
  declare certificate: Uint32Array;
  count = 0;

  /** An empty list with room for `capacity` vectors; it grows as needed. */
  constructor(capacity = 16) {
    const places = Math.max(1, capacity);
    this.address = new Float64Array(places);
    this.length = new Uint32Array(places);
    this.flags = new Uint32Array(places);
    this.certificate = NO_CERTIFICATE;
  }

  /** A list of these vectors. Refuses as `checkBioVec`, with the vector's index in the path. */
  static fromVectors(vectors: Iterable<BioVec>): BvecList {
    checkObject(vectors, Symbol.iterator, 'fromVectors: vectors', 'a list of vectors: { address, length, flags }');
    const list = new BvecList();
    for (const vector of vectors) list.add(vector);
    return list;
  }

  /** Sum of all lengths, in bytes; may exceed 4 GiB. */
  get byteLength(): number {
    let bytes = 0;
    for (let index = 0; index < this.count; index++) bytes += this.length[index] as number;
    return bytes;
  }

  /** Whether any vector has a flag. */
  get hasFlags(): boolean {
    for (let index = 0; index < this.count; index++) if (this.flags[index] !== 0) return true;
    return false;
  }

  /** Refuses the first vector that cannot be, as `checkBioVec` with its index in the path. */
  check(): void {
    for (let index = 0; index < this.count; index++) {
      const flags = this.flags[index] as number;
      if (canBe(this.address[index] as number, this.length[index] as number, flags, this.certificateAt(index)))
        continue;
      checkBioVec(this.at(index), `vectors[${index}]`);
    }
  }

  /** Checks and appends a vector. Refuses as `checkBioVec`. */
  add(vector: BioVec): void {
    checkBioVec(vector, `vectors[${this.count}]`);
    this.push(vector.address, vector.length, vector.flags);
    this.certify(this.count - 1, vector.certificate ?? 0);
  }

  /** Appends a vector that is known to be right, without a certificate. */
  push(address: number, length: number, flags: number): void {
    const index = this.count;
    if (index === this.address.length) this.#grow();
    this.address[index] = address;
    this.length[index] = length;
    this.flags[index] = flags;
    this.count = index + 1;
  }

  /**
   * Appends a piece of vector `index` of another list: `length` bytes from `address`, which lie inside it. Flags and certificate
   * are the vector's.
   */
  pushPiece(from: BvecList, index: number, address: number, length: number): void {
    this.push(address, length, from.flags[index] as number);
    this.certify(this.count - 1, from.certificateAt(index));
  }

  /** Appends all vectors of another list from index `first` on, with their certificates. */
  pushAll(from: BvecList, first = 0): void {
    for (let index = first; index < from.count; index++) {
      this.pushPiece(from, index, from.address[index] as number, from.length[index] as number);
    }
  }

  /** The certificate of vector `index`, 0 for none. */
  certificateAt(index: number): number {
    return index < this.certificate.length ? (this.certificate[index] as number) : 0;
  }

  /** Gives vector `index`, which has no flags, a certificate; 0 takes it away. */
  certify(index: number, word: number): void {
    assert(word === 0 || this.flags[index] === 0, 'a vector has flags or a certificate, in the same 32 bits');
    if (index >= this.certificate.length) {
      if (word === 0) return;
      const words = new Uint32Array(this.address.length);
      words.set(this.certificate);
      this.certificate = words;
    }
    this.certificate[index] = word;
  }

  /** The vector at an index in [0, count). */
  at(index: number): BioVec {
    if (!(index >= 0 && index < this.count)) throw new RangeError(`vector ${index} of ${this.count}`);
    const vector = {
      address: storedAddress<PhysAddr | BusAddr | DmaAddr>(this.address[index] as number),
      length: this.length[index] as number,
      flags: this.flags[index] as number,
    };
    const certificate = this.certificateAt(index);
    return certificate === 0 ? vector : { ...vector, certificate };
  }

  /** Forgets all vectors and keeps the room. */
  clear(): void {
    this.count = 0;
    this.certificate = NO_CERTIFICATE;
  }

  /** The vectors as objects, in order. */
  *[Symbol.iterator](): Generator<BioVec, void, undefined> {
    for (let index = 0; index < this.count; index++) yield this.at(index);
  }

  #grow(): void {
    const places = 2 * this.address.length;
    const { address, length, flags } = this;
    this.address = new Float64Array(places);
    this.length = new Uint32Array(places);
    this.flags = new Uint32Array(places);
    this.address.set(address);
    this.length.set(length);
    this.flags.set(flags);
  }
}

function addressText(address: number): string {
  return isAddress(address) ? hex(address) : String(address);
}

function invalid(path: string, message: string, hint: string): BlockError {
  return new BlockError({ code: 'VECTOR_INVALID', path, message, hint, errno: 'EINVAL' });
}
