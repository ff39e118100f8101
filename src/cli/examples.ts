/** `p2pdma examples`: the machines that ship with the package. */

import type { Invocation } from './context.ts';
import { type Example, examples } from './examples-folder.ts';
import { EXIT_DONE, type ExitCode } from './exit-codes.ts';
import { wrap } from './style.ts';

/** Runs the command. */
export async function run({ context }: Invocation): Promise<ExitCode> {
  const all = examples();
  if (context.json) await context.out.json({ schemaVersion: 1, command: 'examples', examples: all });
  else
    await context.out.write(
      lines(all, context.columns)
        .map((line) => `${line}\n`)
        .join(''),
    );
  return EXIT_DONE;
}

function lines(all: readonly Example[], columns: number): string[] {
  const width = Math.max(...all.map((example) => example.name.length));
  const listed = all.flatMap(({ name, about }) =>
    wrap(`  ${name.padEnd(width)}  ${about}`, columns, ' '.repeat(width + 4)),
  );
  const first = all[0]?.name ?? '';
  return ['Machines that ship with p2pdma:', ...listed, '', `Use one as MACHINE: p2pdma matrix example:${first}`];
}
