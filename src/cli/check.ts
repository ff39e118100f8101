/** `p2pdma check`: what is wrong with a machine's peer-to-peer traffic, where, and what to do. */

import { alike } from '../core/text.ts';
import { type CheckResult, checkMachine, isAtLeast } from '../doctor/check-machine.ts';
import type { DiagnosisId } from '../doctor/finding.ts';
import { DIAGNOSES } from '../doctor/table.ts';
import type { Machine } from '../machine/machine.ts';
import { selectFunctions } from '../machine/selector.ts';
import type { Policy } from '../p2p/policy.ts';
import { type Invocation, textOption } from './context.ts';
import { didYouMean, UsageError } from './errors.ts';
import { EXIT_DONE, EXIT_NO, type ExitCode } from './exit-codes.ts';
import { loadMachine } from './machine-argument.ts';

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
  const argument = invocation.args[0];
  if (explain !== null && argument === undefined) {
    await explainAlone(invocation, explain);
    return EXIT_DONE;
  }
  const { machine, policy } = await loadMachine(argument, invocation);
  const pairs = textOption(invocation, 'pairs');
  const result = checkMachine(machine, policy, {
    only: explain === null ? only : new Set([explain]),
    asked:
      pairs === undefined ? undefined : askedFunctions(selectFunctions(machine.hierarchy, pairs, '--pairs'), pairs),
  });
  const prove = invocation.options['prove'] === true;
  const question = {
    machine,
    policy,
    result: prove ? await onFabric(machine, policy, result) : result,
    argument: shellWord(argument ?? 'live'),
    asked: pairs === undefined ? '' : ` --pairs ${shellWord(pairs)}`,
  };
  if (context.json) {
    const { checkDocument } = await import('../report/check/json.ts');
    await context.out.json(checkDocument(question));
  } else if (isMarkdown) {
    const { markdownLines } = await import('../report/check/markdown.ts');
    for (const line of markdownLines(question)) context.out.append(`${line}\n`);
  } else {
    const [{ checkLines, diagnosisLines }, { styleOf }] = await Promise.all([
      import('../report/check/text.ts'),
      import('../report/words/style.ts'),
    ]);
    const view = {
      columns: context.columns,
      style: styleOf(context.color),
      verbose: invocation.options['verbose'] === true || explain !== null || prove,
    };
    if (explain !== null) for (const line of diagnosisLines(explain, view)) context.out.append(`${line}\n`);
    for (const line of checkLines(question, view)) if (context.out.append(`${line}\n`)) await context.out.flush();
  }
  return exitOf(result, failOn);
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

function askedFunctions(chosen: number[], text: string): number[] {
  if (chosen.length >= 2) return chosen;
  throw new UsageError({
    code: 'USAGE_OPTION_VALUE',
    path: '--pairs',
    message: `'${text}' names ${chosen.length === 1 ? 'one function' : 'no function'}, and a pair has two`,
    hint: 'for example --pairs 03:00.0,06:00.0: all pairs among the functions named',
  });
}
