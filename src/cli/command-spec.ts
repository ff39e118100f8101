/** What a command is to the command line: its name, its arguments and options, its help, and where its file is. */

import type { Command } from 'commander';
import type { CommandModule } from './context.ts';

export interface CommandSpec {
  readonly name: string;
  /** One line of `p2pdma --help`. */
  readonly summary: string;
  /** Examples, shown before everything else in the command's own help. */
  readonly examples: readonly string[];
  /** Adds arguments and options. */
  readonly shape: (command: Command) => void;
  readonly load: () => Promise<CommandModule>;
}
