/** The report for people: the worst first, its place and its fix at once, everything else on demand. */

import type { DiagnosisId, Finding, Fix } from '../doctor/diagnoses/finding.ts';
import { DIAGNOSES } from '../doctor/diagnoses/table.ts';
import { type CheckQuestion, evidenceText, pairsSentence, splitFindings, tally } from './check-view.ts';
import { count, type Style, wrap } from './style.ts';

export interface CheckView {
  readonly columns: number;
  readonly style: Style;
  /** All evidence, all fixes, all findings. */
  readonly verbose: boolean;
}

/** Findings of one kind that the first screen shows. */
const KIND_MAX = 2;
/** Commands of a fix that it shows. */
const COMMANDS_MAX = 4;

/** The report. */
export function* checkLines(question: CheckQuestion, view: CheckView): Generator<string> {
  const { machine, policy, result } = question;
  const { found, unknown } = splitFindings(result.findings);
  const open = unknown.length === 0 ? '' : `; ${count(unknown.length, 'question')} open`;
  const verdict = found.length === 0 && unknown.length > 0 ? 'nothing wrong in what the capture shows' : tally(found);
  yield view.style.bold(`${machine.source}: ${verdict}${open}`);
  yield* wrap(
    `${count(machine.hierarchy.functions.length, 'function')}, rules of ${policy.name}. ${pairsSentence(result)}`,
    view.columns,
  );
  const shown = new Map<DiagnosisId, number>();
  for (const finding of found) {
    const number = (shown.get(finding.id) ?? 0) + 1;
    shown.set(finding.id, number);
    if (number <= KIND_MAX || view.verbose) {
      yield '';
      yield* findingLines(finding, question, view);
    }
  }
  const hidden = [...shown].filter(([, number]) => number > KIND_MAX && !view.verbose);
  if (hidden.length > 0) {
    yield '';
    for (const [id, number] of hidden) yield `And ${number - KIND_MAX} more of ${id}: --verbose shows them.`;
  }
  if (unknown.length > 0) yield* unknownLines(unknown, view);
  if (!view.verbose && found.length > 0) {
    yield '';
    const first = found[0] as Finding;
    yield* wrap(
      `Evidence, other fixes and their cost: p2pdma check ${question.argument} --verbose, or --explain ${first.id} for one.`,
      view.columns,
    ).map(view.style.dim);
  }
}

const HEADS: Readonly<Record<Finding['severity'], string>> = { error: 'ERROR', warning: 'WARNING', note: 'NOTE' };

function* findingLines(finding: Finding, question: CheckQuestion, view: CheckView): Generator<string> {
  const { style, columns } = view;
  const sure = finding.sure === 'likely' ? ' (likely)' : '';
  yield style.bold(`${HEADS[finding.severity]}  ${finding.id}${sure}`);
  yield* wrap(`  ${finding.title}.`, columns, '  ');
  if (view.verbose) {
    yield* wrap(`  Why it matters: ${finding.why}`, columns, '    ');
    if (finding.pairs !== null) {
      const { provider, client } = finding.pairs;
      yield* wrap(
        `  ${count(finding.pairs.count, 'pair')}, for example: p2pdma explain ${question.argument} ${provider} ${client}`,
        columns,
        '    ',
      );
    }
    if (finding.evidence.length > 0) {
      yield '  Evidence:';
      for (const evidence of finding.evidence) yield* wrap(`    ${evidenceText(evidence)}`, columns, '      ');
    }
    for (const [index, fix] of finding.fixes.entries()) yield* fixLines(fix, `Fix ${index + 1}`, view);
  } else if (finding.severity === 'note') {
    const [fix] = finding.fixes;
    if (fix !== undefined) yield* wrap(`  Fix: ${fix.what}.`, columns, '    ');
  } else {
    const [fix] = finding.fixes;
    if (fix !== undefined) yield* fixLines(fix, 'Fix', view);
    const more = finding.fixes.length - 1;
    if (more > 0) yield style.dim(`  ${count(more, 'other fix').replace('fixs', 'fixes')}: --explain ${finding.id}`);
  }
  if (finding.missing !== null && (view.verbose || finding.fixes.length === 0)) {
    yield* wrap(`  To know ${finding.missing.what}: ${finding.missing.command}`, columns, '    ');
  }
}

function* fixLines(fix: Fix, head: string, view: CheckView): Generator<string> {
  const { columns, style } = view;
  yield* wrap(`  ${head}: ${fix.what}${fix.reboot ? ' (needs a boot)' : ''}.`, columns, '    ');
  const commands = view.verbose ? fix.commands : fix.commands.slice(0, COMMANDS_MAX);
  // Commands are to be copied, and are never broken.
  for (const command of commands) yield `      ${command}`;
  if (commands.length < fix.commands.length)
    yield `      ... and ${fix.commands.length - commands.length} more like these`;
  yield* wrap(`    Cost: ${fix.cost}`, columns, '      ').map(style.dim);
  const undo = view.verbose ? fix.undo : fix.undo.slice(0, COMMANDS_MAX);
  if (undo.length === 1) yield style.dim(`    Undo: ${undo[0]}`);
  else if (undo.length > 1) {
    yield style.dim('    Undo:');
    for (const line of undo) yield style.dim(`      ${line}`);
  }
  if (view.verbose && fix.proof !== null) yield* wrap(`    Proof: ${fix.proof}`, columns, '      ').map(style.dim);
}

function* unknownLines(unknown: readonly Finding[], view: CheckView): Generator<string> {
  yield '';
  yield view.style.bold('Not in this capture, and the command that tells:');
  // One command answers for all that miss the same.
  const byCommand = new Map<string, Finding[]>();
  for (const finding of unknown) {
    const command = finding.missing?.command ?? '';
    byCommand.set(command, [...(byCommand.get(command) ?? []), finding]);
  }
  for (const [command, findings] of byCommand) {
    const shown = view.verbose ? findings : findings.slice(0, KIND_MAX);
    for (const finding of shown) yield* wrap(`  ${finding.id}: ${finding.title}`, view.columns, '    ');
    if (shown.length < findings.length) yield `  and ${findings.length - shown.length} more like it`;
    if (command !== '') yield `      ${command}`;
  }
}

/** What the table says of a diagnosis. */
export function* diagnosisLines(id: DiagnosisId, view: CheckView): Generator<string> {
  const diagnosis = DIAGNOSES.find((candidate) => candidate.id === id);
  if (diagnosis === undefined) return;
  const names = [id, ...diagnosis.aliases].join(', also ');
  yield view.style.bold(`${names}: ${diagnosis.meaning}`);
  yield* wrap(`  What users see: ${diagnosis.symptom}`, view.columns, '    ');
  yield* wrap(`  Needs in the capture: ${diagnosis.needs}`, view.columns, '    ');
  yield `  At worst: ${diagnosis.severity}`;
  yield '';
}
