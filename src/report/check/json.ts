/** The report as JSON. `findings[].{id,severity,functions}` are the contract's; the rest may grow. */

import { hex } from '../../core/hex.ts';
import type { DiagnosisId, Finding } from '../../doctor/finding.ts';
import { DIAGNOSES } from '../../doctor/table.ts';
import { cpuText } from '../words/cpu-text.ts';
import { type CheckQuestion, splitFindings } from './view.ts';

/** The document. */
export function checkDocument({ machine, policy, result }: CheckQuestion): object {
  const { found, unknown } = splitFindings(result.findings);
  const of = (severity: Finding['severity']): number => found.filter((finding) => finding.severity === severity).length;
  return {
    schemaVersion: 1,
    command: 'check',
    policy: policy.name,
    machine: {
      source: machine.source,
      functions: machine.hierarchy.functions.length,
      cpu: cpuText(machine.cpu),
      kernel: machine.kernel,
    },
    pairs: result.pairs,
    summary: { error: of('error'), warning: of('warning'), note: of('note'), unknown: unknown.length },
    findings: result.findings.map(findingDocument),
  };
}

function findingDocument(finding: Finding): object {
  const { id, severity, sure, title, at, functions, pairs, why, missing } = finding;
  return {
    id,
    severity,
    sure,
    title,
    at,
    functions,
    pairs,
    evidence: finding.evidence.map((evidence) => ({
      ...evidence,
      offset: evidence.offset === null ? null : hex(evidence.offset),
    })),
    why,
    fixes: finding.fixes.map(({ what, settings, commands, cost, undo, takeBack, reboot, proof }) => ({
      what,
      settings: settings ?? [],
      commands,
      cost,
      undo,
      takeBack: takeBack ?? null,
      reboot,
      proof,
    })),
    missing,
  };
}

/** What the table says of one diagnosis. */
export function diagnosisDocument(id: DiagnosisId): object {
  const diagnosis = DIAGNOSES.find((candidate) => candidate.id === id);
  return {
    schemaVersion: 1,
    command: 'check',
    diagnosis: {
      id,
      aliases: diagnosis?.aliases,
      severity: diagnosis?.severity,
      meaning: diagnosis?.meaning,
      symptom: diagnosis?.symptom,
      needs: diagnosis?.needs,
    },
  };
}
