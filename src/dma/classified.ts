/**
 * What a classifier found: a kind and an address for each vector. The kinds have the values of the flags, so that the trusting
 * flags design copies nothing.
 */

/** Case (a): RAM. The address is CPU physical. */
export const KIND_RAM = 0;
/** Case (b1): another device's BAR through the host bridge. The address is CPU physical. `BVEC_MAP_RESOURCE`. */
export const KIND_RESOURCE = 1;
/** Cases (b2) and (c): the address is a PCI bus address below the mapping device's host bridge. `BVEC_MAP_BUS_ADDR`. */
export const KIND_BUS = 2;

/** What a classifier found, one entry a vector. Valid until the next call. */
export interface Classified {
  /** One word a vector: with `key` taken away by exclusive or, its kind. */
  readonly kind: Uint32Array;
  /**
   * 0: `kind` holds kinds and nothing else. Not 0: the vectors' own words, which nobody has compared yet. What comes out may be no
   * kind then (above `KIND_BUS`), and `classify` must be asked instead.
   */
  readonly key: number;
  /** CPU physical for RAM and resources, bus address minus `shift` for `KIND_BUS`. */
  readonly address: Float64Array;
  /** What is added to the address of a `KIND_BUS`, bytes, signed; 0 where `key` is 0. */
  readonly shift: number;
  /** The kind of all vectors, where the classifier has found that it is one and that each vector can be; else -1. */
  readonly uniform: number;
}

/** `Classified` that its classifier uses again at each call, so that classifying makes no garbage. */
export type ClassifiedScratch = { -readonly [Field in keyof Classified]: Classified[Field] };

/** All classifiers begin with this one, so that the loops behind them see one shape of object. */
export function newClassified(): ClassifiedScratch {
  return { kind: new Uint32Array(0), key: 0, address: new Float64Array(0), shift: 0, uniform: -1 };
}

/** The kind of a vector; above `KIND_BUS` where its word is no kind. */
export function kindAt({ kind, key }: Classified, index: number): number {
  return ((kind[index] as number) ^ key) >>> 0;
}

/** The address that the engine is given or the IOMMU maps. */
export function addressAt(classified: Classified, index: number): number {
  const at = classified.address[index] as number;
  return kindAt(classified, index) === KIND_BUS ? at + classified.shift : at;
}
