/**
 * The report for people: the worst first, its place and its fix at once, everything else on demand. Without --verbose it fits on one
 * screen: what is alike stands together, and what comes later is told in fewer lines.
 */

import { groupedBy, listed, plural } from '../../core/words.ts';
import { ROLE_WORDS } from '../../doctor/facts/roles.ts';
import type { DiagnosisId, Finding } from '../../doctor/finding.ts';
import { worstSeverity } from '../../doctor/severity.ts';
import { diagnosisOf } from '../../doctor/table.ts';
import type { Machine } from '../../machine/machine.ts';
import { type Role, rolesOf } from '../../machine/roles.ts';
import { briefly, cautionLines, fixLines, whatLines } from '../words/fix-lines.ts';
import { shorten, wrap } from '../words/style.ts';
import { type Block, fitted } from './fit.ts';
import { ruleLines } from './rules.ts';
import { type CheckQuestion, type CheckView, evidenceText, headline, pairsSentence, splitFindings } from './view.ts';

/** Lines of a screen. */
const ROWS = 40;
/** Findings with one fix of which the screen shows the titles. */
const TITLES_MAX = 3;

/** The report. */
export function* checkLines(question: CheckQuestion, view: CheckView): Generator<string> {
  const { found, unknown } = splitFindings(question.result.findings);
  if (!view.verbose) {
    const blocks = [
      [headLines(question, found, unknown, view)],
      ...together(found).map((alike) => alikeBlock(alike, view)),
    ];
    const rules = ruleLines(question.result.rules, view);
    if (rules.length > 0) blocks.push([rules, []]);
    if (unknown.length > 0) blocks.push(openBlock(unknown, view));
    if (found.length > 0) blocks.push([moreLines(question, found[0] as Finding, view)]);
    // The head and the worst of the findings keep their length.
    yield* fitted(blocks, { rows: ROWS, columns: view.columns }, 2);
    return;
  }
  yield* headLines(question, found, unknown, view);
  for (const finding of found) {
    yield '';
    yield* findingLines(finding, question, view);
  }
  yield* ruleLines(question.result.rules, view);
  if (unknown.length > 0) yield* openLines(unknown, view);
}

function headLines(
  question: CheckQuestion,
  found: readonly Finding[],
  unknown: readonly Finding[],
  { style, columns }: CheckView,
): string[] {
  const { machine, policy, result } = question;
  const open = unknown.length === 0 ? '' : `; ${plural(unknown.length, 'question')} open`;
  const functions = plural(machine.hierarchy.functions.length, 'function');
  return [
    ...wrap(`${machine.source}: ${headline(found, result)}${open}`, columns, '  ').map(style.bold),
    ...wrap(`${functions}, rules of ${policy.name}${whyRules(machine)}. ${pairsSentence(result)}`, columns),
    ...whoIsWho(machine, columns),
  ];
}

function whyRules({ kernel }: Machine): string {
  return kernel === null ? ' (the capture names no kernel)' : ` (kernel ${kernel})`;
}

/** Devices of a kind that the head names. */
const KIND_MAX = 4;

/** `NVMe drive 0000:02:00.0; GPU 0000:1a:00.0, 0000:67:00.0`: whom the report speaks of. */
function whoIsWho(machine: Machine, columns: number): string[] {
  const { functions } = machine.hierarchy;
  const byRole = new Map<Role, string[]>();
  rolesOf(functions).forEach((role, index) => {
    if (role === null) return;
    const names = byRole.get(role) ?? [];
    names.push(functions[index]?.name ?? '');
    byRole.set(role, names);
  });
  if (byRole.size === 0) return [];
  const parts = [...byRole].map(([role, names]) => {
    return `${ROLE_WORDS[role]}${names.length === 1 ? '' : 's'} ${listed(names, KIND_MAX)}`;
  });
  return wrap(`Devices: ${parts.join('; ')}.`, columns, '  ');
}

/** Beyond this many groups a screen cannot hold them, and fixes are not told apart. */
const GROUPS_MAX = 8;

/** Findings of one kind and severity together, where they have one fix or are one question, in their order; in a machine with very many, all of them. */
function together(findings: readonly Finding[]): Finding[][] {
  const kindOf = ({ id, severity, sure }: Finding): string => `${id} ${severity} ${sure}`;
  const keys = fixKeys();
  const groups = groupedBy(findings, (finding) => `${kindOf(finding)} ${keys(finding)}`);
  return groups.length <= GROUPS_MAX ? groups : groupedBy(findings, kindOf);
}

/** What tells the first fixes of findings apart: their lines, or where they have none, whether they are one piece of advice. */
function fixKeys(): (finding: Finding) => string {
  const known = new Map<unknown, number>();
  return (finding) => {
    const [fix] = finding.fixes;
    if (fix !== undefined && fix.commands.length + (fix.settings?.length ?? 0) > 0) {
      return JSON.stringify([fix.kind, fix.settings ?? [], fix.commands]);
    }
    const advice = fix ?? finding;
    if (!known.has(advice)) known.set(advice, known.size);
    return String(known.get(advice));
  };
}

const HEADS: Readonly<Record<Finding['severity'], string>> = { error: 'ERROR', warning: 'WARNING', note: 'NOTE' };

function headOf(finding: Finding): string {
  return `${HEADS[finding.severity]}  ${finding.id}${finding.sure === 'likely' ? ' (likely)' : ''}`;
}

/** At length, without commands, in two lines, in one. */
function alikeBlock(alike: readonly Finding[], view: CheckView): Block {
  const first = alike[0] as Finding;
  const { columns, style } = view;
  const [fix] = first.fixes;
  const head = ['', style.bold(headOf(first))];
  const keys = fixKeys();
  const isOneFix = new Set(alike.map(keys)).size === 1;
  const word = isOneFix ? 'Fix' : 'Fix of the first';
  const titles = alike.slice(0, TITLES_MAX).flatMap(({ title }) => wrap(`  ${title}.`, columns, '  '));
  if (alike.length > TITLES_MAX) titles.push(`  And ${alike.length - TITLES_MAX} more like these.`);
  const asked = first.missing !== null && fix === undefined ? missingLines(first, columns) : [];
  const others = first.fixes.length - 1;
  const more = others < 1 ? [] : [style.dim(`  ${plural(others, 'other fix')}: --explain ${first.id}`)];
  const full =
    fix === undefined ? [] : first.severity === 'note' ? whatLines(fix, word, view) : fixLines(fix, word, view);
  const brief = fix === undefined ? [] : [...whatLines(fix, word, view), ...cautionLines(fix, view), ...briefly(fix)];
  const times = alike.length === 1 ? '' : ` (${alike.length})`;
  const oneLine = shorten(`${headOf(first)}${times}: ${first.title}.`, columns);
  const twoLines = [oneLine, ...(fix === undefined ? [] : [shorten(`  ${word}: ${fix.what}.`, columns)])];
  return [
    [...head, ...titles, ...full, ...more, ...asked],
    [...head, ...titles, ...brief, ...asked],
    ['', ...twoLines],
    [oneLine],
  ];
}

function missingLines({ missing }: Finding, columns: number): string[] {
  return missing === null ? [] : wrap(`  To know ${missing.what}: ${missing.command}`, columns, '    ');
}

/** A finding with everything. */
function* findingLines(finding: Finding, question: CheckQuestion, view: CheckView): Generator<string> {
  const { style, columns } = view;
  yield style.bold(headOf(finding));
  yield* wrap(`  ${finding.title}.`, columns, '  ');
  yield* wrap(`  Why it matters: ${finding.why}`, columns, '    ');
  if (finding.pairs !== null) {
    const { provider, client } = finding.pairs;
    yield `  ${plural(finding.pairs.count, 'pair')}, for example: p2pdma explain ${question.argument} ${provider} ${client}`;
  }
  if (finding.evidence.length > 0) {
    yield '  Evidence:';
    for (const evidence of finding.evidence) yield* wrap(`    ${evidenceText(evidence)}`, columns, '      ');
  }
  for (const [index, fix] of finding.fixes.entries()) yield* fixLines(fix, `Fix ${index + 1}`, view);
  yield* missingLines(finding, columns);
}

const OPEN_HEAD = 'Not in this capture, and the command that tells:';

/** All that the capture leaves open. One command answers for all that miss the same. */
function* openLines(unknown: readonly Finding[], { columns, style }: CheckView): Generator<string> {
  yield '';
  yield style.bold(OPEN_HEAD);
  for (const [command, findings] of byCommand(unknown)) {
    for (const finding of findings) yield* wrap(`  ${finding.id}: ${finding.title}`, columns, '    ');
    if (command !== '') yield `      ${command}`;
  }
}

function byCommand(unknown: readonly Finding[]): Map<string, Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of unknown) {
    const command = finding.missing?.command ?? '';
    groups.set(command, [...(groups.get(command) ?? []), finding]);
  }
  return groups;
}

/** In full with commands, a line each with commands, a line each, names only. */
function openBlock(unknown: readonly Finding[], view: CheckView): Block {
  const { columns, style } = view;
  const head = ['', style.bold(OPEN_HEAD)];
  // A capture holds what most of them ask for, in one command.
  if (unknown.length > 1) head.push('  Most of it at once, on that machine: sudo p2pdma capture -o host.tar.gz');
  const each = together(unknown).map((alike) => {
    const { id, title, missing } = alike[0] as Finding;
    return {
      text: `  ${id}${alike.length === 1 ? '' : ` (${alike.length})`}: ${title}`,
      command: missing === null ? [] : [`      ${missing.command}`],
    };
  });
  const ids = [...new Set(unknown.map(({ id }) => id))].join(', ');
  return [
    [...head, ...each.flatMap(({ text, command }) => [...wrap(text, columns, '    '), ...command])],
    [...head, ...each.flatMap(({ text, command }) => [shorten(text, columns), ...command])],
    [...head, ...each.map(({ text }) => shorten(text, columns))],
    ['', ...wrap(`Not in this capture: ${ids}; --verbose names the commands that tell.`, columns, '  ')],
  ];
}

/** Where to read on. The command is to be copied, and is never broken. */
function moreLines({ argument, asked }: CheckQuestion, first: Finding, { style, columns }: CheckView): string[] {
  const command = `  p2pdma check ${argument}${asked}`;
  return [
    '',
    ...wrap('Evidence, other fixes, what each costs and how to undo it; of all findings, or of one kind:', columns).map(
      style.dim,
    ),
    style.dim(`${command} --verbose`),
    style.dim(`${command} --explain ${first.id}`),
  ];
}

/** What the table says of a diagnosis. */
export function* diagnosisLines(id: DiagnosisId, view: CheckView): Generator<string> {
  const diagnosis = diagnosisOf(id);
  const names = [id, ...diagnosis.aliases].join(', also ');
  yield* wrap(`${names}: ${diagnosis.meaning}`, view.columns, '  ').map(view.style.bold);
  yield* wrap(`  What users see: ${diagnosis.symptom}`, view.columns, '    ');
  yield* wrap(`  Needs in the capture: ${diagnosis.needs}`, view.columns, '    ');
  yield `  At worst: ${worstSeverity(id)}`;
  yield '';
}
