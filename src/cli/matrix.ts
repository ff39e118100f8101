/** `p2pdma matrix`: every ordered pair, for people or as JSON. */

import { selectFunctions } from '../machine/selector.ts';
import { JudgeContext } from '../p2p/judge.ts';
import { type Invocation, textOption } from './context.ts';
import { EXIT_DONE, type ExitCode } from './exit-codes.ts';
import { loadMachine } from './machine-argument.ts';

/** Runs the command; ends with 0 whenever it could answer. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context } = invocation;
  const { machine, policy } = await loadMachine(invocation.args[0], invocation);
  const select = (name: string, otherwise: string): number[] =>
    selectFunctions(machine.hierarchy, textOption(invocation, name) ?? otherwise, `--${name}`);
  const question = {
    providers: select('providers', 'memory'),
    clients: select('clients', 'endpoints'),
    judge: new JudgeContext(machine, policy),
  };
  if (context.json) {
    const { writeMatrixJson } = await import('../report/matrix/json.ts');
    await writeMatrixJson(context.out, question);
    return EXIT_DONE;
  }
  const [{ matrixLines }, { styleOf }, { systemNames }] = await Promise.all([
    import('../report/matrix/text.ts'),
    import('../report/words/style.ts'),
    import('./system-names.ts'),
  ]);
  const view = {
    columns: context.columns,
    style: styleOf(context.color),
    names: systemNames(),
    full: invocation.options['full'] === true,
  };
  for (const line of matrixLines(question, view)) if (context.out.append(`${line}\n`)) await context.out.flush();
  return EXIT_DONE;
}
