/**
 * What one kind of evidence says by itself, whether or not a machine was given: statements, findings, and the commands whose output would
 * decide what is left open.
 */

import type { Case } from '../../case/case.ts';
import type { SourceKind } from '../../evidence/kinds.ts';
import type { DoctorContext } from '../context.ts';
import type { Certainty, DiagnosisId, Finding } from '../finding.ts';

/** What a reading may look at. */
export interface CaseContext {
  readonly given: Case;
  /** The machine's own context; null where none was given. */
  readonly doctor: DoctorContext | null;
}

/** Something that the evidence shows and that is no finding: nothing has to be done about it. */
export interface Statement {
  readonly sure: Exclude<Certainty, 'open'>;
  /** One sentence without its full stop. */
  readonly text: string;
  readonly kind: SourceKind;
  readonly source: string;
  readonly line: number;
}

/** A command to type next. */
export interface NextCommand {
  /** As short as can be typed. */
  readonly command: string;
  /** What its output decides, one clause. */
  readonly why: string;
  /** Findings that it would settle. */
  readonly answers: readonly DiagnosisId[];
  /** The more, the sooner it is shown. */
  readonly worth: number;
}

export interface Said {
  readonly statements?: readonly Statement[];
  readonly findings?: readonly Finding[];
  readonly next?: readonly NextCommand[];
}

export interface Reading {
  /** The case must hold this kind, or the reading is not asked. */
  readonly kind: SourceKind;
  readonly read: (context: CaseContext) => Said;
}
