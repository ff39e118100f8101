/**
 * The answer to a paste without a machine, in at most 25 lines: what this is, what follows for certain, what is likely and why, then what
 * to type next.
 */

import type { Finding } from '../../doctor/finding.ts';
import type { Statement } from '../../doctor/readings/reading.ts';
import { type Style, wrap } from '../words/style.ts';
import { type AnswerQuestion, saidWith, sourceWords } from './view.ts';

export interface AnswerView {
  readonly columns: number;
  readonly style: Style;
  /** All evidence and all fixes. */
  readonly verbose: boolean;
}

const ROWS = 25;
/** Lines of commands that a fix shows. */
const COMMANDS_MAX = 3;
/** Lines of evidence that a finding shows with --verbose. */
const EVIDENCE_MAX = 12;

/** The answer. */
export function* answerLines({ given, result }: AnswerQuestion, view: AnswerView): Generator<string> {
  const { columns, style, verbose } = view;
  const head = wrap(`${given.source}: ${sourceWords(given.blocks).join('; ')}`, columns, '  ').map(style.bold);
  const next = nextLines(result.next, view);
  const body: string[] = [];
  for (const { message } of given.contradictions) body.push(...wrap(`! ${message}`, columns, '  '));
  for (const [sure, title] of [
    ['certain', 'Certain'],
    ['likely', 'Likely'],
  ] as const) {
    const { findings, statements } = saidWith(result, sure);
    if (findings.length + statements.length === 0) continue;
    body.push('', style.bold(title));
    for (const finding of findings) body.push(...findingLines(finding, view));
    for (const statement of statements) body.push(...statementLines(statement, view));
  }
  if (body.length === 0) body.push('', 'Nothing about peer-to-peer follows from this alone.');
  const room = ROWS - head.length - next.length;
  const isCut = !verbose && body.length > room;
  yield* head;
  yield* isCut ? body.slice(0, room - 1) : body;
  if (isCut) yield style.dim(`  ${body.length - room + 1} more lines: --verbose`);
  yield* next;
}

/** What evidence beside a machine shows, and what to type next: behind the report on the machine. */
export function* besideLines({ given, result }: AnswerQuestion, view: AnswerView): Generator<string> {
  const { columns } = view;
  for (const { message } of given.contradictions) yield* ['', ...wrap(`! ${message}`, columns, '  ')];
  if (result.statements.length > 0) {
    yield '';
    for (const statement of result.statements) {
      const word = statement.sure === 'likely' ? 'Likely: ' : '';
      yield* statementLines({ ...statement, text: `${word}${statement.text}` }, view);
    }
  }
  yield* nextLines(result.next, view);
}

/** The answer as Markdown, to paste into a ticket. */
export function* answerMarkdown(question: AnswerQuestion, view: AnswerView): Generator<string> {
  yield '# Peer-to-peer DMA';
  yield '';
  yield '```';
  yield* answerLines(question, { ...view, verbose: true });
  yield '```';
}

function* findingLines(finding: Finding, { columns, style, verbose }: AnswerView): Generator<string> {
  const { id, severity, title, why, fixes, evidence } = finding;
  yield* wrap(`  ${severity.toUpperCase()}  ${id}: ${title}.`, columns, '    ');
  if (verbose) {
    yield* wrap(`    Why it matters: ${why}`, columns, '      ');
    for (const { register, value, meaning, source, line } of evidence.slice(0, EVIDENCE_MAX)) {
      yield* wrap(`    ${register} = ${value}: ${meaning}  [${source}:${line}]`, columns, '      ').map(style.dim);
    }
  }
  for (const fix of verbose ? fixes : fixes.slice(0, 1)) {
    yield* wrap(`    Fix: ${fix.what}${fix.reboot ? ' (needs a boot)' : ''}.`, columns, '      ');
    const lines = [...(fix.settings ?? []).map(({ line }) => line), ...fix.commands];
    for (const line of verbose ? lines : lines.slice(0, COMMANDS_MAX)) yield `      ${line}`;
    if (verbose) {
      yield* wrap(`      Cost: ${fix.cost}`, columns, '        ').map(style.dim);
      for (const undo of fix.undo) yield style.dim(`      Undo: ${undo}`);
      if (fix.takeBack !== undefined) yield* wrap(`      Undo: ${fix.takeBack}`, columns, '        ').map(style.dim);
    }
  }
  const hidden = fixes.length - 1;
  if (!verbose && hidden > 0) yield style.dim(`    ${hidden} other ${hidden === 1 ? 'fix' : 'fixes'}: --verbose`);
}

function statementLines({ text, source, line }: Statement, { columns, verbose }: AnswerView): string[] {
  const place = verbose ? `  [${source}:${line}]` : '';
  return wrap(`  ${text}.${place}`, columns, '    ');
}

function nextLines(next: AnswerQuestion['result']['next'], { columns, style }: AnswerView): string[] {
  if (next.length === 0) return [];
  // A command is to be copied, and is never broken.
  return [
    '',
    style.bold('Next'),
    ...next.flatMap(({ command, why }) => [`  ${command}`, ...wrap(`    ${why}`, columns, '    ').map(style.dim)]),
  ];
}
