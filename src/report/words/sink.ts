/** Where a long text goes piece by piece. */

/** What a writer of many lines needs: it adds text, and waits when told to, so that a slow reader holds it back. */
export interface Sink {
  /** Adds text without waiting. Returns true where `flush` is due. */
  readonly append: (text: string) => boolean;
  /** Hands everything on, and waits until more can be taken. */
  readonly flush: () => Promise<void>;
}
