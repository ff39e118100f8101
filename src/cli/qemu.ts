/** `p2pdma qemu`: a command line that rebuilds the shape of a machine in QEMU, for reproducing a bug on a laptop. */

import { commandLine, STANDALONE } from '../engine/qemu/command-line.ts';
import { rebuildText } from '../engine/qemu/rebuild-text.ts';
import type { Invocation } from './context.ts';
import { EXIT_DONE, type ExitCode } from './exit-codes.ts';
import { loadMachine } from './machine-argument.ts';

const RAM_BYTES = 2 ** 30;

/** Runs the command; ends with 0 whenever it could answer. QEMU itself is not needed. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { context } = invocation;
  const { machine } = await loadMachine(invocation.args[0], invocation);
  const { text, rebuilt } = rebuildText(machine, { ramBytes: RAM_BYTES });
  if (context.json) {
    const { options, parts } = commandLine(rebuilt.description, STANDALONE);
    await context.out.json({
      schemaVersion: 1,
      command: 'qemu',
      source: machine.source,
      arguments: options.flat(),
      parts: parts.map(({ id, name }) => ({ id, function: name })),
      leftOut: rebuilt.leftOut,
      notes: rebuilt.notes,
    });
  } else await context.out.write(text);
  return EXIT_DONE;
}
