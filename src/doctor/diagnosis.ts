/** What the table of diagnoses holds of each. */

import type { DoctorContext } from './context.ts';
import type { DiagnosisId, Finding } from './finding.ts';

export interface Diagnosis {
  readonly id: DiagnosisId;
  /** Other names of the same, as users meet them. */
  readonly aliases: readonly string[];
  /** One line. */
  readonly meaning: string;
  /** What users see. */
  readonly symptom: string;
  /** What the capture must hold for it. */
  readonly needs: string;
  readonly diagnose: (context: DoctorContext) => Finding[];
}
