/**
 * Finds a node by its first page: a hash table with open addressing over node numbers, whose keys stay where they are, in
 * the nodes' own array of first pages. No call allocates, except to grow.
 */

import { assert } from '../core/assert.ts';

export class PageIndex {
  /** Node by place; 0 is an empty place. Linear probing. */
  #slots = new Int32Array(128);
  #count = 0;

  /** The node whose first page is `page`, or 0. */
  find(page: number, start: Float64Array): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hashOf(page) & mask; ; slot = (slot + 1) & mask) {
      const node = slots[slot] as number;
      if (node === 0 || start[node] === page) return node;
    }
  }

  add(node: number, start: Float64Array): void {
    if (2 * ++this.#count > this.#slots.length) this.#grow(start);
    place(this.#slots, node, start);
  }

  remove(node: number, start: Float64Array): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = hashOf(start[node] as number) & mask;
    while (slots[hole] !== node) {
      assert(slots[hole] !== 0, 'node is not in the index');
      hole = (hole + 1) & mask;
    }
    // Close the hole, so that no marks of removed entries pile up: move each follower that may lie in the hole.
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = hashOf(start[slots[slot] as number] as number) & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        slots[hole] = slots[slot] as number;
        hole = slot;
      }
    }
    slots[hole] = 0;
    this.#count--;
  }

  #grow(start: Float64Array): void {
    const slots = new Int32Array(2 * this.#slots.length);
    for (const node of this.#slots) if (node !== 0) place(slots, node, start);
    this.#slots = slots;
  }
}

function place(slots: Int32Array, node: number, start: Float64Array): void {
  const mask = slots.length - 1;
  let slot = hashOf(start[node] as number) & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = node;
}

/** Mixes every bit of a page number into the low ones: pages of aligned ranges differ in their high bits only. */
function hashOf(page: number): number {
  let mixed = (page | 0) ^ Math.imul((page / 4294967296) | 0, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b5);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 14);
}
