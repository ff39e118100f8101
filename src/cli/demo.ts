/** `p2pdma demo`: the mail's five vectors on a captured machine, from the distance to the bytes; what `npm start` shows. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Invocation, textOption } from './context.ts';
import { EXIT_DONE, EXIT_INTERNAL, type ExitCode } from './exit-codes.ts';
import { cpuOption } from './options.ts';

/** From `dist/cli/`: the example that is compiled beside the product. */
const SCRIPT = new URL('../examples/run-the-mail.js', import.meta.url);

/** Runs the command. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const cpu = textOption(invocation, 'cpu');
  // A bad option is refused here, in the words of every other command.
  if (cpu !== undefined) cpuOption(cpu);
  const { status } = spawnSync(
    process.execPath,
    [fileURLToPath(SCRIPT), ...(cpu === undefined ? [] : ['--cpu', cpu])],
    {
      stdio: 'inherit',
    },
  );
  return status === 0 ? EXIT_DONE : EXIT_INTERNAL;
}
