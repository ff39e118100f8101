/** `p2pdma diff`: two captures of one machine. */

import { plural } from '../core/words.ts';
import { machineDifference } from '../doctor/change/machine-difference.ts';
import { styleOf } from '../report/words/style.ts';
import type { Invocation } from './context.ts';
import { UsageError } from './errors.ts';
import { EXIT_DONE, EXIT_NO, type ExitCode } from './exit-codes.ts';
import { loadMachine } from './machine-argument.ts';

/** Runs the command: 1 where anything differs. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context, args } = invocation;
  if (args[0] === '-' && args[1] === '-') {
    throw new UsageError({
      code: 'USAGE_ARGUMENT_VALUE',
      path: 'AFTER',
      message: 'standard input cannot be both machines',
      hint: 'write one of them to a file: p2pdma diff before.txt -',
    });
  }
  const before = await loadMachine(args[0], invocation);
  const after = await loadMachine(args[1], invocation);
  const difference = machineDifference(before.machine, after.machine, { before: before.policy, after: after.policy });
  const smaller = Math.min(before.machine.hierarchy.functions.length, after.machine.hierarchy.functions.length);
  if (difference.matched * 2 < smaller) {
    context.note(
      `note: only ${difference.matched} of ${plural(smaller, 'function')} are in both: are these captures of one machine?`,
    );
  }
  if (context.json) {
    const { diffDocument } = await import('../report/diff/json.ts');
    await context.out.json(diffDocument(before, after, difference));
  } else {
    const { diffLines } = await import('../report/diff/text.ts');
    const view = { columns: context.columns, style: styleOf(context.color) };
    for (const line of diffLines(difference, view)) context.out.append(`${line}\n`);
  }
  const { gone, come, changes, flipped } = difference;
  return gone.length + come.length + changes.length + flipped.length === 0 ? EXIT_DONE : EXIT_NO;
}
