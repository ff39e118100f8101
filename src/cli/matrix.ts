/** `p2pdma matrix`: every ordered pair. */

import { selectFunctions } from '../machine/selector.ts';
import { JudgeContext } from '../p2p/judge.ts';
import { type Invocation, textOption } from './context.ts';
import { EXIT_DONE, type ExitCode } from './exit-codes.ts';
import { loadMachine } from './machine-argument.ts';
import { writeMatrixJson } from './matrix-json.ts';

export async function run(invocation: Invocation): Promise<ExitCode> {
  const { machine, policy } = await loadMachine(invocation.args[0], invocation);
  const select = (name: string, otherwise: string): number[] =>
    selectFunctions(machine.hierarchy, textOption(invocation, name) ?? otherwise, `--${name}`);
  const providers = select('providers', 'memory');
  const clients = select('clients', 'endpoints');
  const judge = new JudgeContext(machine, policy);
  await writeMatrixJson(invocation.context.out, { judge, providers, clients });
  return EXIT_DONE;
}
