/** `p2pdma explain`: one pair, hop by hop, with what decided and what would change it. */

import { existsSync } from 'node:fs';
import { selectFunction } from '../machine/selector.ts';
import { JudgeContext } from '../p2p/judge.ts';
import { explain } from '../report/explain/explanation.ts';
import type { Invocation } from './context.ts';
import { UsageError } from './errors.ts';
import { EXIT_DONE, type ExitCode } from './exit-codes.ts';
import { loadMachine } from './machine-argument.ts';

/** Runs the command; ends with 0 whenever it could answer. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context } = invocation;
  const names = placeArguments(invocation.args);
  const { machine, policy } = await loadMachine(names.machine, invocation);
  const judge = new JudgeContext(machine, policy);
  const provider = selectFunction(machine.hierarchy, names.provider, 'PROVIDER');
  const client = selectFunction(machine.hierarchy, names.client, 'CLIENT');
  const explanation = explain(judge, judge.indexOf(provider), judge.indexOf(client));
  if (context.json) {
    const { explainDocument } = await import('../report/explain/json.ts');
    await context.out.json(explainDocument(explanation));
    return EXIT_DONE;
  }
  const [{ explainLines }, { styleOf }, { systemNames }] = await Promise.all([
    import('../report/explain/text.ts'),
    import('../report/words/style.ts'),
    import('./system-names.ts'),
  ]);
  const view = { columns: context.columns, style: styleOf(context.color), names: systemNames() };
  for (const line of explainLines(explanation, view)) context.out.append(`${line}\n`);
  return EXIT_DONE;
}

interface Names {
  readonly machine: string | undefined;
  readonly provider: string;
  readonly client: string;
}

/** MACHINE stands before the two functions; behind them it is understood as well. */
function placeArguments(args: readonly string[]): Names {
  const [first = '', second = '', third] = args;
  if (args.length === 2 && !namesMachine(first)) return { machine: undefined, provider: first, client: second };
  if (third !== undefined && args.length === 3) {
    return !namesMachine(first) && namesMachine(third)
      ? { machine: third, provider: first, client: second }
      : { machine: first, provider: second, client: third };
  }
  throw new UsageError({
    code: args.length > 3 ? 'USAGE_ARGUMENT_EXCESS' : 'USAGE_ARGUMENT_MISSING',
    path: 'p2pdma explain',
    message: gotWords(args),
    hint: 'of this computer: p2pdma explain 03:00.0 06:00.0; of a capture: p2pdma explain host.tar.gz 03:00.0 06:00.0',
  });
}

function gotWords(args: readonly string[]): string {
  const takes = 'takes two functions, PROVIDER and CLIENT, and before them MACHINE where it is not this computer';
  const [first] = args;
  if (args.length === 0) return takes;
  if (args.length > 3) return `${takes}: ${args.length} arguments are too many`;
  return first !== undefined && namesMachine(first)
    ? `${takes}: '${first}' is the machine, and ${args.length === 1 ? 'both functions are' : 'one function is'} missing`
    : `${takes}: one of them is missing`;
}

function namesMachine(text: string): boolean {
  return (
    text === 'live' ||
    text === '-' ||
    text.startsWith('example:') ||
    (!text.startsWith('/sys/bus/') && existsSync(text))
  );
}
