/** `p2pdma check`: what is wrong with a machine's peer-to-peer traffic, where, and what to do. */

import type { Case } from '../case/case.ts';
import { alike } from '../core/text.ts';
import { checkCase } from '../doctor/check-case.ts';
import { type CheckResult, isAtLeast } from '../doctor/check-machine.ts';
import type { DiagnosisId } from '../doctor/finding.ts';
import { DIAGNOSES } from '../doctor/table.ts';
import type { Machine } from '../machine/machine.ts';
import { selectFunctions } from '../machine/selector.ts';
import type { Policy } from '../p2p/policy.ts';
import type { AnswerQuestion } from '../report/answer/view.ts';
import type { CheckView } from '../report/check/view.ts';
import { loadCase } from './case-argument.ts';
import { type Invocation, textOption } from './context.ts';
import { didYouMean, UsageError } from './errors.ts';
import { EXIT_DONE, EXIT_NO, type ExitCode } from './exit-codes.ts';

type FailOn = 'error' | 'warning' | 'note' | 'never';

/** Runs the command: 1 where there are findings at or above `--fail-on`, else 0. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context } = invocation;
  const failOn = failOnOption(textOption(invocation, 'failOn') ?? 'never');
  const explained = textOption(invocation, 'explain');
  const explain = explained === undefined ? null : idOf(explained, '--explain');
  const onlyText = textOption(invocation, 'only');
  const only = onlyText === undefined ? undefined : new Set(onlyText.split(',').map((id) => idOf(id.trim(), '--only')));
  const isMarkdown = invocation.options['markdown'] === true;
  if (context.json && isMarkdown) throw together('--json', '--markdown', 'one report has one form');
  if (explained !== undefined && onlyText !== undefined)
    throw together('--explain', '--only', '--explain shows one diagnosis, --only several');
  const { args } = invocation;
  if (explain !== null && args.length === 0) {
    await explainAlone(invocation, explain);
    return EXIT_DONE;
  }
  const { given, policy } = await loadCase(args, invocation);
  const { machine } = given;
  const pairs = textOption(invocation, 'pairs');
  const asked = pairs === undefined || machine === null ? undefined : askedFunctions(machine, pairs);
  const checked = checkCase(given, policy, { only: explain === null ? only : new Set([explain]), asked });
  const prove = invocation.options['prove'] === true && machine !== null;
  const result = prove ? { ...checked, ...(await onFabric(machine, policy, checked)) } : checked;
  const question = { given, policy, result };
  if (context.json) {
    const { checkDocument } = await import('../report/check/json.ts');
    await context.out.json(checkDocument(question));
    return exitOf(result, failOn);
  }
  const { styleOf } = await import('../report/words/style.ts');
  const view = {
    columns: context.columns,
    style: styleOf(context.color),
    verbose: invocation.options['verbose'] === true || explain !== null || prove,
  };
  const lines = await linesOf(question, {
    view,
    isMarkdown,
    explain,
    argument: args.length === 0 ? 'live' : args.map(shellWord).join(' '),
    asked: pairs === undefined ? '' : ` --pairs ${shellWord(pairs)}`,
  });
  for (const line of lines) if (context.out.append(`${line}\n`)) await context.out.flush();
  return exitOf(result, failOn);
}

interface Form {
  readonly view: CheckView;
  readonly isMarkdown: boolean;
  readonly explain: DiagnosisId | null;
  readonly argument: string;
  readonly asked: string;
}

/** The lines of the answer: of a machine, or of evidence that stands alone. */
async function linesOf(question: AnswerQuestion, form: Form): Promise<Iterable<string>> {
  const { given, policy, result } = question;
  const { machine } = given;
  const { view, isMarkdown, explain, argument, asked } = form;
  if (machine === null || isDrawingAlone(given)) {
    const { answerLines, answerMarkdown } = await import('../report/answer/text.ts');
    return isMarkdown ? answerMarkdown(question, view) : answerLines(question, view);
  }
  const ofMachine = { machine, policy, result, argument, asked };
  if (isMarkdown) return (await import('../report/check/markdown.ts')).markdownLines(ofMachine);
  const [{ checkLines, diagnosisLines }, { besideLines }] = await Promise.all([
    import('../report/check/text.ts'),
    import('../report/answer/text.ts'),
  ]);
  const head = explain === null ? [] : diagnosisLines(explain, view);
  return [...head, ...checkLines(ofMachine, view), ...besideLines(question, view)];
}

/** A drawing shows no classes: there is no pair of interest, and the page of a machine would say that nothing is wrong. */
function isDrawingAlone({ origin }: Case): boolean {
  return origin === 'drawing';
}

/** The result with every fix run on the fabric as well. */
async function onFabric(machine: Machine, policy: Policy, result: CheckResult): Promise<CheckResult> {
  const { withFabricProofs } = await import('../report/proof/fabric-proof.ts');
  return withFabricProofs(machine, policy, result);
}

/** Quoted where a shell would take it apart. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function exitOf({ findings }: CheckResult, failOn: FailOn): ExitCode {
  if (failOn === 'never') return EXIT_DONE;
  return findings.some((finding) => isAtLeast(finding, failOn)) ? EXIT_NO : EXIT_DONE;
}

async function explainAlone({ context }: Invocation, id: DiagnosisId): Promise<void> {
  if (context.json) {
    const { diagnosisDocument } = await import('../report/check/json.ts');
    await context.out.json(diagnosisDocument(id));
    return;
  }
  const [{ diagnosisLines }, { styleOf }] = await Promise.all([
    import('../report/check/text.ts'),
    import('../report/words/style.ts'),
  ]);
  const view = { columns: context.columns, style: styleOf(context.color), verbose: true };
  for (const line of diagnosisLines(id, view)) context.out.append(`${line}\n`);
}

/** Of two options one would be dropped without a word. */
function together(one: string, other: string, why: string): UsageError {
  return new UsageError({
    code: 'USAGE_OPTION_VALUE',
    path: other,
    message: `${one} and ${other} are given together`,
    hint: `${why}: leave one of them out`,
  });
}

function failOnOption(text: string): FailOn {
  if (text === 'error' || text === 'warning' || text === 'note' || text === 'never') return text;
  throw new UsageError({
    code: 'USAGE_OPTION_VALUE',
    path: '--fail-on',
    message: `there is no level '${text}'`,
    hint: 'levels: error, warning, note, never',
  });
}

/** The diagnosis that a user names, in any case, by its id or by another name of it. */
function idOf(text: string, option: string): DiagnosisId {
  const wanted = text.toUpperCase().replaceAll(' ', '-');
  const found = DIAGNOSES.find(
    ({ id, aliases }) => id === wanted || aliases.some((alias) => alias.replaceAll(' ', '-') === wanted),
  );
  if (found !== undefined) return found.id;
  const ids = DIAGNOSES.map(({ id }) => id);
  throw new UsageError({
    code: 'USAGE_OPTION_VALUE',
    path: option,
    message: `there is no diagnosis '${text}'`,
    hint: didYouMean(alike(wanted, ids, 1), `diagnoses: ${ids.join(', ')}`),
  });
}

function askedFunctions(machine: Machine, text: string): number[] {
  const chosen = selectFunctions(machine.hierarchy, text, '--pairs');
  if (chosen.length >= 2) return chosen;
  throw new UsageError({
    code: 'USAGE_OPTION_VALUE',
    path: '--pairs',
    message: `'${text}' names ${chosen.length === 1 ? 'one function' : 'no function'}, and a pair has two`,
    hint: 'for example --pairs 03:00.0,06:00.0: all pairs among the functions named',
  });
}
