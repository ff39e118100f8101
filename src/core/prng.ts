/** Chance, handed in and seeded: one seed, one run. The generator is Marsaglia's xorshift128. */
export class Prng {
  readonly seed: number;
  #x: number;
  #y: number;
  #z: number;
  #w: number;

  /** `seed` is any 32-bit number; it is printed with every failure that chance found. */
  constructor(seed: number) {
    this.seed = seed >>> 0;
    // A Weyl sequence spreads small seeds over the four words, so that seeds 1 and 2 do not start alike.
    let weyl = this.seed;
    const next = (): number => {
      weyl = (weyl + 0x9e3779b9) >>> 0;
      let value = weyl;
      value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
      value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
      return (value ^ (value >>> 16)) >>> 0;
    };
    this.#x = next();
    this.#y = next();
    this.#z = next();
    this.#w = next() || 1;
  }

  /** An unsigned 32-bit number. */
  next(): number {
    const t = this.#x ^ (this.#x << 11);
    this.#x = this.#y;
    this.#y = this.#z;
    this.#z = this.#w;
    this.#w = (this.#w ^ (this.#w >>> 19) ^ t ^ (t >>> 8)) >>> 0;
    return this.#w;
  }

  /** A whole number in [0, limit), limit at most 2^32. */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit);
  }

  /** A whole number in [first, last]. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  /** True with the given probability in [0, 1]. */
  chance(probability: number): boolean {
    return this.next() / 2 ** 32 < probability;
  }

  /** One of the items; the list must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}
