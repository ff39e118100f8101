/**
 * All words that may begin or make evidence, looked for at once over the bytes: an automaton after Aho and Corasick. A log of a hundred
 * megabytes is mostly about other things, and its lines are neither decoded nor copied.
 */

/** A word and who asks for it. */
export interface Anchor {
  /** ASCII, matched with its case. */
  readonly word: string;
  /** Index of the asker. */
  readonly owner: number;
}

/** Set in a transition into a state that ends a word. */
const TELLING = 0x40000000;

/** As many hits of a line are noted: a line of nothing but one word must not fill the memory. */
const HITS_MAX = 64;

export class AnchorTable {
  /** Owner of each word, by the word's number. */
  readonly owners: Int32Array;
  /** A class for each byte that some word has; 0 for all others. */
  readonly #classes: Uint8Array;
  readonly #classCount: number;
  /** The state that follows, by state and class. States are multiples of the number of classes. */
  readonly #next: Int32Array;
  /** Words that end in a state, by its number. */
  readonly #words: readonly (readonly number[])[];

  constructor(anchors: readonly Anchor[]) {
    this.owners = Int32Array.from(anchors, ({ owner }) => owner);
    this.#classes = classesOf(anchors);
    this.#classCount = Math.max(...this.#classes) + 1;
    const { next, words } = statesOf(anchors, this.#classes, this.#classCount);
    this.#next = next;
    this.#words = words;
  }

  /**
   * Walks over the line that begins at `start`; returns where it ends, before `lineEnd` or behind the last byte.
   *
   * @param hits receives the numbers of the words that were met, some perhaps twice
   */
  scanLine(bytes: Uint8Array, start: number, lineEnd: number, hits: number[]): number {
    const next = this.#next;
    const classes = this.#classes;
    const { length } = bytes;
    let state = 0;
    let at = start;
    for (; at < length; at++) {
      const byte = bytes[at] as number;
      if (byte === lineEnd) break;
      state = next[state + (classes[byte] as number)] as number;
      if (state >= TELLING) {
        state -= TELLING;
        if (hits.length < HITS_MAX) hits.push(...(this.#words[state / this.#classCount] as readonly number[]));
      }
    }
    return at;
  }
}

function classesOf(anchors: readonly Anchor[]): Uint8Array {
  const classes = new Uint8Array(256);
  let count = 0;
  for (const { word } of anchors) {
    for (let at = 0; at < word.length; at++) {
      const byte = word.charCodeAt(at);
      if (classes[byte] === 0) classes[byte] = ++count;
    }
  }
  return classes;
}

function statesOf(
  anchors: readonly Anchor[],
  classes: Uint8Array,
  classCount: number,
): { readonly next: Int32Array; readonly words: readonly (readonly number[])[] } {
  const children: Map<number, number>[] = [new Map()];
  const words: number[][] = [[]];
  for (const [number, { word }] of anchors.entries()) {
    let state = 0;
    for (let at = 0; at < word.length; at++) {
      const byteClass = classes[word.charCodeAt(at)] as number;
      const below = children[state] as Map<number, number>;
      const known = below.get(byteClass);
      state = known ?? children.length;
      if (known !== undefined) continue;
      below.set(byteClass, state);
      children.push(new Map());
      words.push([]);
    }
    words[state]?.push(number);
  }
  return { next: transitions(children, words, classCount), words };
}

/**
 * Fills the table from the root outwards. A state goes on as the longest other beginning of a word that it ends with, except where its
 * own word goes on; the words of that beginning end in it as well.
 */
function transitions(children: readonly Map<number, number>[], words: number[][], classCount: number): Int32Array {
  const next = new Int32Array(children.length * classCount);
  const falls = new Int32Array(children.length);
  const queue = [0];
  for (const state of queue) {
    const row = state * classCount;
    const fall = falls[state] as number;
    if (state !== 0) {
      next.copyWithin(row, fall * classCount, (fall + 1) * classCount);
      words[state]?.push(...(words[fall] as number[]));
    }
    for (const [byteClass, child] of children[state] as Map<number, number>) {
      falls[child] = state === 0 ? 0 : (next[row + byteClass] as number) / classCount;
      next[row + byteClass] = child * classCount;
      queue.push(child);
    }
  }
  for (let at = 0; at < next.length; at++) {
    const state = (next[at] as number) / classCount;
    if ((words[state] as number[]).length > 0) next[at] = (next[at] as number) + TELLING;
  }
  return next;
}
