/** Exit codes: what the contract promises to scripts, and which refusal ends with which. */

import { P2pError } from '../core/errors.ts';

export const EXIT_DONE = 0;
/** Done, and the answer is "no", or there are findings at or above the level asked for. */
export const EXIT_NO = 1;
export const EXIT_USAGE = 2;
/** Input unreadable, malformed or inconsistent. */
export const EXIT_INPUT = 3;
/** The evidence does not suffice. */
export const EXIT_EVIDENCE = 4;
/** Engines disagree, or data does not match. */
export const EXIT_MISMATCH = 5;
/** Our own mistake. */
export const EXIT_INTERNAL = 70;
export const EXIT_INTERRUPTED = 130;

export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 70 | 130;

/**
 * By the class of the refusal. Names, not classes: importing every area here would load the whole program at each start.
 */
const BY_CLASS: Readonly<Record<string, ExitCode>> = {
  // A door of the library: whoever called it wrongly is the command.
  ArgumentError: EXIT_INTERNAL,
  UsageError: EXIT_USAGE,
  SelectorError: EXIT_USAGE,
  MachineError: EXIT_INPUT,
  CaseError: EXIT_INPUT,
  OutputError: EXIT_INPUT,
  ScenarioError: EXIT_INPUT,
  QemuError: EXIT_EVIDENCE,
};

/** Single codes that end otherwise than the rest of their class. */
const BY_CODE: Readonly<Record<string, ExitCode>> = {
  IOMMU_UNKNOWN: EXIT_EVIDENCE,
  PAIR_UNKNOWN: EXIT_EVIDENCE,
  BAR_SIZE_UNKNOWN: EXIT_EVIDENCE,
};

/** The exit code of something that was thrown: a refusal by the table above, everything else is our own mistake. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof P2pError)) return EXIT_INTERNAL;
  return BY_CODE[error.code] ?? BY_CLASS[error.name] ?? EXIT_NO;
}
