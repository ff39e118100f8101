/** One file of a survey: what `check` found in it, or why it was not judged. */

import type { Certainty, DiagnosisId, Severity } from '../doctor/finding.ts';

/** A finding, as far as a survey counts it. */
export interface SurveyFinding {
  readonly id: DiagnosisId;
  readonly severity: Severity;
  readonly sure: Certainty;
}

/** `file` is the path that was read. */
export type SurveyRow =
  | {
      readonly kind: 'judged';
      readonly file: string;
      readonly functions: number;
      /** Judging alone, without reading. */
      readonly milliseconds: number;
      readonly findings: readonly SurveyFinding[];
    }
  /** It is not a machine; `code` is that of the refusal. */
  | { readonly kind: 'refused'; readonly file: string; readonly code: string }
  /** A worker ended over it: a mistake of ours, in the words of what ended it. */
  | { readonly kind: 'crashed'; readonly file: string; readonly words: string };
