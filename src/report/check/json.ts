/** The report as JSON. `findings[].{id,severity,functions}` are the contract's; the rest may grow. */

import type { Contradiction } from '../../case/case.ts';
import { hex } from '../../core/hex.ts';
import type { DiagnosisId, Evidence, Finding, Missing, Severity } from '../../doctor/finding.ts';
import type { Statement } from '../../doctor/readings/reading.ts';
import { worstSeverity } from '../../doctor/severity.ts';
import { diagnosisOf } from '../../doctor/table.ts';
import type { KindOpinion } from '../../doctor/whose-rule/kinds.ts';
import type { PolicyName } from '../../p2p/policy.ts';
import type { MapType } from '../../p2p/verdict.ts';
import { type AnswerQuestion, type SourceDocument, sourceDocuments } from '../answer/view.ts';
import { type FixDocument, fixDocument } from '../words/fix-document.ts';
import { type MachineDocument, machineDocument } from '../words/machine-document.ts';
import { type OpinionDocument, opinionDocument } from '../words/opinion-words.ts';
import { splitFindings } from './view.ts';

/** `p2pdma check --json`. */
export interface CheckDocument {
  readonly schemaVersion: 1;
  readonly command: 'check';
  readonly policy: PolicyName;
  /** Null where what was given shows no machine. */
  readonly machine: MachineDocument | null;
  readonly pairs: Readonly<Record<MapType, number>>;
  /** Findings by severity; `open` are the notes that only ask, `unknown` is its older name. */
  readonly summary: Readonly<Record<Severity | 'open' | 'unknown', number>>;
  readonly findings: readonly FindingDocument[];
  /** Kinds of pairs about which somebody besides the kernel decides. */
  readonly rules: readonly KindDocument[];
  /** What was recognised in the inputs; empty for a capture alone. */
  readonly sources: readonly SourceDocument[];
  /** What the evidence beside the machine shows, and what nothing has to be done about. */
  readonly statements: readonly Statement[];
  /** At most three commands, the most telling first. */
  readonly next: readonly NextDocument[];
  /** What does not fit together. */
  readonly contradictions: readonly Contradiction[];
}

/** A command to type next. */
export interface NextDocument {
  readonly command: string;
  readonly why: string;
  readonly answers: readonly DiagnosisId[];
}

/** Who decides about a kind of pair, with one pair that is answered so. */
export interface KindDocument extends Omit<KindOpinion, 'opinion' | 'onTop'> {
  readonly opinion: OpinionDocument;
  readonly onTop: OpinionDocument | null;
}

export interface FindingDocument extends Omit<Finding, 'evidence' | 'fixes'> {
  readonly evidence: readonly EvidenceDocument[];
  readonly fixes: readonly FixDocument[];
}

export interface EvidenceDocument extends Omit<Evidence, 'offset'> {
  /** As hex. */
  readonly offset: string | null;
  /** Older name of `source`. */
  readonly file: string | null;
}

/** The document. */
export function checkDocument({ given, policy, result }: AnswerQuestion): CheckDocument {
  const { found, unknown } = splitFindings(result.findings);
  const of = (severity: Severity): number => found.filter((finding) => finding.severity === severity).length;
  return {
    schemaVersion: 1,
    command: 'check',
    policy: policy.name,
    machine: given.machine === null ? null : machineDocument(given.machine),
    pairs: result.pairs,
    summary: {
      error: of('error'),
      warning: of('warning'),
      note: of('note'),
      open: unknown.length,
      unknown: unknown.length,
    },
    findings: result.findings.map(findingDocument),
    rules: result.rules.map(({ kind, provider, client, opinion, onTop }) => ({
      kind,
      provider,
      client,
      opinion: opinionDocument(opinion),
      onTop: onTop === null ? null : opinionDocument(onTop),
    })),
    sources: sourceDocuments(given.blocks),
    statements: result.statements,
    next: result.next.map(({ command, why, answers }) => ({ command, why, answers })),
    contradictions: given.contradictions,
  };
}

function findingDocument(finding: Finding): FindingDocument {
  const { id, severity, sure, title, at, functions, pairs, why } = finding;
  const missing: Missing | null = finding.missing;
  const evidence = finding.evidence.map(evidenceDocument);
  const fixes = finding.fixes.map(fixDocument);
  return { id, severity, sure, title, at, functions, pairs, evidence, why, fixes, missing };
}

function evidenceDocument(evidence: Evidence): EvidenceDocument {
  const { offset, source } = evidence;
  return { ...evidence, offset: offset === null ? null : hex(offset), file: source };
}

/** `p2pdma check --explain ID --json`. */
export interface DiagnosisDocument {
  readonly schemaVersion: 1;
  readonly command: 'check';
  readonly diagnosis: {
    readonly id: DiagnosisId;
    readonly aliases: readonly string[];
    readonly severity: Severity;
    readonly meaning: string;
    readonly symptom: string;
    readonly needs: string;
  };
}

/** What the table says of one diagnosis. */
export function diagnosisDocument(wanted: DiagnosisId): DiagnosisDocument {
  const { id, aliases, meaning, symptom, needs } = diagnosisOf(wanted);
  const severity = worstSeverity(id);
  return { schemaVersion: 1, command: 'check', diagnosis: { id, aliases, severity, meaning, symptom, needs } };
}
