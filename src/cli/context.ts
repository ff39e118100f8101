/** What a command may use of the outside world, and what it is called with. */

import type { ExitCode } from './exit-codes.ts';
import type { Output } from './output.ts';
import type { Progress } from './progress.ts';

export interface CliContext {
  /** The answer. */
  readonly out: Output;
  /** Everything else: one line, the newline is added. */
  readonly note: (line: string) => void;
  /** How far a long run is, on a terminal. */
  readonly progress: Progress;
  /** stdout is one JSON document. */
  readonly json: boolean;
  /** stdout is a terminal that wants colour. */
  readonly color: boolean;
  /** Width that the answer should fit, characters. */
  readonly columns: number;
  /** The version of the package, `0.1.0`. */
  readonly version: () => string;
}

/** A command line after parsing. */
export interface Invocation {
  /** Positional arguments as written; those left out are missing. */
  readonly args: readonly string[];
  /** Options by their camel-case name. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly context: CliContext;
}

/** What the file of a command exports. Loaded when the command is called, not before. */
export interface CommandModule {
  readonly run: (invocation: Invocation) => Promise<ExitCode>;
}

/** The text of an option, or undefined where it was left out. */
export function textOption(invocation: Invocation, name: string): string | undefined {
  const value = invocation.options[name];
  return typeof value === 'string' ? value : undefined;
}
