/** What a claim is: somebody's sentence, our verdict, and a demonstration that runs the real code. */

export type Verdict = 'holds' | 'holds on a condition' | 'refuted';

/** What a demonstration saw, by names that the document uses. */
export type Saw = Readonly<Record<string, string | number>>;

export interface Claim {
  readonly name: string;
  readonly who: string;
  /** In our words. */
  readonly claim: string;
  readonly verdict: Verdict;
  /** What the demonstration must see, on every engine it runs on. */
  readonly expected: Saw;
  /** Runs on our fabric, or on no engine at all. */
  readonly run: () => Saw | Promise<Saw>;
  /** The same on a QEMU machine, for claims about controllers. */
  readonly onQemu?: () => Promise<Saw>;
}
