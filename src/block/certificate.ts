/**
 * What the block layer knows of a certificate (src/dma/certified.ts says the rest): the 32 bits behind a vector's length. A
 * certificate is true of a range of memory, and a piece of a vector lies in the range that the vector lay in. So a cut keeps it.
 */

/** The bits that tell what is certified. */
const TYPE_BITS = 3;

/** Nothing: the address has to be looked up. A word of 0 is no certificate. */
export const CERTIFIED_NOTHING = 0;
/** Cases (b2) and (c): below the switch of the device that is named. */
export const CERTIFIED_BUS = 1;
/** Case (b1). */
export const CERTIFIED_RESOURCE = 2;
/** Case (a). */
export const CERTIFIED_RAM = 3;

/** Which of the four a word certifies. */
export function certifiedType(word: number): number {
  return word & TYPE_BITS;
}

/** Whether a word says that its vector is another device's memory, or was. Such vectors are never joined by their addresses. */
export function certifiesP2p(word: number): boolean {
  const type = certifiedType(word);
  return type === CERTIFIED_BUS || type === CERTIFIED_RESOURCE;
}

/** The certificate of two vectors that were made one: what both had, else none. */
export function joinedCertificate(first: number, second: number): number {
  return first === second ? first : 0;
}
