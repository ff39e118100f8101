/** What a capture is made of. */

/** A file or a link of the archive; paths as on the machine, without the first slash. */
export type CapturedEntry =
  | { readonly kind: 'file'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** Something that a diagnosis reads and the capture does not hold. */
export interface MissingPart {
  readonly what: string;
  readonly why: string;
  /** What would show it on the machine itself. */
  readonly command: string;
}
