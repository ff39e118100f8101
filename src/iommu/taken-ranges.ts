/**
 * The taken ranges of an address space, in units of pages, with a search for the highest gap that fits.
 *
 * ```
 *  page 0 ... [taken]  gap of B  [taken B] [taken C]  gap of the anchor  | limit
 * ```
 *
 * Every taken range is a node; a node owns the gap directly *below* it; an anchor above the limit owns the topmost gap.
 * The nodes form a doubly linked list in address order and a treap. Each tree node carries the largest size that fits in a
 * gap of its subtree (`gapClass`), so that a search skips whole subtrees; an insertion or removal at a known place costs a
 * constant time on average, however many ranges are taken.
 *
 * Everything lives in typed arrays indexed by node; node 0 is "none". No call allocates, except to grow.
 * What is modelled: the red-black tree of the kernel's IOVA allocator (`struct iova_domain`, drivers/iommu/iova.c); the
 * kernel walks from node to node instead, which is linear in the number of gaps too small.
 */

import { assert } from '../core/assert.ts';
import { Prng } from '../core/prng.ts';
import { gapClass, sizeClass } from './gap-class.ts';
import { PageIndex } from './page-index.ts';
import { floorToPower } from './powers.ts';

/** What a node stands for. */
export const NODE_FREE = 0;
export const NODE_LIVE = 1;
/** Taken in the tree, but waiting in a cache for its next user. */
export const NODE_CACHED = 2;
export const NODE_RESERVED = 3;

export class TakenRanges {
  /** First page of a node, by node. */
  start: Float64Array;
  /** First page behind a node, by node. */
  end: Float64Array;
  /** NODE_LIVE, NODE_CACHED or NODE_RESERVED, by node. */
  state: Uint8Array;
  /** Next node in address order, by node; in the free list the next free node. */
  next: Int32Array;
  /** Node of the anchor above the limit. */
  readonly anchor: number;
  /** Base page of the place that `search` found. */
  foundBase = -1;

  #prev: Int32Array;
  #left: Int32Array;
  #right: Int32Array;
  #parent: Int32Array;
  #priority: Uint32Array;
  /** Largest size that fits in the node's own gap, as `sizeClass` has it; 0: no gap. */
  #own: Uint16Array;
  /** Largest `#own` in the subtree. */
  #best: Uint16Array;
  /** Nodes by first page, reserved ones left out. */
  readonly #index = new PageIndex();
  #root = 0;
  #freeHead = 0;
  #used = 1;
  readonly #prng = new Prng(0x10fa);

  /**
   * @param reserved - ranges of pages, sorted, apart, inside [0, limitPage]; the first holds page 0
   * @param limitPage - first page behind the space
   */
  constructor(reserved: readonly { readonly start: number; readonly end: number }[], limitPage: number) {
    const capacity = 64;
    this.start = new Float64Array(capacity);
    this.end = new Float64Array(capacity);
    this.state = new Uint8Array(capacity);
    this.next = new Int32Array(capacity);
    this.#prev = new Int32Array(capacity);
    this.#left = new Int32Array(capacity);
    this.#right = new Int32Array(capacity);
    this.#parent = new Int32Array(capacity);
    this.#priority = new Uint32Array(capacity);
    this.#own = new Uint16Array(capacity);
    this.#best = new Uint16Array(capacity);
    assert(reserved[0]?.start === 0, 'page 0 is not reserved');
    this.anchor = this.#newNode(limitPage, Number.POSITIVE_INFINITY, NODE_RESERVED);
    this.#root = this.anchor;
    this.#own[this.anchor] = gapClass(0, limitPage);
    this.#best[this.anchor] = this.#own[this.anchor] as number;
    for (let index = reserved.length - 1; index >= 0; index--) {
      const range = reserved[index] as { start: number; end: number };
      this.insert(this.#lowest(), range.start, range.end, NODE_RESERVED);
    }
  }

  /** Nodes in use, reserved ones and the anchor included. */
  get count(): number {
    let count = 0;
    for (let node = this.#lowest(); node !== 0; node = this.next[node] as number) count++;
    return count;
  }

  /** The lowest node: the reserved one that holds page 0. */
  get lowest(): number {
    return this.#lowest();
  }

  /** The node below `node` in address order, or 0. */
  previous(node: number): number {
    return this.#prev[node] as number;
  }

  /**
   * The highest place for `size` pages at a multiple of 2^order (the smallest power of two >= size), in the gaps owned by
   * `from` and the nodes below it, ending at or below page `limitPage`. Returns the node that owns the gap, and leaves the
   * base page in `foundBase`; or returns 0.
   */
  search(from: number, size: number, order: number, limitPage: number): number {
    const need = sizeClass(size);
    let node = (this.#own[from] as number) >= need ? from : this.#candidateBelow(from, need);
    while (node !== 0) {
      const gapEnd = Math.min(this.start[node] as number, limitPage);
      const gapStart = this.end[this.#prev[node] as number] as number;
      if (gapEnd - size >= gapStart) {
        const base = floorToPower(gapEnd - size, order);
        if (base >= gapStart) {
          this.foundBase = base;
          return node;
        }
      }
      node = this.#candidateBelow(node, need);
    }
    return 0;
  }

  /** The lowest node that starts at or above `page`; the anchor if `page` is behind the space. */
  nodeFrom(page: number): number {
    let found = this.anchor;
    let node = this.#root;
    while (node !== 0) {
      if ((this.start[node] as number) >= page) {
        found = node;
        node = this.#left[node] as number;
      } else {
        node = this.#right[node] as number;
      }
    }
    return found;
  }

  /** The live or cached node that starts at `page`, or 0. */
  nodeAt(page: number): number {
    return this.#index.find(page, this.start);
  }

  /** Takes pages [start, end) out of the gap that node `above` owns. Returns the new node. */
  insert(above: number, start: number, end: number, state: number): number {
    const node = this.#newNode(start, end, state);
    const below = this.#prev[above] as number;
    assert(
      end <= (this.start[above] as number) && (below === 0 || start >= (this.end[below] as number)),
      'gap is taken',
    );
    this.next[node] = above;
    this.#prev[node] = below;
    this.#prev[above] = node;
    if (below !== 0) this.next[below] = node;

    if ((this.#left[above] as number) === 0) {
      this.#left[above] = node;
      this.#parent[node] = above;
    } else {
      this.#right[below] = node;
      this.#parent[node] = below;
    }
    const own = gapClass(below === 0 ? start : (this.end[below] as number), start);
    this.#own[node] = own;
    this.#best[node] = own;
    this.#own[above] = gapClass(end, this.start[above] as number);
    this.#raiseBest(this.#parent[node] as number);
    this.#raiseBest(above);
    const priority = this.#priority[node] as number;
    for (let parent = this.#parent[node] as number; parent !== 0; parent = this.#parent[node] as number) {
      if ((this.#priority[parent] as number) >= priority) break;
      this.#rotateUp(node, parent);
    }
    if (state !== NODE_RESERVED) this.#index.add(node, this.start);
    return node;
  }

  /** Gives the pages of a node back to the gap of the node above it. */
  remove(node: number): void {
    this.#index.remove(node, this.start);
    const below = this.#prev[node] as number;
    const above = this.next[node] as number;
    this.next[below] = above;
    this.#prev[above] = below;
    // First the gap that grows, then the one that goes: nearly always the best of the subtree around both stays the same.
    this.#own[above] = gapClass(this.end[below] as number, this.start[above] as number);
    this.#raiseBest(above);
    for (;;) {
      const left = this.#left[node] as number;
      const right = this.#right[node] as number;
      if (left === 0 || right === 0) {
        this.#replaceChild(this.#parent[node] as number, node, left === 0 ? right : left);
        break;
      }
      this.#rotateUp((this.#priority[left] as number) > (this.#priority[right] as number) ? left : right, node);
    }
    this.#raiseBest(this.#parent[node] as number);
    this.state[node] = NODE_FREE;
    this.next[node] = this.#freeHead;
    this.#freeHead = node;
  }

  /** Checks every invariant of the structure; for tests. Costs a walk over everything. */
  check(): void {
    let previous = 0;
    for (let node = this.#lowest(); node !== 0; node = this.next[node] as number) {
      assert(this.#prev[node] === previous, 'list links disagree');
      const gapStart = previous === 0 ? 0 : (this.end[previous] as number);
      assert((this.start[node] as number) >= gapStart, 'ranges overlap');
      assert(this.#own[node] === gapClass(gapStart, this.start[node] as number), 'own gap is not up to date');
      const left = this.#left[node] as number;
      const right = this.#right[node] as number;
      const best = Math.max(this.#own[node] as number, this.#best[left] as number, this.#best[right] as number);
      assert(this.#best[node] === best, 'best gap of a subtree is not up to date');
      for (const child of [left, right]) {
        if (child === 0) continue;
        assert(this.#parent[child] === node, 'tree links disagree');
        assert((this.#priority[child] as number) <= (this.#priority[node] as number), 'heap order is broken');
      }
      assert(left === 0 || (this.start[left] as number) < (this.start[node] as number), 'tree order is broken');
      assert(right === 0 || (this.start[right] as number) > (this.start[node] as number), 'tree order is broken');
      const hashed = this.state[node] === NODE_LIVE || this.state[node] === NODE_CACHED;
      assert(!hashed || this.nodeAt(this.start[node] as number) === node, 'node is not in the index');
      previous = node;
    }
    assert(previous === this.anchor, 'the anchor is not the last node');
  }

  #lowest(): number {
    let node = this.#root;
    while ((this.#left[node] as number) !== 0) node = this.#left[node] as number;
    return node;
  }

  /** The highest node below `from` in address order whose own gap may do. */
  #candidateBelow(from: number, need: number): number {
    const own = this.#own;
    const best = this.#best;
    let node = from;
    let subtree = this.#left[node] as number;
    while ((best[subtree] as number) < need) {
      const parent = this.#parent[node] as number;
      if (parent === 0) return 0;
      if (this.#right[parent] === node) {
        if ((own[parent] as number) >= need) return parent;
        subtree = this.#left[parent] as number;
      } else {
        subtree = 0;
      }
      node = parent;
    }
    for (;;) {
      const right = this.#right[subtree] as number;
      if ((best[right] as number) >= need) subtree = right;
      else if ((own[subtree] as number) >= need) return subtree;
      else subtree = this.#left[subtree] as number;
    }
  }

  /** Brings `best` up to date from a node upwards, as far as it changes. */
  #raiseBest(from: number): void {
    const best = this.#best;
    let node = from;
    while (node !== 0) {
      let value = this.#own[node] as number;
      const left = best[this.#left[node] as number] as number;
      const right = best[this.#right[node] as number] as number;
      if (left > value) value = left;
      if (right > value) value = right;
      if (best[node] === value) return;
      best[node] = value;
      node = this.#parent[node] as number;
    }
  }

  /** Rotates `node` above its parent; keeps the order and every `best`. */
  #rotateUp(node: number, parent: number): void {
    const best = this.#best;
    this.#replaceChild(this.#parent[parent] as number, parent, node);
    let moved: number;
    if (this.#left[parent] === node) {
      moved = this.#right[node] as number;
      this.#left[parent] = moved;
      this.#right[node] = parent;
    } else {
      moved = this.#left[node] as number;
      this.#right[parent] = moved;
      this.#left[node] = parent;
    }
    if (moved !== 0) this.#parent[moved] = parent;
    this.#parent[parent] = node;
    best[node] = best[parent] as number;
    let value = this.#own[parent] as number;
    const left = best[this.#left[parent] as number] as number;
    const right = best[this.#right[parent] as number] as number;
    if (left > value) value = left;
    if (right > value) value = right;
    best[parent] = value;
  }

  #replaceChild(parent: number, child: number, by: number): void {
    if (parent === 0) this.#root = by;
    else if (this.#left[parent] === child) this.#left[parent] = by;
    else this.#right[parent] = by;
    if (by !== 0) this.#parent[by] = parent;
  }

  #newNode(start: number, end: number, state: number): number {
    let node = this.#freeHead;
    if (node !== 0) {
      this.#freeHead = this.next[node] as number;
    } else {
      node = this.#used++;
      if (node === this.start.length) this.#grow();
    }
    this.start[node] = start;
    this.end[node] = end;
    this.state[node] = state;
    this.next[node] = 0;
    this.#prev[node] = 0;
    this.#left[node] = 0;
    this.#right[node] = 0;
    this.#parent[node] = 0;
    this.#priority[node] = this.#prng.next();
    return node;
  }

  #grow(): void {
    const capacity = 2 * this.start.length;
    this.start = grown(this.start, new Float64Array(capacity));
    this.end = grown(this.end, new Float64Array(capacity));
    this.state = grown(this.state, new Uint8Array(capacity));
    this.next = grown(this.next, new Int32Array(capacity));
    this.#prev = grown(this.#prev, new Int32Array(capacity));
    this.#left = grown(this.#left, new Int32Array(capacity));
    this.#right = grown(this.#right, new Int32Array(capacity));
    this.#parent = grown(this.#parent, new Int32Array(capacity));
    this.#priority = grown(this.#priority, new Uint32Array(capacity));
    this.#own = grown(this.#own, new Uint16Array(capacity));
    this.#best = grown(this.#best, new Uint16Array(capacity));
  }
}

function grown<A extends Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
