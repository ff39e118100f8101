/** `p2pdma topo`: the tree of a machine, for people or as JSON. */

import type { Invocation } from './context.ts';
import { EXIT_DONE, type ExitCode } from './exit-codes.ts';
import { loadMachine } from './machine-argument.ts';
import { systemNames } from './system-names.ts';

/** Runs the command; ends with 0 whenever it could answer. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context } = invocation;
  const { machine } = await loadMachine(invocation.args[0], invocation);
  if (context.json) {
    const { writeTopoJson } = await import('../report/topo/json.ts');
    await writeTopoJson(context.out, machine, systemNames());
    return EXIT_DONE;
  }
  const [{ topoLines }, { styleOf }] = await Promise.all([
    import('../report/topo/text.ts'),
    import('../report/words/style.ts'),
  ]);
  const view = { columns: context.columns, style: styleOf(context.color), names: systemNames() };
  for (const line of topoLines(machine, view)) if (context.out.append(`${line}\n`)) await context.out.flush();
  return EXIT_DONE;
}
