/** `p2pdma diff`: two captures of one machine. */

import { type MachineDifference, machineDifference } from '../doctor/machine-difference.ts';
import type { Invocation } from './context.ts';
import { EXIT_DONE, EXIT_NO, type ExitCode } from './exit-codes.ts';
import { TYPE_WORDS } from './explain-view.ts';
import { loadMachine } from './machine-argument.ts';
import { count, styleOf, wrap } from './style.ts';

/** Runs the command: 1 where anything differs. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context, args } = invocation;
  const before = await loadMachine(args[0], invocation);
  const after = await loadMachine(args[1], invocation);
  const difference = machineDifference(before.machine, after.machine, { before: before.policy, after: after.policy });
  if (context.json) {
    await context.out.json({
      schemaVersion: 1,
      command: 'diff',
      before: { source: before.machine.source, policy: before.policy.name },
      after: { source: after.machine.source, policy: after.policy.name },
      ...difference,
    });
  } else {
    const { bold } = styleOf(context.color);
    for (const line of diffLines(difference, context.columns, bold)) context.out.append(`${line}\n`);
  }
  const { gone, come, changes, flipped } = difference;
  return gone.length + come.length + changes.length + flipped.length === 0 ? EXIT_DONE : EXIT_NO;
}

/** Verdicts first: they are what matters. */
export function* diffLines(
  difference: MachineDifference,
  columns: number,
  bold: (text: string) => string,
): Generator<string> {
  const { flipped, gone, come, changes } = difference;
  yield bold(
    `${count(flipped.length, 'verdict')} flipped, ${count(changes.length, 'fact')} changed, ${gone.length} gone, ${come.length} new; ${count(difference.matched, 'function')} in both`,
  );
  if (difference.pairsLeftOut) yield `Only the first ${difference.judged} pairs were judged.`;
  if (flipped.length > 0) {
    yield '';
    yield bold('Verdicts (provider, client):');
    for (const { provider, client, before, after } of flipped) {
      yield* wrap(`  ${provider} ${client}: ${TYPE_WORDS[before]} -> ${TYPE_WORDS[after]}`, columns, '      ');
    }
  }
  if (gone.length + come.length > 0) {
    yield '';
    yield bold('Functions:');
    for (const name of gone) yield `  gone  ${name} (its name in the earlier capture)`;
    for (const name of come) yield `  new   ${name}`;
  }
  if (changes.length > 0) {
    yield '';
    yield bold('Facts:');
    for (const change of changes) {
      yield* wrap(
        `  ${change.function ?? 'machine'} ${change.fact}: ${change.before} -> ${change.after}`,
        columns,
        '      ',
      );
    }
  }
}
