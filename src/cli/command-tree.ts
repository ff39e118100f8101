/** The command tree as data, for completion and the man page: read off the same specifications that parse the command line. */

import { Command } from 'commander';
import type { CommandSpec } from './command-spec.ts';

export interface OptionEntry {
  /** `-o`; null where there is none. */
  readonly short: string | null;
  readonly long: string;
  /** Whether a value follows. */
  readonly takesValue: boolean;
  /** As the help prints it: `--policy <name>`. */
  readonly flags: string;
  readonly description: string;
}

export interface ArgumentEntry {
  readonly name: string;
  readonly description: string;
  /** What may stand there. */
  readonly takes: 'machine' | 'scenario' | 'shell';
}

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly examples: readonly string[];
  readonly options: readonly OptionEntry[];
  readonly arguments: readonly ArgumentEntry[];
}

/** All commands, in the order of the help. */
export function commandTree(specs: readonly CommandSpec[]): CommandEntry[] {
  return specs.map((spec) => {
    const command = new Command(spec.name);
    spec.shape(command);
    command.option('--no-color', 'no colour, as with NO_COLOR in the environment');
    return {
      name: spec.name,
      summary: spec.summary,
      usage: command.usage(),
      examples: spec.examples,
      arguments: command.registeredArguments.map((argument) => ({
        name: argument.name(),
        description: argument.description,
        takes: takesOf(argument.name()),
      })),
      options: command.options.map((option) => ({
        short: option.short ?? null,
        long: option.long ?? option.flags,
        takesValue: option.required || option.optional,
        flags: option.flags,
        description: option.description,
      })),
    };
  });
}

/** Every argument that is neither a scenario nor a shell may be a machine. */
function takesOf(name: string): ArgumentEntry['takes'] {
  return name === 'scenario' || name === 'shell' ? name : 'machine';
}
