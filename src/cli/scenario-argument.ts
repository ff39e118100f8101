/** SCENARIO, the argument that names a scenario: a file, standard input, or one that ships with the package. */

import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { alike } from '../core/text.ts';
import { didYouMean, UsageError } from './errors.ts';
import { scenarioNames, scenarioPath } from './examples-folder.ts';

const PREFIX = 'example:';

/** The file that `argument` names, or `-`. Throws `UsageError` for an example that there is not. */
export function scenarioFile(argument: string): string {
  if (!argument.startsWith(PREFIX)) return argument;
  const name = argument.slice(PREFIX.length);
  const names = scenarioNames();
  if (names.includes(name)) return scenarioPath(name);
  throw new UsageError({
    code: 'USAGE_EXAMPLE_UNKNOWN',
    path: argument,
    message: 'there is no such scenario',
    hint: didYouMean(alike(name, names, 1), 'the list: p2pdma examples'),
  });
}

/** The machine that the scenario in `file` names: a path that leads nowhere from here is taken from the scenario's folder. */
export function machineNear(file: string, machine: string): string {
  if (machine === 'live' || machine === '-' || machine.startsWith(PREFIX) || isAbsolute(machine)) return machine;
  const beside = join(dirname(file), machine);
  return !existsSync(machine) && existsSync(beside) ? beside : machine;
}
