/** The inputs of `check`: a machine, or any scraps of one. */

import type { Case } from '../case/case.ts';
import { openCase } from '../case/open-case.ts';
import { type Policy, policyForKernel } from '../p2p/policy.ts';
import { type Invocation, textOption } from './context.ts';
import { UsageError } from './errors.ts';
import { checkOptions, type ReadInput, readInput, withFiles, withOptions } from './machine-argument.ts';
import { policyOption } from './options.ts';

export interface LoadedCase {
  readonly given: Case;
  readonly policy: Policy;
}

/**
 * Opens what the arguments name, this computer where there is none, with `--cpu`, `--kernel-cmdline` and `--policy` applied.
 *
 * @throws UsageError for a bad option, CaseError where nothing is recognised, MachineError for a capture that cannot be read
 */
export async function loadCase(args: readonly string[], invocation: Invocation): Promise<LoadedCase> {
  checkOptions(invocation);
  const named = [...(args.length === 0 ? [undefined] : args), ...withFiles(invocation)];
  if (named.filter((argument) => argument === '-').length > 1) throw stdinTwice();
  const inputs: ReadInput[] = [];
  for (const argument of named) inputs.push(await readInput(argument));
  return openInputs(inputs, invocation);
}

/** `loadCase` of inputs that were read already. */
export async function openInputs(inputs: readonly ReadInput[], invocation: Invocation): Promise<LoadedCase> {
  const given = await openCase(inputs);
  if (given.machine === null) {
    const policy = textOption(invocation, 'policy');
    return { given, policy: policy === undefined ? policyForKernel(null) : policyOption(policy, null) };
  }
  const { machine, policy } = withOptions(given.machine, invocation);
  return { given: { ...given, machine }, policy };
}

function stdinTwice(): UsageError {
  return new UsageError({
    code: 'USAGE_ARGUMENT_VALUE',
    path: '-',
    message: 'is given twice, and there is one standard input',
    hint: 'write one of them to a file',
  });
}
